//! At most so many calls at a source at once. The one too many is told so at once: a queue in front of a slow source
//! only makes everybody late.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use idbridge_source::{
    Authentication, Budget, Call, Capabilities, Cursor, Email, ErrorKind, Factors, Finding, IdentitySource, Listed,
    Login, Lookup, Page, Password, SourceError, UserId, UserName,
};
use prometheus_client::metrics::gauge::Gauge;

/// The permits of one source, shared by all workers.
#[derive(Debug)]
pub struct Pool {
    limit: i64,
    in_flight: Gauge,
}

/// The cause of an error that is ours and not the source's: all permits are taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Overloaded;

/// A source with a limit on the calls in flight.
#[derive(Debug)]
pub struct Permits<S> {
    inner: S,
    pool: Arc<Pool>,
}

impl Pool {
    /// The gauge counts the permits that are taken: what is shown is what decides.
    pub fn new(limit: usize, in_flight: Gauge) -> Self {
        Self {
            limit: i64::try_from(limit).unwrap_or(i64::MAX),
            in_flight,
        }
    }

    fn acquire(&self) -> Result<Permit<'_>, SourceError> {
        // Taken first and given back if it was one too many: two threads can't both take the last.
        let permit = Permit(self);
        if self.in_flight.inc() < self.limit {
            return Ok(permit);
        }
        let retry_after = Some(Duration::from_secs(1));
        Err(SourceError::new(ErrorKind::Unavailable { retry_after }, "waiting for a permit").with_source(Overloaded))
    }
}

#[derive(Debug)]
struct Permit<'a>(&'a Pool);

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.in_flight.dec();
    }
}

impl<S> Permits<S> {
    pub fn new(inner: S, pool: Arc<Pool>) -> Self {
        Self { inner, pool }
    }
}

#[async_trait]
impl<S: IdentitySource> IdentitySource for Permits<S> {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn authenticate(
        &self,
        call: &Call,
        login: &Login,
        password: &Password,
    ) -> Result<Authentication, SourceError> {
        let _permit = self.pool.acquire()?;
        self.inner.authenticate(call, login, password).await
    }

    async fn user_by_email(&self, call: &Call, email: &Email) -> Result<Lookup, SourceError> {
        let _permit = self.pool.acquire()?;
        self.inner.user_by_email(call, email).await
    }

    async fn user_by_login(&self, call: &Call, login: &UserName) -> Result<Lookup, SourceError> {
        let _permit = self.pool.acquire()?;
        self.inner.user_by_login(call, login).await
    }

    async fn list(&self, call: &Call, after: Option<&Cursor>) -> Result<Page, SourceError> {
        let _permit = self.pool.acquire()?;
        self.inner.list(call, after).await
    }

    async fn factors(&self, call: &Call, id: &UserId) -> Result<Factors, SourceError> {
        let _permit = self.pool.acquire()?;
        self.inner.factors(call, id).await
    }

    async fn claimants(&self, call: &Call, identifier: &Login) -> Result<Vec<Listed>, SourceError> {
        let _permit = self.pool.acquire()?;
        self.inner.claimants(call, identifier).await
    }

    fn budget(&self) -> Budget {
        self.inner.budget()
    }

    async fn probe(&self, call: &Call) -> Result<(), SourceError> {
        // A probe that waits for permits would report a busy source as a dead one.
        self.inner.probe(call).await
    }

    async fn examine(&self, call: &Call, canary_password: Option<&Password>) -> Vec<Finding> {
        self.inner.examine(call, canary_password).await
    }
}

impl fmt::Display for Overloaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("as many calls as the settings allow are in flight at this source")
    }
}

impl std::error::Error for Overloaded {}
