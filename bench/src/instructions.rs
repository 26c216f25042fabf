//! How many instructions the work of a call takes, counted by callgrind, beside those recorded in `instructions.json`.
//!
//! Each subject runs in a process of its own, once and again with twice the work. The difference is the work alone: what
//! starts and ends a process is in both.

mod ada;
mod callgrind;
mod subjects;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::process::{Command, ExitCode};

use serde::{Deserialize, Serialize};

use crate::Error;
use subjects::Subject;

const RECORD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.json");

/// How often a subject's work is done, and once more as often.
const TIMES: usize = 1000;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Record the figures in bench/instructions.json
    #[arg(long)]
    write: bool,
}

/// What a process under callgrind does.
#[derive(Debug, clap::Args)]
pub(crate) struct Work {
    subject: String,
    #[arg(long)]
    times: usize,
}

/// What was counted, and by whom what was counted is compiled: another compiler writes other instructions.
#[derive(Debug, Default, Deserialize, PartialEq, Serialize)]
struct Record {
    compiler: String,
    /// Of one call, by subject.
    instructions: BTreeMap<String, u64>,
}

/// Whatever the figures are, they fail nothing. A wrong result is an error.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Error> {
    if cfg!(debug_assertions) {
        return Err("build with --release: other figures mean nothing".into());
    }
    let mut all = BTreeMap::new();
    for subject in &subjects::ALL {
        all.insert(subject.name.to_owned(), instructions(subject)?);
    }
    let counted = Record {
        compiler: compiler()?,
        instructions: all,
    };
    let recorded = Record::read()?;
    write!(io::stdout().lock(), "{}", table(&counted, &recorded))?;
    if args.write {
        fs::write(RECORD, format!("{}\n", serde_json::to_string_pretty(&counted)?))?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn work(work: &Work) -> Result<(), Error> {
    let subject = subjects::ALL.iter().find(|subject| subject.name == work.subject);
    let subject = subject.ok_or_else(|| format!("there is no subject {}", work.subject))?;
    (subject.run)(work.times)
}

/// Of one call.
fn instructions(subject: &Subject) -> Result<u64, Error> {
    let bench = std::env::current_exe()?;
    let total = |times: usize| callgrind::total(&bench, &["work", subject.name, "--times", &times.to_string()]);
    let more = total(2 * TIMES)?.checked_sub(total(TIMES)?);
    let more = more.ok_or_else(|| format!("{}: twice the work took less", subject.name))?;
    let times = u64::try_from(TIMES)?;
    Ok((more + times / 2) / times)
}

fn compiler() -> Result<String, Error> {
    let said = Command::new("rustc").arg("--version").output();
    let said = said.map_err(|error| format!("rustc --version: {error}"))?;
    Ok(String::from_utf8(said.stdout)?.trim().to_owned())
}

impl Record {
    /// Empty if nothing was recorded yet.
    fn read() -> Result<Self, Error> {
        match fs::read(RECORD) {
            Ok(text) => Ok(serde_json::from_slice(&text)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error.into()),
        }
    }
}

fn table(counted: &Record, recorded: &Record) -> String {
    let mut table = format!(
        "{:<16} | {:>12} | {:>8} | {:>8} | work\n",
        "subject", "instructions", "baseline", "change"
    );
    for subject in &subjects::ALL {
        let of = |record: &Record| record.instructions.get(subject.name).copied();
        let cell = |count: Option<u64>| count.map_or("-".to_owned(), |count| count.to_string());
        let (now, before) = (of(counted), of(recorded));
        table.push_str(&format!(
            "{:<16} | {:>12} | {:>8} | {:>8} | {}\n",
            subject.name,
            cell(now),
            cell(before),
            now.zip(before)
                .map_or("-".to_owned(), |(now, before)| change(now, before)),
            subject.work
        ));
    }
    if !recorded.compiler.is_empty() && recorded.compiler != counted.compiler {
        let (here, there) = (&counted.compiler, &recorded.compiler);
        table.push_str(&format!("The baseline is {there}'s, and this is {here}'s.\n"));
    }
    table
}

fn change(now: u64, before: u64) -> String {
    let (now, before) = (now as f64, before as f64);
    format!("{:+.2} %", (now - before) / before * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(compiler: &str, counts: &[(&str, u64)]) -> Record {
        let counts = counts.iter().map(|(name, count)| ((*name).to_owned(), *count));
        Record {
            compiler: compiler.to_owned(),
            instructions: counts.collect(),
        }
    }

    #[test]
    fn every_subject_is_right() {
        for subject in &subjects::ALL {
            (subject.run)(2).unwrap_or_else(|error| panic!("{}: {error}", subject.name));
        }
    }

    #[test]
    fn every_subject_has_a_baseline() {
        let recorded = Record::read().expect("a record");
        let mut names = subjects::ALL.map(|subject| subject.name);
        names.sort_unstable();
        assert!(recorded.instructions.keys().eq(names), "{recorded:?}");
    }

    #[test]
    fn a_change_is_in_percent_of_the_baseline() {
        let table = |there, before: &[(&str, u64)]| table(&record("a", &[("route", 1030)]), &record(there, before));
        let row = |table: &str| {
            let row = table.lines().find(|line| line.starts_with("route ")).expect("a row");
            row.split('|').take(4).map(str::trim).collect::<Vec<_>>().join("|")
        };
        assert_eq!(row(&table("a", &[("route", 1000)])), "route|1030|1000|+3.00 %");
        assert_eq!(row(&table("a", &[("route", 2060)])), "route|1030|2060|-50.00 %");
        assert_eq!(row(&table("", &[])), "route|1030|-|-");
        assert!(!table("a", &[]).contains("baseline is"));
        assert!(table("b", &[]).ends_with("The baseline is b's, and this is a's.\n"));
    }
}
