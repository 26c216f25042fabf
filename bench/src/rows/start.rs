//! The broker at rest: how soon it is ready, and what it holds in memory before its first call.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, PipeReader, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use serde_json::Value;
use tokio::sync::oneshot;

use crate::Error;
use crate::broker::{Broker, Settings};
use crate::context::Context;
use crate::load::target::{Question, Target};
use crate::process::Process;
use crate::row::{Bar, Figure, Row, Sample};

/// Starts in a round; the one in the middle counts.
const STARTS: usize = 5;

/// Between the start and the reading of the memory.
const SETTLE: Duration = Duration::from_secs(1);

const MEGABYTE: f64 = 1_000_000.0;

struct Start;

pub(crate) fn rows() -> Vec<Box<dyn Row>> {
    vec![Box::new(Start)]
}

#[async_trait(?Send)]
impl Row for Start {
    fn name(&self) -> &'static str {
        "start"
    }

    fn figures(&self) -> Vec<Figure> {
        let figure = |title: &str, unit, bar| Figure {
            title: title.to_owned(),
            unit,
            theirs: "",
            bar: Some(Bar::AtMost(bar)),
        };
        vec![
            figure("memory a second after the start", "MB", 15.0),
            figure(
                "from the start of the process to the log record `listening`",
                "ms",
                50.0,
            ),
        ]
    }

    async fn round(&self, context: &Context, _round: usize) -> Result<Vec<Sample>, Error> {
        let upstream = context.upstream(&[])?;
        let settings = Settings {
            one_call: true,
            ..Settings::default()
        };
        let launch = Launch::prepare(context, &upstream.url(), settings, "").await?;
        let (idle, mut first) = launch.start(context, None).await?;
        tokio::time::sleep(SETTLE).await;
        let memory = idle.process.resident()?;
        answers(&idle, 0).await?;
        drop(idle);

        let mut took = vec![first];
        for number in 1..STARTS {
            let broker;
            (broker, first) = launch.start(context, None).await?;
            took.push(first);
            answers(&broker, number).await?;
        }
        took.sort();
        let took = took.get(STARTS / 2).ok_or("no start")?;
        Ok(vec![
            Sample::alone(megabytes(memory)),
            Sample::alone(took.as_secs_f64() * 1000.0),
        ])
    }
}

/// A million bytes each.
pub(super) fn megabytes(bytes: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let bytes = bytes as f64;
    bytes / MEGABYTE
}

/// Who says that it listens also answers.
async fn answers(broker: &Broker, number: usize) -> Result<(), Error> {
    let target = Target {
        address: broker.grpc,
        question: Question::Authenticate,
        key: Some(broker.key.clone()),
    };
    target.ask(&mut target.open().await?, number).await
}

/// A broker with what only some rows need: further settings, an authority to trust, and the time of its start.
pub(super) struct Launch {
    config: PathBuf,
    key: String,
}

impl Launch {
    /// `more` stands at the end of the settings.
    pub(super) async fn prepare(
        context: &Context,
        org_url: &str,
        settings: Settings,
        more: &str,
    ) -> Result<Self, Error> {
        const PLACE: &str = "http://127.0.0.1:1";
        let like = Broker::start(context, PLACE, settings).await?;
        let text = fs::read_to_string(like.log.with_extension("toml"))?;
        let config = context.folder.path().join("launch.toml");
        fs::write(&config, text.replace(PLACE, org_url) + more)?;
        Ok(Self { config, key: like.key })
    }

    /// Resolves when it listens, and tells how long that took.
    pub(super) async fn start(&self, context: &Context, authority: Option<&Path>) -> Result<(Broker, Duration), Error> {
        let (log, theirs) = io::pipe()?;
        let mut command = Command::new(&context.idbridge);
        command.arg("serve").arg("--config").arg(&self.config).stdout(theirs);
        command.envs(authority.map(|file| ("SSL_CERT_FILE", file)));
        let began = Instant::now();
        let process = Process::spawn(&mut command)?;
        // It holds the other end of the pipe.
        drop(command);
        let (told, listening) = oneshot::channel();
        let copy = File::create(self.config.with_extension("log"))?;
        // The log has to be read on, or the broker drops records.
        thread::spawn(move || follow(log, copy, told));
        let (record, when) = listening.await.map_err(|_| "idbridge didn't start")?;
        let address = |name: &str| -> Result<SocketAddr, Error> {
            Ok(record[name].as_str().ok_or("a listener is missing")?.parse()?)
        };
        let broker = Broker {
            grpc: address("grpc")?,
            rest: address("rest")?,
            admin: address("admin")?,
            key: self.key.clone(),
            log: self.config.with_extension("log"),
            process,
        };
        Ok((broker, when.duration_since(began)))
    }
}

/// Reads the log to its end.
fn follow(log: PipeReader, mut copy: File, told: oneshot::Sender<(Value, Instant)>) {
    let mut log = BufReader::new(log);
    let mut line = String::new();
    let mut told = Some(told);
    while told.is_some() && log.read_line(&mut line).is_ok_and(|read| read > 0) {
        let record: Value = serde_json::from_str(&line).unwrap_or_default();
        if record["message"] == "listening"
            && let Some(told) = told.take()
        {
            // An error is a row that has ended.
            let _ended = told.send((record, Instant::now()));
        }
        // An error is a full disk; the copy is for whoever looks for a fault.
        let _copied = copy.write_all(line.as_bytes());
        line.clear();
    }
    let _copied = io::copy(&mut log, &mut copy);
}
