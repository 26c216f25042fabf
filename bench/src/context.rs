//! What every row is given: the programs, a folder, how much to do, and a source to ask.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::Error;
use crate::cli::Options;
use crate::load::http;
use crate::process::Process;

pub(crate) struct Context {
    /// The shipped binary.
    pub(crate) idbridge: PathBuf,
    /// This binary.
    pub(crate) bench: PathBuf,
    /// For settings and logs.
    pub(crate) folder: TempDir,
    pub(crate) short: bool,
    pub(crate) rounds: usize,
}

impl Context {
    /// Builds the shipped binary as it ships.
    pub(crate) fn new(options: &Options) -> Result<Self, Error> {
        let bench = std::env::current_exe()?;
        let release = bench.parent().ok_or("the bench lies in no folder")?;
        if !release.ends_with("release") {
            return Err("build with --release: other figures mean nothing".into());
        }
        let target = release.parent().ok_or("the bench lies in no target folder")?;
        build(target)?;
        Ok(Self {
            idbridge: release.join("idbridge"),
            folder: TempDir::with_prefix("idbridge-bench-")?,
            short: options.short,
            rounds: if options.short { 1 } else { usize::from(options.rounds) },
            bench,
        })
    }

    /// How many of a row's calls are one round's.
    pub(crate) fn calls(&self, row: usize) -> usize {
        if self.short { 1000 } else { row / self.rounds }
    }

    /// A process of the bench itself.
    pub(crate) fn role(&self, args: &[&str]) -> Result<(Process, Value), Error> {
        Process::start(Command::new(&self.bench).args(args))
    }

    /// A new source, with counts at zero.
    pub(crate) fn upstream(&self, args: &[&str]) -> Result<Upstream, Error> {
        let (process, ready) = self.role(&[&["upstream", "--listen", "127.0.0.1:0"], args].concat())?;
        Ok(Upstream {
            address: address(&ready)?,
            ready,
            _process: process,
        })
    }
}

/// The address in a process's ready line.
pub(crate) fn address(ready: &Value) -> Result<SocketAddr, Error> {
    let text = ready["listening"]
        .as_str()
        .ok_or("a process doesn't say where it listens")?;
    Ok(text.parse()?)
}

/// The source's process.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    pub(crate) ready: Value,
    _process: Process,
}

impl Upstream {
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) async fn counts(&self) -> Result<Value, Error> {
        http::get(self.address, "/_bench/counts").await
    }
}

fn build(target: &Path) -> Result<(), Error> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let status = Command::new("cargo")
        .args([
            "build",
            "--quiet",
            "--release",
            "--locked",
            "--package",
            "idbridge",
            "--bin",
            "idbridge",
        ])
        .args(["--manifest-path", manifest])
        .arg("--target-dir")
        .arg(target)
        .status()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("idbridge can't be built: {status}").into())
    }
}
