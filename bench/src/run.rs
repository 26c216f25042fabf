//! The run: every row in every round, one after the other, and what came of it.

use std::io::{self, Write as _};
use std::process::ExitCode;

use crate::Error;
use crate::cli::Options;
use crate::context::Context;
use crate::report::{Outcome, Report};
use crate::row::Row;
use crate::rows;

/// 1: a bar is missed. 2: an answer was wrong, or a process failed.
pub(crate) fn run(options: &Options) -> Result<ExitCode, Error> {
    let rows = chosen(&options.row)?;
    let context = Context::new(options)?;
    // The load's one thread: it costs the same whoever is measured.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcomes = runtime.block_on(measure(&context, &rows))?;
    let report = Report::new(&context, outcomes);

    let mut out = io::stdout().lock();
    write!(out, "{}", report.table())?;
    if let Some(path) = &options.json {
        std::fs::write(path, report.json()?)?;
    }
    let whole = !options.short && options.row.is_empty() && options.rounds == 5;
    if options.write_docs || whole {
        report.write_docs()?;
    }
    for wrong in report.wrong() {
        writeln!(out, "WRONG {wrong}")?;
    }
    let judged = !options.no_bars && !options.short;
    for missed in report.missed().filter(|_| judged) {
        writeln!(out, "MISSED {missed}")?;
    }
    writeln!(out, "{}", report.tally())?;
    Ok(if report.wrong().next().is_some() {
        ExitCode::from(2)
    } else if judged && report.missed().next().is_some() {
        ExitCode::from(1)
    } else {
        ExitCode::SUCCESS
    })
}

fn chosen(names: &[String]) -> Result<Vec<Box<dyn Row>>, Error> {
    let mut rows = rows::all();
    if let Some(unknown) = names.iter().find(|name| !rows.iter().any(|row| row.name() == *name)) {
        let known: Vec<&str> = rows.iter().map(|row| row.name()).collect();
        return Err(format!("there is no row {unknown}; there are {}", known.join(", ")).into());
    }
    rows.retain(|row| names.is_empty() || names.iter().any(|name| name == row.name()));
    Ok(rows)
}

/// A row that was wrong once isn't asked again.
async fn measure(context: &Context, rows: &[Box<dyn Row>]) -> Result<Vec<Outcome>, Error> {
    let mut outcomes: Vec<Outcome> = rows.iter().map(|row| Outcome::new(row.as_ref())).collect();
    for round in 0..context.rounds {
        for (row, outcome) in rows.iter().zip(&mut outcomes) {
            if outcome.wrong.is_none() {
                outcome.add(row.round(context, round).await);
                writeln!(io::stderr().lock(), "round {} {}", round + 1, outcome.last())?;
            }
        }
    }
    Ok(outcomes)
}
