use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use idbridge_source::{Blueprint, Node, Registry, SecretFiles, SourceContext, SystemClock, Table, Value};

use super::callers::in_flight;
use super::{attempts, gate, guard, mapping, names};
use crate::sources::LEFT_OUT;
use crate::sources::attempts::Limits;
use crate::sources::gate::Rules;
use crate::sources::guard::Settings as GuardSettings;
use crate::sources::mapping::Words;

/// Long enough for what asks twice at one log-in or reset, and short enough that nobody waits for a change to show.
const TTL: Duration = Duration::from_secs(3);
const LONGEST_TTL: Duration = Duration::from_secs(60);

/// `[sources.NAME]`: an upstream that knows users.
#[derive(Clone, Debug)]
pub struct Source {
    pub name: Arc<str>,
    pub kind: String,
    /// What stands before the `|` of its users' ids.
    pub id_prefix: String,
    /// How many calls it is asked at a time.
    pub max_in_flight: usize,
    /// For how long a look-up's answer is given to equal ones.
    pub lookup_ttl: Duration,
    /// How often a user's password is submitted.
    pub attempts: Limits,
    /// How long it is waited for, and when it is left alone.
    pub guard: GuardSettings,
    /// Whether it is told the user's address that a caller sends.
    pub forward_client_address: bool,
    /// Whether it is asked, and who of those that it finds may move.
    pub rules: Rules,
    /// In which words its users are told on.
    pub words: Words,
    /// Tells who is asked and by which rules from any other, and nothing of it.
    pub fingerprint: [u8; 32],
    pub blueprint: Arc<dyn Blueprint>,
}

/// Gives every source a `settings` table, so that a plugin finds out itself what is missing there.
pub(super) fn complete(tree: &mut Node) {
    let Value::Table(root) = &mut tree.value else { return };
    let Some(Value::Table(sources)) = root.get_mut("sources").map(|node| &mut node.value) else {
        return;
    };
    for source in sources.values_mut() {
        if let Value::Table(entries) = &mut source.value {
            entries.entry("settings".to_owned()).or_insert_with(|| Node {
                origin: source.origin.clone(),
                value: Value::Table(BTreeMap::new()),
            });
        }
    }
}

/// The names, good or bad.
pub(super) fn names<'a>(root: &Table<'a>) -> Vec<&'a str> {
    root.named_tables("sources").into_iter().map(|(name, _)| name).collect()
}

/// What is wrong with a name that isn't among these.
pub(super) fn unknown(given: &str, known: &[&str]) -> String {
    let hint = names::did_you_mean(given, known.iter().copied());
    format!("names an unknown source; there are: {}{hint}", known.join(", "))
}

pub(super) fn read(
    root: &Table<'_>,
    fingerprints: &BTreeMap<String, [u8; 32]>,
    registry: &Registry,
    rest: bool,
    secrets: SecretFiles,
) -> Vec<Source> {
    let tables = root.named_tables("sources");
    if tables.is_empty() {
        root.mistake("sources", "is required: there is nobody to ask");
    }
    if let Some(parent) = root.table("sources") {
        names::check(&parent, &tables.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    }
    let mut prefixes = BTreeMap::new();
    tables
        .iter()
        .filter_map(|(name, table)| {
            let kind = read_kind(table, registry);
            let max_in_flight = in_flight(table, 70);
            let lookup_ttl = table.duration("lookup_ttl", Duration::ZERO..=LONGEST_TTL).or(TTL);
            let attempts = attempts::read(table);
            let guard = guard::read(table);
            let forward_client_address = table.bool("forward_client_address").or(false);
            let blueprint = plan(table, name, kind.as_deref(), registry, rest);
            let may_be_empty = blueprint.as_ref().is_some_and(|plan| plan.ids_may_have_a_prefix());
            let id_prefix = read_prefix(table, name, may_be_empty, &mut prefixes);
            let rules = gate::read(table, name, &id_prefix, blueprint.as_deref(), secrets);
            let words = mapping::read(table, blueprint.as_deref());
            table.finish();
            Some(Source {
                name: Arc::from(*name),
                kind: kind?,
                id_prefix,
                max_in_flight,
                lookup_ttl,
                attempts,
                guard,
                forward_client_address,
                rules,
                words,
                fingerprint: fingerprints.get(*name).copied().unwrap_or_default(),
                blueprint: blueprint?,
            })
        })
        .collect()
}

fn read_kind(table: &Table<'_>, registry: &Registry) -> Option<String> {
    let kind = table.text("kind").parse(|kind| {
        let kinds = registry.kinds();
        if kinds.contains(&kind.as_str()) {
            return Ok(kind);
        }
        Err(no_such_kind(&kind, &kinds, LEFT_OUT))
    });
    kind.required()
}

fn no_such_kind(kind: &str, kinds: &[&str], left_out: &[&str]) -> String {
    let has = kinds.join(", ");
    if left_out.contains(&kind) {
        return format!("this binary was built without it (cargo build --features {kind}); it has: {has}");
    }
    let hint = names::did_you_mean(kind, kinds.iter().copied());
    format!("unknown kind; this binary has: {has}{hint}")
}

/// Empty is one where the source's ids may have theirs: another broker's do, and a second would be for ever too.
fn read_prefix(table: &Table<'_>, name: &str, may_be_empty: bool, prefixes: &mut BTreeMap<String, String>) -> String {
    let prefix = table.text("id_prefix").parse(|prefix| {
        if prefix.is_empty() && may_be_empty {
            return Ok(prefix);
        }
        if prefix.is_empty() {
            return Err("is empty; two sources' users must never share an id. Leave it out to take the source's name");
        }
        if prefix == "auth0" {
            return Err("must not be \"auth0\", which Auth0 puts before its own ids");
        }
        if prefix.len() > 64 || !prefix.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'|') {
            return Err("must be printable ASCII without spaces and `|`, 64 characters at the most");
        }
        Ok(prefix)
    });
    let said = prefix.is_present();
    let Some(prefix) = prefix.optional().or_else(|| (!said).then(|| name.to_owned())) else {
        return String::new();
    };
    if !said && name == "auth0" {
        table.mistake(
            "id_prefix",
            "is required for a source named auth0, since Auth0 puts that name before its own ids",
        );
    }
    if let Some(owner) = prefixes.insert(prefix.clone(), table.path().to_owned()) {
        table.mistake(
            "id_prefix",
            format!("is that of `{owner}` too; two users could get one id"),
        );
    }
    prefix
}

