use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use super::field::{Field, Read};
use super::{Mistake, Node, Origin, Reader, SecretFiles, Value};
use crate::Secret;

/// A secret file larger than this is no secret but a mistaken path.
const SECRET_FILE_BYTES: u64 = 64 * 1024;

/// One table of the settings. Ask it for every key there is, then [`finish`](Self::finish).
///
/// A value from a file has a type; one from the environment is a text, and its key decides what it is read as.
///
/// | method | in a file | in the environment |
/// | --- | --- | --- |
/// | [`text`](Self::text) | `"a text"`, also an empty one | as it stands |
/// | [`bool`](Self::bool) | `true`, `false` | `true`, `false`; no other words |
/// | [`integer`](Self::integer) | `42` | `42` |
/// | [`duration`](Self::duration) | `"250ms"`, `"5s"`, `"2m"`, `"1h"` | `250ms` and so on |
/// | [`choice`](Self::choice) | `"reject"` | `reject` |
/// | [`list`](Self::list) | `["a", "b"]`, also `[]` | `a, b` |
/// | [`one_or_more`](Self::one_or_more) | `"a"` or `["a", "b"]` | `a, b` |
/// | [`path_to`](Self::path_to) | `"tls/key.pem"` | `tls/key.pem` |
/// | [`secret`](Self::secret) | `"…"`, or the path of a file under `file_key` | the same |
/// | [`file`](Self::file) | the path of a file whose bytes are wanted | the same |
/// | [`table`](Self::table), [`named_tables`](Self::named_tables) | `[key]`, `[key.NAME]` | one variable for each key in it |
/// | [`tables`](Self::tables) | `[[key]]` | can't be said |
///
/// What doesn't fit is reported as `is WHAT IT IS; WHAT IS WANTED is wanted`, and never with the value. [`Reader`] has an
/// example.
#[derive(Debug)]
pub struct Table<'a> {
    reader: &'a Reader,
    path: String,
    origin: Option<Origin>,
    entries: Option<&'a BTreeMap<String, Node>>,
    asked: RefCell<BTreeSet<String>>,
}

impl<'a> Table<'a> {
    pub(super) fn new(reader: &'a Reader, path: String, node: &'a Node) -> Self {
        let table = Self {
            reader,
            path,
            origin: Some(node.origin.clone()),
            entries: match &node.value {
                Value::Table(entries) => Some(entries),
                _ => None,
            },
            asked: RefCell::default(),
        };
        if table.entries.is_none() {
            table.report(
                table.path.clone(),
                table.origin.clone(),
                format!("is {}; a table is wanted", node.value.description()),
            );
        }
        table
    }

    /// The key path of this table: `sources.okta.settings`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether the key was said. To ask makes it a known key.
    pub fn has(&self, key: &'static str) -> bool {
        self.node(key).is_some()
    }

    /// Reports a mistake in one key of this table, at the key's own line or, if it wasn't said, at the table's.
    pub fn mistake(&self, key: &str, problem: impl Into<String>) {
        let origin = self
            .entries
            .and_then(|entries| entries.get(key))
            .map(|node| node.origin.clone());
        self.report(
            self.key_path(key),
            origin.or_else(|| self.origin.clone()),
            problem.into(),
        );
    }

    /// Reports every key that nobody asked for, with the nearest one that was, if it is no further than three edits.
    pub fn finish(&self) {
        let asked = self.asked.borrow();
        for (key, node) in self.entries.into_iter().flatten() {
            if asked.contains(key) {
                continue;
            }
            let nearest = asked
                .iter()
                .map(|known| (strsim::damerau_levenshtein(known, key), known))
                .min();
            let problem = match nearest {
                Some((distance, known)) if distance <= 3 && distance < known.len() => {
                    format!("is unknown; did you mean `{known}`?")
                }
                _ => "is unknown".to_owned(),
            };
            self.report(self.key_path(key), Some(node.origin.clone()), problem);
        }
    }

    /// The keys that were asked for so far: what a reference of the settings has to list.
    pub fn known_keys(&self) -> Vec<String> {
        self.asked.borrow().iter().cloned().collect()
    }

