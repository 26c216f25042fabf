//! Of `[sources.NAME]`: whether it is asked, and who of those that it finds may move.

use std::sync::Arc;

use idbridge_source::{Blueprint, SecretFiles, Table};

use super::routes::is_domain;
use crate::sources::gate::cohort::{Cohort, Part, Rule};
use crate::sources::gate::tombstones::Tombstones;
use crate::sources::gate::{Mode, Rules};

const MODES: [(&str, Mode); 3] = [
    ("serve", Mode::Serve),
    ("lookup_only", Mode::LookupOnly),
    ("off", Mode::Off),
];

pub(super) fn read(
    source: &Table<'_>,
    name: &str,
    id_prefix: &str,
    blueprint: Option<&dyn Blueprint>,
    secrets: SecretFiles,
) -> Rules {
    let mode = source.choice("mode", &MODES).or(Mode::Serve);
    let looks_up = blueprint
        .map(Blueprint::capabilities)
        .is_none_or(|can| can.user_by_email || can.user_by_login);
    if mode == Mode::LookupOnly && !looks_up {
        source.mistake(
            "mode",
            "can't be \"lookup_only\": with its settings the source looks up nobody",
        );
    }
    Rules {
        mode,
        cohort: read_cohort(source, id_prefix, blueprint.is_none_or(Blueprint::returns_groups)),
        tombstones: read_tombstones(source, name, id_prefix, secrets),
    }
}

fn read_cohort(source: &Table<'_>, id_prefix: &str, returns_groups: bool) -> Option<Cohort> {
    let said = source.has("cohort");
    let tables = source.tables("cohort");
    if !said {
        return None;
    }
    if tables.is_empty() {
        source.mistake(
            "cohort",
            "has no rule, so that nobody would move; leave it out if everybody does",
        );
    }
    Some(Cohort(
        tables
            .iter()
            .map(|table| read_rule(table, id_prefix, returns_groups))
            .collect(),
    ))
}

fn read_rule(table: &Table<'_>, id_prefix: &str, returns_groups: bool) -> Rule {
    let empty = "is empty; leave it out if it doesn't matter";
    let groups = table.one_or_more("groups").parse(|groups| {
        if groups.is_empty() || groups.iter().any(String::is_empty) {
            return Err(empty);
        }
        if !returns_groups {
            return Err("fits nobody: with its settings this source tells no groups; turn them on there");
        }
        Ok(groups)
    });
    let domains = table.one_or_more("domains").parse(|domains| {
        if domains.is_empty() {
            return Err(empty);
        }
        if !domains.iter().all(|domain| is_domain(domain)) {
            return Err("has what is no domain; write them as \"example.com\"");
        }
        Ok(domains)
    });
    let percent = table.integer("percent", 0..=100);
    let salt = table.text("salt");
    if salt.is_present() && !percent.is_present() {
        table.mistake("salt", "has no effect without `percent`");
    }
    if !groups.is_present() && !domains.is_present() && !percent.is_present() {
        table.mistake("groups", "or `domains` or `percent` is required: the rule says nothing");
    }
    // Ids change with their prefix, and never otherwise.
    let salt = salt.or(id_prefix.to_owned());
    let percent = percent.optional().and_then(|percent| u8::try_from(percent).ok());
    let rule = Rule {
        groups: groups.or(Vec::new()),
        domains: domains.or(Vec::new()),
        part: percent.map(|percent| Part::new(percent, &salt)),
    };
    table.finish();
    rule
}

fn read_tombstones(source: &Table<'_>, name: &str, id_prefix: &str, secrets: SecretFiles) -> Option<Arc<Tombstones>> {
    let list = source.path_to("tombstones_file").parse(|path| match secrets {
        SecretFiles::Read => {
            Tombstones::read(name, &path, id_prefix).map_err(|problem| format!("names a file that {problem}"))
        }
        SecretFiles::Skip => Ok(Tombstones::unread(name, &path, id_prefix)),
    });
    list.optional().map(Arc::new)
}
