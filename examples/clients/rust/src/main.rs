//! `idbridge-example-client [--ca FILE] HOST:PORT log-in LOGIN` (the password on standard input) or `… look-up EMAIL`, with
//! the caller's key in `$IDBRIDGE_KEY`. Exit codes: 0 yes, 1 no, 2 bad usage, 3 don't know.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use idbridge_example_client::{Answer, Client, Unknown};
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};

const DEADLINE: Duration = Duration::from_secs(10);
const USAGE: &str = "IDBRIDGE_KEY=… idbridge-example-client [--ca FILE] HOST:PORT log-in LOGIN | look-up EMAIL";

type Error = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()).await {
        Ok(code) => code,
        Err(error) => {
            // Nobody is left to tell if standard error is closed.
            let _closed = writeln!(io::stderr(), "{error}");
            ExitCode::from(2)
        }
    }
}

async fn run(mut arguments: Vec<String>) -> Result<ExitCode, Error> {
    #[expect(clippy::disallowed_methods, reason = "a program's own environment")]
    let key = std::env::var("IDBRIDGE_KEY").ok().filter(|key| !key.is_empty());
    let key = key.ok_or(USAGE)?;
    let mut ca = None;
    if arguments.len() > 1 && arguments[0] == "--ca" {
        ca = arguments.drain(..2).nth(1);
    }
    let [address, command, identifier] = arguments.as_slice() else {
        return Err(USAGE.into());
    };
    let client = Client::new(endpoint(address, ca)?.connect_lazy(), &key, DEADLINE)?;

    // One id joins this call to the broker's records.
    let request_id = format!("example-rust-{}", std::process::id());
    let answer = match command.as_str() {
        "log-in" => {
            let password = io::read_to_string(io::stdin())?;
            let password = password.strip_suffix('\n').unwrap_or(&password);
            client.log_in(&request_id, identifier, password).await
        }
        "look-up" => client.look_up(&request_id, identifier).await,
        _ => return Err(USAGE.into()),
    };
    let (code, line) = told(answer);
    writeln!(io::stdout(), "{line} (request {request_id})")?;
    Ok(ExitCode::from(code))
}

fn endpoint(address: &str, ca: Option<String>) -> Result<Endpoint, Error> {
    // For a certificate of a public authority: `ClientTlsConfig::new().with_native_roots()`.
    Ok(match ca {
        Some(file) => {
            let roots = Certificate::from_pem(std::fs::read(file)?);
            Endpoint::new(format!("https://{address}"))?.tls_config(ClientTlsConfig::new().ca_certificate(roots))?
        }
        None => Endpoint::new(format!("http://{address}"))?,
    })
}

fn told(answer: Answer) -> (u8, String) {
    match answer {
        Answer::Yes(user) => (0, format!("yes: {} {}", user.id, user.email)),
        Answer::No(reason) => (1, format!("no: {reason}")),
        Answer::Unknown(Unknown {
            code,
            reason,
            retry_after,
        }) => {
            let reason = reason.unwrap_or_else(|| format!("{code:?}"));
            let wait = retry_after.map(|wait| format!(", ask again in {} s", wait.as_secs()));
            (3, format!("don't know: {reason}{}", wait.unwrap_or_default()))
        }
    }
}
