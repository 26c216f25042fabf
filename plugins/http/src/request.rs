//! A request of the settings, and what is sent with the values of a call.

use bytes::Bytes;
use http::Method;
use http::uri::PathAndQuery;
use idbridge_source::{ErrorKind, SourceError, Table};

use crate::map::{Answers, Question};
use crate::template::{Given, Place, Template, Unfilled, Values, percent_encoded};

/// `log_in`, `user_by_email`, `user_by_login`, `list` or `probe`.
#[derive(Debug)]
pub(crate) struct Ask {
    method: Method,
    /// For logs and errors: `POST /users/{{ login }}`.
    path_template: String,
    path: Template,
    query: Vec<Item>,
    body: Body,
    pub(crate) answers: Answers,
}

/// `name=TEMPLATE`, the name encoded.
#[derive(Debug)]
struct Item {
    name: String,
    value: Template,
}

#[derive(Debug)]
enum Body {
    Form(Vec<Item>),
    Json(Box<Template>),
    None,
}

/// A request that is ready to be signed and sent.
pub(crate) struct Built {
    pub(crate) method: Method,
    pub(crate) path_template: String,
    pub(crate) path_and_query: String,
    pub(crate) body: Option<(&'static str, Bytes)>,
}

const METHODS: &[(&str, Method)] = &[("GET", Method::GET), ("POST", Method::POST), ("PUT", Method::PUT)];

impl Ask {
    /// `known` are the names of its values. A path or a query never knows the password: they are written to logs.
    pub(crate) fn read(table: &Table<'_>, question: Question, known: &[&'static str]) -> Option<Self> {
        let open: Vec<&str> = known.iter().copied().filter(|name| *name != "password").collect();
        let path_template = table.text("path");
        let path = path_template
            .parse(|text| Ok::<_, String>((path(&text, &open)?, text)))
            .required();
        let query = table.list("query").parse(|items| items_of(&items, &open));
        let query = optional(query, Vec::new());
        let json = table
            .text("json")
            .parse(|text| Template::parse(&text, Place::Json, known));
        let form = table.list("form").parse(|items| items_of(&items, known));
        let (has_json, has_form) = (json.is_present(), form.is_present());
        if has_json && has_form {
            table.mistake("form", "stands beside `json`; keep one of the two");
        }
        let body = match (has_json, has_form) {
            (true, _) => json.optional().map(|template| Body::Json(Box::new(template))),
            (false, true) => form.optional().map(Body::Form),
            (false, false) => Some(Body::None),
        };
        let has_body = has_json || has_form;
        let method = table.text("method").parse(|word| method(&word));
        let method = method.or(if has_body { Method::POST } else { Method::GET });
        if method == Method::GET && has_body {
            table.mistake("method", "is GET, and a GET has no body");
        }
        let answers = Answers::read(table, question);
        let (path, path_template) = path?;
        Some(Self {
            method,
            path_template,
            path,
            query: query?,
            body: body?,
            answers,
        })
    }

    /// Whether any of its templates names this value.
    pub(crate) fn names(&self, name: &str) -> bool {
        let in_items = |items: &[Item]| items.iter().any(|item| item.value.names(name));
        let in_body = match &self.body {
            Body::Form(items) => in_items(items),
            Body::Json(template) => template.names(name),
            Body::None => false,
        };
        in_body || self.path.names(name) || in_items(&self.query)
    }

    /// With a query of its own, where a link said the next page's.
    pub(crate) fn build(&self, values: &Values<'_>, query: Option<&str>) -> Result<Built, SourceError> {
        self.fill(values, query).map_err(|Unfilled(problem)| {
            let operation = format!("{} {}", self.method, self.path_template);
            SourceError::new(ErrorKind::Protocol, operation).with_source(problem)
        })
    }

    fn fill(&self, values: &Values<'_>, query: Option<&str>) -> Result<Built, Unfilled> {
        let mut path_and_query = self.path.fill(values)?;
        let query = match query {
            Some(query) => query.to_owned(),
            None => joined(&self.query, values)?,
        };
        if !query.is_empty() {
            path_and_query.push('?');
            path_and_query.push_str(&query);
        }
        let body = match &self.body {
            Body::Form(items) => Some(("application/x-www-form-urlencoded", joined(items, values)?)),
            Body::Json(template) => {
                let text = template.fill(values)?;
                serde_json::from_str::<serde::de::IgnoredAny>(&text)
                    .map_err(|_| Unfilled("the body's template makes no JSON of these values"))?;
                Some(("application/json", text))
            }
            Body::None => None,
        };
        Ok(Built {
            method: self.method.clone(),
            path_template: self.path_template.clone(),
            path_and_query,
            body: body.map(|(content_type, text)| (content_type, Bytes::from(text))),
        })
    }
}

/// The value, or the default where nothing was said; `None` if what was said is mistaken.
fn optional<T>(field: idbridge_source::Field<'_, T>, default: T) -> Option<T> {
    let is_said = field.is_present();
    field.optional().or((!is_said).then_some(default))
}

fn method(word: &str) -> Result<Method, String> {
    let found = METHODS.iter().find(|(name, _)| *name == word);
    let names: Vec<String> = METHODS.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    found
        .map(|(_, method)| method.clone())
        .ok_or_else(|| format!("must be one of {}", names.join(", ")))
}

fn path(text: &str, known: &[&str]) -> Result<Template, String> {
    if !text.starts_with('/') || text.starts_with("//") {
        return Err("must begin with one `/`: scheme and host are those of `base_url`".to_owned());
    }
    let template = Template::parse(text, Place::Path, known)?;
    let sample = template.sample().unwrap_or_default();
    if !sample.starts_with('/') || sample.starts_with("//") {
        return Err("must begin with one `/`: scheme and host are those of `base_url`".to_owned());
    }
    if sample.contains(['?', '#']) {
        return Err("has a `?` or a `#`; a query stands in `query`".to_owned());
    }
    let fits = sample.is_ascii() && PathAndQuery::try_from(sample.as_str()).is_ok_and(|built| built.as_str() == sample);
    if fits {
        Ok(template)
    } else {
        Err("has a character that a path can't have; write it as %XX".to_owned())
    }
}

fn items_of(items: &[String], known: &[&str]) -> Result<Vec<Item>, String> {
    let parse = |(index, item): (usize, &String)| {
        let number = index + 1;
        let (name, value) = item
            .split_once('=')
            .filter(|(name, _)| !name.is_empty() && !name.contains(['{', '}']))
            .ok_or_else(|| format!("item {number} isn't \"name=template\""))?;
        let value = Template::parse(value, Place::Item, known);
        Ok(Item {
            name: percent_encoded(name),
            value: value.map_err(|problem| format!("item {number}, after `=`: {problem}"))?,
        })
    };
    items.iter().enumerate().map(parse).collect()
}

fn joined(items: &[Item], values: &Values<'_>) -> Result<String, Unfilled> {
    let mut text = String::new();
    let is_first_page = values.iter().any(|given| matches!(given, ("cursor", Given::Text(""))));
    for item in items {
        // Where a list begins there is no cursor, and few APIs take an empty one.
        if is_first_page && item.value.names("cursor") {
            continue;
        }
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(&item.name);
        text.push('=');
        text.push_str(&percent_encoded(&item.value.fill(values)?));
    }
    Ok(text)
}

impl std::fmt::Debug for Built {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.path_template)
    }
}
