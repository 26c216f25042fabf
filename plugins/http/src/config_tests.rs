use std::path::Path;

use idbridge_source::{Node, Origin, Reader, Registry, SecretFiles, SourceContext, SystemClock, Value};

use super::*;
use crate::Http;
use crate::listing::List;

/// A table of TOML, read by this, and its mistakes.
pub(crate) fn reading<T>(text: &str, read: impl FnOnce(&Table<'_>) -> T) -> (T, Vec<String>) {
    let tree = node(toml::from_str(text).expect("the test's own TOML parses"));
    let reader = Reader::new(SecretFiles::Skip);
    let table = reader.root(&tree);
    let read = read(&table);
    drop(table);
    let mistakes = reader.into_mistakes().into_iter();
    (
        read,
        mistakes
            .map(|mistake| format!("{}: {}", mistake.key, mistake.problem))
            .collect(),
    )
}

/// What the settings are told, through the registry as in the broker.
fn mistakes(text: &str) -> Vec<String> {
    let context = SourceContext {
        name: "legacy".into(),
        clock: std::sync::Arc::new(SystemClock),
    };
    let (plan, mistakes) = reading(text, |table| {
        Registry::default().with::<Http>().plan("http", table, &context)
    });
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

fn settings_of(document: &str) -> String {
    let whole: toml::Value = toml::from_str(document).expect("an example that parses");
    let sources = whole["sources"].as_table().expect("sources");
    let settings = &sources.values().next().expect("a source")["settings"];
    toml::to_string(settings).expect("TOML")
}

fn readme() -> &'static str {
    include_str!("../README.md")
}

/// The README's example with this in place of that.
fn with(old: &str, new: &str) -> Vec<String> {
    let (_, rest) = readme().split_once("```toml\n").expect("an example");
    let (example, _) = rest.split_once("```").expect("its end");
    assert!(example.contains(old), "{old}");
    mistakes(&settings_of(&example.replace(old, new)))
}

#[test]
fn the_examples_are_good() {
    assert_eq!(with("", ""), [""; 0]);
    for document in [
        include_str!("../examples/fusionauth.toml"),
        include_str!("../examples/keycloak-user-migration.toml"),
        include_str!("../examples/scim.toml"),
        include_str!("../../../examples/http.toml"),
    ] {
        assert_eq!(mistakes(&settings_of(document)), [""; 0]);
    }
}

/// A table that holds nothing good is asked for every key.
#[test]
fn every_setting_has_its_row_in_the_readme() {
    let text = "list = {}\nlog_in = {}\nuser_by_email = {}\nuser_by_login = {}\nprobe = {}\nauth = {}\n[person]\nstates = [{}]";
    let (mut known, _) = reading(text, |table| {
        Settings::read(table);
        let mut keys = table.known_keys();
        let inner = |table: Option<Table<'_>>, read: &dyn Fn(&Table<'_>)| {
            let table = table.expect("a table");
            read(&table);
            table.known_keys()
        };
        keys.extend(inner(table.table("log_in"), &|table| drop(LogIn::read(table))));
        keys.extend(inner(table.table("user_by_email"), &|table| {
            drop(LookUp::read(table, Identifier::Email))
        }));
        keys.extend(inner(table.table("list"), &|table| drop(List::read(table))));
        keys.extend(inner(table.table("person"), &|table| drop(Person::read(table))));
        keys
    });
    for kind in ["basic", "bearer", "header", "hmac", "oauth"] {
        let (keys, _) = reading(&format!("[auth]\nkind = \"{kind}\""), |table| {
            let auth = table.table("auth").expect("a table");
            Auth::read_kind(&auth);
            auth.known_keys()
        });
        known.extend(keys);
    }
    known.extend(["status", "when", "outcome", "status_suffices"].map(str::to_owned));
    known.sort();
    known.dedup();
    let (_, tables) = readme().split_once("# Settings").expect("the settings");
    let (tables, _) = tables.split_once("# Who it was").expect("their end");
    let mut documented: Vec<String> = Vec::new();
    let mut is_of_settings = false;
    for line in tables.lines() {
        if line.starts_with("| setting ") {
            is_of_settings = true;
        } else if !line.starts_with('|') {
            is_of_settings = false;
        } else if is_of_settings && let Some((cell, _)) = line.trim_start_matches("| ").split_once(" | ") {
            let keys = cell
                .split(", ")
                .filter_map(|key| key.strip_prefix('`')?.strip_suffix('`'));
            documented.extend(keys.map(str::to_owned));
        }
    }
    documented.sort();
    documented.dedup();
    assert_eq!(documented, known);
}

