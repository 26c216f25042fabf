//! Log records: text on a terminal, JSON elsewhere.

mod json;

use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::time::Duration;

use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{Layer, Registry};

use super::audit;
use json::{Json, JsonFields};

/// Bytes that are written at once.
const BATCH: usize = 64 * 1024;
/// How long a record may wait for others.
const REST: Duration = Duration::from_millis(5);

/// Records that may wait to be written: those of a second at some thousand calls. Each place takes memory from the start
/// on, and a record as long as it waits.
const WAITING: usize = 16 * 1024;

/// How long the end waits for records to be written: a little longer than the writer's own guard does.
const LAST_WORDS: Duration = Duration::from_millis(1500);

/// Logging, until it is dropped: what is waiting then is still written, for as long as somebody reads.
#[derive(Debug)]
pub struct Logging {
    lost: Lost,
    writer: Option<WorkerGuard>,
}

/// How many records were lost because nobody took them.
#[derive(Clone, Debug)]
pub struct Lost(ErrorCounter);

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
///
/// Records are written by a thread of their own. If nobody reads them, the process goes on and loses records rather than
/// calls.
pub fn init(level: LevelFilter, format: Format, stream: Stream) -> Logging {
    let terminal = match stream {
        Stream::Stderr => std::io::stderr().is_terminal(),
        Stream::Stdout => std::io::stdout().is_terminal(),
    };
    let json = match format {
        Format::Auto => !terminal,
        Format::Json => true,
        Format::Text => false,
    };
    let appender = NonBlockingBuilder::default().buffered_lines_limit(WAITING);
    let (writer, guard) = match stream {
        Stream::Stderr => appender.finish(Batched::new(std::io::stderr())),
        Stream::Stdout => appender.finish(Batched::new(std::io::stdout())),
    };
    let lost = Lost(writer.error_counter());
    let layer = tracing_subscriber::fmt::layer().with_writer(writer);
    let layer: Box<dyn Layer<Registry> + Send + Sync> = if json {
        layer.event_format(Json).fmt_fields(JsonFields).boxed()
    } else {
        layer.with_ansi(terminal).boxed()
    };
    let subscriber = Registry::default().with(layer.with_filter(targets(level)));
    // A process logs once; tests that share one may come second.
    let _ = tracing::subscriber::set_global_default(subscriber);
    // The default hook prints the message, which may quote what was sent to us.
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string);
        tracing::error!(location, "A bug: the code panicked.");
    }));
    Logging {
        lost,
        writer: Some(guard),
    }
}

impl Logging {
    pub fn lost(&self) -> Lost {
        self.lost.clone()
    }
}

/// In a thread that may stay behind: the guard of a writer that is stuck prints that it is, to the same full pipe.
impl Drop for Logging {
    fn drop(&mut self) {
        let writer = self.writer.take();
        let (written, wait) = std::sync::mpsc::channel::<()>();
        let last = std::thread::Builder::new().spawn(move || {
            drop(writer);
            drop(written);
        });
        if last.is_ok() {
            let _ = wait.recv_timeout(LAST_WORDS);
        }
    }
}

impl Lost {
    pub fn count(&self) -> u64 {
        u64::try_from(self.0.dropped_lines()).unwrap_or(u64::MAX)
    }
}

/// Writes what has come together, and rests.
///
/// The writing thread flushes when it has nothing left to write. Without a rest it would sleep right then, and each
/// record of a call would have to wake it: a system call for the call's own thread, and one more for its line.
struct Batched<W: Write>(BufWriter<W>);

impl<W: Write> Batched<W> {
    fn new(stream: W) -> Self {
        Self(BufWriter::with_capacity(BATCH, stream))
    }
}

impl<W: Write> Write for Batched<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()?;
        std::thread::sleep(REST);
        Ok(())
    }
}

/// What is logged at this level. Our own records follow it; the libraries below us stop at warnings whatever is asked,
/// since at their lower levels they write headers and payloads out.
pub fn targets(level: LevelFilter) -> Targets {
    Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target("idbridge", level)
        // An attempt is recorded whatever else is of interest.
        .with_target(audit::TARGET, level.max(LevelFilter::INFO))
        .with_target("idbridge_okta_simulator", level.min(LevelFilter::WARN))
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn libraries_are_quiet_and_attempts_are_recorded_at_every_level() {
        for level in [
            LevelFilter::OFF,
            LevelFilter::ERROR,
            LevelFilter::WARN,
            LevelFilter::TRACE,
        ] {
            let targets = targets(level);
            assert!(targets.would_enable(audit::TARGET, &Level::INFO), "{level}");
            for library in ["h2", "hyper", "hyper_util", "rustls", "tonic"] {
                assert!(!targets.would_enable(library, &Level::INFO), "{library} at {level}");
            }
        }
        assert!(targets(LevelFilter::TRACE).would_enable("idbridge_source::call", &Level::TRACE));
        assert!(!targets(LevelFilter::WARN).would_enable("idbridge::grpc", &Level::INFO));
    }
}
