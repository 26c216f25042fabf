//! Processes that are measured, and what the kernel says of them.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::Error;

/// A process of ours. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    /// Closed with us, so that a process ends when the bench is killed.
    _stdin: Option<ChildStdin>,
    _stdout: Option<BufReader<ChildStdout>>,
}

impl Process {
    /// Starts it and reads the one line of JSON that it writes when it is ready.
    pub(crate) fn start(command: &mut Command) -> Result<(Self, Value), Error> {
        let mut process = Self::spawn(command.stdout(Stdio::piped()))?;
        let stdout = process.child.stdout.take().ok_or("a process without its output")?;
        let mut stdout = BufReader::new(stdout);
        let mut line = String::new();
        stdout.read_line(&mut line)?;
        let ready = serde_json::from_str(&line).map_err(|_| format!("{command:?} didn't start: {line:?}"))?;
        process._stdout = Some(stdout);
        Ok((process, ready))
    }

    /// Starts it; its output is the caller's affair.
    pub(crate) fn spawn(command: &mut Command) -> Result<Self, Error> {
        let mut child = command.stdin(Stdio::piped()).spawn()?;
        Ok(Self {
            _stdin: child.stdin.take(),
            _stdout: None,
            child,
        })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// An error if it has ended.
    pub(crate) fn check(&mut self) -> Result<(), Error> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => Err(format!("a process ended: {status}").into()),
        }
    }

    /// What its threads ran.
    pub(crate) fn cpu(&self) -> Result<Duration, Error> {
        cpu(self.pid())
    }

    /// Bytes in memory now.
    pub(crate) fn resident(&self) -> Result<u64, Error> {
        self.memory("VmRSS:")
    }

    /// The most bytes in memory so far.
    pub(crate) fn peak_resident(&self) -> Result<u64, Error> {
        self.memory("VmHWM:")
    }

    fn memory(&self, key: &str) -> Result<u64, Error> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(key));
        let text = line.ok_or("a process without its memory")?;
        let kilobytes: u64 = text.trim().trim_end_matches(" kB").parse()?;
        Ok(kilobytes * 1024)
    }
}

/// What the threads of a process ran, user and system, in nanoseconds' resolution. Threads that have ended aren't counted:
/// what is measured here keeps its threads.
pub(crate) fn cpu(pid: u32) -> Result<Duration, Error> {
    let mut nanoseconds = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let path = task?.path().join("schedstat");
        // A thread may end between the two reads.
        let Ok(text) = fs::read_to_string(path) else { continue };
        let ran = text.split_ascii_whitespace().next().ok_or("an empty schedstat")?;
        nanoseconds += ran.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}

impl Drop for Process {
    fn drop(&mut self) {
        // An error is a process that has just ended.
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_tells_when_it_is_ready_and_what_it_used() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo '{\"a\":1}'; cat"]);
        let (mut process, ready) = Process::start(&mut command).expect("it starts");
        assert_eq!(ready["a"], 1);
        assert!(process.cpu().expect("CPU time") > Duration::ZERO);
        assert!(process.peak_resident().expect("a peak") >= process.resident().expect("memory"));
        process.check().expect("it runs");
    }

    #[test]
    fn a_process_that_says_nothing_is_an_error() {
        assert!(Process::start(Command::new("true").arg("x")).is_err());
    }
}
