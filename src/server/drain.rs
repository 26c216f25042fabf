//! An ordered stop: no new connection, no new request, and what is in flight runs to its end.
//!
//! Before it begins, health must say so: that is the composition root's.

use std::fmt;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// How long connections that are cut have to notice.
const CUT: Duration = Duration::from_secs(1);

/// One for all listeners; clones are the same drain.
#[derive(Clone, Debug, Default)]
pub struct Drain {
    begun: CancellationToken,
    cut: CancellationToken,
    open: TaskTracker,
}

/// The stop wasn't orderly: this many connections still had requests in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    pub connections: usize,
}

impl Drain {
    /// Listeners close, HTTP/2 connections get a GOAWAY, HTTP/1 answers a `Connection: close`, idle connections close.
    pub fn begin(&self) {
        self.begun.cancel();
        self.open.close();
    }

    /// Ends everything at once: what a second signal does.
    pub fn cut(&self) {
        self.begin();
        self.cut.cancel();
    }

    /// Begins, waits until the last connection has closed, and cuts what is left after `grace`.
    pub async fn finished(&self, grace: Duration) -> Result<(), Cut> {
        self.begin();
        tokio::select! {
            biased;
            () = self.open.wait() => return Ok(()),
            () = self.cut.cancelled() => {}
            () = tokio::time::sleep(grace) => {}
        }
        let connections = self.open.len();
        self.cut();
        // A handler that blocks its thread never notices; the process ends without it.
        let _ = tokio::time::timeout(CUT, self.open.wait()).await;
        Err(Cut { connections })
    }

    /// Connections, and listeners, that are open.
    pub fn open(&self) -> usize {
        self.open.len()
    }

    /// Resolves when the drain has begun and the last connection has closed.
    pub async fn closed(&self) {
        self.open.wait().await;
    }

    /// Resolves when the drain begins.
    pub async fn begun(&self) {
        self.begun.cancelled().await;
    }

    /// Resolves when everything must end.
    pub(super) async fn is_cut(&self) {
        self.cut.cancelled().await;
    }

    /// Counts as open until it is dropped.
    pub(super) fn hold(&self) -> TaskTrackerToken {
        self.open.token()
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} connections were cut with requests in flight", self.connections)
    }
}

impl std::error::Error for Cut {}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waits_for_what_is_open() {
        let drain = Drain::default();
        let held = drain.hold();
        let finished = tokio::spawn({
            let drain = drain.clone();
            async move { drain.finished(Duration::from_secs(30)).await }
        });
        drain.begun().await;
        tokio::time::advance(Duration::from_secs(29)).await;
        drop(held);
        assert_eq!(finished.await.unwrap(), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn cuts_after_the_grace() {
        let drain = Drain::default();
        let _held = drain.hold();
        assert_eq!(
            drain.finished(Duration::from_secs(30)).await,
            Err(Cut { connections: 1 })
        );
        drain.is_cut().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_signal_cuts_at_once() {
        let drain = Drain::default();
        let _held = drain.hold();
        let started = tokio::time::Instant::now();
        drain.begin();
        drain.cut();
        assert_eq!(
            drain.finished(Duration::from_secs(30)).await,
            Err(Cut { connections: 1 })
        );
        assert!(started.elapsed() <= CUT);
    }
}