#[test]
fn every_mistake_is_told_at_once_with_its_place() {
    let text = r#"
base_url = "https://legacy.acme.com/api"
addresses = ["10.0.0.0/8", "10.0.0.1/8"]
headers = ["X-A: b", "Host: x"]
on_second_factor = "maybe"
colour = "red"
[auth]
kind = "hmac"
key = "x"
signed = ["time"]
[log_in]
method = "DELETE"
path = "https://evil.example.com/{{ login }}"
query = ["p={{ password }}", "x"]
json = '{"login": "{{ login }}"}'
record = "user"
identified_by = ["mail"]
answers = [
  { status = 200, outcome = "yes" },
  { status = 302, when = ['/a = 1'], outcome = "wrong_password" },
  { status = 403, when = ['/error == "x"'], outcome = "found" },
]
[user_by_email]
path = "/users/{{ email"
records = "/users/[0]"
canary = "me"
answers = [{ status = 404, outcome = "absent", status_suffices = true }]
[person]
id = "id"
login = "/login"
email = "/email~"
attributes = ["department"]
second_factor = []
states = [{ when = ['/a is gone'], outcome = "unknown_user" }]
"#;
    assert_eq!(
        mistakes(text),
        [
            "addresses: item 2 is no network such as \"10.1.0.0/16\" or \"fd00:1::/64\"",
            "auth.name: is required",
            "auth.signed: may list \"body\", \"method\", \"path\" and \"timestamp\", and at least one",
            "base_url: must be scheme and host alone, without a path, a query or a fragment",
            "colour: is unknown",
            "headers: item 2 is a header that can't be set",
            "log_in.answers[0].when: is required, or `status_suffices = true`: anybody between here and the API can send a status",
            "log_in.answers[1].status: is a redirect, which is never followed and never an answer",
            "log_in.answers[2].outcome: must be one of \"yes\", \"account_disabled\", \"account_inactive\", \"account_locked\", \"denied_by_policy\", \"no_password\", \"second_factor_required\", \"invalid_credentials\", \"password_expired\", \"unknown_user\", \"wrong_password\", \"ambiguous\", \"credential_refused\", \"protocol\", \"throttled\", \"unavailable\"",
            "log_in.answers[2].when: item 1, at character 14: ` = JSON`, ` has JSON`, ` is empty` or ` is filled` is wanted",
            "log_in.identified_by: may list \"login\" and \"email\", and at least one",
            "log_in.json: line 1, column 11: a value brings its own quotes; leave them out around {{ … }}",
            "log_in.method: must be one of \"GET\", \"POST\", \"PUT\"",
            "log_in.path: must begin with one `/`: scheme and host are those of `base_url`",
            "log_in.query: item 1, after `=`: line 1, column 4: `password` is not known here; known: `login`",
            "log_in.record: at character 1: a part begins with `/`",
            "on_second_factor: must be one of \"accept\", \"ignore\", \"reject\"",
            "person.attributes: item 1 isn't \"name=/pointer\"",
            "person.email: at character 2: `~` is written `~0`, and `/` is written `~1`",
            "person.id: at character 1: a part begins with `/`",
            "person.second_factor: is empty, and would hold of anything",
            "person.states[0].outcome: must be one of \"admit\", \"account_disabled\", \"account_inactive\", \"account_locked\", \"denied_by_policy\", \"no_password\", \"second_factor_required\"",
            "person.states[0].when: item 1, at character 3: ` = JSON`, ` has JSON`, ` is empty` or ` is filled` is wanted",
            "user_by_email.answers: need a row whose outcome is \"found\"",
            "user_by_email.canary: is no e-mail address",
            "user_by_email.path: line 1, column 11: syntax error",
            "user_by_email.records: at character 8: `[key=JSON]` is wanted; a key that begins with `[` can't be named",
        ]
    );
}

