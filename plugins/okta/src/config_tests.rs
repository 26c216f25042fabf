use std::path::Path;

use idbridge_source::{Node, Origin, Reader, SecretFiles, Value};

use super::*;

/// Settings that read without a mistake.
pub(crate) fn settings(entries: &[(&str, Value)]) -> Settings {
    let (settings, mistakes) = read(entries, SecretFiles::Read);
    assert_eq!(mistakes, [""; 0]);
    settings.expect("settings without a mistake")
}

/// The rules of a careful operator, and these.
pub(crate) fn careful(entries: &[(&str, Value)]) -> Rules {
    let all = minimum().into_iter().chain(entries.iter().cloned());
    settings(&all.collect::<Vec<_>>()).rules
}

pub(crate) fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

pub(crate) fn list(items: &[&str]) -> Value {
    Value::List(items.iter().map(|item| node(text(item))).collect())
}

fn minimum() -> Vec<(&'static str, Value)> {
    vec![
        ("org_url", text("https://acme.okta.com")),
        ("api_token", text("00abc")),
        ("canary", text("canary@acme.com")),
    ]
}

fn node(value: Value) -> Node {
    Node {
        origin: Origin::File("s.toml".into(), 1),
        value,
    }
}

fn read(entries: &[(&str, Value)], secrets: SecretFiles) -> (Option<Settings>, Vec<String>) {
    let entries = entries
        .iter()
        .map(|(key, value)| ((*key).to_owned(), node(value.clone())));
    let tree = Node::table(Path::new("s.toml"), entries);
    let reader = Reader::new(secrets);
    let settings = {
        let table = reader.root(&tree);
        let settings = Settings::read(&table);
        table.finish();
        settings
    };
    let mistakes = reader.into_mistakes().into_iter();
    (
        settings,
        mistakes
            .map(|mistake| format!("{}: {}", mistake.key, mistake.problem))
            .collect(),
    )
}

fn mistakes(entries: &[(&str, Value)]) -> Vec<String> {
    read(entries, SecretFiles::Read).1
}

#[test]
fn defaults() {
    let settings = settings(&minimum());
    let rules = &settings.rules;
    assert_eq!(rules.directory_users, Choice::Reject);
    assert_eq!(rules.email_verified, EmailVerified::FromOkta);
    assert_eq!(rules.password_expired, Choice::Reject);
    assert_eq!(rules.second_factor, SecondFactor::Reject);
    assert_eq!(rules.lookup_statuses, Status::LISTED_BY_DEFAULT);
    assert!(rules.attributes.is_empty() && rules.verified_domains.is_empty());
    assert!(!rules.groups && !rules.login_is_email && !rules.lookup_by_login);
    assert!(!rules.send_token_with_authn);
    let can = settings.capabilities();
    assert!(can.authenticate && can.user_by_email && !can.user_by_login);
}

#[test]
fn without_a_token_there_are_log_ins_only() {
    let only = [
        ("org_url", text("https://acme.okta.com")),
        ("login_is_email", Value::Bool(true)),
    ];
    let can = settings(&only).capabilities();
    assert!(can.authenticate && !can.user_by_email && !can.user_by_login);
}

#[test]
fn every_mistake_is_reported_at_once() {
    let found = mistakes(&[
        ("canary", text("..")),
        ("directory_users", text("perhaps")),
        ("groups", text("yes")),
        ("lookup_statuses", list(&["ACTIVE", "SUSPENDED"])),
        ("orgurl", text("https://acme.okta.com")),
    ]);
    let keys: Vec<&str> = found.iter().filter_map(|mistake| mistake.split(':').next()).collect();
    assert_eq!(
        keys,
        [
            "api_token",
            "canary",
            "directory_users",
            "groups",
            "lookup_statuses",
            "org_url",
            "orgurl"
        ],
        "{found:#?}"
    );
}

