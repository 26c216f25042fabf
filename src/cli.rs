//! The commands: one file each.

mod assess;
mod auth0;
mod check;
mod completions;
#[cfg(feature = "okta")]
mod demo;
mod doctor;
mod gateway;
mod key;
mod openapi;
mod output;
mod plugin;
mod route;
mod runtime;
mod serve;
mod try_it;
mod why;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use idbridge_source::Mistake;
use url::{Host, Url};

/// The process's environment, handed in by `main`.
pub type Environment = Vec<(OsString, OsString)>;

/// How a command ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Exit {
    /// Yes, or fine.
    Fine = 0,
    /// No: rejected, not found; a source isn't fine.
    No = 1,
    /// Bad usage or bad settings.
    Usage = 2,
    /// Could not find out.
    Unknown = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Asks identity sources who a person is, for services over gRPC and for Auth0's scripts over REST
#[derive(Debug, Parser)]
#[command(name = "idbridge", version, arg_required_else_help = true, after_help = examples())]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  idbridge demo                                    everything on loopback, with nobody upstream
  idbridge key new auth0                           a caller's key, and the lines for the settings
  idbridge check --config idbridge.toml            every mistake in the settings
  idbridge doctor --config idbridge.toml           asks each source for real
  idbridge assess --config idbridge.toml           who can move, and who can't
  idbridge try login ada@example.com --config idbridge.toml
  idbridge why ada@example.com --config idbridge.toml
  idbridge serve --config idbridge.toml
  idbridge auth0 export --out tenant --connection legacy-users

Exit codes: 0 yes or fine; 1 no; 2 bad usage or settings; 3 could not find out.";

// In the order of the help.
#[derive(Debug, Subcommand)]
enum Command {
    /// Run everything on loopback: a simulated Okta org, the broker, the gateway
    #[cfg(feature = "okta")]
    Demo(demo::Args),
    /// Run the broker and the gateway
    Serve(serve::Args),
    /// Run the gateway alone, against a remote broker
    Gateway(gateway::Args),
    /// Check the settings and report every mistake, without the network
    Check(check::Args),
    /// Ask each source for real, and say what to fix
    Doctor(doctor::Args),
    /// Read everybody in a source, and report who can move and who can't
    Assess(assess::Args),
    /// Say which sources an identifier's calls go to, without the network
    Route(route::Args),
    /// Try one log-in or one look-up
    #[command(subcommand)]
    Try(try_it::Try),
    /// Say why somebody can't sign in, for support
    Why(why::Args),
    /// Files for an Auth0 tenant
    #[command(subcommand)]
    Auth0(auth0::Auth0),
    /// Callers' keys
    #[command(subcommand)]
    Key(key::Key),
    /// For those who write a source
    #[command(subcommand)]
    Plugin(plugin::Plugin),
    /// Print the gateway's OpenAPI description
    Openapi,
    /// Print a completion script for a shell
    Completions(completions::Args),
}

/// A binary without the kind `okta` has no org to run a demo against.
fn examples() -> String {
    let has = |line: &&str| cfg!(feature = "okta") || !line.starts_with("  idbridge demo");
    EXAMPLES.lines().filter(has).collect::<Vec<_>>().join("\n")
}

/// Runs the command that these arguments name.
pub fn run(arguments: impl IntoIterator<Item = OsString>, environment: Environment) -> Exit {
    let command = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli.command,
        Err(error) => {
            // Help and the version come this way too. A closed pipe is nobody's problem.
            let _closed = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Fine };
        }
    };
    match command {
        Command::Assess(args) => assess::run(&args, environment),
        Command::Auth0(auth0::Auth0::Export(args)) => auth0::export(&args),
        Command::Check(args) => check::run(&args, environment),
        Command::Completions(args) => completions::run(&args),
        #[cfg(feature = "okta")]
        Command::Demo(args) => demo::run(&args, &environment),
        Command::Doctor(args) => doctor::run(&args, environment),
        Command::Gateway(args) => gateway::run(&args, environment),
        Command::Key(key::Key::New(args)) => key::new(&args),
        Command::Openapi => openapi::run(),
        Command::Plugin(plugin::Plugin::New(args)) => plugin::new(&args),
        #[cfg(feature = "grpc")]
        Command::Plugin(plugin::Plugin::People) => plugin::people(),
        #[cfg(feature = "grpc")]
        Command::Plugin(plugin::Plugin::Test(args)) => plugin::test(&args, &environment),
        Command::Route(args) => route::run(&args, environment),
        Command::Serve(args) => serve::run(&args, environment),
        Command::Try(args) => try_it::run(&args, environment),
        Command::Why(args) => why::run(&args, environment),
    }
}

/// The settings. If they are no good, their mistakes are told.
fn settings<T>(read: Result<T, Vec<Mistake>>) -> Result<T, Exit> {
    read.map_err(|mistakes| {
        output::error(&output::mistakes(&mistakes));
        Exit::Usage
    })
}

/// Where a broker listens: `https://HOST:PORT`, or `http://…` on loopback or where the operator takes plain text.
///
/// Not a parser of clap's, which would print what it was given: a URL can hold a password.
fn parse_broker(text: &str, plaintext: bool) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "is no URL; write it as https://broker.internal:50051")?;
    let bare = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
        && url.path() == "/";
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !bare {
        return Err("http or https, a host and a port are wanted, and nothing more");
    }
    if url.scheme() == "http" && !plaintext && !is_loopback(&url) {
        return Err("http beyond loopback shows keys and passwords to the network; use https");
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests;
