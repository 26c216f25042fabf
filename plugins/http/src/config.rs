//! `[sources.NAME.settings]`.

use http::{HeaderName, HeaderValue};
use idbridge_outbound::{Origin, Reach};
use idbridge_source::{Capabilities, Email, Table, UserName};

use crate::auth::{self, Auth};
use crate::listing::List;
use crate::map::{Expired, Question, Rules, SecondFactor};
use crate::person::{Identifier, Person, pointer};
use crate::pointer::Pointer;
use crate::request::Ask;

#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) origin: Origin,
    pub(crate) reach: Reach,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) auth: Auth,
    pub(crate) list: Option<List>,
    pub(crate) log_in: Option<LogIn>,
    pub(crate) user_by_email: Option<LookUp>,
    pub(crate) user_by_login: Option<LookUp>,
    pub(crate) probe: Option<Ask>,
    pub(crate) person: Person,
    pub(crate) rules: Rules,
}

#[derive(Debug)]
pub(crate) struct LogIn {
    pub(crate) ask: Ask,
    /// `None`: the look-up by login tells.
    pub(crate) record: Option<Pointer>,
    pub(crate) identified_by: Vec<Identifier>,
    pub(crate) basic: bool,
}

#[derive(Debug)]
pub(crate) struct LookUp {
    pub(crate) ask: Ask,
    pub(crate) records: Records,
    pub(crate) canary: Option<String>,
}

/// Where records stand in an answer.
#[derive(Debug)]
pub(crate) enum Records {
    Many(Pointer),
    One(Pointer),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Profile {
    Answer,
    UserByLogin,
}

const PROFILES: [(&str, Profile); 2] = [("answer", Profile::Answer), ("user_by_login", Profile::UserByLogin)];

impl Settings {
    /// Every mistake is reported; `None` if one leaves nothing to build.
    pub(crate) fn read(table: &Table<'_>) -> Option<Self> {
        let reach = table
            .list("addresses")
            .parse(|networks| Reach::public_and(&networks))
            .or(Reach::default());
        let origin = table.text("base_url").parse(|text| base_url(&text, &reach)).required();
        let headers = auth::headers(table);
        let auth = Auth::read(table);
        let list = read(table, "list", List::read);
        let log_in = read(table, "log_in", LogIn::read);
        let user_by_email = read(table, "user_by_email", |table| LookUp::read(table, Identifier::Email));
        let user_by_login = read(table, "user_by_login", |table| LookUp::read(table, Identifier::Login));
        let probe = read(table, "probe", |table| {
            let ask = Ask::read(table, Question::Probe, &[]);
            table.finish();
            ask
        });
        let person = table.table("person").map(|table| Person::read(&table));
        if person.is_none() {
            table.mistake("person", "is required: it says how a record is read");
        }
        let rules = Rules {
            on_password_expired: table.choice("on_password_expired", &Expired::WORDS).or(Expired::Reject),
            on_second_factor: table
                .choice("on_second_factor", &SecondFactor::WORDS)
                .or(SecondFactor::Reject),
        };
        let settings = Self {
            origin: origin?,
            reach,
            headers,
            auth: auth?,
            list: list?,
            log_in: log_in?,
            user_by_email: user_by_email?,
            user_by_login: user_by_login?,
            probe: probe?,
            person: person??,
            rules,
        };
        settings.check(table);
        Some(settings)
    }

    pub(crate) fn capabilities(&self) -> Capabilities {
        Capabilities {
            authenticate: self.log_in.is_some(),
            list: self.list.is_some(),
            user_by_email: self.user_by_email.is_some(),
            user_by_login: self.user_by_login.is_some(),
        }
    }

    /// The look-up whose canary shows that all is well.
    pub(crate) fn watched(&self) -> Option<(&LookUp, Identifier, &str)> {
        let by_email = self.user_by_email.iter().map(|spec| (spec, Identifier::Email));
        let by_login = self.user_by_login.iter().map(|spec| (spec, Identifier::Login));
        let mut watched = by_email.chain(by_login);
        watched.find_map(|(spec, identifier)| Some((spec, identifier, spec.canary.as_deref()?)))
    }

    fn say_absent(&self) -> bool {
        let mut look_ups = self.user_by_email.iter().chain(&self.user_by_login);
        look_ups.any(|spec| spec.ask.answers.say_absent())
    }

