//! Log records: text on a terminal, JSON elsewhere.

use std::io::IsTerminal as _;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{Layer, Registry};

/// How records are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    Json,
    Text,
}

/// Where records go. Standard output belongs to the answer where a command has one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stream {
    Stderr,
    Stdout,
}

/// Starts logging for the process. A second call changes nothing.
pub fn init(level: LevelFilter, format: Format, stream: Stream) {
    let terminal = match stream {
        Stream::Stderr => std::io::stderr().is_terminal(),
        Stream::Stdout => std::io::stdout().is_terminal(),
    };
    let json = match format {
        Format::Auto => !terminal,
        Format::Json => true,
        Format::Text => false,
    };
    let layer: Box<dyn Layer<Registry> + Send + Sync> = match (json, stream) {
        (true, Stream::Stdout) => tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .boxed(),
        (true, Stream::Stderr) => tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .with_writer(std::io::stderr)
            .boxed(),
        (false, Stream::Stdout) => tracing_subscriber::fmt::layer().with_ansi(terminal).boxed(),
        (false, Stream::Stderr) => tracing_subscriber::fmt::layer()
            .with_ansi(terminal)
            .with_writer(std::io::stderr)
            .boxed(),
    };
    let subscriber = Registry::default().with(layer.with_filter(targets(level)));
    // A process logs once; tests that share one may come second.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// What is logged at this level. Our own records follow it; the libraries below us stop at warnings whatever is asked,
/// since at their lower levels they write headers and payloads out.
pub fn targets(level: LevelFilter) -> Targets {
    Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target("idbridge", level)
        .with_target("idbridge_okta_simulator", level.min(LevelFilter::WARN))
}