    pub fn text(&'a self, key: &'static str) -> Field<'a, String> {
        self.field(key, "a text", |value| match value {
            Value::Text(text) | Value::Variable(text) => Some(text.clone()),
            _ => None,
        })
    }

    pub fn bool(&'a self, key: &'static str) -> Field<'a, bool> {
        self.field(key, "true or false", |value| match value {
            Value::Bool(value) => Some(*value),
            Value::Variable(text) => text.parse().ok(),
            _ => None,
        })
    }

    pub fn integer(&'a self, key: &'static str, range: RangeInclusive<i64>) -> Field<'a, i64> {
        let wanted = format!("a whole number from {} to {}", range.start(), range.end());
        self.field(key, &wanted, |value| match value {
            Value::Integer(value) => Some(*value),
            Value::Variable(text) => text.parse().ok(),
            _ => None,
        })
        .parse(|value| {
            if range.contains(&value) {
                Ok(value)
            } else {
                Err(format!("is out of range; {wanted} is wanted"))
            }
        })
    }

    /// A time: digits and a unit, with nothing between them. A bare number is a mistake, since nobody can tell its unit;
    /// so are fractions, and a time outside the range.
    pub fn duration(&'a self, key: &'static str, range: RangeInclusive<Duration>) -> Field<'a, Duration> {
        self.text(key).parse(|text| {
            let time = parse_duration(&text)
                .ok_or("is no time with a unit; write it as \"250ms\", \"5s\", \"2m\" or \"1h\"")?;
            if range.contains(&time) {
                Ok(time)
            } else {
                Err(format!(
                    "is out of range; from {} to {} is wanted",
                    spell(range.start()),
                    spell(range.end())
                ))
            }
        })
    }

    /// One of these words, spelt just so. Mistake: `must be one of "accept", "reject"`, in the order given here.
    pub fn choice<T: Copy>(&'a self, key: &'static str, choices: &[(&'static str, T)]) -> Field<'a, T> {
        self.text(key).parse(|text| {
            choices
                .iter()
                .find(|(word, _)| *word == text)
                .map(|(_, choice)| *choice)
                .ok_or_else(|| {
                    let words: Vec<String> = choices.iter().map(|(word, _)| format!("\"{word}\"")).collect();
                    format!("must be one of {}", words.join(", "))
                })
        })
    }

    /// A list of texts; in the environment, separated by commas, without the spaces around them and without empty items.
    /// An empty variable is a mistake; an empty list in a file isn't.
    pub fn list(&'a self, key: &'static str) -> Field<'a, Vec<String>> {
        self.field(key, "a list of texts", |value| match value {
            Value::List(items) => items
                .iter()
                .map(|item| match &item.value {
                    Value::Text(text) => Some(text.clone()),
                    _ => None,
                })
                .collect(),
            // An empty variable is more often an accident than an empty list, and lists close doors.
            Value::Variable(text) if text.trim().is_empty() => None,
            Value::Variable(text) => Some(
                text.split(',')
                    .map(str::trim)
                    .filter(|item| !item.is_empty())
                    .map(str::to_owned)
                    .collect(),
            ),
            _ => None,
        })
    }

    /// A text, or a list of them. A text in a file isn't split at commas.
    pub fn one_or_more(&'a self, key: &'static str) -> Field<'a, Vec<String>> {
        match self.node(key).map(|node| &node.value) {
            Some(Value::Text(text)) => Field {
                table: self,
                key,
                read: Read::Said(vec![text.clone()]),
            },
            _ => self.list(key),
        }
    }

    /// A path. A relative one is taken from the folder that the program runs in.
    pub fn path_to(&'a self, key: &'static str) -> Field<'a, PathBuf> {
        self.text(key).parse(|text| {
            if text.is_empty() {
                Err("is empty")
            } else {
                Ok(PathBuf::from(text))
            }
        })
    }

    /// A secret: `key` holds it, or `key_file` names the file that does. Both are one too many, unless
    /// one is from the environment, which comes before the file here as everywhere. One line end at the
    /// file's end is not part of it. It has to be printable ASCII without spaces, so that it fits a header.
    ///
    /// Mistakes besides: a file that can't be read, is no plain file, has more than 64 KiB, or whose content is empty or
    /// doesn't fit. With [`SecretFiles::Skip`] a file stays closed and the secret is empty.
    pub fn secret(&'a self, key: &'static str, file_key: &'static str) -> Field<'a, Secret> {
        let inline = self.text(key);
        let file = self.path_to(file_key);
        let both = inline.is_present() && file.is_present();
        let (inline_later, file_later) = (self.is_variable(key), self.is_variable(file_key));
        if both && inline_later == file_later {
            self.mistake(file_key, format!("stands beside `{key}`; keep one of the two"));
            return Field {
                table: self,
                key,
                read: Read::Mistaken,
            };
        }
        if file.is_present() && !(both && inline_later) {
            let skip = self.reader.secrets() == SecretFiles::Skip;
            return file.parse(|path| if skip { Ok(Secret::from("")) } else { read_secret(&path) });
        }
        inline.parse(check_secret)
    }

    /// The bytes of the file that is named here, a certificate or a key in PEM: what no line of settings can hold.
    ///
    /// Mistakes besides: a file that can't be read, is no plain file, has more than 64 KiB, or is empty. With
    /// [`SecretFiles::Skip`] it stays closed and the bytes are none.
    pub fn file(&'a self, key: &'static str) -> Field<'a, Vec<u8>> {
        let skip = self.reader.secrets() == SecretFiles::Skip;
        self.path_to(key).parse(|path| {
            if skip {
                return Ok(Vec::new());
            }
            let bytes = read_file(&path)?;
            if bytes.is_empty() {
                return Err("names a file that is empty".to_owned());
            }
            Ok(bytes)
        })
    }

    /// The table under this key, if it was said. The caller finishes it: `finish` doesn't look inside.
    pub fn table(&self, key: &'static str) -> Option<Table<'a>> {
        self.node(key)
            .map(|node| Table::new(self.reader, self.key_path(key), node))
    }

    /// A table of named tables, such as `[sources.NAME]`, by name. Any name is taken; check it if it matters.
    pub fn named_tables(&self, key: &'static str) -> Vec<(&'a str, Table<'a>)> {
        let Some(node) = self.node(key) else { return Vec::new() };
        let table = Table::new(self.reader, self.key_path(key), node);
        let entries = table.entries.into_iter().flatten();
        entries
            .map(|(name, node)| (name.as_str(), Table::new(self.reader, table.key_path(name), node)))
            .collect()
    }

    /// An array of tables, such as `[[routes]]`, in the file's order. Their key paths count from 0: `routes[0].match`.
    pub fn tables(&self, key: &'static str) -> Vec<Table<'a>> {
        let Some(node) = self.node(key) else { return Vec::new() };
        let Value::List(items) = &node.value else {
            self.mistake(
                key,
                format!(
                    "is {}; tables are wanted: `[[{}]]`",
                    node.value.description(),
                    self.key_path(key)
                ),
            );
            return Vec::new();
        };
        let table = |(index, item)| Table::new(self.reader, format!("{}[{index}]", self.key_path(key)), item);
        items.iter().enumerate().map(table).collect()
    }

    fn field<T>(&'a self, key: &'static str, wanted: &str, read: impl FnOnce(&Value) -> Option<T>) -> Field<'a, T> {
        let read = match self.node(key) {
            None => Read::Absent,
            Some(node) => match read(&node.value) {
                Some(value) => Read::Said(value),
                None => {
                    self.mistake(key, format!("is {}; {wanted} is wanted", node.value.description()));
                    Read::Mistaken
                }
            },
        };
        Field { table: self, key, read }
    }

    fn is_variable(&self, key: &str) -> bool {
        self.node(key)
            .is_some_and(|node| matches!(node.origin, Origin::Variable(_)))
    }

    fn node(&self, key: &str) -> Option<&'a Node> {
        self.asked.borrow_mut().insert(key.to_owned());
        self.entries.and_then(|entries| entries.get(key))
    }

    fn key_path(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    fn report(&self, key: String, origin: Option<Origin>, problem: String) {
        self.reader.report(Mistake { key, origin, problem });
    }
}

