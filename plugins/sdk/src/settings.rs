//! Settings, read key by key.
//!
//! A derived deserialiser stops at the first mistake, quotes the value in its message and forgets where the value came
//! from. Here every value keeps its origin, the reader asks a [`Table`] for each key it knows, and mistakes are
//! collected: a wrong type, a missing key, one that nobody asked for. None of them quotes a value.

mod field;
mod node;
mod table;

use std::cell::RefCell;
use std::fmt;

pub use field::Field;
pub use node::{Node, Origin, Value};
pub use table::Table;

/// One mistake in the settings. Its text never holds a value.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Mistake {
    /// The whole key path: `sources.okta.settings.org_url`. Empty: the file as a whole.
    pub key: String,
    /// Where it was said; `None` if it was not said at all.
    pub origin: Option<Origin>,
    /// What is wrong, and what to do.
    pub problem: String,
}

impl fmt::Display for Mistake {
    /// One line: `FILE:LINE: KEY: PROBLEM`. A key may hold anything, a terminal's control sequences included, so
    /// control characters are replaced.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = String::new();
        if let Some(origin) = &self.origin {
            line.push_str(&format!("{origin}: "));
        }
        if !self.key.is_empty() {
            line.push_str(&format!("{}: ", self.key));
        }
        line.push_str(&self.problem);
        f.write_str(&line.replace(char::is_control, "\u{fffd}"))
    }
}

/// Whether to open the files that `x_file` settings name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SecretFiles {
    /// Read them; one that can't be read is a mistake.
    Read,
    /// Leave them closed. Secrets from files are then empty, and nothing may be built from the settings.
    Skip,
}

/// Collects the mistakes of one reading.
///
/// Whoever reads goes on after a mistake, with a default or with `None`. At the end there is either a whole value and no
/// mistake, or all mistakes at once. A plugin is handed a [`Table`] and needs no reader; its tests make one:
///
/// ```
/// use std::{path::Path, time::Duration};
///
/// use idbridge_source::{Node, Origin, Reader, SecretFiles, Value};
///
/// let said = |line, text: &str| Node {
///     origin: Origin::File("s.toml".into(), line),
///     value: Value::Text(text.to_owned()),
/// };
/// let tree = Node::table(Path::new("s.toml"), [
///     ("deadline".to_owned(), said(2, "5 seconds")),
///     ("verified".to_owned(), said(3, "example.com")),
///     ("retries".to_owned(), said(4, "3")),
/// ]);
///
/// let reader = Reader::new(SecretFiles::Read);
/// let table = reader.root(&tree);
/// let (least, most, default) = (Duration::from_secs(1), Duration::from_secs(60), Duration::from_secs(5));
/// assert_eq!(table.duration("deadline", least..=most).or(default), default);
/// assert_eq!(table.one_or_more("verified").or(vec![]), ["example.com"]);
/// assert_eq!(table.text("org_url").required(), None);
/// table.finish();
/// drop(table);
///
/// let mistakes: Vec<String> = reader.into_mistakes().iter().map(ToString::to_string).collect();
/// assert_eq!(mistakes, [
///     "s.toml:1: org_url: is required",
///     "s.toml:2: deadline: is no time with a unit; write it as \"250ms\", \"5s\", \"2m\" or \"1h\"",
///     "s.toml:4: retries: is unknown",
/// ]);
/// ```
#[derive(Debug)]
pub struct Reader {
    mistakes: RefCell<Vec<Mistake>>,
    secrets: SecretFiles,
}

impl Reader {
    pub fn new(secrets: SecretFiles) -> Self {
        Self {
            mistakes: RefCell::default(),
            secrets,
        }
    }

    /// The table at the top of the tree.
    pub fn root<'a>(&'a self, tree: &'a Node) -> Table<'a> {
        Table::new(self, String::new(), tree)
    }

    /// Adds a mistake that no single table can know of.
    pub fn report(&self, mistake: Mistake) {
        self.mistakes.borrow_mut().push(mistake);
    }

    /// All mistakes, in the order of the files' lines and then of the keys; what stands in variables comes last.
    pub fn into_mistakes(self) -> Vec<Mistake> {
        let mut mistakes = self.mistakes.into_inner();
        mistakes.sort_by(|one, other| (&one.origin, &one.key).cmp(&(&other.origin, &other.key)));
        mistakes.dedup();
        mistakes
    }

    fn secrets(&self) -> SecretFiles {
        self.secrets
    }
}