#[test]
fn an_org_is_https_and_not_the_admin_console() {
    for bad in [
        "http://acme.okta.com",
        "https://acme-admin.okta.com",
        "https://acme-admin.oktapreview.com/",
        "https://acme.okta.com/admin",
        "https://user:secret@acme.okta.com",
        "acme.okta.com",
    ] {
        let mut entries = minimum();
        entries[0].1 = text(bad);
        let found = mistakes(&entries);
        assert!(
            matches!(&found[..], [one] if one.starts_with("org_url: ")),
            "{bad}: {found:?}"
        );
        assert!(
            !found[0].contains("acme-admin") && !found[0].contains("secret"),
            "{found:?}"
        );
    }
}

#[test]
fn some_statuses_cannot_be_listed() {
    for status in ["DEPROVISIONED", "SUSPENDED", "active", "NEW", ""] {
        let mut entries = minimum();
        entries.push(("lookup_statuses", list(&[status])));
        assert_eq!(mistakes(&entries).len(), 1, "{status}");
    }
    let listed = careful(&[("lookup_statuses", list(&["RECOVERY", "LOCKED_OUT", "STAGED"]))]).lookup_statuses;
    assert_eq!(listed, [Status::Recovery, Status::LockedOut, Status::Staged]);
}

#[test]
fn a_canary_can_be_looked_up() {
    for bad in ["me", ".", "a/b", "", "%2e%2e"] {
        let mut entries = minimum();
        entries[2].1 = text(bad);
        assert_eq!(mistakes(&entries).len(), 1, "{bad}");
    }
    let without = mistakes(&minimum()[..2]);
    assert!(
        matches!(&without[..], [one] if one.starts_with("canary: is required")),
        "{without:?}"
    );
}

#[test]
fn what_needs_a_token_says_so() {
    let found = mistakes(&[
        ("org_url", text("https://acme.okta.com")),
        ("login_is_email", Value::Bool(true)),
        ("lookup_by_login", Value::Bool(true)),
        ("on_second_factor", text("accept")),
        ("send_token_with_authn", Value::Bool(true)),
    ]);
    let keys: Vec<&str> = found.iter().filter_map(|mistake| mistake.split(':').next()).collect();
    assert_eq!(
        keys,
        ["lookup_by_login", "on_second_factor", "send_token_with_authn"],
        "{found:#?}"
    );
}

#[test]
fn login_is_email_returns_no_more() {
    let mut entries = minimum();
    entries.push(("login_is_email", Value::Bool(true)));
    entries.push(("groups", Value::Bool(true)));
    entries.push(("attributes", list(&["department"])));
    let keys: Vec<String> = mistakes(&entries)
        .iter()
        .map(|mistake| mistake[..6].to_owned())
        .collect();
    assert_eq!(keys, ["attrib", "groups"]);
}

#[test]
fn lists_are_checked() {
    for (key, bad) in [
        ("attributes", ""),
        ("attributes", "profile.department"),
        ("verified_domains", ""),
        ("verified_domains", "@acme.com"),
        ("verified_domains", "https://acme.com"),
        ("verified_domains", "*.acme.com"),
    ] {
        let mut entries = minimum();
        entries.push((key, list(&[bad])));
        assert_eq!(mistakes(&entries).len(), 1, "{key} {bad:?}");
    }
}

#[test]
fn debug_shows_no_secret() {
    let shown = format!("{:?}", settings(&minimum()));
    assert!(!shown.contains("00abc") && !shown.contains("canary@"), "{shown}");
}

#[test]
fn a_closed_secret_file_is_no_mistake() {
    let mut entries = minimum();
    entries[1] = ("api_token_file", text("/nowhere/at/all"));
    let (settings, found) = read(&entries, SecretFiles::Skip);
    assert_eq!(found, [""; 0]);
    assert!(settings.is_some());
    assert_eq!(mistakes(&entries).len(), 1, "an open one is");
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
    let rows = reference
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let mut documented: Vec<String> = rows.map(str::to_owned).collect();
    documented.sort();
    assert_eq!(documented, table.known_keys());
}
