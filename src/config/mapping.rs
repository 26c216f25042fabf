//! Of `[sources.NAME]`: in which words its users are told on.

use idbridge_source::{Blueprint, Table};

use crate::sources::mapping::Words;

/// What a user has of its own, beside attributes.
const FIELDS: [&str; 14] = [
    "email",
    "email_verified",
    "family_name",
    "given_name",
    "groups",
    "id",
    "locale",
    "login",
    "name",
    "nickname",
    "password_expired",
    "phone_number",
    "picture",
    "second_factor",
];

pub(super) fn read(source: &Table<'_>, blueprint: Option<&dyn Blueprint>) -> Words {
    let Some(table) = source.table("mapping") else {
        return Words::default();
    };
    let drop = table
        .list("drop")
        .parse(|names| names.iter().try_for_each(|name| attribute(name)).map(|()| names));
    let drop = drop.or(Vec::new());
    let rename = pairs(&table, "rename", ["from", "to"], attribute);
    let defaults = pairs(&table, "defaults", ["attribute", "value"], attribute);
    report_contradictions(&table, &drop, &rename, &defaults);

    let groups = table.table("groups");
    if let Some(groups) = &groups
        && blueprint.is_some_and(|blueprint| !blueprint.returns_groups())
    {
        let key = if groups.has("allow") { "allow" } else { "rename" };
        groups.mistake(
            key,
            "fits nobody: with its settings this source tells no groups; turn them on there",
        );
    }
    let allow_groups = groups.as_ref().and_then(|groups| groups.list("allow").optional());
    let rename_groups = groups
        .as_ref()
        .map(|groups| pairs(groups, "rename", ["from", "to"], |_| Ok(())));
    let rename_groups = rename_groups.unwrap_or_default();
    if let (Some(groups), Some(allowed)) = (&groups, &allow_groups)
        && rename_groups.iter().any(|(from, _)| !allowed.contains(from))
    {
        groups.mistake("rename", "names a group that isn't in `allow`, so that nobody has it");
    }
    if let Some(groups) = &groups {
        groups.finish();
    }
    table.finish();
    Words {
        drop,
        rename,
        defaults,
        allow_groups,
        rename_groups,
    }
}

/// `[[…KEY]]` of two texts each.
fn pairs(
    table: &Table<'_>,
    key: &'static str,
    [one, other]: [&'static str; 2],
    check: fn(&str) -> Result<(), &'static str>,
) -> Vec<(String, String)> {
    let mut read: Vec<(String, String)> = Vec::new();
    for entry in table.tables(key) {
        let first = entry.text(one).parse(|name| named(name, check)).required();
        // What stands where the source says nothing may be any text, and is no name.
        let is_name = other == "to";
        let second = entry
            .text(other)
            .parse(|text| if is_name { named(text, check) } else { Ok(text) });
        let second = second.required();
        entry.finish();
        if let (Some(first), Some(second)) = (first, second) {
            if read.iter().any(|(earlier, _)| *earlier == first) {
                entry.mistake(one, "is named twice");
            }
            read.push((first, second));
        }
    }
    read
}

fn named(name: String, check: fn(&str) -> Result<(), &'static str>) -> Result<String, &'static str> {
    if name.is_empty() {
        return Err("is empty");
    }
    check(&name).map(|()| name)
}

fn attribute(name: &str) -> Result<(), &'static str> {
    if FIELDS.contains(&name) {
        return Err("is no attribute: who somebody is and what the source says of them can't be mapped");
    }
    Ok(())
}

fn report_contradictions(
    table: &Table<'_>,
    drop: &[String],
    rename: &[(String, String)],
    defaults: &[(String, String)],
) {
    if rename.iter().any(|(from, _)| drop.contains(from)) {
        table.mistake("drop", "has an attribute that `rename` renames");
    }
    if rename
        .iter()
        .enumerate()
        .any(|(at, (_, to))| rename[..at].iter().any(|(_, earlier)| earlier == to))
    {
        table.mistake("rename", "gives two attributes one name");
    }
    let is_gone = |name: &String| drop.contains(name) && rename.iter().all(|(_, to)| to != name);
    if defaults.iter().any(|(name, _)| is_gone(name)) {
        table.mistake("defaults", "has an attribute that `drop` leaves out");
    }
}
