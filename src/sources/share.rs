//! Equal look-ups share one call to the source, and its answer is remembered for a few seconds.
//! Password checks are of another sort (`attempts.rs`).
//!
//! Equal is the same method with the same text, byte for byte. We take two spellings of an identifier for one
//! (`same_identifier`), but whether an upstream does is its own affair: a search that heeds case says "nobody" to one
//! spelling and finds the user by the other. Shared, that "nobody" would stand for an identifier that was never asked.
//!
//! What the source is told beside the identifier (request id, trace, the user's address) is the first asker's. None of it
//! comes back in an answer.

mod recent;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use idbridge_source::{
    Authentication, Budget, Call, Capabilities, Cursor, Email, ErrorKind, Factors, Finding, IdentitySource, Listed,
    Login, Lookup, Page, Password, SourceError, UserId, UserName,
};
use prometheus_client::metrics::counter::Counter;
use tokio::time::Instant;

use super::run_to_end::no_answer;
use recent::{Place, Question, Recent};

/// Who has less time left than this isn't sent to the source once more: that would be one more call, and no answer.
const WORTH_ASKING: Duration = Duration::from_millis(100);

/// What was asked of one source lately, shared by all workers.
pub struct Lookups {
    by_email: Arc<Recent>,
    by_login: Arc<Recent>,
    shared: Counter,
}

/// A source that is asked once where many ask the same.
#[derive(Debug)]
pub struct Share<S> {
    inner: Arc<S>,
    lookups: Arc<Lookups>,
}

impl Lookups {
    /// Answers are remembered for `ttl`. The counter counts who was told what another had found out.
    pub fn new(ttl: Duration, shared: Counter) -> Self {
        Self {
            by_email: Arc::new(Recent::new(ttl)),
            by_login: Arc::new(Recent::new(ttl)),
            shared,
        }
    }

    /// For when equal questions would be answered otherwise from now on.
    pub fn forget_all(&self) {
        self.by_email.forget_all();
        self.by_login.forget_all();
    }
}

impl<S: IdentitySource> Share<S> {
    pub fn new(inner: S, lookups: Arc<Lookups>) -> Self {
        Self {
            inner: Arc::new(inner),
            lookups,
        }
    }

    /// Remembered, from another's call in flight, or asked. The caller waits for no longer than its deadline, by
    /// `RunToEnd` around this.
    async fn look_up<A>(
        &self,
        call: &Call,
        recent: &Arc<Recent>,
        identifier: &str,
        ask: impl Fn() -> A,
    ) -> Result<Lookup, SourceError>
    where
        A: Future<Output = Result<Lookup, SourceError>> + Send + 'static,
    {
        loop {
            let told = match recent.place(identifier) {
                Place::Remembered(answer) => Ok(answer),
                Place::Follows(waiting) => match waiting.answer().await {
                    Some(Err(error)) if is_only_the_askers(&error, call) => continue,
                    Some(answer) => answer,
                    None => continue, // whoever asked is gone, and so is the question
                },
                Place::Leads(question) => {
                    let waiting = question.wait();
                    // A task of its own: the call goes on for those who follow when the one who asked hangs up.
                    let task = tokio::spawn(find_out(question, ask()));
                    if let Some(answer) = waiting.answer().await {
                        return answer.map(Arc::unwrap_or_clone);
                    }
                    match task.await {
                        Err(ended) => return Err(no_answer(ended)),
                        Ok(()) => continue,
                    }
                }
            };
            self.lookups.shared.inc();
            return told.map(Arc::unwrap_or_clone);
        }
    }
}

#[async_trait]
impl<S: IdentitySource> IdentitySource for Share<S> {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn authenticate(
        &self,
        call: &Call,
        login: &Login,
        password: &Password,
    ) -> Result<Authentication, SourceError> {
        S::authenticate(&self.inner, call, login, password).await
    }

    async fn user_by_email(&self, call: &Call, email: &Email) -> Result<Lookup, SourceError> {
        self.look_up(call, &self.lookups.by_email, email.as_str(), || {
            let (inner, call, email) = (Arc::clone(&self.inner), call.clone(), email.clone());
            async move { inner.user_by_email(&call, &email).await }
        })
        .await
    }

    async fn user_by_login(&self, call: &Call, login: &UserName) -> Result<Lookup, SourceError> {
        self.look_up(call, &self.lookups.by_login, login.as_str(), || {
            let (inner, call, login) = (Arc::clone(&self.inner), call.clone(), login.clone());
            async move { inner.user_by_login(&call, &login).await }
        })
        .await
    }

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
        // Probes go on when nobody asks any more, so that an idle broker keeps nobody's data.
        self.lookups.by_email.forget();
        self.lookups.by_login.forget();
        self.inner.probe(call).await
    }

    async fn examine(&self, call: &Call, canary_password: Option<&Password>) -> Vec<Finding> {
        self.inner.examine(call, canary_password).await
    }
}

/// Asks, for as long as somebody waits.
async fn find_out(question: Question, asked: impl Future<Output = Result<Lookup, SourceError>>) {
    tokio::select! {
        biased; // an answer that is there is remembered, whoever waits
        answer = asked => question.answered(answer.map(Arc::new)),
        () = question.nobody_waits() => {}
    }
}

/// The one who asked was out of time. The one who waited with it may have some left.
fn is_only_the_askers(error: &SourceError, call: &Call) -> bool {
    error.kind() == ErrorKind::TimedOut && call.deadline > Instant::now() + WORTH_ASKING
}

impl fmt::Debug for Lookups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lookups").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