#[test]
fn what_single_keys_cannot_know() {
    for (old, new, said) in [
        (
            "canary = \"idbridge-canary@acme.com\"\n",
            "",
            "user_by_email.canary: is required where an answer means `absent`: while this user isn't visible, that means nothing",
        ),
        (
            "query = [\"email={{ email }}\"]\n",
            "",
            "user_by_email.path: must name `email`, or the query or the body must",
        ),
        (
            ", \"password\": {{ password }}",
            "",
            "log_in.json: must name `password` (or `form`; or set `basic = true`)",
        ),
        (
            "\"login\": {{ login }}, ",
            "",
            "log_in.path: must name `login`, or the query or the body must",
        ),
        (
            "record = \"/user\"\n",
            "basic = true\n",
            "log_in.basic: sends the password a second time; keep one of the two",
        ),
        (
            "record = \"/user\"\n",
            "profile = \"user_by_login\"\n",
            "log_in: has profile = \"user_by_login\", and there is no `user_by_login`",
        ),
        (
            "record = \"/user\"\n",
            "record = \"/user\"\nform = [\"a=b\"]\n",
            "log_in.form: stands beside `json`; keep one of the two",
        ),
        (
            "method = \"POST\"",
            "method = \"GET\"",
            "log_in.method: is GET, and a GET has no body",
        ),
        (
            "path = \"/api/users\"",
            "path = \"/api/users?x=1\"",
            "user_by_email.path: has a `?` or a `#`; a query stands in `query`",
        ),
        (
            "path = \"/api/users\"",
            "path = \"//evil.example.com\"",
            "user_by_email.path: must begin with one `/`: scheme and host are those of `base_url`",
        ),
        (
            "path = \"/api/users\"",
            "path = \"/api/ü\"",
            "user_by_email.path: has a character that a path can't have; write it as %XX",
        ),
        (
            "records = \"/users\"\n",
            "records = \"/users\"\nrecord = \"\"\n",
            "user_by_email.records: stands beside `record`; keep one of the two",
        ),
        (
            "\nemail = \"/email\"",
            "",
            "user_by_email: needs person.email, to know whose record an answer is",
        ),
        (
            "email_verified = \"/email_verified\"",
            "email_verified = \"/a\"\nemail_verified_when = ['/a = 1']",
            "person.email_verified_when: stands beside `email_verified`; keep one of the two",
        ),
        (
            "groups = \"/groups\"",
            "group_name = \"/name\"",
            "person.group_name: has no effect without `groups`",
        ),
        (
            "[sources.legacy.settings.person]",
            "[sources.legacy.settings.probe]\npath = \"/\"\nanswers = [{ status = 200, outcome = \"well\", status_suffices = true }]\n[sources.legacy.settings.person]",
            "probe: has no effect beside a canary, which is read instead",
        ),
        (
            "outcome = \"admit\"",
            "outcome = \"account_locked\"",
            "person.states: need a row whose outcome is \"admit\"",
        ),
        (
            "kind = \"bearer\"\ntoken_file = \"/run/secrets/legacy\"",
            "kind = \"oauth\"\ntoken_url = \"http://login.acme.com/token\"\nclient_id = \"x\"\nclient_secret = \"y\"",
            "auth.token_url: must begin with https:// (http:// is for loopback addresses only)",
        ),
        (
            "https://users.acme.com",
            "http://users.acme.com",
            "base_url: must begin with https:// (http:// is for loopback addresses only)",
        ),
        (
            "https://users.acme.com",
            "file:///etc/passwd",
            "base_url: is no URL such as \"https://acme.example.com\"",
        ),
        (
            "https://users.acme.com",
            "https://{{ login }}.acme.com",
            "base_url: is no URL such as \"https://acme.example.com\"",
        ),
    ] {
        assert_eq!(with(old, new), [said], "{new}");
    }
}
