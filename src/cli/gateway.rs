//! `gateway`: the gateway alone.

use std::path::PathBuf;

use url::Url;

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
    #[arg(long, value_name = "URL", value_parser = super::parse_broker)]
    upstream: Url,
}

pub(crate) fn run(args: &Args, environment: Environment) -> Exit {
    let level = runtime::rust_log(&environment);
    let config = match config::load_gateway(&args.config, environment) {
        Ok(config) => config,
        Err(mistakes) => {
            output::error(&output::mistakes(&mistakes));
            return Exit::Usage;
        }
    };
    runtime::log(&config.log, level, Stream::Stdout);
    runtime::serve(|stop| app::gateway(config, &args.upstream, stop, runtime::log_listening))
}
