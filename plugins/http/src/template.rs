//! Templates of what is sent. Each value is encoded for where it stands, by the formatter, which no template can go round:
//! there is no filter that calls a text safe.

use std::collections::BTreeMap;
use std::fmt;

use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Output, State, UndefinedBehavior};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but RFC 3986's unreserved characters.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Steps of minijinja's machine. A template of a page has some hundred.
const FUEL: u64 = 10_000;

/// No request of a log-in or a look-up is longer.
const LENGTH: usize = 64 * 1024;

const NAME: &str = "template";

/// Names with their values: `login`, `password`.
pub(crate) type Values<'a> = [(&'static str, &'a str)];

pub(crate) struct Template(Environment<'static>);

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
        let unknown = environment
            .get_template(NAME)
            .map_err(position)?
            .undeclared_variables(false);
        if let Some(name) = unknown.iter().filter(|name| !known.contains(&name.as_str())).min() {
            let line = source
                .lines()
                .position(|line| line.contains(name.as_str()))
                .unwrap_or(0)
                + 1;
            return Err(format!("line {line}: `{name}` is not known here; {}", listed(known)));
        }
        let template = Self(environment);
        let filled = template.sample().map_err(|error| mistaken(source, &error))?;
        if place == Place::Json && serde_json::from_str::<serde::de::IgnoredAny>(&filled).is_err() {
            return Err("makes no JSON; a value brings its own quotes: {\"login\": {{ login }}}".to_owned());
        }
        Ok(template)
    }

    /// What it comes to for somebody: what no value can bring about is seen before there is one.
    pub(crate) fn sample(&self) -> Result<String, Error> {
        self.render(&["login", "password", "email"].map(|name| (name, "a@example.com")))
    }

    /// Whether it names this value.
    pub(crate) fn names(&self, name: &str) -> bool {
        let template = self.0.get_template(NAME);
        template.is_ok_and(|template| template.undeclared_variables(false).contains(name))
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
        let values: BTreeMap<&str, Value> = values
            .iter()
            .map(|(name, value)| (*name, Value::from(*value)))
            .collect();
        self.0.get_template(NAME)?.render(Value::from(values))
    }
}

pub(crate) fn percent_encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
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
            let line = before.matches('\n').count() + 1;
            let column = before.chars().rev().take_while(|letter| *letter != '\n').count();
            return Err(format!(
                "line {line}, column {column}: a value brings its own quotes; leave them out around {{{{ … }}}}"
            ));
        }
    }
    Ok(())
}

/// The kind and the place. The details may quote the template, and a template may hold a key.
fn mistaken(source: &str, error: &Error) -> String {
    let line = error.line().unwrap_or(1);
    let column = error
        .range()
        .and_then(|range| source.get(..range.start))
        .map(|before| before.chars().rev().take_while(|letter| *letter != '\n').count() + 1);
    match column {
        Some(column) => format!("line {line}, column {column}: {}", error.kind()),
        None => format!("line {line}: {}", error.kind()),
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
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["login", "password"];
    const NASTY: &str = "\"}, {{ password }} {% x %} \\ /../?#&=+é\u{2028}\r\n' <b>";

    fn filled(source: &str, place: Place, login: &str) -> String {
        let template = Template::parse(source, place, KNOWN).expect("a template");
        template
            .fill(&[("login", login), ("password", "hunter2")])
            .expect("filled")
    }

    #[test]
    fn a_value_is_encoded_for_where_it_stands() {
        let json: serde_json::Value = serde_json::from_str(&filled(
            "{\"a\": {{ login }}, \"b\": [{{ login }}]}",
            Place::Json,
            NASTY,
        ))
        .expect("JSON");
        assert_eq!(json, serde_json::json!({"a": NASTY, "b": [NASTY]}));
        assert_eq!(filled("{{ login }}", Place::Item, NASTY), NASTY);
        let within = filled("userName eq {{ login }}", Place::Item, NASTY);
        let quoted = within.strip_prefix("userName eq ").expect("its beginning");
        assert_eq!(serde_json::from_str::<String>(quoted).expect("a JSON string"), NASTY);
        let path = filled("/users/{{ login }}/x", Place::Path, NASTY);
        assert_eq!(path.matches('/').count(), 3);
        assert!(
            path.bytes()
                .all(|byte| byte.is_ascii_graphic() && !b"\"?#&=+{}<>\\'".contains(&byte)),
            "{path}"
        );
    }

    #[test]
    fn values_are_no_templates() {
        assert_eq!(
            filled("{{ login }}", Place::Item, "{{ password }}{% raw %}"),
            "{{ password }}{% raw %}"
        );
    }

    #[test]
    fn filters_and_blocks_go_through_the_encoding() {
        assert_eq!(filled("/{{ login|lower }}", Place::Path, "A/B"), "/a%2Fb");
        assert_eq!(
            filled(
                "/{% if login == 'x' %}x{% else %}{{ login }}{% endif %}",
                Place::Path,
                "a/b"
            ),
            "/a%2Fb"
        );
        assert_eq!(filled("/{{ login ~ '/x' }}", Place::Path, "a"), "/a%2Fx");
        assert_eq!(
            filled("{% autoescape false %}{{ login }}{% endautoescape %}", Place::Json, "a"),
            "\"a\""
        );
    }

    #[test]
    fn mistakes_are_seen_at_once_with_their_position_and_without_the_text() {
        let mut wrong = Vec::new();
        for (source, place, problem) in [
            ("/{{ login", Place::Path, "line 1, column 5: syntax error"),
            (
                "{\n \"a\": {{ login || }}}",
                Place::Json,
                "line 2, column 17: syntax error",
            ),
            (
                "/{{ user }}",
                Place::Path,
                "line 1: `user` is not known here; known: `login`, `password`",
            ),
            ("{{ login|safe }}", Place::Item, "line 1, column 10: unknown filter"),
            ("{{ login.x }}", Place::Item, "line 1, column 4: undefined value"),
            (
                "{% for a in login %}{% for b in login %}{% for c in login %}{% for d in login %}{{ a }}{% endfor %}{% endfor %}{% endfor %}{% endfor %}",
                Place::Item,
                "line 1",
            ),
            (
                "{\"a\": \"{{ login }}\"}",
                Place::Json,
                "line 1, column 7: a value brings its own quotes; leave them out around {{ … }}",
            ),
            (
                "userName eq '{{ login }}'",
                Place::Item,
                "line 1, column 13: a value brings its own quotes; leave them out around {{ … }}",
            ),
            (
                "{\"a\": hunter2}",
                Place::Json,
                "makes no JSON; a value brings its own quotes: {\"login\": {{ login }}}",
            ),
            ("{{ [login] }}", Place::Item, "line 1"),
        ] {
            let said = Template::parse(source, place, KNOWN).map(drop).expect_err(source);
            if !said.starts_with(problem) {
                wrong.push(format!("{source}: {said}"));
            }
            assert!(!said.contains("hunter2"), "{said}");
        }
        assert_eq!(wrong, [""; 0]);
    }

    #[test]
    fn work_and_length_have_a_limit() {
        let loops = "{% for a in [1,2,3,4,5,6,7,8,9] %}".repeat(5) + &"{% endfor %}".repeat(5);
        assert!(Template::parse(&loops, Place::Item, KNOWN).is_err(), "out of fuel");
        let long = Template::parse("{{ login }}{{ login }}", Place::Item, KNOWN).expect("a template");
        assert!(long.fill(&[("login", &"x".repeat(40_000)), ("password", "")]).is_err());
    }
}
