use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use idbridge_source::{ErrorKind, SourceError};
use tokio::sync::watch;

/// A grip on what the database is asked: counts the log-ins that reach it, and answers in its place.
///
/// For tests: no password reaches a database, and a file can't be throttled. Its clones share one state. A source from the
/// settings has a default one, which nobody holds and which keeps no login.
#[derive(Clone, Default)]
pub struct Control(Arc<State>);

/// A log-in whose hash was asked for.
#[derive(Clone, Eq, PartialEq)]
pub struct Submission {
    pub login: String,
}

#[derive(Default)]
struct State {
    fault: Mutex<Option<ErrorKind>>,
    counts: watch::Sender<Counts>,
    submissions: Option<Mutex<Vec<Submission>>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    arrived: usize,
    answered: usize,
}

impl Control {
    /// One that keeps every login that is asked for, so that a test can compare it with what was sent.
    pub fn recording() -> Self {
        Self(Arc::new(State {
            submissions: Some(Mutex::default()),
            ..State::default()
        }))
    }

    /// Every question from now on ends so; `None`: it reaches the database again.
    pub fn inflict(&self, fault: Option<ErrorKind>) {
        *self.0.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    /// The log-ins so far; none unless this is [`recording`](Self::recording).
    pub fn submissions(&self) -> Vec<Submission> {
        let Some(submissions) = &self.0.submissions else {
            return Vec::new();
        };
        submissions.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until so many log-ins have begun.
    pub async fn arrived(&self, count: usize) {
        self.until(|counts| counts.arrived >= count).await;
    }

    /// Waits until so many log-ins have had the database's answer.
    pub async fn answered(&self, count: usize) {
        self.until(|counts| counts.answered >= count).await;
    }

    pub(crate) fn ask(&self, operation: &'static str) -> Result<(), SourceError> {
        match *self.0.fault.lock().unwrap_or_else(PoisonError::into_inner) {
            None => Ok(()),
            Some(kind) => Err(SourceError::new(kind, operation)),
        }
    }

    pub(crate) fn submit(&self, login: &str) {
        if let Some(submissions) = &self.0.submissions {
            let login = login.to_owned();
            let mut submissions = submissions.lock().unwrap_or_else(PoisonError::into_inner);
            submissions.push(Submission { login });
        }
        self.0.counts.send_modify(|counts| counts.arrived += 1);
    }

    pub(crate) fn answer(&self) {
        self.0.counts.send_modify(|counts| counts.answered += 1);
    }

    async fn until(&self, reached: impl Fn(&Counts) -> bool) {
        let mut counts = self.0.counts.subscribe();
        // It can't close: the sender lives in this value.
        let _ = counts.wait_for(|counts| reached(counts)).await;
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control").finish_non_exhaustive()
    }
}

impl fmt::Debug for Submission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Submission(…)")
    }
}
