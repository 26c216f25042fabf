//! `serve`: the broker and the gateway.

use std::path::PathBuf;

use idbridge_source::SecretFiles;

use super::{Environment, Exit, runtime};
use crate::telemetry::log::Stream;
use crate::{app, config, sources};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  idbridge serve --config idbridge.toml\n  \
                        IDBRIDGE_GRPC__LISTEN=127.0.0.1:0 idbridge serve --config idbridge.toml")]
pub(crate) struct Args {
    /// The settings file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

pub(crate) fn run(args: &Args, environment: Environment) -> Exit {
    let level = runtime::rust_log(&environment);
    let config = match super::settings(config::load(
        &args.config,
        environment,
        &sources::registry(),
        SecretFiles::Read,
    )) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    let log = runtime::log(&config.log, level, Stream::Stdout);
    runtime::serve(|stop| app::serve(config, log.lost(), stop, runtime::log_listening))
}
