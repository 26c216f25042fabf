//! `try login` and `try get-user`: one call, in process or to a running broker.

use std::io::Read as _;
use std::path::PathBuf;

use aws_lc_rs::digest::{SHA256, digest};
use idbridge_source::SecretFiles;
use url::Url;
use zeroize::Zeroizing;

use super::{Environment, Exit, output, runtime};
use crate::app::broker::Broker;
use crate::config::Config;
use crate::rest::{Answer, Call, Gateway, Outcome, Transport};
use crate::server::callers::Caller;
use crate::{app, config, sources};

#[derive(Debug, clap::Subcommand)]
#[command(
    after_help = "Examples:\n  idbridge try login ada@example.com --config idbridge.toml\n  \
                        idbridge try get-user ada@example.com --grpc http://127.0.0.1:50051 --json\n\n\
                        The password comes from a prompt or from standard input, never from an argument."
)]
pub(crate) enum Try {
    /// Is this password right, and who is this? The exit code is 0 for yes and 1 for no
    Login {
        /// What the user types: an e-mail address or a user name
        identifier: String,
        /// Read the password from standard input; one line end at its end is not part of it
        #[arg(long)]
        password_stdin: bool,
        #[command(flatten)]
        with: With,
    },
    /// Who has this address? The exit code is 0 for somebody and 1 for nobody or a rejection
    GetUser {
        email: String,
        #[command(flatten)]
        with: With,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct With {
    #[command(flatten)]
    broker: BrokerArg,
    /// Print the body of the REST answer
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(crate) struct BrokerArg {
    /// Ask in this process, with these settings
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Ask a running broker, with the caller's key in $IDBRIDGE_KEY
    #[arg(long, value_name = "URL")]
    grpc: Option<String>,
}

/// What is asked.
enum Question {
    Login(String, Zeroizing<String>),
    GetUser(String),
}

/// Who is asked.
enum Asked {
    InProcess(Box<Config>),
    Broker(Url, Zeroizing<String>),
}

pub(crate) fn run(command: &Try, environment: Environment) -> Exit {
    let with = match command {
        Try::GetUser { with, .. } | Try::Login { with, .. } => with,
    };
    // Settings before the prompt: nobody types a password for a call that can't be made.
    let asked = match Asked::new(&with.broker, environment) {
        Ok(asked) => asked,
        Err(problem) => {
            output::error(&problem);
            return Exit::Usage;
        }
    };
    let question = match command {
        Try::GetUser { email, .. } => Question::GetUser(email.clone()),
        Try::Login {
            identifier,
            password_stdin,
            ..
        } => match password(*password_stdin) {
            Ok(password) => Question::Login(identifier.clone(), password),
            Err(problem) => {
                output::error(&problem);
                return Exit::Usage;
            }
        },
    };
    match runtime::block_on(asked.ask(question)) {
        Some(Ok(answer)) => report(&answer, with.json),
        Some(Err(error)) => {
            output::error(&error.to_string());
            Exit::Unknown
        }
        None => Exit::Unknown,
    }
}

impl Asked {
    fn new(broker: &BrokerArg, environment: Environment) -> Result<Self, String> {
        if let Some(path) = &broker.config {
            return match config::load(path, environment, &sources::registry(), SecretFiles::Read) {
                Ok(config) => Ok(Self::InProcess(Box::new(config))),
                Err(mistakes) => Err(output::mistakes(&mistakes)),
            };
        }
        let Some(url) = &broker.grpc else {
            return Err("name --config or --grpc".to_owned());
        };
        let key = environment
            .into_iter()
            .find(|(name, _)| name == "IDBRIDGE_KEY")
            .map(|(_, value)| value);
        match key.map(std::ffi::OsString::into_string) {
            Some(Ok(key)) if !key.is_empty() => {
                let url = super::parse_broker(url, false).map_err(|problem| format!("--grpc: {problem}"))?;
                Ok(Self::Broker(url, Zeroizing::new(key)))
            }
            _ => Err("$IDBRIDGE_KEY is empty: it holds the caller's key for --grpc".to_owned()),
        }
    }

    async fn ask(self, question: Question) -> Result<Answer, app::Error> {
        match self {
            Self::Broker(url, key) => {
                let channel = app::endpoint(&url, None)?.connect_lazy();
                put(Gateway::new(channel, app::rest_settings(None)), &key, question).await
            }
            Self::InProcess(config) => {
                let settings = app::rest_settings(config.rest.as_ref());
                // The same stack as a caller's, with a key that ends with this command.
                let key = crate::request_id::make().to_string();
                let mut broker = Broker::new(*config).await?;
                broker.only_caller(caller(&key));
                put(Gateway::new(broker.grpc()?, settings), &key, question).await
            }
        }
    }
}

async fn put<T: Transport>(gateway: Gateway<T>, key: &str, question: Question) -> Result<Answer, app::Error> {
    let call = Call::with_key(key).ok_or_else(|| app::Error::Start("the key can't stand in a header".to_owned()))?;
    Ok(match question {
        Question::GetUser(email) => gateway.get_user(call, email).await,
        Question::Login(identifier, password) => gateway.login(call, identifier, password).await,
    })
}

fn caller(key: &str) -> Caller {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, key.as_bytes()).as_ref());
    Caller::new("try", vec![hash])
}

pub(super) fn password(from_stdin: bool) -> Result<Zeroizing<String>, String> {
    if !from_stdin {
        let typed = rpassword::prompt_password("Password: ");
        return typed
            .map(Zeroizing::new)
            .map_err(|_| "no terminal to ask at; use --password-stdin".to_owned());
    }
    let mut text = Zeroizing::new(String::new());
    // The longest password and a line end fit many times over.
    let read = std::io::stdin().lock().take(64 * 1024).read_to_string(&mut text);
    read.map_err(|error| format!("standard input can't be read as text: {}", error.kind()))?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(Zeroizing::new(line.strip_suffix('\r').unwrap_or(line).to_owned()))
}

fn report(answer: &Answer, json: bool) -> Exit {
    if json {
        output::line(&answer.to_json());
    } else {
        output::line(&text(answer));
    }
    match &answer.result {
        Ok(Outcome::Authenticated { .. } | Outcome::Found { .. }) => Exit::Fine,
        Ok(Outcome::NotFound | Outcome::Rejected { .. }) => Exit::No,
        Err(problem) if problem.status == http::StatusCode::BAD_REQUEST => Exit::Usage,
        Err(_) => Exit::Unknown,
    }
}

fn text(answer: &Answer) -> String {
    let profile = |profile: &crate::rest::Profile| serde_json::to_string_pretty(profile).unwrap_or_default();
    match &answer.result {
        Ok(Outcome::Authenticated { profile: user }) => format!("yes: authenticated\n{}", profile(user)),
        Ok(Outcome::Found { profile: user }) => format!("yes: found\n{}", profile(user)),
        Ok(Outcome::NotFound) => "no: not found".to_owned(),
        Ok(Outcome::Rejected { reason }) => format!("no: {reason}"),
        Err(problem) => format!("could not find out: {} (request {})", problem.code, answer.request_id),
    }
}
