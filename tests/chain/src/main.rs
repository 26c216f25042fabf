//! A test harness: the whole chain from the gateway to an Okta org, for tests that are no Rust.
//!
//! It starts a simulated org, the real `idbridge` twice (as `serve` with gRPC alone, and as `gateway` before it), and a
//! loopback port with the doors of [`doors`] to change them while they run. Then it runs a command with the addresses
//! and keys in its environment and exits with its code; without a command it prints them as one line of JSON and runs
//! until standard input ends.
//!
//! Both processes log at their most talkative. At the end both must have stopped well, and no secret of the chain and no
//! person's password or address may stand in their logs; else the harness exits with 1.

mod doors;
mod logs;
mod people;
mod process;
mod settings;

use std::ffi::OsString;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;

use clap::Parser;
use idbridge_okta_simulator::Simulator;
use serde_json::{Map, Value};
use tokio::net::TcpListener;
use tokio::task;

use doors::Chain;
use process::{Part, Program};
use settings::{Keys, Settings};

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Starts the broker, the gateway and a simulated Okta org for tests.
#[derive(Debug, Parser)]
struct Args {
    /// The broker's executable; default: the one beside this
    #[arg(long, value_name = "FILE")]
    idbridge: Option<PathBuf>,
    /// `rest.deadline` of the gateway; default: the product's
    #[arg(long, value_name = "TIME")]
    rest_deadline: Option<String>,
    /// What to run with the addresses and keys in its environment; default: wait for the end of standard input
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(code) => code,
        Err(error) => {
            // Nobody is left to tell if standard error is closed.
            let _ = writeln!(io::stderr(), "idbridge-chain: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<ExitCode, Error> {
    let idbridge = match args.idbridge {
        Some(path) => path,
        None => std::env::current_exe()?.with_file_name("idbridge"),
    };
    let scratch = tempfile::tempdir()?;
    let logs = logs::Logs::default();
    let okta = Simulator::start(people::org()).await?;

    let keys = Keys::make(&idbridge)?;
    let settings = Settings::write(scratch.path(), &okta.url(), &keys, args.rest_deadline.as_deref())?;
    let broker = Program::new(
        &idbridge,
        ["serve".into(), "--config".into(), settings.broker.into()],
        &logs,
    );
    let broker = Part::start(broker, "grpc").await?;
    let upstream = format!("http://{}", broker.address());
    let gateway = [
        "gateway".into(),
        "--config".into(),
        settings.gateway.into(),
        "--upstream".into(),
        upstream.into(),
    ];
    let gateway = Part::start(Program::new(&idbridge, gateway, &logs), "rest").await?;

    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let mut variables = keys.variables();
    variables.extend([
        ("IDBRIDGE_ADMIN_URL", format!("http://{}", broker.at("admin")?)),
        ("IDBRIDGE_AUTH0_EXPORT", export(&idbridge, scratch.path())?),
        ("IDBRIDGE_GRPC", broker.address().to_string()),
        ("IDBRIDGE_URL", format!("http://{}", gateway.address())),
        ("OKTA_CONTROL_URL", format!("http://{}", listener.local_addr()?)),
    ]);
    let chain = Chain::new(okta.control(), broker, gateway);
    let doors = tokio::spawn(doors::serve(listener, Arc::clone(&chain)));

    let code = match args.command.split_first() {
        Some((program, args)) => {
            let mut command = Command::new(program);
            command.args(args).envs(variables);
            let status = task::spawn_blocking(move || command.status()).await??;
            status.code().unwrap_or(1)
        }
        None => {
            announce(&variables)?;
            task::spawn_blocking(|| io::stdin().read_to_end(&mut Vec::new())).await??;
            0
        }
    };
    doors.abort();
    // Before the broker, which waits for password checks that are still under way.
    okta.shutdown().await;
    chain.stop().await?;
    let leaks = logs.search(&[keys.secrets(), people::secrets()].concat());
    if !leaks.is_empty() {
        return Err(leaks.into());
    }
    Ok(u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// The scripts, as the product writes them: the folder of one connection.
fn export(idbridge: &Path, scratch: &Path) -> Result<String, Error> {
    const CONNECTION: &str = "legacy-users";
    let mut command = Command::new(idbridge);
    command
        .args(["auth0", "export", "--connection", CONNECTION, "--out"])
        .arg(scratch);
    process::output(command)?;
    let folder = scratch.join("database-connections").join(CONNECTION);
    Ok(folder
        .to_str()
        .ok_or("the scratch folder's name is no UTF-8")?
        .to_owned())
}

fn announce(variables: &[(&str, String)]) -> io::Result<()> {
    let object: Map<String, Value> = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str())))
        .collect();
    let mut out = io::stdout();
    writeln!(out, "{}", Value::from(object))?;
    out.flush()
}
