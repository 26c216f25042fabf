//! `key new`: a caller's key. It is printed once and kept nowhere; the settings hold its hash.

use aws_lc_rs::{digest, rand};
use serde::Serialize;

use super::{Exit, output};
use crate::config::is_name;
use crate::hex::hex;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Key {
    /// Make a key for a caller
    New(NewArgs),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  idbridge key new auth0\n  idbridge key new auth0 --json")]
pub(crate) struct NewArgs {
    /// The caller's name: lower-case letters, digits and single underscores, a letter first
    #[arg(value_parser = parse_name)]
    name: String,
    /// Print one JSON object: name, key, key_sha256
    #[arg(long)]
    json: bool,
}

pub(crate) fn new(args: &NewArgs) -> Exit {
    let mut secret = [0; 32];
    if rand::fill(&mut secret).is_err() {
        output::error("the system gives no random bytes");
        return Exit::Unknown;
    }
    let new = NewKey::new(&args.name, &secret);
    if args.json {
        output::json(&new);
    } else {
        output::line(&new.to_text());
    }
    Exit::Fine
}

#[derive(Serialize)]
struct NewKey<'a> {
    name: &'a str,
    key: String,
    key_sha256: String,
}

impl<'a> NewKey<'a> {
    /// The prefix tells people and secret scanners what a found key is, and the name whose it is.
    fn new(name: &'a str, secret: &[u8; 32]) -> Self {
        let key = format!("idb_{name}_{}", hex(secret));
        let key_sha256 = hex(digest::digest(&digest::SHA256, key.as_bytes()).as_ref());
        Self { name, key, key_sha256 }
    }

    fn to_text(&self) -> String {
        let Self { name, key, key_sha256 } = self;
        format!(
            "The key of {name}. It is shown this once; the caller sends it as `authorization: Bearer KEY`.\n\n\
             {key}\n\n\
             For the settings:\n\n\
             [callers.{name}]\n\
             key_sha256 = \"{key_sha256}\"\n\
             allow = [\"authenticate\", \"get_user_by_email\"]"
        )
    }
}

fn parse_name(text: &str) -> Result<String, &'static str> {
    if is_name(text) {
        Ok(text.to_owned())
    } else {
        Err(
            "a caller's name has lower-case letters, digits and single underscores, a letter first, and 32 characters \
             at the most",
        )
    }
}

#[cfg(test)]
mod tests {
    use idbridge_source::SecretFiles;

    use super::*;
    use crate::config::{self, test_kinds};

    #[test]
    fn the_hash_is_that_of_the_keys_text() {
        let new = NewKey::new("auth0", &[0xab; 32]);
        assert_eq!(new.key, format!("idb_auth0_{}", "ab".repeat(32)));
        // From `printf %s idb_auth0_abab… | sha256sum`.
        assert_eq!(
            new.key_sha256,
            "e3060da5dcbe2cd5dd795b1188d2284900eb3091afc1c454c13d140fc68a8c79"
        );
        assert_eq!(
            serde_json::to_value(&new).expect("JSON"),
            serde_json::json!({"name": "auth0", "key": new.key, "key_sha256": new.key_sha256})
        );
    }

    #[test]
    fn the_printed_lines_are_settings() {
        let new = NewKey::new("auth0", &[1; 32]);
        let text = new.to_text();
        let lines = text.split_once("settings:\n\n").expect("lines to paste").1;
        let settings = format!("{lines}\n[sources.staff]\nkind = \"memory\"\n");
        let path = std::path::Path::new("s.toml");
        let config = config::parse(path, &settings, [], &test_kinds::registry(), SecretFiles::Read).expect("settings");
        let hash = digest::digest(&digest::SHA256, new.key.as_bytes());
        assert_eq!(config.callers[0].key_hashes[0], hash.as_ref());
    }
}