/// Of each source, by name: what its kind, its ids' prefix and its own settings are, said in the file or elsewhere.
pub(super) fn fingerprints(tree: &Node) -> BTreeMap<String, [u8; 32]> {
    let within = |node: &Node, key: &str| match &node.value {
        Value::Table(entries) => entries.get(key).cloned(),
        _ => None,
    };
    let Some(Value::Table(sources)) = within(tree, "sources").map(|node| node.value) else {
        return BTreeMap::new();
    };
    let fingerprint = |source: &Node| {
        let mut context = Context::new(&SHA256);
        for key in ["id_prefix", "kind", "settings"] {
            add(&mut context, key);
            within(source, key).iter().for_each(|node| feed(&mut context, node));
        }
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(context.finish().as_ref());
        fingerprint
    };
    let fingerprints = sources.iter().map(|(name, source)| (name.clone(), fingerprint(source)));
    fingerprints.collect()
}

fn feed(context: &mut Context, node: &Node) {
    match &node.value {
        Value::Bool(value) => add(context, &value.to_string()),
        Value::Float(value) => add(context, &value.to_string()),
        Value::Integer(value) => add(context, &value.to_string()),
        Value::List(items) => {
            add(context, &format!("{} items", items.len()));
            items.iter().for_each(|item| feed(context, item));
        }
        Value::Table(entries) => {
            add(context, &format!("{} entries", entries.len()));
            for (key, value) in entries {
                add(context, key);
                feed(context, value);
            }
        }
        Value::Text(value) | Value::Variable(value) => add(context, value),
    }
}

/// With its length, so that two lists of texts never read alike.
fn add(context: &mut Context, text: &str) {
    context.update(&text.len().to_be_bytes());
    context.update(text.as_bytes());
}

fn plan(
    table: &Table<'_>,
    name: &str,
    kind: Option<&str>,
    registry: &Registry,
    rest: bool,
) -> Option<Arc<dyn Blueprint>> {
    let settings = table.table("settings")?;
    let context = SourceContext {
        name: Arc::from(name),
        clock: Arc::new(SystemClock),
    };
    let blueprint = registry.plan(kind?, &settings, &context)?;
    if rest && !blueprint.capabilities().user_by_email {
        table.mistake(
            "settings",
            "can't look up users by e-mail, as the gateway must: add what the source needs for that (an API token, \
             say), or remove [rest]",
        );
    }
    Some(blueprint)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_kind_that_was_left_out_is_told_from_one_that_nobody_knows() {
        let said = |kind| super::no_such_kind(kind, &["memory", "okta"], &["sql"]);
        assert_eq!(
            said("sql"),
            "this binary was built without it (cargo build --features sql); it has: memory, okta"
        );
        assert!(said("okt").starts_with("unknown kind; this binary has: memory, okta"));
    }
}
