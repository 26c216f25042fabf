//! Stands next to a source: ends its silence, leaves it alone while it is down, and asks a look-up once more.
//!
//! A password is submitted once, whatever happens. It never finds out whether a source is back: that costs an attempt,
//! and the user a wait for nothing. Where no look-up comes by, the source's own probe does.

mod breaker;
mod retries;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use idbridge_source::{
    Authentication, Budget, Call, Capabilities, Cursor, Email, ErrorKind, Factors, Finding, IdentitySource, Listed,
    Login, Lookup, Page, Password, SourceError, TraceContext, UserId, UserName,
};
use tokio::time::{Instant, sleep, timeout_at};

use crate::telemetry::metrics::GuardMetrics;
use breaker::{Breaker, Turn, Weight};
use retries::Retries;

/// Silence says something of a source once it has lasted this long. Whoever leaves before was in a hurry.
const LONGEST_PATIENCE: Duration = Duration::from_secs(3);

/// What the settings say.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Settings {
    /// How long a caller waits for an answer, if its deadline isn't earlier.
    pub time_limit: Duration,
    /// So many failures in a row open the breaker. Zero: nothing does.
    pub open_after: u32,
    /// How long the source is left alone then.
    pub probation: Duration,
    /// It doubles with every probe that fails, up to this.
    pub longest_probation: Duration,
    /// So many look-ups in a hundred may be asked once more.
    pub retry_percent: u32,
}

/// The state that all workers' copies of one source share.
#[derive(Debug)]
pub struct Protection {
    time_limit: Duration,
    patience: Duration,
    breaker: Arc<Breaker>,
    retries: Retries,
}

/// The cause of an error that is the guard's: the source was not asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LeftAlone;

/// A source that is guarded.
#[derive(Debug)]
pub struct Guard<S> {
    inner: Arc<S>,
    protection: Arc<Protection>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            // As long as a password check runs on by itself.
            time_limit: Duration::from_secs(15),
            open_after: 5,
            probation: Duration::from_secs(1),
            // Who was healed is asked again within ten seconds.
            longest_probation: Duration::from_secs(8),
            retry_percent: 20,
        }
    }
}

impl Protection {
    pub fn new(source: Arc<str>, settings: Settings, metrics: GuardMetrics) -> Self {
        let patience = settings.time_limit.min(LONGEST_PATIENCE);
        Self {
            time_limit: settings.time_limit,
            patience,
            retries: Retries::new(settings.retry_percent, metrics.retries.clone()),
            breaker: Arc::new(Breaker::new(source, settings, patience, metrics)),
        }
    }

    pub fn time_limit(&self) -> Duration {
        self.time_limit
    }

    fn admit(&self) -> Result<Turn, SourceError> {
        self.breaker.admit().map_err(left_alone)
    }

    /// The call with no more time than the limit.
    fn limit<'a>(&self, call: &'a Call) -> Cow<'a, Call> {
        let limit = Instant::now() + self.time_limit;
        if call.deadline <= limit {
            return Cow::Borrowed(call);
        }
        Cow::Owned(Call {
            deadline: limit,
            begin_by: call.begin_by.min(limit),
            ..call.clone()
        })
    }
}

impl<S: IdentitySource> Guard<S> {
    pub fn new(inner: S, protection: Arc<Protection>) -> Self {
        Self {
            inner: Arc::new(inner),
            protection,
        }
    }

    async fn look_up<A>(&self, call: &Call, who: &str, ask: impl Fn() -> A) -> Result<Lookup, SourceError>
    where
        A: Future<Output = Result<Lookup, SourceError>>,
    {
        let Protection { breaker, retries, .. } = &*self.protection;
        retries.earn();
        let turn = self.protection.admit()?;
        let answer = self.ask(turn, call, who, &ask).await;
        let Err(error) = &answer else { return answer };
        if !is_worth_asking_again(error) || !breaker.is_closed() {
            return answer;
        }
        let Some(wait) = retries.spend(call.begin_by) else {
            return answer;
        };
        sleep(wait).await;
        match self.protection.admit() {
            Ok(turn) => self.ask(turn, call, who, &ask).await,
            Err(_) => answer, // opened meanwhile
        }
    }

    /// Asks what may be dropped.
    async fn ask<T, A>(&self, turn: Turn, call: &Call, who: &str, ask: impl FnOnce() -> A) -> Result<T, SourceError>
    where
        A: Future<Output = Result<T, SourceError>>,
    {
        let mut until = call.deadline;
        if turn.is_probe() {
            // Everybody waits for what the probe finds out.
            until = until.min(turn.began() + self.protection.patience);
        }
        let answer = timeout_at(until, ask()).await.unwrap_or_else(|_| Err(timed_out()));
        turn.settle(weigh(answer.as_ref().err()), who);
        answer
    }

