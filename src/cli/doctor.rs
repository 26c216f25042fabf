//! `doctor`: each source, asked for real.

use std::path::PathBuf;

use idbridge_source::{ErrorKind, SecretFiles, SourceError};
use serde::Serialize;

use super::{Environment, Exit, output, runtime};
use crate::app::broker::Broker;
use crate::app::probe;
use crate::config::{self, Config};
use crate::sources;
use crate::sources::gate::TurnedOff;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  idbridge doctor --config idbridge.toml")]
pub(crate) struct Args {
    /// The settings file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What was found out about one source.
#[derive(Serialize)]
struct Finding {
    source: String,
    ok: bool,
    /// The error kind; none if the source is fine.
    problem: Option<&'static str>,
    /// For the log and the operator: which operation failed, and how.
    detail: Option<String>,
    /// What to do.
    advice: Option<&'static str>,
}

pub(crate) fn run(args: &Args, environment: Environment) -> Exit {
    let config = match config::load(&args.config, environment, &sources::registry(), SecretFiles::Read) {
        Ok(config) => config,
        Err(mistakes) => {
            output::error(&output::mistakes(&mistakes));
            return Exit::Usage;
        }
    };
    let findings = match runtime::block_on(examine(config)) {
        Some(Ok(findings)) => findings,
        Some(Err(error)) => {
            output::error(&error.to_string());
            return Exit::Unknown;
        }
        None => return Exit::Unknown,
    };
    let fine = findings.iter().all(|finding| finding.ok);
    if args.json {
        output::json(&serde_json::json!({ "ok": fine, "sources": findings }));
    } else {
        findings.iter().for_each(|finding| output::line(&finding.to_text()));
    }
    if fine { Exit::Fine } else { Exit::No }
}

async fn examine(config: Config) -> Result<Vec<Finding>, crate::app::Error> {
    let broker = Broker::new(config).await?;
    let mut findings = Vec::new();
    for source in broker.sources() {
        let answer = broker.build_source(source)?.probe(&probe::call()).await;
        findings.push(Finding::new(&source.name, answer));
    }
    Ok(findings)
}

impl Finding {
    fn new(source: &str, answer: Result<(), SourceError>) -> Self {
        let error = answer.err();
        Self {
            source: source.to_owned(),
            ok: error.is_none(),
            problem: error.as_ref().map(|error| error.kind().name()),
            detail: error.as_ref().map(SourceError::chain),
            advice: error.as_ref().map(advice),
        }
    }

    fn to_text(&self) -> String {
        let Self {
            source, detail, advice, ..
        } = self;
        match (detail, advice) {
            (Some(detail), Some(advice)) => format!("{source}: {detail}\n  {advice}"),
            _ => format!("{source}: fine; it is reachable, takes our credential, and shows what it should"),
        }
    }
}

fn advice(error: &SourceError) -> &'static str {
    if std::error::Error::source(error).is_some_and(|cause| cause.is::<TurnedOff>()) {
        return "nothing was asked: the settings turn it off";
    }
    match error.kind() {
        ErrorKind::Ambiguous => "two users answer to what the settings name once; name one that is unique",
        ErrorKind::CredentialRefused => {
            "the source refuses our credential, or hides the canary from it: check the token, the rights of the \
             account that made it, and that the canary exists and is spelt as in the settings"
        }
        ErrorKind::Protocol => "something else than this sort of source answers there: check the URL, and proxies",
        ErrorKind::Throttled { .. } => "the source's rate limit is used up: who else uses this credential?",
        ErrorKind::TimedOut => "no answer came in time: check the network, firewalls and the source's state",
        ErrorKind::Unavailable { .. } => {
            "it can't be reached: check the URL, DNS, firewalls, TLS and the source's state"
        }
        ErrorKind::Unsupported => "this source can't be probed with these settings",
    }
}
