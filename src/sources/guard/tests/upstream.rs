//! A source that says what it is told to, and counts what it was asked.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::time::sleep;

use super::*;

#[derive(Clone, Copy, Debug)]
pub(super) enum Says {
    Absent,
    Fails(ErrorKind),
    Hangs,
    /// Nobody, after this time.
    Late(Duration),
    Refuses,
}

pub(super) struct Upstream {
    usually: Mutex<Says>,
    next: Mutex<VecDeque<Says>>,
    lookups: AtomicUsize,
    passwords: AtomicUsize,
    probes: AtomicUsize,
    answered: AtomicUsize,
}

impl Upstream {
    pub(super) fn new(says: Says) -> Arc<Self> {
        Arc::new(Self {
            usually: Mutex::new(says),
            next: Mutex::default(),
            lookups: AtomicUsize::new(0),
            passwords: AtomicUsize::new(0),
            probes: AtomicUsize::new(0),
            answered: AtomicUsize::new(0),
        })
    }

    pub(super) fn says(&self, says: Says) {
        *self.usually.lock().expect("no panic while it is held") = says;
    }

    pub(super) fn says_once(&self, says: Says) {
        self.next.lock().expect("no panic while it is held").push_back(says);
    }

    /// Look-ups, passwords, probes.
    pub(super) fn asked(&self) -> (usize, usize, usize) {
        let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
        (count(&self.lookups), count(&self.passwords), count(&self.probes))
    }

    pub(super) fn lookups(&self) -> usize {
        self.asked().0
    }

    pub(super) fn answered(&self) -> usize {
        self.answered.load(Ordering::Relaxed)
    }

    async fn answer(&self, asked: &AtomicUsize) -> Result<Says, SourceError> {
        asked.fetch_add(1, Ordering::Relaxed);
        let next = self.next.lock().expect("no panic while it is held").pop_front();
        let says = next.unwrap_or(*self.usually.lock().expect("no panic while it is held"));
        match says {
            Says::Fails(kind) => return Err(SourceError::new(kind, "asking")),
            Says::Hangs => std::future::pending().await,
            Says::Late(time) => sleep(time).await,
            Says::Absent | Says::Refuses => {}
        }
        self.answered.fetch_add(1, Ordering::Relaxed);
        Ok(says)
    }
}

#[async_trait]
impl IdentitySource for Upstream {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            authenticate: true,
            list: false,
            user_by_email: true,
            user_by_login: false,
        }
    }

    async fn authenticate(&self, _: &Call, _: &Login, _: &Password) -> Result<Authentication, SourceError> {
        self.answer(&self.passwords).await?;
        Ok(Authentication::Reject(Rejection::WrongPassword))
    }

    async fn user_by_email(&self, _: &Call, _: &Email) -> Result<Lookup, SourceError> {
        Ok(match self.answer(&self.lookups).await? {
            Says::Refuses => Lookup::Ineligible(Rejection::AccountDisabled),
            _ => Lookup::Absent,
        })
    }

    async fn probe(&self, _: &Call) -> Result<(), SourceError> {
        self.answer(&self.probes).await.map(|_| ())
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Upstream")
    }
}
