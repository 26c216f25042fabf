//! The control runtime that every command with something to wait for runs in, and the signals that stop it.

use std::future::Future;
use std::io;

use tokio::sync::mpsc;
use tracing_subscriber::filter::LevelFilter;

use super::{Environment, Exit, output};
use crate::app::{self, Addresses, Stop};
use crate::config::{Log, LogFormat};
use crate::telemetry::log::{self, Format, Logging, Stream};

/// Runs to the end on this thread; `None` if there is no runtime to be had.
pub(super) fn block_on<T>(future: impl Future<Output = T>) -> Option<T> {
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => Some(runtime.block_on(future)),
        Err(error) => {
            output::error(&format!("the runtime can't be started: {error}"));
            None
        }
    }
}

/// Every `SIGTERM` and `SIGINT` from now on.
pub(super) fn stop_signals() -> io::Result<Stop> {
    use tokio::signal::unix::{SignalKind, signal};
    let (sender, stop) = mpsc::unbounded_channel();
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let (mut signals, sender) = (signal(kind)?, sender.clone());
        tokio::spawn(async move { while signals.recv().await.is_some() && sender.send(()).is_ok() {} });
    }
    Ok(stop)
}

/// The level that `$RUST_LOG` asks for, which comes before `log.level`: for one run, without touching the settings.
pub(super) fn rust_log(environment: &Environment) -> Option<LevelFilter> {
    let (_, value) = environment.iter().find(|(name, _)| name == "RUST_LOG")?;
    value.to_str()?.parse().ok()
}

/// Starts logging as the settings say, until the command ends.
pub(super) fn log(settings: &Log, level: Option<LevelFilter>, stream: Stream) -> Logging {
    let format = match settings.format {
        LogFormat::Auto => Format::Auto,
        LogFormat::Json => Format::Json,
        LogFormat::Text => Format::Text,
    };
    log::init(level.unwrap_or(settings.level.into()), format, stream)
}

/// The one record that tells where the process listens.
pub(super) fn log_listening(addresses: &Addresses) {
    let text = |address: Option<std::net::SocketAddr>| address.map(|address| address.to_string());
    tracing::info!(
        grpc = text(addresses.grpc),
        rest = text(addresses.rest),
        admin = text(addresses.admin),
        "listening"
    );
}

/// Serves until it is told to stop. What keeps it from starting is for the operator to mend.
pub(super) fn serve<S>(start: impl FnOnce(Stop) -> S) -> Exit
where
    S: Future<Output = Result<(), app::Error>>,
{
    let served = block_on(async {
        let stop = stop_signals().map_err(|error| app::Error::Start(format!("signals can't be received: {error}")))?;
        start(stop).await
    });
    match served {
        Some(Ok(())) => Exit::Fine,
        Some(Err(error)) => {
            tracing::error!(%error, "The process can't start.");
            output::error(&error.to_string());
            Exit::Usage
        }
        None => Exit::Unknown,
    }
}
