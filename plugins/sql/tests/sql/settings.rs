//! A source from settings that stand in a test.

use std::path::Path;
use std::sync::Arc;

use idbridge_source::{Blueprint as _, IdentitySource, Node, Origin, Reader, SecretFiles, Value};
use idbridge_sql::{Control, Settings};

pub(crate) fn source(settings: &str, control: &Control) -> Arc<dyn IdentitySource> {
    let tree: toml::Value = toml::from_str(settings).expect("settings that parse");
    let tree = node(tree);
    let reader = Reader::new(SecretFiles::Read);
    let table = reader.root(&tree);
    let settings = Settings::read(&table);
    table.finish();
    drop(table);
    assert_eq!(reader.into_mistakes(), []);
    let blueprint = settings.expect("good settings").blueprint(control.clone());
    blueprint.build().expect("a source")
}

fn node(value: toml::Value) -> Node {
    let value = match value {
        toml::Value::Array(items) => Value::List(items.into_iter().map(node).collect()),
        toml::Value::Boolean(value) => Value::Bool(value),
        toml::Value::Integer(value) => Value::Integer(value),
        toml::Value::Table(table) => Value::Table(table.into_iter().map(|(key, value)| (key, node(value))).collect()),
        other => Value::Text(
            other
                .as_str()
                .expect("no other type stands in these settings")
                .to_owned(),
        ),
    };
    Node {
        origin: Origin::File(Path::new("sql.toml").to_owned(), 1),
        value,
    }
}
