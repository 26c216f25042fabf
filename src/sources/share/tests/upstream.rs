//! A source that answers when it is told to, and says what it was asked.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::watch;
use tokio::time::{sleep, timeout_at};

use super::super::*;
use idbridge_source::Rejection;

pub(super) type Says = fn(&str) -> Result<Lookup, SourceError>;

/// What the source answers, and what it was asked.
pub(super) struct Upstream {
    says: Says,
    takes: Duration,
    /// Closed, it answers nobody.
    pub(super) open: watch::Sender<bool>,
    asked: Mutex<Vec<String>>,
    pub(super) cut: AtomicUsize,
}

impl Upstream {
    pub(super) fn new(says: Says) -> Arc<Self> {
        Self::that_takes(Duration::from_secs(1), says)
    }

    pub(super) fn that_takes(takes: Duration, says: Says) -> Arc<Self> {
        Arc::new(Self {
            says,
            takes,
            open: watch::Sender::new(true),
            asked: Mutex::default(),
            cut: AtomicUsize::new(0),
        })
    }

    pub(super) fn at_once(says: Says) -> Arc<Self> {
        Self::that_takes(Duration::ZERO, says)
    }

    /// `METHOD IDENTIFIER REQUEST_ID`, in order.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no panic while it is held").clone()
    }

    async fn answer(&self, call: &Call, method: &str, identifier: &str) -> Result<Lookup, SourceError> {
        self.asked
            .lock()
            .expect("no panic while it is held")
            .push(format!("{method} {identifier} {}", call.request_id));
        let cut = Cut(&self.cut);
        let mut open = self.open.subscribe();
        let answer = async {
            sleep(self.takes).await;
            open.wait_for(|open| *open).await.expect("it lives as long as this");
            (self.says)(identifier)
        };
        let answer = timeout_at(call.deadline, answer).await;
        std::mem::forget(cut);
        answer.unwrap_or_else(|_| Err(SourceError::new(ErrorKind::TimedOut, "asking")))
    }
}

/// Counts the calls that came to no end.
struct Cut<'a>(&'a AtomicUsize);

impl Drop for Cut<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[async_trait]
impl IdentitySource for Upstream {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            authenticate: true,
            list: false,
            user_by_email: true,
            user_by_login: true,
        }
    }

    async fn authenticate(&self, call: &Call, login: &Login, _: &Password) -> Result<Authentication, SourceError> {
        let answer = self.answer(call, "authenticate", login.as_str()).await;
        answer.map(|_| Authentication::Reject(Rejection::WrongPassword))
    }

    async fn user_by_email(&self, call: &Call, email: &Email) -> Result<Lookup, SourceError> {
        self.answer(call, "email", email.as_str()).await
    }

    async fn user_by_login(&self, call: &Call, login: &UserName) -> Result<Lookup, SourceError> {
        self.answer(call, "login", login.as_str()).await
    }

    async fn probe(&self, _: &Call) -> Result<(), SourceError> {
        Ok(())
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Upstream")
    }
}
