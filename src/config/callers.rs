use std::collections::BTreeMap;
use std::fmt;

use idbridge_source::Table;

use super::names;

/// `[callers.NAME]`: who may call the broker.
#[derive(Clone)]
pub struct Caller {
    pub name: String,
    /// SHA-256 of the text of each key; several while keys rotate.
    pub key_hashes: Vec<[u8; 32]>,
    pub allow: Allow,
    /// The only sources that it may ask; `None` allows all.
    pub sources: Option<Vec<String>>,
    /// How many of its calls may run at a time.
    pub max_in_flight: usize,
}

/// The operations that a caller may use.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Allow {
    pub authenticate: bool,
    pub get_user_by_email: bool,
}

pub(super) fn read(root: &Table<'_>, sources: &[&str]) -> Vec<Caller> {
    let tables = root.named_tables("callers");
    if tables.is_empty() {
        root.mistake(
            "callers",
            "is required: without a caller nobody may call; `idbridge key new NAME` makes one",
        );
    }
    if let Some(parent) = root.table("callers") {
        names::check(&parent, &tables.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    }
    let mut owners = BTreeMap::new();
    tables
        .iter()
        .map(|(name, table)| {
            let caller = Caller {
                name: (*name).to_owned(),
                key_hashes: read_hashes(table, &mut owners),
                allow: read_allow(table),
                sources: read_sources(table, sources),
                max_in_flight: in_flight(table, 100),
            };
            table.finish();
            caller
        })
        .collect()
}

/// `max_in_flight`, of callers and of sources.
pub(super) fn in_flight(table: &Table<'_>, default: usize) -> usize {
    let limit = table.integer("max_in_flight", 1..=100_000).optional();
    limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(default)
}

fn read_hashes(table: &Table<'_>, owners: &mut BTreeMap<[u8; 32], String>) -> Vec<[u8; 32]> {
    let hashes = table.one_or_more("key_sha256").parse(|texts| {
        if texts.is_empty() {
            return Err("is empty; `idbridge key new NAME` makes a key and its hash");
        }
        texts.iter().map(|text| parse_hash(text)).collect::<Result<Vec<_>, _>>()
    });
    let hashes = hashes.required().unwrap_or_default();
    for hash in &hashes {
        if let Some(owner) = owners.insert(*hash, table.path().to_owned()) {
            table.mistake(
                "key_sha256",
                format!("has a hash that `{owner}.key_sha256` has already"),
            );
        }
    }
    hashes
}

fn parse_hash(text: &str) -> Result<[u8; 32], &'static str> {
    if text.starts_with("idb_") {
        return Err("is a key itself; write the SHA-256 of its text, 64 hex digits");
    }
    let mut hash = [0; 32];
    if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err("is no SHA-256 in hex: 64 digits are wanted");
    }
    for (byte, digits) in hash.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = digits.iter().fold(0, |byte, digit| byte << 4 | nibble(*digit));
    }
    Ok(hash)
}

fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => digit.to_ascii_lowercase().wrapping_sub(b'a').wrapping_add(10),
    }
}

fn read_allow(table: &Table<'_>) -> Allow {
    const KNOWN: [&str; 2] = ["authenticate", "get_user_by_email"];
    let allow = table.list("allow").parse(|operations| {
        if operations.is_empty() {
            return Err("is empty; list what this caller may do: \"authenticate\", \"get_user_by_email\"".to_owned());
        }
        if let Some(unknown) = operations.iter().find(|operation| !KNOWN.contains(&operation.as_str())) {
            let hint = names::did_you_mean(unknown, KNOWN);
            return Err(format!(
                "has an unknown operation; there are \"authenticate\" and \"get_user_by_email\"{hint}"
            ));
        }
        let has = |operation: &str| operations.iter().any(|one| one == operation);
        Ok(Allow {
            authenticate: has("authenticate"),
            get_user_by_email: has("get_user_by_email"),
        })
    });
    allow.required().unwrap_or_default()
}

fn read_sources(table: &Table<'_>, known: &[&str]) -> Option<Vec<String>> {
    let sources = table.list("sources").parse(|sources| {
        if sources.is_empty() {
            return Err("is empty; leave it out to allow all sources".to_owned());
        }
        match sources.iter().find(|source| !known.contains(&source.as_str())) {
            Some(unknown) => Err(super::sources::unknown(unknown, known)),
            None => Ok(sources),
        }
    });
    sources.optional()
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller")
            .field("name", &self.name)
            .field("keys", &self.key_hashes.len())
            .field("allow", &self.allow)
            .field("sources", &self.sources)
            .field("max_in_flight", &self.max_in_flight)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_read_in_either_case() {
        let mut wanted = [0; 32];
        wanted[0] = 0x0f;
        wanted[31] = 0xa9;
        let text = format!("0f{}A9", "00".repeat(30));
        assert_eq!(parse_hash(&text), Ok(wanted));
        assert_eq!(parse_hash(&text.to_lowercase()), Ok(wanted));
        for bad in [
            "",
            "0f",
            &"g".repeat(64),
            &"0".repeat(65),
            &"é".repeat(32),
            "idb_auth0_00",
        ] {
            assert!(parse_hash(bad).is_err(), "{bad}");
        }
    }
}
