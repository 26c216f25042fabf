//! The command line.

use std::path::PathBuf;

use crate::{bare, broker, delay_proxy, echo, instructions, round_trips, upstream};

#[derive(Debug, clap::Parser)]
#[command(
    name = "idbridge-bench",
    about = "What a call costs: the shipped broker beside a naive pass-through"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) options: Options,
    #[command(subcommand)]
    pub(crate) role: Option<Role>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// One round with few calls, and no bars: whether every answer is right
    #[arg(long)]
    pub(crate) short: bool,
    /// How many rounds; the calls of a row are shared out among them
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub(crate) rounds: u16,
    /// Only these rows
    #[arg(long, value_name = "NAME", num_args = 1..)]
    pub(crate) row: Vec<String>,
    /// Measure only: a missed bar is no failure
    #[arg(long)]
    pub(crate) no_bars: bool,
    /// Write the figures here as well
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Write docs/performance.md's table and docs/performance.json, as a run of all rows does
    #[arg(long)]
    pub(crate) write_docs: bool,
}

/// What a process of the bench is, beside the one that runs the rows.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Role {
    /// A source whose answers are none
    #[command(hide = true)]
    BadPlugin,
    /// The naive pass-through
    #[command(hide = true)]
    Bare(bare::Args),
    /// `idbridge serve` with every kind of source
    #[command(hide = true)]
    Broker(broker::Args),
    /// A TCP proxy that delays
    #[command(hide = true)]
    DelayProxy(delay_proxy::Args),
    /// A gRPC service that asks nobody
    #[command(hide = true)]
    Echo(echo::Args),
    /// Count the instructions that the work of a call takes, and compare them with those recorded
    Instructions(instructions::Args),
    /// A client of the gRPC service that asks nobody
    #[command(hide = true)]
    RoundTrips(round_trips::Args),
    /// A source that answers like Okta
    #[command(hide = true)]
    Upstream(upstream::Args),
    /// What `instructions` counts
    #[command(hide = true)]
    Work(instructions::Work),
}
