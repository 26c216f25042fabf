//! `list` of the settings: everybody, page by page.

use http::Uri;
use idbridge_source::{Call, Cursor, ErrorKind, Page, SourceError, Table};
use percent_encoding::percent_decode_str;
use serde_json::Value;
use url::Url;

use crate::api::Answered;
use crate::map::{Question, listed};
use crate::person::pointer;
use crate::pointer::Pointer;
use crate::request::Ask;
use crate::source::{HttpSource, hidden, record, unsupported};
use crate::template::{Given, percent_encoded};

#[derive(Debug)]
pub(crate) struct List {
    ask: Ask,
    records: Pointer,
    size: u64,
    paging: Paging,
}

/// How the next page is found.
#[derive(Debug)]
enum Paging {
    /// The answer has a text that the next request gives back.
    Cursor(Pointer),
    /// The answer has the next page's URL, of which the query is taken and nothing else.
    Link(Pointer),
    /// People are counted, from the first one's number on.
    Offset { first: u64, total: Option<Pointer> },
    /// Pages are counted, from the first one's number on.
    Page { first: u64 },
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Cursor,
    Link,
    Offset,
    Page,
}

/// Where a page begins. Each paging has one of its own.
#[derive(Debug, Eq, PartialEq)]
enum Position {
    /// Empty: the first page.
    Cursor(String),
    /// `None`: the first page.
    Link(Option<String>),
    Number(u64),
}

const PAGINGS: [(&str, Kind); 4] = [
    ("cursor", Kind::Cursor),
    ("link", Kind::Link),
    ("offset", Kind::Offset),
    ("page", Kind::Page),
];

const SIZE: u64 = 100;

impl Kind {
    /// What a request must name, so that not every page is the first.
    fn named(self) -> Option<&'static str> {
        match self {
            Self::Cursor => Some("cursor"),
            Self::Link => None,
            Self::Offset => Some("offset"),
            Self::Page => Some("page"),
        }
    }
}

impl List {
    pub(crate) fn read(table: &Table<'_>) -> Option<Self> {
        let kind = table.choice("paging", &PAGINGS).required();
        let named = kind.and_then(Kind::named);
        let known: Vec<&'static str> = ["limit"].into_iter().chain(named).collect();
        let ask = Ask::read(table, Question::List, &known);
        if let (Some(ask), Some(name)) = (&ask, named)
            && !ask.names(name)
        {
            table.mistake("path", format!("must name `{name}`, or the query or the body must"));
        }
        let records = pointer(table, "records").required();
        let size = table.integer("page_size", 1..=1000).optional();
        let first = table.integer("first", 0..=1).optional();
        let (next, total) = (pointer(table, "next"), pointer(table, "total"));
        let follows = matches!(kind, Some(Kind::Cursor | Kind::Link));
        for (key, is_said, has_effect) in [
            ("first", table.has("first"), !follows),
            ("next", next.is_present(), follows),
            ("total", total.is_present(), kind == Some(Kind::Offset)),
        ] {
            if kind.is_some() && is_said && !has_effect {
                table.mistake(key, "has no effect with this `paging`");
            }
        }
        let next = if follows { next.required() } else { next.optional() };
        let (total, is_total) = (total.optional(), table.has("total"));
        table.finish();
        let first = first.and_then(|first| u64::try_from(first).ok()).unwrap_or_default();
        Some(Self {
            ask: ask?,
            records: records?,
            size: size.and_then(|size| u64::try_from(size).ok()).unwrap_or(SIZE),
            paging: match kind? {
                Kind::Cursor => Paging::Cursor(next?),
                Kind::Link => Paging::Link(next?),
                Kind::Offset if total.is_none() && is_total => return None,
                Kind::Offset => Paging::Offset { first, total },
                Kind::Page => Paging::Page { first },
            },
        })
    }

    fn beginning(&self) -> Position {
        match &self.paging {
            Paging::Cursor(_) => Position::Cursor(String::new()),
            Paging::Link(_) => Position::Link(None),
            Paging::Offset { first, .. } | Paging::Page { first } => Position::Number(*first),
        }
    }

