use idbridge_source::{ExposeSecret as _, Secret, Table};
use tracing::Level;

/// `[log]`
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Log {
    pub level: Level,
    pub format: LogFormat,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LogFormat {
    /// Text on a terminal, else JSON.
    Auto,
    Json,
    Text,
}

/// `[audit]`
#[derive(Clone, Debug, Default)]
pub struct Audit {
    /// The key of the identifiers' hashes. `None`: a random one, so that hashes of two runs don't match.
    pub hash_key: Option<Secret>,
}

impl Log {
    pub(super) fn read(root: &Table<'_>) -> Self {
        const LEVELS: [(&str, Level); 5] = [
            ("error", Level::ERROR),
            ("warn", Level::WARN),
            ("info", Level::INFO),
            ("debug", Level::DEBUG),
            ("trace", Level::TRACE),
        ];
        const FORMATS: [(&str, LogFormat); 3] = [
            ("auto", LogFormat::Auto),
            ("json", LogFormat::Json),
            ("text", LogFormat::Text),
        ];
        let default = Self {
            level: Level::INFO,
            format: LogFormat::Auto,
        };
        let Some(table) = root.table("log") else { return default };
        let log = Self {
            level: table.choice("level", &LEVELS).or(default.level),
            format: table.choice("format", &FORMATS).or(default.format),
        };
        table.finish();
        log
    }
}

impl Audit {
    pub(super) fn read(root: &Table<'_>) -> Self {
        let Some(table) = root.table("audit") else {
            return Self::default();
        };
        let hash_key = table.secret("hash_key", "hash_key_file").parse(|key| {
            // Empty: its file was not opened.
            match key.expose_secret().len() {
                1..32 => Err("is too short: 32 characters at the least, or anybody can guess identifiers from hashes"),
                _ => Ok(key),
            }
        });
        let audit = Self {
            hash_key: hash_key.optional(),
        };
        table.finish();
        audit
    }
}
