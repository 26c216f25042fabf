//! What a source's answers say about the source: counters, its health, and one log line where an operator must act.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use idbridge_source::{
    Authentication, Budget, Call, Capabilities, Cursor, Email, ErrorKind, Factors, Finding, IdentitySource, Listed,
    Login, Lookup, Page, Password, SourceError, UserId, UserName,
};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::telemetry::metrics::{Metrics, Operation};

/// A source that wasn't given this long has not failed by being slow.
const A_FAIR_WAIT: Duration = Duration::from_secs(1);

/// What is known of one source, shared by all workers.
pub struct Watcher {
    name: Arc<str>,
    metrics: Arc<Metrics>,
    up: watch::Sender<Option<bool>>,
    /// The last error kind that was logged, so that an outage is one line and not one a call.
    logged: AtomicU8,
}

/// A source whose answers are counted.
#[derive(Debug)]
pub struct Observe<S> {
    inner: S,
    watcher: Arc<Watcher>,
}

impl Watcher {
    pub fn new(name: Arc<str>, metrics: Arc<Metrics>) -> Self {
        Self {
            name,
            metrics,
            up: watch::Sender::new(None),
            logged: AtomicU8::new(0),
        }
    }

    /// Whether the last probe or call found the source well; `None` before the first.
    pub fn health(&self) -> watch::Receiver<Option<bool>> {
        self.up.subscribe()
    }

    fn answered(&self) {
        self.set_up(true);
        if self.logged.swap(0, Ordering::Relaxed) != 0 {
            tracing::info!(source = %self.name, "The source answers again.");
        }
    }

    fn failed(&self, call: &Call, error: &SourceError, took: Duration) {
        self.metrics.source_error(&self.name, error.kind());
        let says_nothing_of_health = match error.kind() {
            // Two users for one address; patience, which only who is alive asks for; a question that it doesn't take.
            ErrorKind::Ambiguous | ErrorKind::Throttled { .. } | ErrorKind::Unsupported => true,
            // A caller in a hurry.
            ErrorKind::TimedOut => took < A_FAIR_WAIT,
            _ => false,
        };
        if says_nothing_of_health {
            return;
        }
        self.set_up(false);
        let first = self.logged.swap(number(error.kind()), Ordering::Relaxed) != number(error.kind());
        let (source, request_id) = (&self.name, &call.request_id);
        match error.kind() {
            _ if !first => {
                tracing::debug!(%source, %request_id, error = %error.chain(), "The source could not find out.");
            }
            ErrorKind::CredentialRefused | ErrorKind::Protocol => {
                tracing::error!(%source, %request_id, error = %error.chain(), "The source could not find out.");
            }
            _ => tracing::warn!(%source, %request_id, error = %error.chain(), "The source could not find out."),
        }
    }

    fn set_up(&self, up: bool) {
        self.up.send_if_modified(|was| {
            let changed = *was != Some(up);
            *was = Some(up);
            changed
        });
        self.metrics.source_up(&self.name, up);
    }

    async fn observe<T>(
        &self,
        call: &Call,
        answer: impl Future<Output = Result<T, SourceError>>,
    ) -> Result<T, SourceError> {
        let began = Instant::now();
        let answer = answer.await;
        match &answer {
            Ok(_) => self.answered(),
            Err(error) => self.failed(call, error, began.elapsed()),
        }
        answer
    }
}

/// Zero is kept for "well".
fn number(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::Ambiguous => 1,
        ErrorKind::CredentialRefused => 2,
        ErrorKind::Protocol => 3,
        ErrorKind::Throttled { .. } => 4,
        ErrorKind::TimedOut => 5,
        ErrorKind::Unavailable { .. } => 6,
        ErrorKind::Unsupported => 7,
    }
}

impl<S> Observe<S> {
    pub fn new(inner: S, watcher: Arc<Watcher>) -> Self {
        Self { inner, watcher }
    }

    fn count(&self, operation: Operation, outcome: &'static str) {
        self.watcher.metrics.outcome(&self.watcher.name, operation, outcome);
    }
}

#[async_trait]
impl<S: IdentitySource> IdentitySource for Observe<S> {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn authenticate(
        &self,
        call: &Call,
        login: &Login,
        password: &Password,
    ) -> Result<Authentication, SourceError> {
        let answer = self
            .watcher
            .observe(call, self.inner.authenticate(call, login, password))
            .await;
        self.count(
            Operation::Authenticate,
            match &answer {
                Ok(Authentication::Accept(_)) => "authenticated",
                Ok(Authentication::Reject(rejection)) => rejection.name(),
                Err(error) => error.kind().name(),
            },
        );
        answer
    }

    async fn user_by_email(&self, call: &Call, email: &Email) -> Result<Lookup, SourceError> {
        let answer = self.watcher.observe(call, self.inner.user_by_email(call, email)).await;
        self.count(Operation::LookUp, lookup_outcome(&answer));
        answer
    }

    async fn user_by_login(&self, call: &Call, login: &UserName) -> Result<Lookup, SourceError> {
        let answer = self.watcher.observe(call, self.inner.user_by_login(call, login)).await;
        self.count(Operation::LookUp, lookup_outcome(&answer));
        answer
    }

    async fn list(&self, call: &Call, after: Option<&Cursor>) -> Result<Page, SourceError> {
        self.watcher.observe(call, self.inner.list(call, after)).await
    }

    async fn factors(&self, call: &Call, id: &UserId) -> Result<Factors, SourceError> {
        self.watcher.observe(call, self.inner.factors(call, id)).await
    }

    async fn claimants(&self, call: &Call, identifier: &Login) -> Result<Vec<Listed>, SourceError> {
        self.watcher.observe(call, self.inner.claimants(call, identifier)).await
    }

    fn budget(&self) -> Budget {
        self.inner.budget()
    }

    async fn probe(&self, call: &Call) -> Result<(), SourceError> {
        self.watcher.observe(call, self.inner.probe(call)).await
    }

    async fn examine(&self, call: &Call, canary_password: Option<&Password>) -> Vec<Finding> {
        self.inner.examine(call, canary_password).await
    }
}

fn lookup_outcome(answer: &Result<Lookup, SourceError>) -> &'static str {
    match answer {
        Ok(Lookup::Absent) => "not_found",
        Ok(Lookup::Found(_)) => "found",
        Ok(Lookup::Ineligible(rejection)) => rejection.name(),
        Err(error) => error.kind().name(),
    }
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watcher")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
