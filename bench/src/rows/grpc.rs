//! A source in another process: what `kind = "grpc"` adds over a Unix socket to a built-in source.
//!
//! Ours: a broker before a plugin, less a broker with the same people built in (`kind = "memory"`). The plugin is the
//! tonic echo, which knows everybody, and whose CPU time counts too. Theirs: a tonic client that asks the same echo over a
//! Unix socket, both with their defaults, client and echo counted: a bare round trip.
//!
//! CPU time with 64 calls in flight; with one, the median of the calls' times, which a busy neighbour doesn't move.

use std::path::Path;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use serde_json::Value;

use crate::Error;
use crate::broker::{self, Broker, Build};
use crate::context::Context;
use crate::load::closed::{Closed, Width};
use crate::load::target::{Line, PASSWORD, Question, Target};
use crate::process::Process;
use crate::round_trips::median;
use crate::row::{Bar, Figure, Row, Sample};

const CALLS: usize = 40_000;
const TURNS: usize = 4;
const WARM_UP: usize = 640;
/// Of the built-in source. Each call is one of them.
const PEOPLE: usize = 64;

/// So that each of them logs in more often than people do.
const ANY_ATTEMPT: &str = "attempts = { replay = \"0s\", burst = 100000, per_second = 100000 }";

const BUSY: Width = Width {
    connections: 16,
    streams: 4,
};
/// Of the calls, those that are made one after the other.
const ONE_BY_ONE: usize = 8;

struct Grpc;

pub(crate) fn rows() -> Vec<Box<dyn Row>> {
    vec![Box::new(Grpc)]
}

#[async_trait(?Send)]
impl Row for Grpc {
    fn name(&self) -> &'static str {
        "grpc"
    }

    fn figures(&self) -> Vec<Figure> {
        let figure = |title: &str| Figure {
            title: title.to_owned(),
            unit: "µs",
            theirs: "tonic",
            bar: Some(Bar::RatioAtMost(1.6)),
        };
        vec![
            figure("CPU a call that `kind = \"grpc\"` adds over a Unix socket, 64 in flight"),
            figure("time that it adds, one call at a time"),
        ]
    }

    async fn round(&self, context: &Context, round: usize) -> Result<Vec<Sample>, Error> {
        let built_in = memory();
        let socket = context.folder.path().join(format!("plugin-{round}.sock"));
        let mut behind = Side::start(context, &grpc(&socket)?, Some(&socket)).await?;
        let mut before = Side::start(context, &built_in, None).await?;
        let calls = context.calls(CALLS) / TURNS;
        let bare = context.folder.path().join(format!("bare-{round}.sock"));
        let (mut ours, mut plain, mut tonic) = (Spent::default(), Spent::default(), Spent::default());
        for turn in 0..TURNS {
            for place in 0..3 {
                match (place + turn + round) % 3 {
                    0 => ours.add(behind.run(calls).await?),
                    1 => plain.add(before.run(calls).await?),
                    _ => tonic.add(round_trips(context, &bare, calls)?),
                }
            }
        }
        behind.settle().await?;
        before.settle().await?;
        let cpu = |spent: Spent| spent.cpu.as_secs_f64() * 1e6 / (calls * TURNS) as f64;
        let time = |spent: Spent| spent.median.as_secs_f64() * 1e6 / TURNS as f64;
        Ok(vec![
            Sample::beside(cpu(ours) - cpu(plain), cpu(tonic)),
            Sample::beside(time(ours) - time(plain), time(tonic)),
        ])
    }
}

/// CPU time of the calls in flight together, and the median of those one by one, each summed up over turns.
#[derive(Clone, Copy, Default)]
struct Spent {
    cpu: Duration,
    median: Duration,
}

impl Spent {
    fn add(&mut self, more: Self) {
        self.cpu += more.cpu;
        self.median += more.median;
    }
}

struct Side {
    broker: Broker,
    plugin: Option<Process>,
    busy: Closed,
    target: Target,
    alone: Line,
    made: usize,
}

