use std::path::Path;

use idbridge_source::{Node, Origin, Reader, Registry, SecretFiles, SourceContext, SystemClock, Value};

use super::*;
use crate::Sql;

const GOOD: &str = r#"
url = "postgres://idbridge@db.example.com/app"
by_login = "SELECT * FROM users WHERE login = :login"
decoy_hash = "$2b$04$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui"
"#;

/// What these settings are told, through the registry as in the broker.
fn mistakes(text: &str) -> Vec<String> {
    let tree = node(toml::from_str(text).expect("the test's own TOML parses"));
    let reader = Reader::new(SecretFiles::Skip);
    let table = reader.root(&tree);
    let context = SourceContext {
        name: "app".into(),
        clock: Arc::new(SystemClock),
    };
    let plan = Registry::default().with::<Sql>().plan("sql", &table, &context);
    drop(table);
    let mistakes: Vec<String> = reader.into_mistakes().iter().map(ToString::to_string).collect();
    assert!(plan.is_some() || !mistakes.is_empty(), "no source, and nobody says why");
    mistakes
}

fn node(value: toml::Value) -> Node {
    let value = match value {
        toml::Value::Array(items) => Value::List(items.into_iter().map(node).collect()),
        toml::Value::Boolean(value) => Value::Bool(value),
        toml::Value::Integer(value) => Value::Integer(value),
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
    let settings = &whole["sources"]["app"]["settings"];
    assert_eq!(mistakes(&toml::to_string(settings).expect("TOML")), [""; 0]);
}

#[test]
fn the_readme_lists_every_key() {
    let tree = node(toml::from_str("[columns]\n[statuses]\n[digest]").expect("TOML"));
    let reader = Reader::new(SecretFiles::Skip);
    let table = reader.root(&tree);
    let _ = Settings::read(&table);
    let columns = Part::ALL.iter().map(|(_, key, _)| (*key).to_owned());
    let statuses = Status::WORDS.iter().map(|(key, _)| (*key).to_owned());
    let digest = ["encoding", "function", "layout"].map(str::to_owned);
    let keys = table
        .known_keys()
        .into_iter()
        .chain(columns)
        .chain(statuses)
        .chain(digest);
    for key in keys {
        let row = format!("| `{key}` |");
        assert!(
            include_str!("../README.md").contains(&row),
            "the README has no row for {key}"
        );
    }
}

#[test]
fn every_mistake_is_seen_at_once_and_none_quotes_its_value() {
    let found = mistakes(
        r#"
        url = "postgres://ada:hunter2@db/app"
        tls = "hunter2"
        by_login = "SELECT 'hunter2' FROM users WHERE login = :lgin"
        by_email = "SELECT 'hunter2'"
        list = "SELECT 'hunter2' WHERE :after = ''"
        decoy_hash = "hunter2"
        connections = 0
        statement_timeout = "1ms"
        page_size = 1001
        hash_thread = 1
        attributes = [""]
        [columns]
        login = ""
        nmae = "x"
        status = "state"
        [digest]
        function = "md4"
        layout = "salt_password"
        "#,
    );
    assert_eq!(
        found,
        [
            "s.toml:1: attributes: has an item that is no column, or more than 64",
            "s.toml:1: by_email: doesn't use `:email` or `:email_folded`",
            "s.toml:1: by_login: has an unknown parameter at line 1, column 43; `:login`, `:login_folded` can be used",
            "s.toml:1: columns.login: is no column",
            "s.toml:1: columns.nmae: is unknown; did you mean `name`?",
            "s.toml:1: connections: is out of range; a whole number from 1 to 100 is wanted",
            "s.toml:1: decoy_hash: is no password hash that could be checked",
            "s.toml:1: digest.function: must be one of \"md5\", \"sha1\", \"sha256\", \"sha384\", \"sha512\"",
            "s.toml:1: digest.layout: needs a salt: say its column in `columns.salt`",
            "s.toml:1: hash_thread: is unknown; did you mean `hash_threads`?",
            "s.toml:1: list: doesn't use `:after` and `:limit`",
            "s.toml:1: page_size: is out of range; a whole number from 1 to 1000 is wanted",
            "s.toml:1: statement_timeout: is out of range; from 10ms to 30s is wanted",
            "s.toml:1: statuses: is required with `columns.status`: a word that isn't listed is an error",
            "s.toml:1: tls: must be one of \"off\", \"verify_ca\", \"verify_full\"",
            "s.toml:1: url: holds a password; give it as `password_file` or `password`",
        ]
    );
}

#[test]
fn urls() {
    let with = |url: &str, more: &str| {
        let good: String = GOOD
            .lines()
            .filter(|line| !line.starts_with("url"))
            .map(|line| format!("{line}\n"))
            .collect();
        mistakes(&format!("url = \"{url}\"\n{more}\n{good}"))
    };
    let nothing: [&str; 0] = [];
    for good in [
        "postgres://app@db/app",
        "postgresql://app@db:6432/app",
        "postgres://app@[::1]/app",
        "postgres://a%40b@10.1.2.3/my%20db",
        "postgres://app@%2Frun%2Fpostgresql/app",
        "sqlite:///var/lib/app.db",
        "sqlite:app.db",
    ] {
        assert_eq!(with(good, ""), nothing, "{good}");
    }
    let bad = "s.toml:1: url: is no URL such as \"postgres://USER@HOST:5432/DATABASE\" or \"sqlite:///PATH\"";
    for url in [
        "",
        "db",
        "mysql://app@db/app",
        "postgres://db/app",
        "postgres://app@db",
        "postgres://app@/app",
        "sqlite:",
        "sqlite::memory:",
    ] {
        assert_eq!(with(url, ""), [bad], "{url}");
    }
    let keys = "s.toml:1: url: has a `?` or a `#`; what can be set has a key of its own";
    assert_eq!(with("postgres://app@db/app?sslmode=disable", ""), [keys]);
    for host in ["127.0.0.1", "[::1]", "localhost", "%2Frun"] {
        assert_eq!(
            with(&format!("postgres://app@{host}/app"), "tls = \"off\""),
            nothing,
            "{host}"
        );
    }
    let off = "s.toml:1: tls: can be \"off\" only for a socket or a loopback address";
    for host in [
        "db.example.com",
        "10.0.0.1",
        "localhost.example.com",
        "127.0.0.1.example.com",
    ] {
        assert_eq!(
            with(&format!("postgres://app@{host}/app"), "tls = \"off\""),
            [off],
            "{host}"
        );
    }
    let socket = "s.toml:1: tls: can only be \"off\" for a socket";
    assert_eq!(with("postgres://app@%2Frun/app", "tls = \"verify_full\""), [socket]);
    let file = "s.toml:1: password: has no effect on an SQLite file";
    assert_eq!(with("sqlite:app.db", "password = \"x\""), [file]);
}

#[test]
fn statuses_are_told_apart() {
    let found = mistakes(&format!(
        "{GOOD}[columns]\nstatus = \"state\"\n[statuses]\nactive = [\"1\", \"2\"]\nlocked = \"2\"\nactve = \"3\""
    ));
    assert_eq!(
        found,
        [
            "s.toml:1: statuses.actve: is unknown; did you mean `active`?",
            "s.toml:1: statuses.locked: has a word that another status has too",
        ]
    );
    let found = mistakes(&format!("{GOOD}[statuses]\nactive = \"1\""));
    assert_eq!(found, ["s.toml:1: statuses: has no effect without `columns.status`"]);
}

/// `sha1$SALT$…` has no author, and a decoy that nobody could check would tell of everybody who isn't there.
#[test]
fn who_salted_old_digests_has_to_be_said() {
    const SHA1: &str = "sha1$salt$6bc4ff1aa50aab2041a2d46a6ea0c48e3e4adb50";
    const SHA256: &str = "sha256$salt$59b3e8d637cf97edbe2384cf59cb7453dfe30789e3b4d4a2b9b1a1d2e3f40516";
    const MD5: &str = "md5$salt$67a1e09bb1f83f5007dc119c14d663aa";
    let decoy = |hash: &str, more: &str| {
        let good = GOOD.replace(GOOD.split('"').nth(5).expect("the decoy"), hash);
        mistakes(&format!("{more}\n{good}"))
    };
    let refused = "s.toml:1: decoy_hash: is no password hash that could be checked";
    for (hash, django, werkzeug) in [(SHA1, true, true), (SHA256, false, true), (MD5, true, false)] {
        assert_eq!(decoy(hash, ""), [refused], "{hash}");
        for (by, known) in [("django", django), ("werkzeug", werkzeug)] {
            let wanted = if known { vec![] } else { vec![refused] };
            assert_eq!(decoy(hash, &format!("salted_by = \"{by}\"")), wanted, "{hash}, {by}");
        }
    }
    assert_eq!(
        mistakes(&format!("salted_by = \"hunter2\"\n{GOOD}")),
        ["s.toml:1: salted_by: must be one of \"django\", \"werkzeug\""]
    );
}

#[test]
fn debug_shows_no_secret() {
    let tree = node(toml::from_str(&format!("password = \"hunter2\"\n{GOOD}")).expect("TOML"));
    let reader = Reader::new(SecretFiles::Read);
    let settings = Settings::read(&reader.root(&tree)).expect("good settings");
    let shown = format!("{settings:?}");
    assert!(shown.contains("db.example.com"), "{shown}");
    for secret in ["hunter2", "$2b$"] {
        assert!(!shown.contains(secret), "Debug shows {secret}");
    }
}
