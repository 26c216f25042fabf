//! `gateway`: the gateway alone.

use std::path::PathBuf;

use super::{Environment, Exit, output, runtime};
use crate::telemetry::log::Stream;
use crate::{app, config};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  idbridge gateway --config idbridge.toml --upstream https://broker.internal:50051")]
pub(crate) struct Args {
    /// The settings file; only [rest], [admin] and [log] count
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The broker's gRPC listener
    #[arg(long, value_name = "URL")]
    upstream: String,
    /// Take http beyond loopback: keys and passwords then cross the network as they are, unless a proxy ends TLS
    #[arg(long)]
    plaintext: bool,
}

pub(crate) fn run(args: &Args, environment: Environment) -> Exit {
    let upstream = match super::parse_broker(&args.upstream, args.plaintext) {
        Ok(upstream) => upstream,
        Err(problem) => {
            output::error(&format!("--upstream: {problem}"));
            return Exit::Usage;
        }
    };
    let level = runtime::rust_log(&environment);
    let config = match super::settings(config::load_gateway(&args.config, environment)) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    let log = runtime::log(&config.log, level, Stream::Stdout);
    runtime::serve(|stop| app::gateway(config, &upstream, log.lost(), stop, runtime::log_listening))
}
