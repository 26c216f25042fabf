//! The broker under test: the shipped binary with shipped defaults, caller keys, limits, metrics, and audit to a file.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Error;
use crate::context::Context;
use crate::load::http;
use crate::process::Process;

const TOKEN: &str = "00bench-token";
const CANARY: &str = "canary@bench.test";
/// In an audit record.
const GOOD: [&str; 2] = ["\"outcome\":\"authenticated\"", "\"outcome\":\"found\""];
const START: Duration = Duration::from_secs(20);
/// By when the last audit record is in the file.
const WRITTEN: Duration = Duration::from_secs(5);

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
    /// Where its records are.
    pub(crate) log: PathBuf,
}

/// Which build of the broker.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Build {
    Shipped,
    /// With the feature `sql`: this binary has that broker in it.
    WithSql,
}

impl Broker {
    /// With an Okta source. Resolves when it listens.
    pub(crate) async fn start(context: &Context, org_url: &str, settings: Settings) -> Result<Self, Error> {
        Self::with(
            context,
            Build::Shipped,
            &okta(org_url, settings),
            settings.max_in_flight,
        )
        .await
    }

    /// With these sources and tables, and another limit of the caller's. Resolves when it listens.
    pub(crate) async fn with(
        context: &Context,
        build: Build,
        sources: &str,
        max_in_flight: Option<usize>,
    ) -> Result<Self, Error> {
        let (key, sha256) = new_key(context)?;
        let config = config(context);
        let log = config.with_extension("log");
        fs::write(&config, text(&sha256, max_in_flight) + sources)?;
        let mut command = match build {
            Build::Shipped => Command::new(&context.idbridge),
            Build::WithSql => Command::new(&context.bench),
        };
        command.arg(match build {
            Build::Shipped => "serve",
            Build::WithSql => "broker",
        });
        command.arg("--config").arg(&config).stdout(File::create(&log)?);
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
                    log,
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

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The settings file
    #[arg(long)]
    config: PathBuf,
}

/// The broker that is in this binary.
pub(crate) fn serve(args: Args) -> ExitCode {
    let arguments = [
        "idbridge".into(),
        "serve".into(),
        "--config".into(),
        args.config.into_os_string(),
    ];
    idbridge::cli::run(arguments, Vec::new()).into()
}

/// How many calls the broker itself says that it answered well: by its metrics, and in its audit records.
async fn answered(log: &Path, admin: SocketAddr) -> Result<(u64, u64), Error> {
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

    let log = fs::read_to_string(log)?;
    let is_good = |line: &&str| line.contains("idbridge::audit") && GOOD.iter().any(|good| line.contains(good));
    let audited = u64::try_from(log.lines().filter(is_good).count())?;
    Ok((counted, audited))
}

/// Whether metrics and audit have exactly so many calls that were answered well.
pub(crate) async fn settle(log: &Path, admin: SocketAddr, made: usize) -> Result<(), Error> {
    let made = u64::try_from(made)?;
    let began = Instant::now();
    loop {
        let (counted, audited) = answered(log, admin).await?;
        if counted == made && audited == made {
            return Ok(());
        }
        // Records are written by a thread of their own.
        if counted != made || began.elapsed() > WRITTEN {
            return Err(format!("of {made} calls, {counted} are in the metrics and {audited} in the audit").into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
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

/// A file for the settings of the next broker.
fn config(context: &Context) -> PathBuf {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    context.folder.path().join(format!("idbridge-{number}.toml"))
}

fn limit(max_in_flight: Option<usize>) -> String {
    max_in_flight.map_or_else(String::new, |limit| format!("max_in_flight = {limit}\n"))
}

/// Everything but sources.
fn text(key_sha256: &str, max_in_flight: Option<usize>) -> String {
    let limit = limit(max_in_flight);
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
"#
    )
}

/// An Okta source before this org.
pub(crate) fn okta(org_url: &str, settings: Settings) -> String {
    let limit = limit(settings.max_in_flight);
    let one_call = if settings.one_call {
        "login_is_email = true\non_second_factor = \"ignore\"\n"
    } else {
        ""
    };
    let more = settings.more;
    format!(
        r#"
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