/// Nothing is "0ns" to `Debug`, a unit that settings haven't got.
fn spell(time: &Duration) -> String {
    if time.is_zero() {
        "0s".to_owned()
    } else {
        format!("{time:?}")
    }
}

fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs),
        "h" => number.checked_mul(3600).map(Duration::from_secs),
        _ => None,
    }
}

fn read_secret(path: &std::path::Path) -> Result<Secret, String> {
    let unreadable = |_| format!("names a file that can't be read: {}", std::io::ErrorKind::InvalidData);
    let text = String::from_utf8(read_file(path)?).map_err(unreadable)?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    check_secret(line.strip_suffix('\r').unwrap_or(line).to_owned())
        .map_err(|problem| format!("names a file whose content {problem}"))
}

fn read_file(path: &std::path::Path) -> Result<Vec<u8>, String> {
    let describe = |error: std::io::Error| format!("names a file that can't be read: {}", error.kind());
    let metadata = std::fs::metadata(path).map_err(describe)?;
    if !metadata.is_file() {
        return Err("names what is no file".to_owned()); // a pipe would be waited for, for ever
    }
    if metadata.len() > SECRET_FILE_BYTES {
        return Err("names a file that is too large for a secret".to_owned());
    }
    std::fs::read(path).map_err(describe)
}

fn check_secret(text: String) -> Result<Secret, &'static str> {
    let printable = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    let secret = Secret::from(text);
    if printable {
        Ok(secret)
    } else {
        Err("is empty or has a character that a header can't carry")
    }
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
