//! Where something stands in an answer, and what is said there.

use serde_json::Value;

/// A JSON pointer (RFC 6901) with one step more: `[key=JSON]` is the one item of a list that has this value at this key.
#[derive(Clone, Debug)]
pub(crate) struct Pointer(Vec<Step>);

#[derive(Clone, Debug)]
enum Step {
    Key(String),
    Only(String, Value),
}

/// Two items of a list are meant by a step that means one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct TwoItems;

/// `POINTER = JSON`, `POINTER has JSON`, `POINTER is empty`, `POINTER is filled`.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    pointer: Pointer,
    test: Test,
}

#[derive(Clone, Debug)]
enum Test {
    Empty,
    Equals(Value),
    Filled,
    Has(Value),
}

impl Pointer {
    /// The error says at which character, and never quotes.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        Self::scan(text, &[]).map(|(pointer, _)| pointer)
    }

    /// The whole.
    pub(crate) fn whole() -> Self {
        Self(Vec::new())
    }

    /// What stands there. A null is there too.
    pub(crate) fn find<'a>(&self, root: &'a Value) -> Result<Option<&'a Value>, TwoItems> {
        let mut value = root;
        for step in &self.0 {
            let next = match (step, value) {
                (Step::Key(key), Value::Object(map)) => map.get(key),
                (Step::Key(key), Value::Array(items)) => index(key).and_then(|index| items.get(index)),
                (Step::Only(key, wanted), Value::Array(items)) => {
                    let mut found = items.iter().filter(|item| item.get(key) == Some(wanted));
                    let first = found.next();
                    if found.next().is_some() {
                        return Err(TwoItems);
                    }
                    first
                }
                _ => None,
            };
            match next {
                Some(next) => value = next,
                None => return Ok(None),
            }
        }
        Ok(Some(value))
    }

    /// A pointer up to one of these words, or to the end, and the rest.
    fn scan<'a>(text: &'a str, words: &[&str]) -> Result<(Self, &'a str), String> {
        let ends = |rest: &str| rest.is_empty() || words.iter().any(|word| rest.starts_with(word));
        let mut steps = Vec::new();
        let mut rest = text;
        while !ends(rest) {
            let Some(part) = rest.strip_prefix('/') else {
                return Err(mistaken(text, rest, "a part begins with `/`"));
            };
            rest = match part.strip_prefix('[') {
                Some(inside) => {
                    let (step, after) = only(inside).map_err(|wanted| mistaken(text, part, wanted))?;
                    steps.push(step);
                    after
                }
                None => {
                    let is_end = |at: &usize| part[*at..].starts_with('/') || ends(&part[*at..]);
                    let end = part.char_indices().map(|(at, _)| at).find(is_end).unwrap_or(part.len());
                    let (key, after) = part.split_at(end);
                    steps.push(Step::Key(
                        unescaped(key).map_err(|wanted| mistaken(text, part, wanted))?,
                    ));
                    after
                }
            };
        }
        Ok((Self(steps), rest))
    }
}

impl Condition {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (pointer, rest) = Pointer::scan(text, &[" = ", " has ", " is "])?;
        let json = |json: &str| {
            serde_json::from_str::<Value>(json).map_err(|_| mistaken(text, json, "one JSON value is wanted"))
        };
        let test = if let Some(value) = rest.strip_prefix(" = ") {
            Test::Equals(json(value)?)
        } else if let Some(item) = rest.strip_prefix(" has ") {
            Test::Has(json(item)?)
        } else {
            match rest {
                " is empty" => Test::Empty,
                " is filled" => Test::Filled,
                _ => {
                    let wanted = "` = JSON`, ` has JSON`, ` is empty` or ` is filled` is wanted";
                    return Err(mistaken(text, rest, wanted));
                }
            }
        };
        Ok(Self { pointer, test })
    }

    pub(crate) fn holds(&self, root: &Value) -> Result<bool, TwoItems> {
        let value = self.pointer.find(root)?;
        Ok(match &self.test {
            Test::Empty => is_empty(value),
            Test::Equals(wanted) => value == Some(wanted),
            Test::Filled => !is_empty(value),
            Test::Has(wanted) => value
                .and_then(Value::as_array)
                .is_some_and(|items| items.contains(wanted)),
        })
    }
}

/// Whether all of them hold.
pub(crate) fn all_hold(conditions: &[Condition], root: &Value) -> Result<bool, TwoItems> {
    for condition in conditions {
        if !condition.holds(root)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_empty(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Array(items)) => items.is_empty(),
        Some(Value::Object(map)) => map.is_empty(),
        Some(Value::Bool(_) | Value::Number(_)) => false,
    }
}

/// The place of an item: digits, without a leading zero.
fn index(key: &str) -> Option<usize> {
    let fits = key == "0" || !key.starts_with('0') && key.bytes().all(|byte| byte.is_ascii_digit());
    if fits { key.parse().ok() } else { None }
}

/// `key=JSON]`, and what follows it.
fn only(inside: &str) -> Result<(Step, &str), &'static str> {
    let (key, value) = inside
        .split_once('=')
        .ok_or("`[key=JSON]` is wanted; a key that begins with `[` can't be named")?;
    let mut values = serde_json::Deserializer::from_str(value).into_iter::<Value>();
    let wanted = match values.next() {
        Some(Ok(wanted)) => wanted,
        _ => return Err("a JSON value is wanted after `=`"),
    };
    let after = value
        .get(values.byte_offset()..)
        .and_then(|after| after.strip_prefix(']'));
    Ok((
        Step::Only(key.to_owned(), wanted),
        after.ok_or("`]` is wanted after the value")?,
    ))
}

