//! `doctor`: each source, or the Auth0 tenant, examined for real.

mod auth0;
mod report;

use std::path::PathBuf;
use std::time::Duration;

use idbridge_source::{Call, Password, SecretFiles};
use tokio::time::Instant;

use self::report::{Report, worst};
use super::{Environment, Exit, output, runtime, try_it};
use crate::app::broker::{Broker, Source};
use crate::config::{self, Config};
use crate::{app, request_id, sources};

/// For all questions to one source together.
const WITHIN: Duration = Duration::from_secs(30);

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  idbridge doctor --config idbridge.toml\n  \
                        idbridge doctor --config idbridge.toml --canary-password-stdin < canary-password\n  \
                        idbridge doctor --config idbridge.toml --auth0 --domain acme.eu.auth0.com\n\n\
                        The canary's password is submitted once and, if it was right, one wrong password after it. Each\n\
                        wrong one counts towards a lock: the canary is a user for tests, and nobody else.\n\n\
                        --auth0 takes a Management API token from $AUTH0_MANAGEMENT_TOKEN or --token-stdin, and changes\n\
                        nothing. It needs read:connections, read:connections_options, read:actions,\n\
                        read:attack_protection, read:guardian_factors, read:tenant_settings.")]
pub(crate) struct Args {
    /// The settings file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Examine this source only
    #[arg(long, value_name = "NAME", conflicts_with = "auth0")]
    source: Option<String>,
    /// Log in as the canary, with the password from standard input; one line end at its end is not part of it
    #[arg(long, conflicts_with = "auth0")]
    canary_password_stdin: bool,
    /// Examine the Auth0 tenant that the export was deployed to, instead of the sources
    #[arg(long, requires = "domain")]
    auth0: bool,
    /// The tenant's own domain, not a custom one
    #[arg(long, value_name = "TENANT", requires = "auth0")]
    domain: Option<String>,
    /// The connection's name, if more than one has idbridge's configuration
    #[arg(long, value_name = "NAME", requires = "auth0")]
    connection: Option<String>,
    /// Read the Management API token from standard input
    #[arg(long, requires = "auth0")]
    token_stdin: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, environment: Environment) -> Exit {
    let config = match super::settings(config::load(
        &args.config,
        environment.clone(),
        &sources::registry(),
        SecretFiles::Read,
    )) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    if let Some(domain) = &args.domain {
        return auth0::run(args, domain, &config, &environment);
    }
    let password = match canary_password(args, &config) {
        Ok(password) => password,
        Err(problem) => {
            output::error(&problem);
            return Exit::Usage;
        }
    };
    let reports = match runtime::block_on(examine(config, args.source.as_deref(), password)) {
        Some(Ok(reports)) => reports,
        Some(Err(error)) => {
            output::error(&error.to_string());
            return Exit::Unknown;
        }
        None => return Exit::Unknown,
    };
    let exit = worst(&reports);
    if args.json {
        let sources: Vec<_> = reports
            .iter()
            .map(|report| {
                serde_json::json!({
                    "source": report.subject, "ok": report.is_fine(), "findings": report.to_json(),
                })
            })
            .collect();
        output::json(&serde_json::json!({ "ok": exit == Exit::Fine, "sources": sources }));
    } else {
        reports.iter().for_each(|report| output::line(&report.to_text()));
    }
    exit
}

/// Read once it is known whose it is: no source is handed the password of another's canary.
fn canary_password(args: &Args, config: &Config) -> Result<Option<Password>, String> {
    let names: Vec<&str> = config.sources.iter().map(|source| &*source.name).collect();
    match &args.source {
        Some(asked) if !names.contains(&asked.as_str()) => {
            return Err(format!("--source: no such source; there are: {}", names.join(", ")));
        }
        None if args.canary_password_stdin && names.len() > 1 => {
            return Err(format!("--source: say whose canary it is: {}", names.join(", ")));
        }
        _ => {}
    }
    if !args.canary_password_stdin {
        return Ok(None);
    }
    let mut text = try_it::password(true)?;
    let password = Password::parse(std::mem::take(&mut *text));
    password
        .map(Some)
        .map_err(|_| "the canary's password must have 1 to 1,024 bytes without NUL".to_owned())
}

async fn examine(config: Config, only: Option<&str>, password: Option<Password>) -> Result<Vec<Report>, app::Error> {
    let broker = Broker::new(config).await?;
    let mut reports = Vec::new();
    let chosen = |source: &&Source| only.is_none_or(|only| *source.name == *only);
    for source in broker.sources().iter().filter(chosen) {
        let call = Call::new(request_id::make(), Instant::now() + WITHIN);
        reports.push(Report {
            subject: source.name.to_string(),
            findings: broker.build_source(source)?.examine(&call, password.as_ref()).await,
        });
    }
    Ok(reports)
}
