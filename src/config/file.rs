//! The settings file: TOML, and the line of each of its keys, which figment can't tell.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use figment::value::{Dict, Value};
use idbridge_source::{Mistake, Origin};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A settings file of more bytes is no settings file.
const FILE_BYTES: u64 = 4 * 1024 * 1024;

pub(super) struct File {
    pub(super) data: Dict,
    pub(super) lines: Lines,
}

/// Where each value stands. A list's items are keyed by their index.
pub(super) type Lines = BTreeMap<Vec<String>, Line>;

#[derive(Debug)]
pub(super) struct Line {
    /// From 1.
    pub(super) number: usize,
    pub(super) is_table: bool,
}

/// Mistakes about the file as a whole have no key, and no line where the text has none: line 0.
pub(super) fn read(path: &Path) -> Result<File, Vec<Mistake>> {
    let whole = |problem: String| vec![mistake(path, 0, String::new(), problem)];
    let unreadable = |error: std::io::Error| whole(format!("can't be read: {}", error.kind()));
    if std::fs::metadata(path).map_err(unreadable)?.len() > FILE_BYTES {
        return Err(whole("is too large for a settings file".to_owned()));
    }
    let bytes = std::fs::read(path).map_err(unreadable)?;
    match String::from_utf8(bytes) {
        Ok(text) => parse(path, &text),
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let line = 1 + error.as_bytes()[..valid].iter().filter(|byte| **byte == b'\n').count();
            let problem = "isn't UTF-8; save the file in that encoding".to_owned();
            Err(vec![mistake(path, line, String::new(), problem)])
        }
    }
}

pub(super) fn parse(path: &Path, text: &str) -> Result<File, Vec<Mistake>> {
    if text.starts_with('\u{feff}') {
        let problem = "starts with a byte order mark; save the file without one".to_owned();
        return Err(vec![mistake(path, 1, String::new(), problem)]);
    }
    let mut reading = Reading {
        path,
        starts: std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect(),
        lines: Lines::new(),
        mistakes: Vec::new(),
    };
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        // Not the error itself: it shows the line, value and all.
        let line = error.span().map_or(0, |span| reading.line(span.start));
        let problem = format!("is no TOML: {}", error.message());
        reading.mistakes.push(mistake(path, line, String::new(), problem));
    }
    if reading.mistakes.is_empty() {
        let data = reading.table(table.into_inner(), &mut Vec::new());
        if reading.mistakes.is_empty() {
            return Ok(File {
                data,
                lines: reading.lines,
            });
        }
    }
    // One misplaced character can leave several errors in its line.
    reading.mistakes.dedup_by(|next, first| next.origin == first.origin);
    Err(reading.mistakes)
}

struct Reading<'a> {
    path: &'a Path,
    /// Where each line starts.
    starts: Vec<usize>,
    lines: Lines,
    mistakes: Vec<Mistake>,
}

impl Reading<'_> {
    fn table(&mut self, table: DeTable<'_>, path: &mut Vec<String>) -> Dict {
        let mut dict = Dict::new();
        for (key, value) in table {
            let line = self.line(key.span().start);
            path.push(key.get_ref().to_string());
            let value = self.value(value, line, path);
            path.pop();
            dict.insert(key.into_inner().into_owned(), value);
        }
        dict
    }

    fn value(&mut self, value: Spanned<DeValue<'_>>, number: usize, path: &mut Vec<String>) -> Value {
        let is_table = matches!(value.get_ref(), DeValue::Table(_));
        self.lines.insert(path.clone(), Line { number, is_table });
        match value.into_inner() {
            DeValue::Array(items) => {
                let mut list = Vec::new();
                for (index, item) in items.into_iter().enumerate() {
                    let line = self.line(item.span().start);
                    path.push(index.to_string());
                    list.push(self.value(item, line, path));
                    path.pop();
                }
                Value::from(list)
            }
            DeValue::Boolean(value) => Value::from(value),
            DeValue::Datetime(value) => Value::from(value.to_string()),
            DeValue::Float(value) => Value::from(value.as_str().parse::<f64>().unwrap_or(f64::NAN)),
            DeValue::Integer(value) => match i64::from_str_radix(value.as_str(), value.radix()) {
                Ok(value) => Value::from(value),
                Err(_) => {
                    let problem = "is a number out of range".to_owned();
                    self.mistakes.push(mistake(self.path, number, path.join("."), problem));
                    Value::from(0)
                }
            },
            DeValue::String(text) => Value::from(text.into_owned()),
            DeValue::Table(table) => Value::from(self.table(table, path)),
        }
    }

    fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset)
    }
}

