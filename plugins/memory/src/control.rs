use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use idbridge_source::{ErrorKind, SourceError};
use tokio::sync::watch;

/// A grip on the upstream that a memory source hasn't got: breaks it, and counts what reached it.
///
/// For tests. Its clones share one state. A source from the settings has a default one, which nobody holds.
#[derive(Clone)]
pub struct Control(Arc<State>);

/// What goes wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// Our credential is refused.
    CredentialRefused,
    /// The answer can't be read.
    Garbage,
    /// No answer comes until [`Control::heal`].
    Hang,
    /// Patience is asked for.
    Throttled,
    /// Nobody is there.
    Unavailable,
}

/// A password that was checked.
#[derive(Clone, Eq, PartialEq)]
pub struct Submission {
    pub login: String,
    pub password: String,
}

struct State {
    fault: watch::Sender<Option<Fault>>,
    counts: watch::Sender<Counts>,
    /// `None` outside of tests: a password isn't kept.
    submissions: Option<Mutex<Vec<Submission>>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    arrived: usize,
    answered: usize,
}

impl Control {
    /// One that keeps every password that is submitted, so that a test can compare it with what was sent.
    pub fn recording() -> Self {
        Self::with(Some(Mutex::default()))
    }

    /// Every question from now on meets this fault.
    pub fn inflict(&self, fault: Fault) {
        self.0.fault.send_replace(Some(fault));
    }

    /// All is well again, for questions that hang too.
    pub fn heal(&self) {
        self.0.fault.send_replace(None);
    }

    /// The passwords submitted so far; none unless this is [`recording`](Self::recording).
    pub fn submissions(&self) -> Vec<Submission> {
        let Some(submissions) = &self.0.submissions else {
            return Vec::new();
        };
        submissions.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until so many passwords have been submitted.
    pub async fn arrived(&self, count: usize) {
        self.until(|counts| counts.arrived >= count).await;
    }

    /// Waits until so many submitted passwords have been answered.
    pub async fn answered(&self, count: usize) {
        self.until(|counts| counts.answered >= count).await;
    }

    /// Where an upstream would be asked. Passes when it answers.
    pub(crate) async fn ask(&self, operation: &'static str) -> Result<(), SourceError> {
        let mut fault = self.0.fault.subscribe();
        // The sender lives in this value, so that waiting can only end with a change.
        let met = match fault.wait_for(|fault| *fault != Some(Fault::Hang)).await {
            Ok(fault) => *fault,
            Err(_closed) => None,
        };
        let kind = match met {
            None | Some(Fault::Hang) => return Ok(()),
            Some(Fault::CredentialRefused) => ErrorKind::CredentialRefused,
            Some(Fault::Garbage) => ErrorKind::Protocol,
            Some(Fault::Throttled) => ErrorKind::Throttled {
                retry_after: Some(Duration::from_secs(1)),
            },
            Some(Fault::Unavailable) => ErrorKind::Unavailable { retry_after: None },
        };
        Err(SourceError::new(kind, operation))
    }

    pub(crate) fn submit(&self, login: &str, password: &str) {
        if let Some(submissions) = &self.0.submissions {
            submissions
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(Submission {
                    login: login.to_owned(),
                    password: password.to_owned(),
                });
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

    fn with(submissions: Option<Mutex<Vec<Submission>>>) -> Self {
        Self(Arc::new(State {
            fault: watch::Sender::default(),
            counts: watch::Sender::default(),
            submissions,
        }))
    }
}

impl Default for Control {
    /// One that keeps no password.
    fn default() -> Self {
        Self::with(None)
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control")
            .field("fault", &*self.0.fault.borrow())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Submission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Submission(…)")
    }
}
