//! A source that answers by the password when it is told to, and counts what was submitted.

use std::sync::atomic::{AtomicUsize, Ordering};

use idbridge_source::{Rejection, User, UserId};
use tokio::sync::watch;
use tokio::time::timeout_at;

use super::super::*;

pub(super) const RIGHT: &str = "right";
pub(super) const BROKEN: &str = "broken";
pub(super) const BUSY: &str = "busy";
pub(super) const LEFT_ALONE: &str = "left alone";
pub(super) const LIMITED: &str = "limited";
pub(super) const NOT_THERE: &str = "not there";
pub(super) const PANICS: &str = "panics";

pub(super) struct Upstream {
    /// Closed, it answers nobody before the call's deadline.
    pub(super) open: watch::Sender<bool>,
    submitted: AtomicUsize,
}

impl Upstream {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            open: watch::Sender::new(true),
            submitted: AtomicUsize::new(0),
        })
    }

    pub(super) fn submitted(&self) -> usize {
        self.submitted.load(Ordering::Relaxed)
    }
}

pub(super) fn user(login: &str) -> User {
    User::new(UserId::parse("1").expect("an id"), login, login)
}

fn answer(login: &str, password: &str) -> Result<Authentication, SourceError> {
    let unavailable = ErrorKind::Unavailable { retry_after: None };
    let error = |kind| Err(SourceError::new(kind, "submit"));
    match password {
        RIGHT => Ok(Authentication::Accept(user(login))),
        BROKEN => error(unavailable),
        BUSY => error(unavailable).map_err(|error| error.with_source(Overloaded)),
        LEFT_ALONE => error(unavailable).map_err(|error| error.with_source(LeftAlone)),
        LIMITED => error(ErrorKind::Throttled { retry_after: None }),
        NOT_THERE => {
            error(unavailable).map_err(|error| error.with_source(io::Error::from(io::ErrorKind::ConnectionRefused)))
        }
        PANICS => panic!("a bug"),
        _ => Ok(Authentication::Reject(Rejection::WrongPassword)),
    }
}

#[async_trait]
impl IdentitySource for Upstream {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            authenticate: true,
            list: false,
            user_by_email: false,
            user_by_login: false,
        }
    }

    async fn authenticate(
        &self,
        call: &Call,
        login: &Login,
        password: &Password,
    ) -> Result<Authentication, SourceError> {
        self.submitted.fetch_add(1, Ordering::Relaxed);
        let mut open = self.open.subscribe();
        let told = timeout_at(call.deadline, open.wait_for(|open| *open)).await;
        let late = |_| SourceError::new(ErrorKind::TimedOut, "submit");
        _ = told.map_err(late)?;
        answer(login.as_str(), password.expose())
    }

    async fn user_by_email(&self, _: &Call, _: &Email) -> Result<Lookup, SourceError> {
        Ok(Lookup::Absent)
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
