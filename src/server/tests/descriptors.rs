//! Out of file descriptors: the acceptor waits, and nearly idly.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::process::Command;

use super::*;

/// How many descriptors the process may have in which the test runs.
const LIMIT: u64 = 64;

#[test]
fn running_out_costs_nothing_and_passes() {
    if limit() > LIMIT {
        // The limit is the whole process's, so it takes one of its own: this test alone, once more.
        let this = std::thread::current().name().unwrap().to_owned();
        let output = Command::new("sh")
            .args(["-c", &format!("ulimit -n {LIMIT} && exec \"$@\""), "sh"])
            .arg(std::env::current_exe().unwrap())
            .args([&this, "--exact", "--nocapture"])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && text.contains("1 passed"),
            "{text}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        return;
    }
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(run_out());
}

async fn run_out() {
    let running = run(listener(), Protocol::Rest, workers(1, numbered));
    let mut cpu = File::open("/proc/self/stat").unwrap();

    // All but one; the client takes that.
    let mut taken = Vec::new();
    let exhausted = loop {
        match File::open("/dev/null") {
            Ok(file) => taken.push(file),
            Err(error) => break error,
        }
    };
    assert_eq!(exhausted.raw_os_error(), Some(24), "EMFILE");
    taken.pop();
    let mut client = TcpStream::connect(running.address).await.unwrap();
    client
        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();

    let before = cpu_time(&mut cpu);
    let mut answer = String::new();
    let waited = Duration::from_secs(3);
    tokio::time::timeout(waited, client.read_to_string(&mut answer))
        .await
        .expect_err("there is no descriptor for it");
    let used = cpu_time(&mut cpu) - before;
    assert!(used < waited / 10, "{used:?} of CPU in {waited:?}");

    taken.clear();
    let recovery = std::time::Instant::now();
    in_time(client.read_to_string(&mut answer)).await.unwrap();
    assert_eq!(body(&answer), "0");
    assert!(recovery.elapsed() < Duration::from_secs(2), "{:?}", recovery.elapsed());
}

/// The soft limit on open files of this process.
fn limit() -> u64 {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    line.split_whitespace().nth(3).unwrap().parse().unwrap_or(u64::MAX)
}

/// User and system time of this process (proc_pid_stat(5), fields 14 and 15, in hundredths of a second).
fn cpu_time(stat: &mut File) -> Duration {
    let mut text = String::new();
    stat.rewind().unwrap();
    stat.read_to_string(&mut text).unwrap();
    let fields: Vec<&str> = text.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}