fn unescaped(key: &str) -> Result<String, &'static str> {
    let mut text = String::new();
    let mut letters = key.chars();
    while let Some(letter) = letters.next() {
        text.push(match letter {
            '~' => match letters.next() {
                Some('0') => '~',
                Some('1') => '/',
                _ => return Err("`~` is written `~0`, and `/` is written `~1`"),
            },
            other => other,
        });
    }
    Ok(text)
}

/// `rest` is the end of `text`.
fn mistaken(text: &str, rest: &str, wanted: &str) -> String {
    let before = text.len().saturating_sub(rest.len());
    let character = text.get(..before).unwrap_or(text).chars().count() + 1;
    format!("at character {character}: {wanted}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn find(pointer: &str, root: &Value) -> Option<Value> {
        let pointer = Pointer::parse(pointer).expect("a pointer");
        pointer.find(root).expect("one item").cloned()
    }

    #[test]
    fn a_pointer_finds_what_rfc_6901_says() {
        let root = json!({"foo": ["bar", "baz"], "": 0, "a/b": 1, "m~n": 8, " ": 7, "k\"l": 6, "null": null});
        for (pointer, value) in [
            ("/foo", Some(json!(["bar", "baz"]))),
            ("/foo/0", Some(json!("bar"))),
            ("/foo/00", None),
            ("/foo/-", None),
            ("/foo/2", None),
            ("/", Some(json!(0))),
            ("/a~1b", Some(json!(1))),
            ("/m~0n", Some(json!(8))),
            ("/ ", Some(json!(7))),
            ("/k\"l", Some(json!(6))),
            ("/null", Some(Value::Null)),
            ("/null/x", None),
            ("/missing", None),
        ] {
            assert_eq!(find(pointer, &root), value, "{pointer}");
        }
        assert_eq!(find("", &root), Some(root));
    }

    #[test]
    fn one_item_of_a_list_is_found_by_what_it_has() {
        let root = json!({"emails": [
            {"value": "a@example.com", "type": "home"},
            {"value": "b@example.com", "type": "work", "primary": true},
            {"value": "c@example.com", "type": "home"},
        ]});
        assert_eq!(
            find("/emails/[primary=true]/value", &root),
            Some(json!("b@example.com"))
        );
        assert_eq!(
            find("/emails/[type=\"work\"]/value", &root),
            Some(json!("b@example.com"))
        );
        assert_eq!(find("/emails/[type=\"other\"]/value", &root), None);
        assert_eq!(find("/emails/[primary=\"true\"]/value", &root), None);
        let doubled = Pointer::parse("/emails/[type=\"home\"]/value").expect("a pointer");
        assert_eq!(doubled.find(&root), Err(TwoItems));
    }

    #[test]
    fn a_mistake_names_the_character() {
        for (bad, problem) in [
            ("foo", "at character 1: a part begins with `/`"),
            ("/a~2", "at character 2: `~` is written `~0`, and `/` is written `~1`"),
            (
                "/é/[x]",
                "at character 4: `[key=JSON]` is wanted; a key that begins with `[` can't be named",
            ),
            ("/a/[x=y]", "at character 4: a JSON value is wanted after `=`"),
            ("/a/[x=1", "at character 4: `]` is wanted after the value"),
            ("/a/[x=1]b", "at character 9: a part begins with `/`"),
        ] {
            assert_eq!(Pointer::parse(bad).map(drop), Err(problem.to_owned()), "{bad}");
        }
        for (bad, problem) in [
            ("/a = b", "at character 6: one JSON value is wanted"),
            (
                "/a == 1",
                "at character 8: ` = JSON`, ` has JSON`, ` is empty` or ` is filled` is wanted",
            ),
            (
                "/a is gone",
                "at character 3: ` = JSON`, ` has JSON`, ` is empty` or ` is filled` is wanted",
            ),
            ("a = 1", "at character 1: a part begins with `/`"),
        ] {
            assert_eq!(Condition::parse(bad).map(drop), Err(problem.to_owned()), "{bad}");
        }
    }

    #[test]
    fn conditions_compare_with_type_and_case() {
        let root = json!({"ok": true, "word": "a = b", "n": 1, "list": ["x", 2], "no": false, "none": null, "": {}});
        for (condition, holds) in [
            ("/ok = true", true),
            ("/ok = \"true\"", false),
            ("/ok = 1", false),
            ("/word = \"a = b\"", true),
            ("/word = \"A = b\"", false),
            ("/n = 1", true),
            ("/n = 1.0", false),
            ("/none = null", true),
            ("/missing = null", false),
            ("/list has \"x\"", true),
            ("/list has \"2\"", false),
            ("/word has \"a\"", false),
            ("/none is empty", true),
            ("/missing is empty", true),
            ("/ is empty", true),
            ("/no is empty", false),
            ("/no is filled", true),
            ("/list is filled", true),
        ] {
            let parsed = Condition::parse(condition).expect("a condition");
            assert_eq!(parsed.holds(&root), Ok(holds), "{condition}");
        }
    }
}
