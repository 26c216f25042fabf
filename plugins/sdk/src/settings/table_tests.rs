use std::path::Path;

use super::*;
use crate::ExposeSecret as _;

fn said(line: usize, value: Value) -> Node {
    Node {
        origin: Origin::File("s.toml".into(), line),
        value,
    }
}

fn text(line: usize, value: &str) -> Node {
    said(line, Value::Text(value.to_owned()))
}

fn tree(entries: Vec<(&str, Node)>) -> Node {
    Node::table(
        Path::new("s.toml"),
        entries.into_iter().map(|(key, node)| (key.to_owned(), node)),
    )
}

fn mistakes(tree: &Node, read: impl FnOnce(&Table<'_>)) -> Vec<String> {
    let reader = Reader::new(SecretFiles::Read);
    let table = reader.root(tree);
    read(&table);
    table.finish();
    drop(table);
    reader.into_mistakes().iter().map(ToString::to_string).collect()
}

#[test]
fn every_mistake_is_reported_at_once_and_none_quotes_its_value() {
    let tree = tree(vec![
        ("org_ul", text(3, "hunter2")),
        ("groups", text(4, "hunter2")),
        ("deadline", text(5, "hunter2")),
        ("mode", text(6, "hunter2")),
        ("size", said(7, Value::Integer(9))),
    ]);
    let found = mistakes(&tree, |table| {
        assert_eq!(table.text("org_url").required(), None);
        assert!(!table.bool("groups").or(false));
        assert_eq!(
            table.duration("deadline", Duration::ZERO..=Duration::MAX).optional(),
            None
        );
        assert_eq!(table.choice("mode", &[("on", 1), ("off", 2)]).or(1), 1);
        assert_eq!(table.integer("size", 1..=5).or(2), 2);
    });
    assert_eq!(
        found,
        [
            "s.toml:1: org_url: is required",
            "s.toml:3: org_ul: is unknown; did you mean `org_url`?",
            "s.toml:4: groups: is a text; true or false is wanted",
            "s.toml:5: deadline: is no time with a unit; write it as \"250ms\", \"5s\", \"2m\" or \"1h\"",
            "s.toml:6: mode: must be one of \"on\", \"off\"",
            "s.toml:7: size: is out of range; a whole number from 1 to 5 is wanted",
        ]
    );
}

#[test]
fn a_variable_is_typed_by_its_key() {
    let variable = |value: &str| said(1, Value::Variable(value.to_owned()));
    let tree = tree(vec![
        ("flag", variable("true")),
        ("list", variable("a, b,,c")),
        ("number", variable("42")),
        ("text", variable("42")),
    ]);
    let found = mistakes(&tree, |table| {
        assert_eq!(table.bool("flag").optional(), Some(true));
        assert_eq!(table.list("list").or(vec![]), ["a", "b", "c"]);
        assert_eq!(table.integer("number", 0..=99).optional(), Some(42));
        assert_eq!(table.text("text").optional().as_deref(), Some("42"));
    });
    assert_eq!(found, [""; 0]);
}

#[test]
fn a_secret_stands_in_the_settings_or_in_a_file_but_not_in_both() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("token");
    std::fs::write(&path, "00abc\n").expect("written");
    let path = path.to_str().expect("a readable path");

    let from_file = tree(vec![("token_file", text(1, path))]);
    let found = mistakes(&from_file, |table| {
        let secret = table.secret("token", "token_file").required().expect("a secret");
        assert_eq!(secret.expose_secret(), "00abc");
    });
    assert_eq!(found, [""; 0]);

    let both = tree(vec![("token", text(1, "00abc")), ("token_file", text(2, path))]);
    let found = mistakes(&both, |table| {
        assert!(table.secret("token", "token_file").optional().is_none())
    });
    assert_eq!(
        found,
        ["s.toml:2: token_file: stands beside `token`; keep one of the two"]
    );

    let variable = |value: &str| Node {
        origin: Origin::Variable("IDBRIDGE_TOKEN".to_owned()),
        value: Value::Variable(value.to_owned()),
    };
    let overridden = tree(vec![
        ("token", variable("00later")),
        ("token_file", text(2, "/nowhere/at/all")),
    ]);
    let found = mistakes(&overridden, |table| {
        let secret = table.secret("token", "token_file").required().expect("a secret");
        assert_eq!(secret.expose_secret(), "00later");
    });
    assert_eq!(found, [""; 0]);
    let overridden = tree(vec![("token", text(1, "00earlier")), ("token_file", variable(path))]);
    let found = mistakes(&overridden, |table| {
        let secret = table.secret("token", "token_file").required().expect("a secret");
        assert_eq!(secret.expose_secret(), "00abc");
    });
    assert_eq!(found, [""; 0]);

    let gone = tree(vec![("token_file", text(2, "/nowhere/at/all"))]);
    let found = mistakes(&gone, |table| {
        assert!(table.secret("token", "token_file").optional().is_none())
    });
    assert_eq!(
        found,
        ["s.toml:2: token_file: names a file that can't be read: entity not found"]
    );
}

#[test]
fn durations() {
    for (text, time) in [("250ms", 250), ("5s", 5_000), ("2m", 120_000), ("1h", 3_600_000)] {
        assert_eq!(parse_duration(text), Some(Duration::from_millis(time)), "{text}");
    }
    for bad in ["", "5", "s", "5 s", "-5s", "1.5s", "5d", "99999999999999999999s"] {
        assert_eq!(parse_duration(bad), None, "{bad}");
    }
}

#[test]
fn a_file_is_whole_and_small_or_a_mistake() {
    let folder = tempfile::tempdir().expect("a folder");
    let written = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("written");
        path.to_str().expect("text").to_owned()
    };
    let tree = tree(vec![
        ("good", text(1, &written("good", b"two\nlines\n"))),
        ("empty", text(2, &written("empty", b""))),
        ("large", text(3, &written("large", &[b'x'; 64 * 1024 + 1]))),
        ("folder", text(4, folder.path().to_str().expect("text"))),
        ("nowhere", text(5, "/nowhere/at/all")),
    ]);
    let found = mistakes(&tree, |table| {
        assert_eq!(table.file("good").required().as_deref(), Some(&b"two\nlines\n"[..]));
        for key in ["empty", "large", "folder", "nowhere"] {
            assert_eq!(table.file(key).optional(), None, "{key}");
        }
        assert_eq!(table.file("unsaid").optional(), None);
    });
    assert_eq!(
        found,
        [
            "s.toml:2: empty: names a file that is empty",
            "s.toml:3: large: names a file that is too large for a secret",
            "s.toml:4: folder: names what is no file",
            "s.toml:5: nowhere: names a file that can't be read: entity not found",
        ]
    );
    let reader = Reader::new(SecretFiles::Skip);
    let table = reader.root(&tree);
    assert_eq!(table.file("nowhere").required(), Some(Vec::new()));
}
