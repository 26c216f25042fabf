//! `why`: for support, who has somebody on the phone.

use std::path::PathBuf;

use idbridge_source::{Login, RequestId, SecretFiles};

use super::{Environment, Exit, output, runtime};
use crate::why::records::{AuditFile, Wanted};
use crate::why::{self, Audit, Certainty, Report};
use crate::{config, sources};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  idbridge why ada@example.com --config idbridge.toml\n  \
                  idbridge why ada@example.com --config idbridge.toml --audit-file idbridge.log\n\n\
                  No password is submitted. The exit code is 0 if log-in and look-up would be a yes, 1 if one of them is \
                  a no, 3 if nobody could find out.")]
pub(crate) struct Args {
    /// What the user types: an e-mail address or a user name
    identifier: String,
    /// The settings file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The broker's log, one JSON record a line: tell the last audit records of this identifier
    #[arg(long, value_name = "FILE")]
    audit_file: Option<PathBuf>,
    /// Tell the audit records with this request id, too
    #[arg(long, value_name = "ID", requires = "audit_file")]
    request_id: Option<String>,
    /// The caller that asks, where the settings have several: Auth0's
    #[arg(long, value_name = "NAME")]
    caller: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Show logins and addresses
    #[arg(long)]
    show: bool,
}

pub(crate) fn run(args: &Args, environment: Environment) -> Exit {
    match answer(args, environment) {
        Ok(report) => {
            if args.json {
                output::json(&report);
            } else {
                output::line(&report.text());
            }
            match report.certainty() {
                Certainty::No => Exit::No,
                Certainty::Unknown => Exit::Unknown,
                Certainty::Yes => Exit::Fine,
            }
        }
        Err((problem, exit)) => {
            output::error(&problem);
            exit
        }
    }
}

fn answer(args: &Args, environment: Environment) -> Result<Report, (String, Exit)> {
    let usage = |problem: String| (problem, Exit::Usage);
    let config = config::load(&args.config, environment, &sources::registry(), SecretFiles::Read)
        .map_err(|mistakes| usage(output::mistakes(&mistakes)))?;
    let identifier = Login::parse(&args.identifier).map_err(|problem| usage(problem.to_string()))?;
    if args
        .request_id
        .as_deref()
        .is_some_and(|id| RequestId::parse(id).is_none())
    {
        return Err(usage("--request-id: is no request id".to_owned()));
    }
    let is_known = |name: &String| config.callers.iter().any(|caller| caller.name == *name);
    if !args.caller.as_ref().is_none_or(is_known) {
        return Err(usage("--caller: the settings have no such caller".to_owned()));
    }
    // Before anybody is asked: a name that is wrong costs the source nothing.
    let file = args.audit_file.as_deref().map(AuditFile::open).transpose();
    let file = file.map_err(|error| usage(format!("--audit-file: can't be read: {error}")))?;
    let examined = runtime::block_on(why::examine(config, &identifier, args.caller.as_deref(), args.show));
    let mut report = match examined {
        Some(Ok(report)) => report,
        Some(Err(error)) => return Err((error.to_string(), Exit::Unknown)),
        None => return Err(("nobody could be asked".to_owned(), Exit::Unknown)),
    };
    report.audit = file.map(|file| {
        let wanted = Wanted {
            identifier_hash: report.identifier_hash.clone(),
            request_id: args.request_id.clone(),
        };
        if wanted.identifier_hash.is_none() && wanted.request_id.is_none() {
            return Audit::NoKey;
        }
        match file.last(&wanted) {
            Ok(found) => Audit::Read(found),
            Err(error) => Audit::Failed {
                problem: error.to_string(),
            },
        }
    });
    Ok(report)
}
