//! A password check that was sent runs to its end, whoever still waits for it: the source has counted the attempt, and
//! cutting the connection would only hide the answer.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use idbridge_source::{
    Authentication, Budget, Call, Capabilities, Cursor, Email, ErrorKind, Factors, Finding, IdentitySource, Listed,
    Login, Lookup, Page, Password, SourceError, UserId, UserName,
};
use tokio::task::JoinError;
use tokio::time::{Instant, timeout_at};
use tokio_util::task::TaskTracker;

/// How long a password check may go on after it was begun, if its caller's deadline is earlier. Longer than a directory
/// agent takes, and no longer: the check holds a permit of its source.
const TO_THE_END: Duration = Duration::from_secs(15);

/// A source whose callers wait for no longer than their deadline, and whose password checks run on.
#[derive(Debug)]
pub struct RunToEnd<S> {
    inner: Arc<S>,
    /// How long a caller waits for a password check, if its deadline isn't earlier.
    limit: Duration,
    /// What shutdown waits for.
    tasks: TaskTracker,
}

impl<S> RunToEnd<S> {
    pub fn new(inner: S, tasks: TaskTracker) -> Self {
        Self {
            inner: Arc::new(inner),
            limit: TO_THE_END,
            tasks,
        }
    }

    /// With a limit of its own for how long a caller waits.
    #[must_use]
    pub fn within(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }
}

#[async_trait]
impl<S: IdentitySource> IdentitySource for RunToEnd<S> {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn authenticate(
        &self,
        call: &Call,
        login: &Login,
        password: &Password,
    ) -> Result<Authentication, SourceError> {
        let began = Instant::now();
        if call.deadline <= began {
            return Err(timed_out()); // nothing was sent, and nothing will be
        }
        let leaves = call.deadline.min(began + self.limit);
        let (inner, login, password) = (Arc::clone(&self.inner), login.clone(), password.clone());
        let to_the_end = Call {
            // What was begun by `begin_by` is heard to its end.
            deadline: call.deadline.max(began + TO_THE_END),
            begin_by: call.begin_by.min(leaves),
            ..call.clone()
        };
        let task = self
            .tasks
            .spawn(async move { S::authenticate(&inner, &to_the_end, &login, &password).await });
        match timeout_at(leaves, task).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(ended)) => Err(no_answer(ended)),
            Err(_) => Err(timed_out()),
        }
    }

    async fn user_by_email(&self, call: &Call, email: &Email) -> Result<Lookup, SourceError> {
        in_time(call, self.inner.user_by_email(call, email)).await
    }

    async fn user_by_login(&self, call: &Call, login: &UserName) -> Result<Lookup, SourceError> {
        in_time(call, self.inner.user_by_login(call, login)).await
    }

    async fn list(&self, call: &Call, after: Option<&Cursor>) -> Result<Page, SourceError> {
        in_time(call, self.inner.list(call, after)).await
    }

    async fn factors(&self, call: &Call, id: &UserId) -> Result<Factors, SourceError> {
        in_time(call, self.inner.factors(call, id)).await
    }

    async fn claimants(&self, call: &Call, identifier: &Login) -> Result<Vec<Listed>, SourceError> {
        in_time(call, self.inner.claimants(call, identifier)).await
    }

    fn budget(&self) -> Budget {
        self.inner.budget()
    }

    async fn probe(&self, call: &Call) -> Result<(), SourceError> {
        in_time(call, self.inner.probe(call)).await
    }

    async fn examine(&self, call: &Call, canary_password: Option<&Password>) -> Vec<Finding> {
        // Cut here, what was answered in time would be lost with what wasn't: each question ends by itself.
        self.inner.examine(call, canary_password).await
    }
}

/// Why a task ended before its end. A panic goes on in whoever waits: it is a bug, and told as one.
pub(super) fn no_answer(ended: JoinError) -> SourceError {
    match ended.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(_) => SourceError::new(ErrorKind::Unavailable { retry_after: None }, "shutting down"),
    }
}

async fn in_time<T>(call: &Call, answer: impl Future<Output = Result<T, SourceError>>) -> Result<T, SourceError> {
    if call.deadline <= Instant::now() {
        return Err(timed_out()); // the source wasn't asked, and has nothing to answer for
    }
    timeout_at(call.deadline, answer)
        .await
        .unwrap_or_else(|_| Err(timed_out()))
}

fn timed_out() -> SourceError {
    SourceError::new(ErrorKind::TimedOut, "waiting for the source")
}
