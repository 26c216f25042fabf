//! Templates of what is sent. Each value is encoded for where it stands, by the formatter, which no template can go round:
//! there is no filter that calls a text safe.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Output, State, UndefinedBehavior};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but RFC 3986's unreserved characters.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Steps of minijinja's machine. A template of a page has some hundred.
const FUEL: u64 = 10_000;

/// No template of a request is longer.
const SOURCE: usize = 16 * 1024;

/// No request of a log-in or a look-up is longer.
const LENGTH: usize = 64 * 1024;

const NAME: &str = "template";

/// Of one `{{ … }}` or `{% … %}`, and how many blocks there are: minijinja's parser calls itself for each operator and each
/// block within another, and a stack has an end.
const TAG: usize = 512;
const BLOCK_COUNT: usize = 64;

/// Names with their values: `login`, `password`.
pub(crate) type Values<'a> = [(&'static str, Given<'a>)];

#[derive(Clone, Copy)]
pub(crate) enum Given<'a> {
    Number(u64),
    Text(&'a str),
}

pub(crate) struct Template {
    made: Made,
    names: BTreeSet<String>,
}

enum Made {
    /// It names nothing, and is the same for everybody.
    Once(String),
    EachTime(Box<Environment<'static>>),
}

/// Why nothing could be made of a template with these values. It quotes neither.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Unfilled(pub(crate) &'static str);

/// Where the text stands, and so how a value in it is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Place {
    /// An item of a query or of a form, all of which is encoded afterwards.
    Item,
    Json,
    Path,
}

/// How a value is written.
#[derive(Clone, Copy)]
enum Form {
    AsItIs,
    Json,
    Percent,
}

impl Template {
    /// The mistake names the position, and never quotes the template.
    pub(crate) fn parse(source: &str, place: Place, known: &[&str]) -> Result<Self, String> {
        let form = match place {
            Place::Path => Form::Percent,
            Place::Item if is_alone(source) => Form::AsItIs,
            Place::Item | Place::Json => Form::Json,
        };
        if source.len() > SOURCE {
            return Err("is longer than 16 KiB".to_owned());
        }
        is_plain(source)?;
        if matches!(form, Form::Json) {
            brings_its_own_quotes(source)?;
        }
        let mut environment = Environment::empty();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        environment.set_formatter(move |out, _: &mut State<'_, '_>, value| write(out, value, form));
        environment.add_filter("lower", |text: String| text.to_lowercase());
        environment.add_filter("upper", |text: String| text.to_uppercase());
        let position = |error: Error| mistaken(source, &error);
        environment
            .add_template_owned(NAME, source.to_owned())
            .map_err(position)?;
        let names: BTreeSet<String> = environment
            .get_template(NAME)
            .map_err(position)?
            .undeclared_variables(false)
            .into_iter()
            .collect();
        if let Some(name) = names.iter().find(|name| !known.contains(&name.as_str())) {
            let place = place_of(source, at_name(source, name));
            return Err(format!("{place}: `{name}` is not known here; {}", listed(known)));
        }
        let mut template = Self {
            made: Made::EachTime(Box::new(environment)),
            names,
        };
        let filled = template.sample().map_err(|error| mistaken(source, &error))?;
        if place == Place::Json
            && let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&filled)
        {
            // No value has a line's end, so that lines are those of the template.
            return Err(format!(
                "line {}: makes no JSON; a value brings its own quotes: {{\"login\": {{{{ login }}}}}}",
                error.line()
            ));
        }
        if template.names.is_empty() {
            template.made = Made::Once(filled);
        }
        Ok(template)
    }

    /// What it comes to for somebody: what no value can bring about is seen before there is one.
    pub(crate) fn sample(&self) -> Result<String, Error> {
        let texts = ["login", "password", "email", "cursor"].map(|name| (name, Given::Text("a@example.com")));
        let numbers = ["limit", "offset", "page"].map(|name| (name, Given::Number(1)));
        self.render(&[&texts[..], &numbers[..]].concat())
    }

    /// Whether it names this value.
    pub(crate) fn names(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    pub(crate) fn fill(&self, values: &Values<'_>) -> Result<String, Unfilled> {
        let text = self
            .render(values)
            .map_err(|_| Unfilled("a template can't be filled"))?;
        if text.len() > LENGTH {
            return Err(Unfilled("a template makes more than 64 KiB"));
        }
        Ok(text)
    }

    fn render(&self, values: &Values<'_>) -> Result<String, Error> {
        let environment = match &self.made {
            Made::Once(text) => return Ok(text.clone()),
            Made::EachTime(environment) => environment,
        };
        let value = |given: &Given<'_>| match given {
            Given::Number(number) => Value::from(*number),
            Given::Text(text) => Value::from(*text),
        };
        let values: BTreeMap<&str, Value> = values.iter().map(|(name, given)| (*name, value(given))).collect();
        environment.get_template(NAME)?.render(Value::from(values))
    }
}