    /// Asks the source itself how it is, beside a password check that may not.
    fn probe_beside(&self, call: &Call, turn: Turn) {
        let (inner, until) = (Arc::clone(&self.inner), Instant::now() + self.protection.patience);
        let call = Call {
            deadline: until,
            begin_by: until,
            client_address: None,
            trace: TraceContext::default(),
            ..call.clone()
        };
        tokio::spawn(async move {
            let answer = timeout_at(until, inner.probe(&call)).await;
            let answer = answer.unwrap_or_else(|_| Err(timed_out()));
            turn.settle(weigh(answer.as_ref().err()), "");
        });
    }
}

#[async_trait]
impl<S: IdentitySource> IdentitySource for Guard<S> {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn authenticate(
        &self,
        call: &Call,
        login: &Login,
        password: &Password,
    ) -> Result<Authentication, SourceError> {
        let turn = self.protection.admit()?;
        if turn.is_probe() {
            self.probe_beside(call, turn);
            return Err(left_alone(breaker::A_MOMENT));
        }
        // What was sent is heard to its end. That it was silent counts when its caller has left, and not at that end.
        let Protection {
            time_limit, patience, ..
        } = *self.protection;
        let silence = call.begin_by.max(turn.began() + patience);
        let silence = silence.min(turn.began() + time_limit);
        let mut answer = self.inner.authenticate(call, login, password);
        match timeout_at(silence, answer.as_mut()).await {
            Ok(answer) => {
                turn.settle(weigh(answer.as_ref().err()), login.as_str());
                answer
            }
            Err(_) => {
                turn.settle(Weight::Ill, login.as_str());
                answer.await
            }
        }
    }

    async fn user_by_email(&self, call: &Call, email: &Email) -> Result<Lookup, SourceError> {
        let call = self.protection.limit(call);
        self.look_up(&call, email.as_str(), || self.inner.user_by_email(&call, email))
            .await
    }

    async fn user_by_login(&self, call: &Call, login: &UserName) -> Result<Lookup, SourceError> {
        let call = self.protection.limit(call);
        self.look_up(&call, login.as_str(), || self.inner.user_by_login(&call, login))
            .await
    }

    /// An operator's, as those that follow: they have a pace of their own, and want to see what is wrong.
    async fn list(&self, call: &Call, after: Option<&Cursor>) -> Result<Page, SourceError> {
        self.inner.list(call, after).await
    }

    async fn factors(&self, call: &Call, id: &UserId) -> Result<Factors, SourceError> {
        self.inner.factors(call, id).await
    }

    async fn claimants(&self, call: &Call, identifier: &Login) -> Result<Vec<Listed>, SourceError> {
        self.inner.claimants(call, identifier).await
    }

    fn budget(&self) -> Budget {
        self.inner.budget()
    }

    async fn probe(&self, call: &Call) -> Result<(), SourceError> {
        let turn = self.protection.admit()?;
        let call = self.protection.limit(call);
        self.ask(turn, &call, "", || self.inner.probe(&call)).await
    }

    async fn examine(&self, call: &Call, canary_password: Option<&Password>) -> Vec<Finding> {
        self.inner.examine(call, canary_password).await
    }
}

/// What an answer, or the error in its place, says of the source. The one table.
fn weigh(error: Option<&SourceError>) -> Weight {
    let Some(error) = error else { return Weight::Well };
    match error.kind() {
        // It answered, and about one user.
        ErrorKind::Ambiguous => Weight::Well,
        // Alive: who refuses our credential, or asks for patience, which may also be our own pace.
        ErrorKind::CredentialRefused | ErrorKind::Throttled { .. } => Weight::Alive,
        ErrorKind::Protocol => Weight::IllOrOddUser,
        ErrorKind::TimedOut => Weight::Silent,
        ErrorKind::Unavailable { .. } => Weight::Ill,
        ErrorKind::Unsupported => Weight::Nothing,
    }
}

/// A failure that may be gone in a moment. Not one with a time to come back, and not silence: who is slow has enough to do.
fn is_worth_asking_again(error: &SourceError) -> bool {
    error.kind() == ErrorKind::Unavailable { retry_after: None }
}

fn left_alone(retry_after: Duration) -> SourceError {
    let retry_after = Some(retry_after);
    SourceError::new(
        ErrorKind::Unavailable { retry_after },
        "waiting for the source to recover",
    )
    .with_source(LeftAlone)
}

fn timed_out() -> SourceError {
    SourceError::new(ErrorKind::TimedOut, "waiting for the source")
}

impl fmt::Display for LeftAlone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it failed too often, and is left alone for a while")
    }
}

impl std::error::Error for LeftAlone {}

#[cfg(test)]
mod tests;
