use std::path::Path;

use idbridge_source::{Node, Origin, Reader, SecretFiles, Value};

use super::*;

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

fn read(entries: &[(&str, Value)], secrets: SecretFiles) -> (Option<Settings>, Vec<String>) {
    let node = |value: &Value| Node {
        origin: Origin::File("s.toml".into(), 1),
        value: value.clone(),
    };
    let entries = entries.iter().map(|(key, value)| ((*key).to_owned(), node(value)));
    let tree = Node::table(Path::new("s.toml"), entries);
    let reader = Reader::new(secrets);
    let settings = {
        let table = reader.root(&tree);
        let settings = Settings::read(&table);
        table.finish();
        settings
    };
    let mistakes = reader.into_mistakes().into_iter();
    let told = mistakes.map(|mistake| format!("{}: {}", mistake.key, mistake.problem));
    (settings, told.collect())
}

/// What is wrong with these, beside a good URL and canary.
fn mistakes(more: &[(&str, Value)]) -> Vec<String> {
    let mut entries = vec![
        ("url", text("https://plugin.example")),
        ("canary", text("canary@example.com")),
    ];
    for (key, value) in more {
        entries.retain(|(known, _)| known != key);
        entries.push((*key, value.clone()));
    }
    read(&entries, SecretFiles::Read).1
}

#[test]
fn the_least_that_is_needed() {
    let (settings, mistakes) = read(
        &[("url", text("https://plugin.example")), ("canary", text("c@x.y"))],
        SecretFiles::Read,
    );
    assert_eq!(mistakes, [""; 0]);
    let can = settings.expect("settings").capabilities();
    assert!(can.authenticate && can.user_by_email && !can.user_by_login && !can.list);
    let (settings, mistakes) = read(
        &[("url", text("unix:///run/p.sock")), ("look_ups", Value::Bool(false))],
        SecretFiles::Read,
    );
    assert_eq!(mistakes, [""; 0]);
    let can = settings.expect("settings").capabilities();
    assert!(can.authenticate && !can.user_by_email && !can.user_by_login);
}

#[test]
fn urls() {
    for good in [
        "https://plugin.example",
        "https://plugin.example:8443/",
        "http://127.0.0.1:50051",
        "http://[::1]:50051",
        "unix:///run/plugin.sock",
    ] {
        assert_eq!(mistakes(&[("url", text(good))]), [""; 0], "{good}");
    }
    let long = format!("unix:///{}", "x".repeat(103));
    for bad in [
        "",
        "plugin.example:50051",
        "http://plugin.example",
        "grpc://plugin.example",
        "https://plugin.example/path",
        "https://user:hunter2@plugin.example",
        "unix://plugin.sock",
        "unix:///run/",
        "unix:/run/plugin.sock",
        &long,
    ] {
        let found = mistakes(&[("url", text(bad))]);
        assert_eq!(found.len(), 1, "{bad}: {found:?}");
        assert!(
            found[0].starts_with("url: ") && !found[0].contains("hunter2"),
            "{bad}: {found:?}"
        );
    }
}

#[test]
fn all_mistakes_at_once() {
    let (_, mistakes) = read(
        &[
            ("url", text("http://plugin.example")),
            ("canary", text("nobody")),
            ("client_key_file", text("/nowhere/key.pem")),
            ("plain_notfound", Value::Bool(true)),
        ],
        SecretFiles::Read,
    );
    let keys: Vec<&str> = mistakes.iter().filter_map(|line| line.split(':').next()).collect();
    assert_eq!(
        keys,
        ["canary", "client_cert_file", "client_key_file", "plain_notfound", "url"]
    );
}

#[test]
fn what_has_no_effect_is_a_mistake() {
    let off = Value::Bool(false);
    for key in ["lookup_by_login", "plain_not_found"] {
        let (_, mistakes) = read(
            &[
                ("url", text("https://p.example")),
                ("look_ups", off.clone()),
                (key, Value::Bool(true)),
            ],
            SecretFiles::Read,
        );
        assert_eq!(mistakes, [format!("{key}: has no effect with look_ups = false")]);
    }
    assert_eq!(
        mistakes(&[("look_ups", off)]),
        ["canary: has no effect with look_ups = false"]
    );
    let (_, without) = read(&[("url", text("https://p.example"))], SecretFiles::Read);
    assert!(
        without.len() == 1 && without[0].starts_with("canary: is required: "),
        "{without:?}"
    );
}

#[test]
fn certificates_are_read_and_belong_together() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = |name: &str| {
        let pair = rcgen::generate_simple_self_signed([name.to_owned()]).expect("a certificate");
        let write = |kind: &str, pem: String| {
            let path = folder.path().join(format!("{name}.{kind}"));
            std::fs::write(&path, pem).expect("written");
            text(path.to_str().expect("text"))
        };
        (
            write("cert", pair.cert.pem()),
            write("key", pair.signing_key.serialize_pem()),
        )
    };
    let ((cert, key), (_, other)) = (made("one"), made("two"));
    let pair = |key: &Value| [("client_cert_file", cert.clone()), ("client_key_file", key.clone())];
    assert_eq!(mistakes(&pair(&key)), [""; 0]);
    assert_eq!(mistakes(&[("ca_file", cert.clone())]), [""; 0]);
    assert_eq!(
        mistakes(&pair(&other)),
        ["client_cert_file: doesn't belong to the private key beside it"]
    );
    assert_eq!(
        mistakes(&[("ca_file", key.clone())]),
        ["ca_file: holds no certificate in PEM"]
    );
    let unused = mistakes(&[("url", text("unix:///run/p.sock")), ("ca_file", cert.clone())]);
    assert_eq!(unused, ["ca_file: has no effect without https://"]);
    let half = mistakes(&[("client_cert_file", cert.clone())]);
    assert_eq!(
        half,
        ["client_key_file: is required: a certificate is nothing without its key"]
    );
    // On a machine that hasn't got the files.
    let entries = [
        ("url", text("https://p.example")),
        ("canary", text("c@x.y")),
        ("key_file", text("/nowhere")),
        ("ca_file", text("/nowhere")),
        ("client_cert_file", text("/nowhere")),
        ("client_key_file", text("/nowhere")),
    ];
    assert_eq!(read(&entries, SecretFiles::Skip).1, [""; 0]);
    assert_eq!(read(&entries, SecretFiles::Read).1.len(), 4);
}

/// The README is the reference: every key stands in its table, and nothing else does.
#[test]
fn the_readme_lists_every_setting() {
    let tree = Node::table(Path::new("s.toml"), []);
    let reader = Reader::new(SecretFiles::Read);
    let table = reader.root(&tree);
    let _ = Settings::read(&table);
    let (_, reference) = include_str!("../README.md")
        .split_once("# Settings")
        .expect("a reference");
    let (reference, _) = reference.split_once("\n# ").expect("its end");
    let rows = reference
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let mut documented: Vec<String> = rows.map(str::to_owned).collect();
    documented.sort();
    assert_eq!(documented, table.known_keys());
}
