//! The broker under test: the shipped binary with shipped defaults, caller keys, limits, metrics, and audit to a file.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Error;
use crate::context::Context;
use crate::load::http;
use crate::process::Process;

const TOKEN: &str = "00bench-token";
const CANARY: &str = "canary@bench.test";
const LOG: &str = "idbridge.log";
/// In an audit record.
const GOOD: [&str; 2] = ["\"outcome\":\"authenticated\"", "\"outcome\":\"found\""];
const START: Duration = Duration::from_secs(20);

/// What a row changes of the settings. The default changes nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Settings {
    /// `login_is_email = true` and `on_second_factor = "ignore"`: a log-in is one call at the source.
    pub(crate) one_call: bool,
    /// `max_in_flight` of source and caller.
    pub(crate) max_in_flight: Option<usize>,
    /// Further lines for `[sources.okta.settings]`'s end or for tables of their own.
    pub(crate) more: &'static str,
}

pub(crate) struct Broker {
    pub(crate) process: Process,
    pub(crate) grpc: SocketAddr,
    pub(crate) rest: SocketAddr,
    pub(crate) admin: SocketAddr,
    /// The caller's key.
    pub(crate) key: String,
}

impl Broker {
    /// Resolves when it listens.
    pub(crate) async fn start(context: &Context, org_url: &str, settings: Settings) -> Result<Self, Error> {
        let (key, sha256) = new_key(context)?;
        let folder = context.folder.path();
        let (config, log) = (folder.join("idbridge.toml"), folder.join(LOG));
        fs::write(&config, text(org_url, &sha256, settings))?;
        let mut command = Command::new(&context.idbridge);
        command
            .arg("serve")
            .arg("--config")
            .arg(&config)
            .stdout(File::create(&log)?);
        let mut process = Process::spawn(&mut command)?;
        let began = Instant::now();
        loop {
            process.check()?;
            if let Some(record) = fs::read_to_string(&log)?.lines().find_map(listening) {
                let address = |name: &str| -> Result<SocketAddr, Error> {
                    Ok(record[name].as_str().ok_or("a listener is missing")?.parse()?)
                };
                return Ok(Self {
                    grpc: address("grpc")?,
                    rest: address("rest")?,
                    admin: address("admin")?,
                    process,
                    key,
                });
            }
            if began.elapsed() > START {
                return Err("idbridge didn't start".into());
            }
            // Nobody tells when a file has grown.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// How many calls the broker itself says that it answered well: by its metrics, and in its audit records.
pub(crate) async fn answered(context: &Context, admin: SocketAddr) -> Result<(u64, u64), Error> {
    let metrics = http::get_body(admin, "/metrics").await?;
    let metrics = std::str::from_utf8(&metrics)?;
    let is_good = |line: &&str| {
        (line.starts_with("idbridge_authentications_total{") && line.contains("\"authenticated\""))
            || (line.starts_with("idbridge_lookups_total{") && line.contains("\"found\""))
    };
    let counts = metrics
        .lines()
        .filter(is_good)
        .filter_map(|line| line.rsplit(' ').next());
    let counted = counts.map(str::parse::<u64>).sum::<Result<u64, _>>()?;

    let log = fs::read_to_string(context.folder.path().join(LOG))?;
    let is_good = |line: &&str| line.contains("idbridge::audit") && GOOD.iter().any(|good| line.contains(good));
    let audited = u64::try_from(log.lines().filter(is_good).count())?;
    Ok((counted, audited))
}

/// The record `listening`.
fn listening(line: &str) -> Option<Value> {
    let record: Value = serde_json::from_str(line).ok()?;
    (record["message"] == "listening").then_some(record)
}

fn new_key(context: &Context) -> Result<(String, String), Error> {
    let made = Command::new(&context.idbridge)
        .args(["key", "new", "bench", "--json"])
        .output()?;
    let made: Value = serde_json::from_slice(&made.stdout)?;
    let field = |name: &str| made[name].as_str().map(str::to_owned).ok_or("a key without its fields");
    Ok((field("key")?, field("key_sha256")?))
}

fn text(org_url: &str, key_sha256: &str, settings: Settings) -> String {
    let limit = settings.max_in_flight.map(|limit| format!("max_in_flight = {limit}\n"));
    let limit = limit.unwrap_or_default();
    let one_call = if settings.one_call {
        "login_is_email = true\non_second_factor = \"ignore\"\n"
    } else {
        ""
    };
    let more = settings.more;
    format!(
        r#"
[grpc]
listen = "127.0.0.1:0"
[rest]
listen = "127.0.0.1:0"
[admin]
listen = "127.0.0.1:0"
[log]
format = "json"
[callers.bench]
key_sha256 = "{key_sha256}"
allow = ["authenticate", "get_user_by_email"]
{limit}
[sources.okta]
kind = "okta"
{limit}
[sources.okta.settings]
org_url = "{org_url}"
api_token = "{TOKEN}"
canary = "{CANARY}"
{one_call}
{more}
"#
    )
}
