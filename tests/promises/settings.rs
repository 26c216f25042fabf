//! Settings files for the processes.

use aws_lc_rs::digest::{SHA256, digest};
use idbridge_okta_simulator::{CANARY, TOKEN};
use toml::{Table, Value};

/// The key of the caller `tester`.
pub(crate) const KEY: &str = "idb_tester_3f6c1b90a2key";
/// The key of the hashes in audit records.
pub(crate) const AUDIT_KEY: &str = "audit-hash-key-of-the-promises-0001";

/// For a source whose people change, which breaks, and which is asked again at once: no attempt is one too many, and it
/// isn't left alone.
pub(crate) const ANY_ATTEMPT: &str = "attempts = { replay = \"0s\", burst = 100000, per_second = 1000 }\n\
                                      guard = { open_after = 0, retry_percent = 0 }";

/// A broker and a gateway on free ports, in front of one Okta org, for one caller. It remembers no answer, has no budget
/// to speak of, and asks each question once, however often the org fails: tests change people, break the org, and ask
/// again at once.
pub(crate) fn broker(org_url: &str) -> Table {
    parse(&format!(
        r#"
        [grpc]
        listen = "127.0.0.1:0"
        [rest]
        listen = "127.0.0.1:0"
        [admin]
        listen = "127.0.0.1:0"
        [log]
        level = "trace"
        [audit]
        hash_key = "{AUDIT_KEY}"
        [callers.tester]
        key_sha256 = "{}"
        allow = ["authenticate", "get_user_by_email"]
        [sources.okta]
        kind = "okta"
        lookup_ttl = "0s"
        {ANY_ATTEMPT}
        [sources.okta.settings]
        org_url = "{org_url}"
        api_token = "{TOKEN}"
        canary = "{CANARY}"
        "#,
        sha256(KEY)
    ))
}

/// What of these settings a gateway that runs alone takes.
pub(crate) fn gateway(broker: &Table) -> Table {
    let sections = ["rest", "admin", "log"];
    let mut settings = broker.clone();
    settings.retain(|section, _| sections.contains(&section));
    // It listens on REST even where the broker doesn't.
    let usual = parse("rest = { listen = \"127.0.0.1:0\" }");
    settings.entry("rest").or_insert_with(|| usual["rest"].clone());
    settings
}

pub(crate) fn parse(text: &str) -> Table {
    text.parse().expect("settings in TOML")
}

/// Puts `over` over `under`, table by table.
pub(crate) fn merge(under: &mut Table, over: &Table) {
    for (key, value) in over {
        match (under.get_mut(key), value) {
            (Some(Value::Table(under)), Value::Table(over)) => merge(under, over),
            _ => _ = under.insert(key.clone(), value.clone()),
        }
    }
}

/// Gives each source that says nothing of attempts as many as a test makes.
pub(crate) fn any_attempt(settings: &mut Table) {
    let usual = parse(ANY_ATTEMPT);
    let Some(Value::Table(sources)) = settings.get_mut("sources") else {
        return;
    };
    for source in sources.iter_mut().filter_map(|(_, source)| source.as_table_mut()) {
        merge_under(source, &usual);
    }
}

/// Puts `usual` where nothing stands.
fn merge_under(table: &mut Table, usual: &Table) {
    for (key, value) in usual {
        table.entry(key.clone()).or_insert_with(|| value.clone());
    }
}

/// Takes out the key at this path, which must be there.
pub(crate) fn remove(settings: &mut Table, path: &str) {
    let (parents, key) = path.rsplit_once('.').unwrap_or(("", path));
    let mut table = settings;
    for part in parents.split('.').filter(|part| !part.is_empty()) {
        table = table[part].as_table_mut().expect("a table");
    }
    assert!(table.remove(key).is_some(), "{path} isn't set");
}

/// In hex.
pub(crate) fn sha256(text: &str) -> String {
    let digest = digest(&SHA256, text.as_bytes());
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