impl Side {
    /// With a plugin at this socket, if there is one.
    async fn start(context: &Context, sources: &str, socket: Option<&Path>) -> Result<Self, Error> {
        let plugin = socket.map(|socket| echo(context, socket)).transpose()?;
        let broker = Broker::with(context, Build::Shipped, sources, None).await?;
        let target = Target {
            address: broker.grpc,
            question: Question::OneOf(PEOPLE),
            key: Some(broker.key.clone()),
        };
        let mut side = Self {
            busy: Closed::open(target.clone(), BUSY).await?,
            alone: target.open().await?,
            target,
            broker,
            plugin,
            made: 0,
        };
        side.run(WARM_UP).await?;
        Ok(side)
    }

    async fn run(&mut self, calls: usize) -> Result<Spent, Error> {
        let before = self.cpu()?;
        self.busy.run(self.made, calls).await?;
        let cpu = self.cpu()?.saturating_sub(before);
        self.made += calls;
        let mut times = Vec::with_capacity(calls / ONE_BY_ONE);
        for number in 0..calls / ONE_BY_ONE {
            let began = Instant::now();
            self.target.ask(&mut self.alone, number).await?;
            times.push(began.elapsed());
        }
        self.made += times.len();
        let median = median(times)?;
        Ok(Spent { cpu, median })
    }

    fn cpu(&self) -> Result<Duration, Error> {
        let plugin = self.plugin.as_ref().map_or(Ok(Duration::ZERO), Process::cpu)?;
        Ok(self.broker.process.cpu()? + plugin)
    }

    /// Whether the broker counted what was asked.
    async fn settle(self) -> Result<(), Error> {
        broker::settle(&self.broker.log, self.broker.admin, self.made).await
    }
}

fn echo(context: &Context, socket: &Path) -> Result<Process, Error> {
    let socket = socket.to_str().ok_or("a folder without a name")?;
    Ok(context.role(&["echo", "--socket", socket])?.0)
}

/// A client of its own each time, as the echo is; what it did before it is warm isn't counted.
fn round_trips(context: &Context, socket: &Path, calls: usize) -> Result<Spent, Error> {
    // Of the turn before.
    let _gone = std::fs::remove_file(socket);
    let _echo = echo(context, socket)?;
    let socket = socket.to_str().ok_or("a folder without a name")?;
    let (busy, alone) = (calls.to_string(), (calls / ONE_BY_ONE).to_string());
    let pid = _echo.pid().to_string();
    let args = [
        "round-trips",
        "--socket",
        socket,
        "--echo",
        &pid,
        "--busy",
        &busy,
        "--alone",
        &alone,
    ];
    let (_client, spent) = context.role(&args)?;
    let nanos = |key: &str| {
        let nanos = spent[key].as_u64().ok_or("the client doesn't say what it spent");
        nanos.map(Duration::from_nanos)
    };
    Ok(Spent {
        cpu: nanos("cpu_ns")?,
        median: nanos("median_ns")?,
    })
}

fn grpc(socket: &Path) -> Result<String, Error> {
    Ok(format!(
        "[sources.people]\nkind = \"grpc\"\n{ANY_ATTEMPT}\n[sources.people.settings]\n\
         url = \"unix://{}\"\ncanary = \"canary@bench.test\"\n",
        socket.to_str().ok_or("a folder without a name")?
    ))
}

/// Those whom the calls are about.
fn memory() -> String {
    let person = |number: usize| {
        let login = Value::from(Question::OneOf(PEOPLE).login(number));
        format!(
            "[[sources.people.settings.people]]\nid = \"{number}\"\nlogin = {login}\nemail = {login}\n\
             password = \"{PASSWORD}\"\n"
        )
    };
    let people: String = (0..PEOPLE).map(person).collect();
    format!("[sources.people]\nkind = \"memory\"\n{ANY_ATTEMPT}\n{people}")
}
