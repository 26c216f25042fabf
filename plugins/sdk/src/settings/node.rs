use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// A value of the merged settings, and where it came from. Later layers have replaced what earlier ones said.
#[derive(Clone)]
pub struct Node {
    /// Of a table: where it begins. A key that is missing from it is reported there.
    pub origin: Origin,
    pub value: Value,
}

/// A value, before anybody says which type its key has.
#[derive(Clone)]
pub enum Value {
    Bool(bool),
    Float(f64),
    Integer(i64),
    List(Vec<Node>),
    Table(BTreeMap<String, Node>),
    Text(String),
    /// From the environment: its key decides whether this is a text, a number or a comma-separated list.
    Variable(String),
}

/// Where a value was said.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Origin {
    /// A line of a file, counted from 1; 0 is the file as a whole.
    File(PathBuf, usize),
    /// An environment variable.
    Variable(String),
}

impl Node {
    /// A table of these nodes, said in this file: for tests and for settings that a program makes.
    pub fn table(path: &Path, entries: impl IntoIterator<Item = (String, Node)>) -> Self {
        Self {
            origin: Origin::File(path.to_owned(), 1),
            value: Value::Table(entries.into_iter().collect()),
        }
    }
}

impl Value {
    /// What it is, for a message that must not quote it.
    pub fn description(&self) -> &'static str {
        match self {
            Self::Bool(_) => "true or false",
            Self::Float(_) => "a fraction",
            Self::Integer(_) => "a number",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Text(_) | Self::Variable(_) => "a text",
        }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at {}", self.value, self.origin)
    }
}

impl fmt::Debug for Value {
    /// Keys, and what their values are: any of them may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table(entries) => f.debug_map().entries(entries).finish(),
            other => f.write_str(other.description()),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, 0) => write!(f, "{}", path.display()),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => f.write_str(name),
        }
    }
}
