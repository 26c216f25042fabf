//! The product's processes: started, stopped by `SIGTERM`, and started again at the same address.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, BufRead as _, BufReader, PipeReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

use crate::Error;
use crate::logs::Logs;

const START: Duration = Duration::from_secs(20);
/// Longer than the product gives calls in flight.
const STOP: Duration = Duration::from_secs(45);

/// What to run.
pub(crate) struct Program {
    file: PathBuf,
    args: Vec<OsString>,
    logs: Logs,
}

impl Program {
    pub(crate) fn new<const N: usize>(file: &Path, args: [OsString; N], logs: &Logs) -> Program {
        Program {
            file: file.to_owned(),
            args: args.into(),
            logs: logs.clone(),
        }
    }
}

/// A part of the chain: a program that listens somewhere, and its process while it runs.
pub(crate) struct Part {
    program: Program,
    /// The listener that callers of this part use: `grpc` or `rest`.
    listener: &'static str,
    address: SocketAddr,
    running: Option<Running>,
}

struct Running {
    child: Arc<Mutex<Child>>,
    addresses: BTreeMap<String, SocketAddr>,
    /// The exit code, once there is one; -1 for a signal.
    ended: watch::Receiver<Option<i32>>,
}

impl Part {
    /// Resolves when it listens.
    pub(crate) async fn start(program: Program, listener: &'static str) -> Result<Part, Error> {
        let running = Running::start(&program, &BTreeMap::new()).await?;
        let address = *running
            .addresses
            .get(listener)
            .ok_or("the record `listening` lacks a listener")?;
        Ok(Part {
            program,
            listener,
            address,
            running: Some(running),
        })
    }

    /// Where callers find it, before and after a restart.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn at(&self, listener: &str) -> Result<SocketAddr, Error> {
        let running = self.running.as_ref().ok_or("not running")?;
        Ok(*running.addresses.get(listener).ok_or("no such listener")?)
    }

    /// Sends `SIGTERM` and resolves with the exit code.
    pub(crate) async fn stop(&mut self) -> Result<i32, Error> {
        let mut running = self.running.take().ok_or("not running")?;
        running.terminate()?;
        let ended = timeout(STOP, running.ended.wait_for(Option::is_some)).await;
        Ok(ended.map_err(|_| "SIGTERM didn't end it")??.unwrap_or(-1))
    }

    /// Starts it again at its address, with settings from the environment. Resolves when it listens.
    pub(crate) async fn restart(&mut self, mut settings: BTreeMap<String, String>) -> Result<(), Error> {
        if self.running.is_some() {
            return Err("running already".into());
        }
        let listen = format!("IDBRIDGE_{}__LISTEN", self.listener.to_uppercase());
        settings.insert(listen, self.address.to_string());
        self.running = Some(Running::start(&self.program, &settings).await?);
        Ok(())
    }

    pub(crate) fn is_running(&self) -> bool {
        self.running.is_some()
    }
}

impl Running {
    async fn start(program: &Program, settings: &BTreeMap<String, String>) -> Result<Running, Error> {
        let (reader, writer) = io::pipe()?;
        let mut command = Command::new(&program.file);
        command
            .args(&program.args)
            .envs(settings)
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer);
        let child = Arc::new(Mutex::new(command.spawn()?));
        drop(command); // it holds our ends of the pipe

        let (listening, addresses) = oneshot::channel();
        let (end, ended) = watch::channel(None);
        thread::spawn({
            let (child, logs) = (Arc::clone(&child), program.logs.clone());
            move || {
                follow(reader, &logs, listening);
                let status = child.lock().unwrap_or_else(PoisonError::into_inner).wait();
                end.send_replace(Some(status.ok().and_then(|status| status.code()).unwrap_or(-1)));
            }
        });
        let mut running = Running {
            child,
            addresses: BTreeMap::new(),
            ended,
        };
        match timeout(START, addresses).await {
            Ok(Ok(addresses)) => running.addresses = addresses,
            _ => return Err(format!("{:?} didn't start:\n{}", program.args, program.logs.tail()).into()),
        }
        Ok(running)
    }

    /// The shell's own `kill`: the standard library knows no signal but SIGKILL.
    fn terminate(&self) -> Result<(), Error> {
        let pid = self
            .child
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .id()
            .to_string();
        let mut command = Command::new("sh");
        command.args(["-c", "kill -TERM \"$1\"", "sh", &pid]);
        output(command).map(drop)
    }
}

/// A harness that fails leaves nothing behind.
impl Drop for Running {
    fn drop(&mut self) {
        if self.ended.borrow().is_none() {
            // An error is a process that has just ended.
            let _ = self.child.lock().unwrap_or_else(PoisonError::into_inner).kill();
        }
    }
}

/// What a command wrote to its standard output. It must succeed.
pub(crate) fn output(mut command: Command) -> Result<Vec<u8>, Error> {
    let output = command.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}", output.status).into());
    }
    Ok(output.stdout)
}

/// Reads to the end, and tells the addresses when they are written.
fn follow(reader: PipeReader, logs: &Logs, listening: oneshot::Sender<BTreeMap<String, SocketAddr>>) {
    let mut listening = Some(listening);
    let mut reader = BufReader::new(reader);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        if listening.is_some()
            && let Some(addresses) = addresses(&text)
            && let Some(listening) = listening.take()
        {
            // An error is a start that nobody waits for any more.
            let _ = listening.send(addresses);
        }
        logs.push(text);
        line.clear();
    }
}

/// The addresses of the record `listening`.
fn addresses(line: &str) -> Option<BTreeMap<String, SocketAddr>> {
    let record: Value = serde_json::from_str(line).ok()?;
    if record["message"] != "listening" {
        return None;
    }
    let address = |name: &str| Some((name.to_owned(), record[name].as_str()?.parse().ok()?));
    Some(["admin", "grpc", "rest"].into_iter().filter_map(address).collect())
}
