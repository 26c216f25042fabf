//! Merges the file and the environment, and finds out again where each value came from.

use std::ffi::OsString;
use std::path::Path;

use figment::value::{Dict, Map, Value as Merged};
use figment::{Figment, Metadata, Profile, Provider, Source};
use idbridge_source::{Mistake, Node, Origin, Value};

use super::environment;
use super::file::{File, Lines};

/// The merged settings, or what is wrong with the file as a file and with the variables' names.
pub(super) fn merge(
    path: &Path,
    file: Result<File, Vec<Mistake>>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Node, Vec<Mistake>> {
    let (variables, mut mistakes) = environment::variables(environment);
    let file = match file {
        Ok(file) if mistakes.is_empty() => file,
        Ok(_) => return Err(mistakes),
        Err(wrong) => {
            mistakes.splice(0..0, wrong);
            return Err(mistakes);
        }
    };
    let mut figment = Figment::from(Layer {
        metadata: Metadata::from("settings file", path),
        data: file.data,
    });
    for variable in variables {
        let metadata = Metadata::from("environment variable", variable.name);
        let data = nested(&variable.path, Merged::from(variable.value));
        figment = figment.merge(Layer { metadata, data });
    }
    // Our layers never fail, so neither does their sum.
    let data = figment
        .data()
        .unwrap_or_default()
        .remove(&Profile::Default)
        .unwrap_or_default();
    let origins = Origins {
        path,
        figment: &figment,
        lines: &file.lines,
    };
    Ok(Node {
        origin: Origin::File(path.to_owned(), 1),
        value: origins.table(data, &mut Vec::new()),
    })
}

struct Layer {
    metadata: Metadata,
    data: Dict,
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        self.metadata.clone()
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        Ok(Profile::Default.collect(self.data.clone()))
    }
}

fn nested(path: &[String], value: Merged) -> Dict {
    let mut path = path.iter().rev().cloned();
    let last = path.next().unwrap_or_default();
    path.fold(Dict::from([(last, value)]), |inner, key| {
        Dict::from([(key, Merged::from(inner))])
    })
}

struct Origins<'a> {
    path: &'a Path,
    figment: &'a Figment,
    lines: &'a Lines,
}

impl Origins<'_> {
    fn node(&self, value: Merged, path: &mut Vec<String>) -> Node {
        let origin = self.origin(&value, path);
        let value = match value {
            Merged::Array(_, items) => Value::List(self.each(items, path)),
            Merged::Bool(_, value) => Value::Bool(value),
            Merged::Char(_, value) => Value::Text(value.to_string()),
            Merged::Dict(_, entries) => self.table(entries, path),
            Merged::Empty(..) => Value::Text(String::new()),
            Merged::Num(_, number) => match (number.to_f64(), number.to_i128()) {
                (_, Some(number)) => i64::try_from(number).map_or(Value::Float(f64::NAN), Value::Integer),
                (number, None) => Value::Float(number.unwrap_or(f64::NAN)),
            },
            Merged::String(_, text) => match origin {
                Origin::File(..) => Value::Text(text),
                Origin::Variable(_) => Value::Variable(text),
            },
        };
        Node { origin, value }
    }

    fn table(&self, entries: Dict, path: &mut Vec<String>) -> Value {
        let entry = |(key, value): (String, Merged)| {
            path.push(key.clone());
            let node = self.node(value, path);
            path.pop();
            (key, node)
        };
        Value::Table(entries.into_iter().map(entry).collect())
    }

    fn each(&self, items: Vec<Merged>, path: &mut Vec<String>) -> Vec<Node> {
        let item = |(index, value): (usize, Merged)| {
            path.push(index.to_string());
            let node = self.node(value, path);
            path.pop();
            node
        };
        items.into_iter().enumerate().map(item).collect()
    }

    /// A table that the file and a variable share is the file's: that is where what it lacks should be written.
    fn origin(&self, value: &Merged, path: &[String]) -> Origin {
        let source = self
            .figment
            .get_metadata(value.tag())
            .and_then(|metadata| metadata.source.as_ref());
        let line = self.lines.get(path);
        let shared = matches!(value, Merged::Dict(..)) && line.is_some_and(|line| line.is_table);
        match source {
            Some(Source::Custom(variable)) if !shared => Origin::Variable(variable.clone()),
            _ => Origin::File(self.path.to_owned(), line.map_or(1, |line| line.number)),
        }
    }
}
