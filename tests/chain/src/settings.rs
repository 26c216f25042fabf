//! The settings files and the callers' keys.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::people::{CANARY, TOKEN};
use crate::{Error, process};

/// Callers: the one that the Auth0 scripts are, one that may do much at a time, one that may only look up in Okta.
const CALLERS: [(&str, &str, &str); 3] = [
    (
        "auth0",
        "IDBRIDGE_KEY",
        r#"allow = ["authenticate", "get_user_by_email"]"#,
    ),
    (
        "bulk",
        "IDBRIDGE_BULK_KEY",
        "allow = [\"authenticate\", \"get_user_by_email\"]\nmax_in_flight = 10000",
    ),
    (
        "reader",
        "IDBRIDGE_READER_KEY",
        "allow = [\"get_user_by_email\"]\nsources = [\"okta\"]",
    ),
];

/// Every log record that there is, and free ports.
const COMMON: &str = r#"
[admin]
listen = "127.0.0.1:0"
[log]
level = "trace"
format = "json"
"#;

/// The callers' keys, in the order of [`CALLERS`].
pub(crate) struct Keys(Vec<Key>);

struct Key {
    text: String,
    sha256: String,
}

impl Keys {
    /// Made by the product.
    pub(crate) fn make(idbridge: &Path) -> Result<Keys, Error> {
        let make = |name| {
            let mut command = Command::new(idbridge);
            command.args(["key", "new", name, "--json"]);
            let made: Value = serde_json::from_slice(&process::output(command)?)?;
            let field = |name| made[name].as_str().map(str::to_owned).ok_or("a key without its fields");
            Ok(Key {
                text: field("key")?,
                sha256: field("key_sha256")?,
            })
        };
        CALLERS
            .iter()
            .map(|(name, ..)| make(name))
            .collect::<Result<_, Error>>()
            .map(Keys)
    }

    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        let names = CALLERS.iter().map(|(_, variable, _)| *variable);
        names.zip(self.secrets()).collect()
    }

    pub(crate) fn secrets(&self) -> Vec<String> {
        self.0.iter().map(|key| key.text.clone()).collect()
    }
}

/// The settings files of both processes.
pub(crate) struct Settings {
    pub(crate) broker: PathBuf,
    pub(crate) gateway: PathBuf,
}

impl Settings {
    pub(crate) fn write(
        folder: &Path,
        okta: &str,
        keys: &Keys,
        rest_deadline: Option<&str>,
    ) -> Result<Settings, Error> {
        let settings = Settings {
            broker: folder.join("broker.toml"),
            gateway: folder.join("gateway.toml"),
        };
        fs::write(&settings.broker, broker(okta, keys))?;
        fs::write(&settings.gateway, gateway(rest_deadline))?;
        Ok(settings)
    }
}

fn broker(okta: &str, keys: &Keys) -> String {
    let mut text = format!(
        r#"{COMMON}
[grpc]
listen = "127.0.0.1:0"

[sources.okta]
kind = "okta"
max_in_flight = 10000
# Tests change the org, break it, and ask again at once.
lookup_ttl = "0s"
attempts = {{ replay = "0s", burst = 1000, per_second = 1000 }}
guard = {{ open_after = 0, retry_percent = 0 }}
[sources.okta.settings]
org_url = "{okta}"
api_token = "{TOKEN}"
canary = "{CANARY}"

[sources.people]
kind = "memory"
[[sources.people.settings.people]]
id = "1"
login = "mem@example.com"
email = "mem@example.com"
password = "kept in the settings"

[[routes]]
source = "okta"
"#
    );
    for ((name, _, rights), key) in CALLERS.iter().zip(&keys.0) {
        text.push_str(&format!(
            "\n[callers.{name}]\nkey_sha256 = \"{}\"\n{rights}\n",
            key.sha256
        ));
    }
    text
}

fn gateway(deadline: Option<&str>) -> String {
    let deadline = deadline
        .map(|time| format!("deadline = \"{time}\"\n"))
        .unwrap_or_default();
    format!("{COMMON}\n[rest]\nlisten = \"127.0.0.1:0\"\n{deadline}")
}
