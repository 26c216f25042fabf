//! What a call costs: the shipped broker beside a naive pass-through, each row in five interleaved rounds.
//!
//! One binary. What is measured, and what answers it, runs in processes of its own (hidden subcommands), so that CPU
//! time is counted for each; the load comes from the main process.

mod bad_plugin;
mod bare;
mod broker;
mod cli;
mod context;
mod delay_proxy;
mod echo;
mod instructions;
mod load;
mod nginx;
mod process;
mod processors;
mod report;
mod round_trips;
mod row;
mod rows;
mod run;
mod upstream;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Cli, Role};

/// Why a row has no figure: a wrong answer, or a process that failed.
type Error = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let ended = match cli.role {
        Some(Role::BadPlugin) => bad_plugin::serve().map(|()| ExitCode::SUCCESS),
        Some(Role::Bare(args)) => bare::serve(&args).map(|()| ExitCode::SUCCESS),
        Some(Role::Broker(args)) => Ok(broker::serve(args)),
        Some(Role::DelayProxy(args)) => delay_proxy::serve(args).map(|()| ExitCode::SUCCESS),
        Some(Role::Echo(args)) => echo::serve(args).map(|()| ExitCode::SUCCESS),
        Some(Role::Instructions(args)) => instructions::run(&args),
        Some(Role::RoundTrips(args)) => round_trips::run(&args).map(|()| ExitCode::SUCCESS),
        Some(Role::Upstream(args)) => upstream::serve(args).map(|()| ExitCode::SUCCESS),
        Some(Role::Work(args)) => instructions::work(&args).map(|()| ExitCode::SUCCESS),
        None => run::run(&cli.options),
    };
    ended.unwrap_or_else(|error| {
        // Nobody is left to tell.
        let _closed = writeln!(std::io::stderr().lock(), "idbridge-bench: {error}");
        ExitCode::from(2)
    })
}