pub(crate) fn percent_encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

impl<'a> From<&'a str> for Given<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

fn write(out: &mut Output<'_>, value: &Value, form: Form) -> Result<(), Error> {
    let text = match value.kind() {
        ValueKind::String | ValueKind::Number | ValueKind::Bool => value.to_string(),
        _ => {
            return Err(Error::new(
                ErrorKind::InvalidOperation,
                "only texts, numbers, true and false can be written",
            ));
        }
    };
    let is_text = value.kind() == ValueKind::String;
    let written = match form {
        Form::AsItIs => out.write_str(&text),
        Form::Json if is_text => out.write_str(&serde_json::Value::String(text).to_string()),
        Form::Json => out.write_str(&text),
        Form::Percent => out.write_str(&percent_encoded(&text)),
    };
    written.map_err(|_| Error::from(ErrorKind::WriteFailure))
}

/// `{{ login }}` and nothing around it.
fn is_alone(source: &str) -> bool {
    let inside = source.strip_prefix("{{").and_then(|source| source.strip_suffix("}}"));
    inside.is_some_and(|inside| !["{{", "}}", "{%", "{#"].iter().any(|mark| inside.contains(mark)))
}

fn brings_its_own_quotes(source: &str) -> Result<(), String> {
    for (at, _) in source.match_indices("{{") {
        let before = source.get(..at).unwrap_or_default();
        if before.ends_with(['"', '\'']) {
            let place = place_of(source, at - 1);
            return Err(format!(
                "{place}: a value brings its own quotes; leave them out around {{{{ … }}}}"
            ));
        }
    }
    Ok(())
}

/// Short expressions, and few blocks.
fn is_plain(source: &str) -> Result<(), String> {
    for (opens, closes) in [("{{", "}}"), ("{%", "%}")] {
        for (at, _) in source.match_indices(opens) {
            let inside = source.get(at..).unwrap_or_default();
            let end = inside.find(closes);
            // Without an end it is minijinja's to say where that is missed.
            if end.unwrap_or(inside.len()) > TAG {
                return Err(format!(
                    "{}: there is no `{closes}` within 512 bytes",
                    place_of(source, at)
                ));
            }
        }
    }
    match source.match_indices("{%").nth(BLOCK_COUNT) {
        Some((at, _)) => Err(format!("{}: there are more than 64 blocks", place_of(source, at))),
        None => Ok(()),
    }
}

/// Where a name stands as a word of its own; where nothing does, the beginning.
fn at_name(source: &str, name: &str) -> usize {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    let mut found = source.match_indices(name).map(|(at, _)| at).filter(|at| {
        let (before, after) = (source.get(..*at), source.get(at + name.len()..));
        !before.unwrap_or_default().ends_with(is_part) && !after.unwrap_or_default().starts_with(is_part)
    });
    found.next().unwrap_or(0)
}

/// Of a byte of the template.
fn place_of(source: &str, at: usize) -> String {
    let before = source.get(..at).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|letter| *letter != '\n').count() + 1;
    format!("line {line}, column {column}")
}

/// The kind and the place. The details may quote the template, and a template may hold a key.
fn mistaken(source: &str, error: &Error) -> String {
    match error.range() {
        Some(range) => format!("{}: {}", place_of(source, range.start), error.kind()),
        None => format!("line {}: {}", error.line().unwrap_or(1), error.kind()),
    }
}

fn listed(known: &[&str]) -> String {
    if known.is_empty() {
        return "no name is".to_owned();
    }
    let names: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
    format!("known: {}", names.join(", "))
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Template(…)")
    }
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
