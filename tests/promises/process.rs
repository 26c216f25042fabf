//! The binary as a process: started, watched through its output, stopped by signals.

use std::io::{BufRead as _, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::timeout;

use super::secrecy::Secrets;

/// Longer than anything here takes on a busy machine; a wait that ends so is a failure.
const PATIENCE: Duration = Duration::from_secs(40);

/// Waits for `event`, but not for ever.
pub(crate) async fn bounded<T>(what: &str, event: impl Future<Output = T>) -> T {
    timeout(PATIENCE, event)
        .await
        .unwrap_or_else(|_| panic!("waited {PATIENCE:?} in vain: {what}"))
}

/// A running `idbridge`. Its output is searched for secrets when it ends.
pub(crate) struct Process {
    child: Option<Child>,
    output: watch::Receiver<Output>,
    secrets: Arc<Secrets>,
}

#[derive(Clone, Default)]
struct Output {
    lines: Vec<String>,
    /// Of the two streams.
    ended: usize,
}

/// Where a process listens, as its record `listening` says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addresses {
    pub(crate) grpc: Option<SocketAddr>,
    pub(crate) rest: Option<SocketAddr>,
    pub(crate) admin: Option<SocketAddr>,
}

impl Process {
    pub(crate) fn start(arguments: &[&str], config: &Path, secrets: &Arc<Secrets>) -> Process {
        Process::start_with(&[], arguments, config, secrets)
    }

    /// With these variables in its environment.
    pub(crate) fn start_with(
        variables: &[(&str, &Path)],
        arguments: &[&str],
        config: &Path,
        secrets: &Arc<Secrets>,
    ) -> Process {
        let mut child = Command::new(env!("CARGO_BIN_EXE_idbridge"))
            .args(arguments)
            .arg("--config")
            .arg(config)
            .env_clear()
            .env("RUST_LOG", "trace")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let (sender, output) = watch::channel(Output::default());
        read(child.stdout.take().expect("stdout is piped"), sender.clone());
        read(child.stderr.take().expect("stderr is piped"), sender);
        Process {
            child: Some(child),
            output,
            secrets: Arc::clone(secrets),
        }
    }

    /// What was written so far, both streams, a line each.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.output.borrow().lines.clone()
    }

    /// The log records with this message so far.
    pub(crate) fn records(&self, message: &str) -> Vec<Value> {
        records(&self.output.borrow().lines, message)
    }

    /// Waits until there are `count` records with this message that fit.
    pub(crate) async fn recorded(&self, message: &str, count: usize, fits: impl Fn(&Value) -> bool) -> Vec<Value> {
        let mut output = self.output.clone();
        let found = |output: &Output| {
            let mut found = records(&output.lines, message);
            found.retain(&fits);
            found
        };
        let what = format!("{count} records `{message}`");
        let ended = bounded(
            &what,
            output.wait_for(|now| now.ended == 2 || found(now).len() >= count),
        )
        .await;
        let found = found(&ended.expect("the readers keep the last output"));
        assert!(found.len() >= count, "{what}; the process ended with {found:?}");
        found
    }

    pub(crate) async fn listening(&self) -> Addresses {
        let mut output = self.output.clone();
        let done = |output: &Output| output.ended == 2 || !records(&output.lines, "listening").is_empty();
        bounded("listening", output.wait_for(done)).await.expect("output");
        let records = self.records("listening");
        let [record] = records.as_slice() else {
            panic!("it doesn't listen:\n{}", self.lines().join("\n"));
        };
        let address = |key: &str| record[key].as_str().map(|text| text.parse().expect("an address"));
        Addresses {
            grpc: address("grpc"),
            rest: address("rest"),
            admin: address("admin"),
        }
    }

    /// The most memory that it had so far, in kB.
    pub(crate) fn peak_memory(&self) -> u64 {
        let id = self.child.as_ref().expect("it runs").id();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let number = line.expect("a peak").trim().trim_end_matches(" kB");
        number.parse().expect("a number")
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let id = self.child.as_ref().expect("it runs").id();
        let pid = Pid::from_raw(id.try_into().expect("a process id")).expect("a process id");
        kill_process(pid, signal).expect("it can be signalled");
    }

    /// Waits for the end, and searches all that was written.
    pub(crate) async fn exit(mut self) -> (ExitStatus, Vec<String>) {
        let mut output = self.output.clone();
        bounded("the end of the output", output.wait_for(|output| output.ended == 2))
            .await
            .expect("the readers keep the last output");
        let mut child = self.child.take().expect("it runs");
        let status = tokio::task::spawn_blocking(move || child.wait().expect("it can be waited for"));
        let status = bounded("the process's end", status).await.expect("no panic");
        let lines = self.lines();
        self.secrets.search("the process's output", &lines.join("\n"));
        libraries_are_quiet(&lines);
        (status, lines)
    }

    /// SIGTERM, and an orderly end.
    pub(crate) async fn stop(self) {
        self.signal(Signal::TERM);
        let (status, lines) = self.exit().await;
        assert_eq!(status.code(), Some(0), "SIGTERM ends it with 0:\n{}", tail(&lines));
        let panics: Vec<&String> = lines.iter().filter(|line| line.contains("panicked")).collect();
        assert!(panics.is_empty(), "it panicked: {panics:?}");
    }
}

/// Nothing outlives its test.
impl Drop for Process {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _gone = child.kill();
            let _gone = child.wait();
            assert!(std::thread::panicking(), "the process was never stopped");
        }
    }
}

fn read(stream: impl Read + Send + 'static, sender: watch::Sender<Output>) {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            sender.send_modify(|output| output.lines.push(line));
        }
        sender.send_modify(|output| output.ended += 1);
    });
}

fn records(lines: &[String], message: &str) -> Vec<Value> {
    let json = lines.iter().filter(|line| line.contains(message));
    json.filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|record| record["message"] == message)
        .collect()
}

/// Below warnings libraries write headers and payloads out, so nobody can turn that on: here everything was asked for.
fn libraries_are_quiet(lines: &[String]) {
    let records = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    for record in records.filter(|record| matches!(record["level"].as_str(), Some("DEBUG" | "INFO" | "TRACE"))) {
        let target = record["target"].as_str().unwrap_or("");
        assert!(target.starts_with("idbridge"), "a library writes: {record}");
    }
}

fn tail(lines: &[String]) -> String {
    lines[lines.len().saturating_sub(40)..].join("\n")
}
