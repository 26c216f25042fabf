//! `demo`: everything on loopback, with nobody upstream.

use std::path::Path;

use idbridge_okta_simulator::{CANARY, Org, PASSWORD, Person, Simulator, TOKEN};
use idbridge_source::SecretFiles;
use tokio::net::TcpListener;

use super::{Environment, Exit, output, runtime};
use crate::app::{self, Addresses};
use crate::config::{self, Config};
use crate::sources;
use crate::telemetry::log::Stream;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  idbridge demo")]
pub(crate) struct Args {}

/// Where the simulated org listens.
const OKTA: &str = "127.0.0.1:9091";
/// A key that everybody knows opens nothing but a demo on loopback.
const KEY: &str = "demo-key";

/// `[sources.okta.settings]` stands last, for the org's token and canary to be put there.
const SETTINGS: &str = r#"
[grpc]
listen = "127.0.0.1:50051"
reflection = true
[rest]
listen = "127.0.0.1:8080"
[admin]
listen = "127.0.0.1:9090"

[callers.demo]
key_sha256 = "c48a01f49fd0f2cc404bc3cbbc80e91457a3d41bb429a695243de4c61794155c"
allow = ["authenticate", "get_user_by_email"]

[sources.okta]
kind = "okta"
[sources.okta.settings]
org_url = "http://127.0.0.1:9091"
groups = true
"#;

pub(crate) fn run(_args: &Args, environment: &Environment) -> Exit {
    let config = match settings() {
        Ok(config) => config,
        Err(problem) => {
            output::error(&problem);
            return Exit::Usage;
        }
    };
    let log = runtime::log(&config.log, runtime::rust_log(environment), Stream::Stderr);
    runtime::serve(|stop| async {
        let bind = |error| app::Error::Start(format!("the simulated org can't listen at {OKTA}: {error}"));
        let listener = TcpListener::bind(OKTA).await.map_err(bind)?;
        let org = Org::demo();
        output::line(&people(&org));
        let simulator = Simulator::start_on(listener, org).await.map_err(bind)?;
        let served = app::serve(config, log.lost(), stop, |addresses| {
            runtime::log_listening(addresses);
            output::line(&calls(addresses));
        })
        .await;
        simulator.shutdown().await;
        served
    })
}

fn settings() -> Result<Config, String> {
    let text = format!("{SETTINGS}api_token = \"{TOKEN}\"\ncanary = \"{CANARY}\"\n");
    let read = config::parse(Path::new("demo"), &text, [], &sources::registry(), SecretFiles::Read);
    read.map_err(|mistakes| output::mistakes(&mistakes))
}

fn people(org: &Org) -> String {
    let mut text = format!("A simulated Okta org at http://{OKTA} with these people. Their password: {PASSWORD}\n\n");
    for person in org.people() {
        text.push_str(&line_for(person));
    }
    text
}

fn line_for(person: &Person) -> String {
    let password = if person.password.is_none() {
        " (has no password)"
    } else {
        ""
    };
    format!("  {:<34} {}{password}\n", person.login, person.note)
}

fn calls(addresses: &Addresses) -> String {
    let address = |address: Option<std::net::SocketAddr>| address.map(|it| it.to_string()).unwrap_or_default();
    let (grpc, rest, admin) = (
        address(addresses.grpc),
        address(addresses.rest),
        address(addresses.admin),
    );
    let json = r#"'{"identifier": "ada@example.com", "password": "correct horse battery staple"}'"#;
    format!(
        "gRPC at {grpc}, REST at http://{rest}, admin at http://{admin}. Paste:\n\n\
         curl -s http://{rest}/auth0/v1/login -H 'Authorization: Bearer {KEY}' -H 'Content-Type: application/json' \\\n  \
           -d {json}\n\
         curl -s http://{rest}/auth0/v1/get-user -H 'Authorization: Bearer {KEY}' -H 'Content-Type: application/json' \\\n  \
           -d '{{\"identifier\": \"ada@example.com\"}}'\n\
         grpcurl -plaintext -H 'authorization: Bearer {KEY}' \\\n  \
           -d '{{\"login\": \"ada@example.com\", \"password\": \"correct horse battery staple\"}}' \\\n  \
           {grpc} idbridge.v1.IdentityService/Authenticate\n\
         IDBRIDGE_KEY={KEY} idbridge try get-user ada@example.com --grpc http://{grpc}\n\n\
         Ctrl-C stops it."
    )
}