fn mistake(path: &Path, line: usize, key: String, problem: String) -> Mistake {
    Mistake {
        key,
        origin: Some(Origin::File(path.to_owned(), line)),
        problem,
    }
}

impl fmt::Debug for File {
    /// Any of the values may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(file: &File, path: &[&str]) -> Option<usize> {
        let path: Vec<String> = path.iter().map(ToString::to_string).collect();
        file.lines.get(&path).map(|line| line.number)
    }

    #[test]
    fn every_key_has_its_line() {
        let text = "# first\r\n[sources.okta]\r\nkind = \"okta\"\nsettings = { a.b = 1,\n  c = [\n    2, 3,\n    4] }\n\n\
                    [[routes]]\nsource = \"okta\"\n[[routes]]\n  [routes.deeper]\n  key = '''\nlong'''\n\n\
                    [callers]\nauth0.allow = true\n";
        let file = parse(Path::new("s.toml"), text).expect("TOML");
        for (path, number) in [
            (&["sources"][..], 2),
            (&["sources", "okta"], 2),
            (&["sources", "okta", "kind"], 3),
            (&["sources", "okta", "settings"], 4),
            (&["sources", "okta", "settings", "a", "b"], 4),
            (&["sources", "okta", "settings", "c"], 5),
            (&["sources", "okta", "settings", "c", "1"], 6),
            (&["sources", "okta", "settings", "c", "2"], 7),
            (&["routes"], 9),
            (&["routes", "0"], 9),
            (&["routes", "0", "source"], 10),
            (&["routes", "1"], 11),
            (&["routes", "1", "deeper"], 12),
            (&["routes", "1", "deeper", "key"], 13),
            (&["callers", "auth0", "allow"], 17),
        ] {
            assert_eq!(line(&file, path), Some(number), "{path:?}");
        }
    }

    #[test]
    fn broken_toml_is_told_by_line_without_its_text() {
        for (text, lines) in [
            ("a = hunter2canary", &[1][..]),
            ("a = 1\nb = \"hunter2canary\nc = 2\n", &[2]),
            ("a = 1\n[hunter2canary\nb = 1\n= 3", &[2, 4]),
            ("a = 'hunter2canary'\na = 'hunter2canary'", &[2]),
            ("a = 1\n[a.hunter2canary]", &[2]),
            ("a = 1\r\nb = [\"hunter2canary\", 1", &[2]),
            ("a = 2024-13-77", &[1]),
            ("a = \"\\hunter2canary\"", &[1]),
            ("a = 1979-05-27T99:32:00hunter2canary", &[1]),
            ("a = 9223372036854775808", &[1]),
        ] {
            let mistakes = parse(Path::new("s.toml"), text).expect_err(text);
            let found: Vec<usize> = mistakes
                .iter()
                .map(|mistake| match &mistake.origin {
                    Some(Origin::File(_, line)) => *line,
                    _ => panic!("no line"),
                })
                .collect();
            assert_eq!(found, lines, "{text}: {mistakes:?}");
            assert!(!format!("{mistakes:?}").contains("hunter2"), "{mistakes:?}");
        }
    }

    #[test]
    fn files_that_are_no_text() {
        let dir = tempfile::tempdir().expect("a folder");
        let problem = |path: &Path| {
            let mistakes = read(path).expect_err("no settings");
            let [mistake] = &mistakes[..] else {
                panic!("{mistakes:?}")
            };
            let Some(Origin::File(file, line)) = &mistake.origin else {
                panic!("no file")
            };
            assert_eq!(file, path);
            (*line, mistake.problem.clone())
        };
        let write = |content: &[u8]| {
            let path = dir.path().join("s.toml");
            std::fs::write(&path, content).expect("written");
            problem(&path)
        };
        assert_eq!(problem(dir.path()), (0, "can't be read: is a directory".to_owned()));
        assert_eq!(
            problem(&dir.path().join("missing")),
            (0, "can't be read: entity not found".to_owned())
        );
        assert_eq!(write(b"a = 1\n#\xff").0, 2);
        assert_eq!(write(b"\xff\xfea\0").0, 1);
        assert_eq!(
            write(b"\xef\xbb\xbfa = 1"),
            (1, "starts with a byte order mark; save the file without one".to_owned())
        );
        let large = usize::try_from(FILE_BYTES).expect("fits") + 1;
        assert_eq!(write(&vec![b'#'; large]).0, 0);
    }
}