    /// What single keys can't know.
    fn check(&self, table: &Table<'_>) {
        if self.log_in.is_none() && self.user_by_email.is_none() && self.user_by_login.is_none() {
            table.mistake("log_in", "is required, or `user_by_email` or `user_by_login`");
        }
        if self.user_by_email.is_some() && !self.person.has_email() {
            table.mistake("user_by_email", "needs person.email, to know whose record an answer is");
        }
        if self.list.is_some() && self.watched().is_none() {
            table.mistake(
                "list",
                "needs a look-up with a canary: to a credential that sees nobody, nobody is the whole list",
            );
        }
        match (self.watched(), &self.probe) {
            (Some(_), Some(_)) => table.mistake("probe", "has no effect beside a canary, which is read instead"),
            // Whoever says "absent" without a canary was told of it.
            (None, None) if !self.say_absent() => {
                table.mistake("probe", "is required where no look-up has a canary");
            }
            _ => {}
        }
        let Some(log_in) = &self.log_in else { return };
        if log_in.record.is_none() && self.user_by_login.is_none() {
            table.mistake(
                "log_in",
                "has profile = \"user_by_login\", and there is no `user_by_login`",
            );
        }
        if log_in.identified_by.contains(&Identifier::Email) && !self.person.has_email() {
            table.mistake(
                "log_in",
                "is identified by an e-mail address, and there is no person.email",
            );
        }
    }
}

impl LogIn {
    fn read(table: &Table<'_>) -> Option<Self> {
        let ask = Ask::read(table, Question::LogIn, &["login", "password"]);
        let profile = table.choice("profile", &PROFILES).or(Profile::Answer);
        let record = pointer(table, "record");
        let is_record = record.is_present();
        let record = record.optional().or((!is_record).then(Pointer::whole));
        if is_record && profile == Profile::UserByLogin {
            table.mistake("record", "has no effect with profile = \"user_by_login\"");
        }
        let identified_by = table.list("identified_by").parse(identifiers);
        let identified_by = identified_by.or(vec![Identifier::Login]);
        let basic = table.bool("basic").or(false);
        if let Some(ask) = &ask {
            match (basic, ask.names("password")) {
                (true, true) => table.mistake("basic", "sends the password a second time; keep one of the two"),
                (false, false) => table.mistake("json", "must name `password` (or `form`; or set `basic = true`)"),
                _ => {}
            }
            if !basic && !ask.names("login") {
                table.mistake("path", "must name `login`, or the query or the body must");
            }
        }
        table.finish();
        Some(Self {
            ask: ask?,
            record: match profile {
                Profile::Answer => Some(record?),
                Profile::UserByLogin => None,
            },
            identified_by,
            basic,
        })
    }
}

impl LookUp {
    fn read(table: &Table<'_>, identifier: Identifier) -> Option<Self> {
        let known = match identifier {
            Identifier::Email => "email",
            Identifier::Login => "login",
        };
        let ask = Ask::read(table, Question::LookUp, &[known]);
        let record = pointer(table, "record");
        let records = pointer(table, "records");
        if record.is_present() && records.is_present() {
            table.mistake("records", "stands beside `record`; keep one of the two");
        }
        let records = match (record.is_present(), records.is_present()) {
            (_, true) => records.optional().map(Records::Many),
            (true, false) => record.optional().map(Records::One),
            (false, false) => Some(Records::One(Pointer::whole())),
        };
        let canary = table.text("canary").parse(|text| match identifier {
            Identifier::Email if Email::parse(&text).is_err() => Err("is no e-mail address"),
            Identifier::Login if UserName::parse(&text).is_err() => Err("is no login that can be looked up"),
            _ => Ok(text),
        });
        if let Some(ask) = &ask {
            if ask.answers.say_absent() && !canary.is_present() {
                table.mistake(
                    "canary",
                    "is required where an answer means `absent`: while this user isn't visible, that means nothing",
                );
            }
            if !ask.names(known) {
                table.mistake("path", format!("must name `{known}`, or the query or the body must"));
            }
        }
        let canary = canary.optional();
        table.finish();
        Some(Self {
            ask: ask?,
            records: records?,
            canary,
        })
    }
}

/// A table that may be left out. `None` if it is there and mistaken.
fn read<T>(table: &Table<'_>, key: &'static str, read: impl FnOnce(&Table<'_>) -> Option<T>) -> Option<Option<T>> {
    match table.table(key) {
        Some(table) => read(&table).map(Some),
        None => Some(None),
    }
}

fn base_url(text: &str, reach: &Reach) -> Result<Origin, &'static str> {
    let origin = Origin::parse(text)?;
    if reach.admits_host(&origin) {
        Ok(origin)
    } else {
        Err("is an address that isn't public; list its network in `addresses` if that is meant")
    }
}

fn identifiers(items: Vec<String>) -> Result<Vec<Identifier>, &'static str> {
    let parse = |item: &String| match item.as_str() {
        "email" => Some(Identifier::Email),
        "login" => Some(Identifier::Login),
        _ => None,
    };
    let identifiers: Option<Vec<Identifier>> = items.iter().map(parse).collect();
    identifiers
        .filter(|identifiers| !identifiers.is_empty())
        .ok_or("may list \"login\" and \"email\", and at least one")
}

#[cfg(test)]
#[path = "config_tests.rs"]
pub(crate) mod tests;
