//! "round-trips": a tonic client with its defaults, which asks the echo over a Unix socket and tells what that cost both.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use idbridge::pb;
use pb::identity_service_client::IdentityServiceClient;
use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tokio::task::JoinSet;
use tonic::transport::{Channel, Endpoint};

use crate::Error;
use crate::load::target::{PASSWORD, Question};
use crate::process;

const WARM_UP: usize = 640;
const IN_FLIGHT: usize = 64;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where the echo is
    #[arg(long)]
    socket: PathBuf,
    /// The echo's process
    #[arg(long)]
    echo: u32,
    /// Calls with 64 in flight
    #[arg(long)]
    busy: usize,
    /// Calls one after the other
    #[arg(long)]
    alone: usize,
}

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    tokio::runtime::Runtime::new()?.block_on(measure(args))
}

async fn measure(args: &Args) -> Result<(), Error> {
    let url = format!("unix://{}", args.socket.display());
    let mut client = IdentityServiceClient::new(Endpoint::try_from(url)?.connect().await?);
    ask(&client, WARM_UP, IN_FLIGHT).await?;
    let before = cpu(args)?;
    ask(&client, args.busy, IN_FLIGHT).await?;
    let cpu = cpu(args)?.saturating_sub(before);
    let mut times = Vec::with_capacity(args.alone);
    for _ in 0..args.alone {
        let began = Instant::now();
        one(&mut client, 0).await?;
        times.push(began.elapsed());
    }
    let spent = json!({"cpu_ns": nanos(cpu), "median_ns": nanos(median(times)?)});
    let mut stdout = io::stdout();
    writeln!(stdout, "{spent}")?;
    stdout.flush()?;
    // An error is an end as well.
    let _end = tokio::io::stdin().read(&mut [0]).await;
    Ok(())
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// The one in the middle.
pub(crate) fn median(mut times: Vec<Duration>) -> Result<Duration, Error> {
    times.sort_unstable();
    let middle = times.get(times.len() / 2);
    middle.copied().ok_or_else(|| "no call was made".into())
}

/// Client and echo.
fn cpu(args: &Args) -> Result<Duration, Error> {
    Ok(process::cpu(std::process::id())? + process::cpu(args.echo)?)
}

async fn ask(client: &IdentityServiceClient<Channel>, calls: usize, in_flight: usize) -> Result<(), Error> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut running = JoinSet::new();
    for _ in 0..in_flight {
        let (mut client, next) = (client.clone(), Arc::clone(&next));
        running.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= calls {
                    return Ok::<(), Error>(());
                }
                one(&mut client, number).await?;
            }
        });
    }
    while let Some(ended) = running.join_next().await {
        ended??;
    }
    Ok(())
}

/// The answer has to be the user of the login.
async fn one(client: &mut IdentityServiceClient<Channel>, number: usize) -> Result<(), Error> {
    let login = Question::Authenticate.login(number);
    let question = pb::AuthenticateRequest {
        login: login.clone(),
        password: PASSWORD.to_owned(),
        source: None,
    };
    match client.authenticate(question).await?.into_inner().outcome {
        Some(pb::authenticate_response::Outcome::User(user)) if user.login == login => Ok(()),
        _ => Err(format!("the answer for {login} isn't that user").into()),
    }
}