    /// The name of a template that says where a page begins, and the value.
    fn given<'a>(&self, at: &'a Position) -> Option<(&'static str, Given<'a>)> {
        match (&self.paging, at) {
            (Paging::Offset { .. }, Position::Number(number)) => Some(("offset", Given::Number(*number))),
            (_, Position::Number(number)) => Some(("page", Given::Number(*number))),
            (_, Position::Cursor(cursor)) => Some(("cursor", Given::Text(cursor))),
            (_, Position::Link(_)) => None,
        }
    }

    /// Where the page after this one begins; `None` if this was the last.
    fn next(&self, at: &Position, answered: &Answered, got: u64, path: &Path) -> Result<Option<Position>, SourceError> {
        let body = answered.body()?;
        let found = |pointer: &Pointer| {
            let found = pointer
                .find(body)
                .map_err(|_two| answered.protocol("list.next or list.total means two"))?;
            Ok::<_, SourceError>(found.filter(|value| !value.is_null()))
        };
        let text = |pointer: &Pointer| match found(pointer)? {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
            Some(_) => Err(answered.protocol("list.next is no text")),
        };
        let next = match (&self.paging, at) {
            (Paging::Cursor(next), _) => text(next)?.map(|cursor| Position::Cursor(cursor.to_owned())),
            (Paging::Link(next), _) => match text(next)? {
                Some(link) => {
                    let query = path.query_of(link).map_err(|why| answered.protocol(why))?;
                    Some(Position::Link(Some(query)))
                }
                None => None,
            },
            (Paging::Offset { first, total }, Position::Number(at)) => {
                let total = total.as_ref().map(found).transpose()?;
                match total.map(|total| total.and_then(Value::as_u64)) {
                    Some(None) => return Err(answered.protocol("list.total is no number")),
                    Some(Some(total)) if (at + got).saturating_sub(*first) >= total => None,
                    Some(Some(_)) if got == 0 => return Err(answered.protocol("the list ends before its total")),
                    None if got == 0 => None,
                    Some(Some(_)) | None => Some(Position::Number(at + got)),
                }
            }
            (_, Position::Number(at)) => (got > 0).then_some(Position::Number(at + 1)),
            _ => None,
        };
        if next.as_ref() == Some(at) {
            return Err(answered.protocol("a page is its own next one"));
        }
        Ok(next)
    }

    /// Marked, so that nothing else is taken for it.
    fn write(at: &Position) -> Option<Cursor> {
        Cursor::parse(&match at {
            Position::Cursor(cursor) => format!("next:{}", percent_encoded(cursor)),
            Position::Link(query) => format!("link:{}", query.as_deref().unwrap_or_default()),
            Position::Number(number) => format!("from:{number}"),
        })
    }

    fn read_cursor(&self, cursor: &Cursor) -> Result<Position, SourceError> {
        let position = match (&self.paging, cursor.as_str().split_once(':')) {
            (Paging::Cursor(_), Some(("next", encoded))) => {
                let decoded = percent_decode_str(encoded).decode_utf8().ok();
                decoded.map(|text| Position::Cursor(text.into_owned()))
            }
            (Paging::Link(_), Some(("link", query))) => Some(Position::Link(Some(query.to_owned()))),
            (Paging::Offset { .. } | Paging::Page { .. }, Some(("from", number))) => {
                let number: Option<u32> = number.parse().ok();
                number.map(|number| Position::Number(number.into()))
            }
            _ => None,
        };
        let foreign = || SourceError::new(ErrorKind::Protocol, "list").with_source("the cursor is not this source's");
        position.ok_or_else(foreign)
    }
}

/// The list's own URL without its query, which links have to share.
struct Path(Option<Url>);

impl Path {
    /// What a link says is decided by the upstream: a credential goes where the settings send it, and nowhere else.
    fn query_of(&self, link: &str) -> Result<String, &'static str> {
        let own = self.0.as_ref().ok_or("the list's own URL can't be read")?;
        let link = own.join(link).map_err(|_| "list.next is no URL")?;
        let has_user = !link.username().is_empty() || link.password().is_some();
        if has_user || link.origin() != own.origin() || link.path() != own.path() {
            return Err("list.next leads to another host or path");
        }
        let query = link.query().filter(|query| !query.is_empty());
        query.map(str::to_owned).ok_or("list.next has no query")
    }
}

impl HttpSource {
    pub(crate) async fn page(&self, call: &Call, after: Option<&Cursor>) -> Result<Page, SourceError> {
        let spec = self.settings.list.as_ref().ok_or_else(|| unsupported("list"))?;
        let at = match after {
            Some(cursor) => spec.read_cursor(cursor)?,
            None => {
                // Of a credential that sees nobody, an empty list means nothing.
                if let Some((look_up, identifier, canary)) = self.settings.watched() {
                    self.see_canary(call, look_up, identifier, canary).await?;
                }
                spec.beginning()
            }
        };
        let limit = ("limit", Given::Number(spec.size));
        let values: Vec<_> = [limit].into_iter().chain(spec.given(&at)).collect();
        let query = match &at {
            Position::Link(query) => query.as_deref(),
            Position::Cursor(_) | Position::Number(_) => None,
        };
        let answered = self.api.ask(call, &spec.ask, &values, query).await?;
        let records = spec.records.find(answered.body()?).ok().flatten();
        let records = records.and_then(Value::as_array);
        let records = records.ok_or_else(|| answered.protocol("there is no list of records"))?;
        let people = records.iter().map(|item| {
            let item = record(Some(item)).map_err(|why| answered.protocol(why))?;
            let seen = self.settings.person.seen(item);
            Ok(listed(seen.map_err(|why| answered.protocol(why))?, self.settings.rules))
        });
        let people: Vec<_> = people.collect::<Result<_, SourceError>>()?;
        let got = u64::try_from(people.len()).unwrap_or(u64::MAX);
        let path = Path(self.own_url(&spec.ask.build(&values, query)?.path_and_query));
        let next = spec.next(&at, &answered, got, &path)?;
        if after.is_none() && people.is_empty() && next.is_none() {
            return Err(hidden("nobody is listed, and the canary is somebody"));
        }
        let next = next.map(|next| List::write(&next).ok_or_else(|| answered.protocol("list.next is too long")));
        Ok(Page {
            people,
            next: next.transpose()?,
        })
    }

    fn own_url(&self, path_and_query: &str) -> Option<Url> {
        let uri: Uri = path_and_query.parse().ok()?;
        self.settings.origin.url().join(uri.path()).ok()
    }
}
