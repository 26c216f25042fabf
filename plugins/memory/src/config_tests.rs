use std::path::Path;

use idbridge_source::{Node, Origin, Reader, Registry, SecretFiles, SourceContext, SystemClock, Value};

use super::*;
use crate::Memory;

/// What the settings of this text are told, through the registry as in the broker.
fn mistakes(text: &str) -> Vec<String> {
    let tree: toml::Value = toml::from_str(text).expect("the test's own TOML parses");
    let tree = node(tree);
    let reader = Reader::new(SecretFiles::Read);
    let table = reader.root(&tree);
    let context = SourceContext {
        name: "people".into(),
        clock: Arc::new(SystemClock),
    };
    let plan = Registry::default().with::<Memory>().plan("memory", &table, &context);
    drop(table);
    let mistakes: Vec<String> = reader.into_mistakes().iter().map(ToString::to_string).collect();
    assert!(plan.is_some() || !mistakes.is_empty(), "no source, and nobody says why");
    mistakes
}

fn node(value: toml::Value) -> Node {
    let value = match value {
        toml::Value::Array(items) => Value::List(items.into_iter().map(node).collect()),
        toml::Value::Boolean(value) => Value::Bool(value),
        toml::Value::Table(table) => Value::Table(table.into_iter().map(|(key, value)| (key, node(value))).collect()),
        other => Value::Text(other.as_str().expect("no other type is needed").to_owned()),
    };
    Node {
        origin: Origin::File(Path::new("s.toml").to_owned(), 1),
        value,
    }
}

#[test]
fn the_readmes_example_is_good() {
    let readme = include_str!("../README.md");
    let (_, rest) = readme.split_once("```toml\n").expect("an example");
    let (example, _) = rest.split_once("```").expect("its end");
    let whole: toml::Value = toml::from_str(example).expect("an example that parses");
    let settings = &whole["sources"]["people"]["settings"];
    assert_eq!(mistakes(&toml::to_string(settings).expect("TOML")), [""; 0]);
}

#[test]
fn the_readme_lists_every_key() {
    let tree = node(toml::from_str("[[people]]").expect("TOML"));
    let reader = Reader::new(SecretFiles::Read);
    let table = reader.root(&tree);
    let _ = Settings::read(&table);
    let people = table.tables("people");
    let _ = Person::read(&people[0]);
    let keys = table.known_keys().into_iter().chain(people[0].known_keys());
    for key in keys {
        assert!(
            include_str!("../README.md").contains(&format!("| `{key}`")),
            "the README has no row for {key}"
        );
    }
}

#[test]
fn every_mistake_is_seen_at_once_and_none_quotes_its_value() {
    let found = mistakes(
        r#"
        on_second_factor = "hunter2"
        lookup_by_logn = true
        [[people]]
        login = "a\tb"
        email = "hunter2"
        status = "hunter2"
        groups = "hunter2"
        emial = "hunter2"
        "#,
    );
    assert_eq!(
        found,
        [
            "s.toml:1: lookup_by_logn: is unknown; did you mean `lookup_by_login`?",
            "s.toml:1: on_second_factor: must be one of \"accept\", \"ignore\", \"reject\"",
            "s.toml:1: people[0].email: the identifier is not an e-mail address",
            "s.toml:1: people[0].emial: is unknown; did you mean `email`?",
            "s.toml:1: people[0].groups: is a text; a list of texts is wanted",
            "s.toml:1: people[0].id: is required",
            "s.toml:1: people[0].login: the identifier has a control character",
            "s.toml:1: people[0].password: is required",
            "s.toml:1: people[0].status: must be one of \"active\", \"denied\", \"disabled\", \"inactive\", \"locked\", \"no_password\"",
        ]
    );
}

#[test]
fn two_people_may_share_an_address_but_no_id_and_no_login() {
    let found = mistakes(
        r#"
        people = [
            { id = "1", login = "ada", email = "a@example.com", password = "x y" },
            { id = "2", login = "bob", email = "a@example.com", password = "x y" },
            { id = "1", login = "ADA", email = "c@example.com", password = "x y" },
        ]
        "#,
    );
    assert_eq!(
        found,
        [
            "s.toml:1: people[2].id: is another person's too",
            "s.toml:1: people[2].login: is another person's too",
        ]
    );
}

#[test]
fn somebody_without_a_password_is_given_none() {
    let person = r#"id = "1", login = "ada", email = "a@example.com", status = "no_password""#;
    assert_eq!(mistakes(&format!("people = [{{ {person} }}]")), [""; 0]);
    assert_eq!(
        mistakes(&format!("people = [{{ {person}, password = \"x\" }}]")),
        ["s.toml:1: people[0].status: is \"no_password\", and a password is given"]
    );
}

#[test]
fn a_password_may_stand_in_a_file() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("password");
    std::fs::write(&path, "hunter2\n").expect("written");
    let person = format!(
        r#"id = "1", login = "ada", email = "a@example.com", password_file = "{}""#,
        path.display()
    );
    assert_eq!(mistakes(&format!("people = [{{ {person} }}]")), [""; 0]);
    assert_eq!(
        mistakes(&format!("people = [{{ {person}, password = \"x\" }}]")),
        ["s.toml:1: people[0].password_file: stands beside `password`; keep one of the two"]
    );
}

#[test]
fn debug_shows_nobody() {
    let tree = node(
        toml::from_str(r#"people = [{ id = "1", login = "ada", email = "a@example.com", password = "hunter2" }]"#)
            .expect("TOML"),
    );
    let reader = Reader::new(SecretFiles::Read);
    let settings = Settings::read(&reader.root(&tree)).expect("good settings");
    let shown = format!("{settings:?} {:?}", settings.people);
    for secret in ["ada", "a@example.com", "hunter2"] {
        assert!(!shown.contains(secret), "Debug shows {secret}");
    }
}
