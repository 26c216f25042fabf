//! One submission for equal password checks, and no more wrong ones than a user's budget.
//!
//! Targets repeat a call by themselves, and people click twice: to the source each would be an attempt of its own, and
//! after some it locks the user out. So equal attempts share the one in flight, and its verdict is told again for a few
//! seconds. Equal is the same caller, login and password, byte for byte: whoever shares has shown that they know it.
//!
//! An error is no verdict. It is told to those who wait and not remembered; but the password may have reached the source,
//! so it is off the budget unless it surely wasn't submitted, and whoever repeats it spends the budget again.

mod budget;
mod verdicts;

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use idbridge_source::{
    Authentication, Call, Capabilities, Cursor, Email, ErrorKind, Factors, Finding, IdentitySource, Listed, Login,
    Lookup, Page, Password, SourceError, UserId, UserName, folded,
};
use prometheus_client::metrics::counter::Counter;
use tokio::time::Instant;

use super::gate::TurnedOff;
use super::guard::LeftAlone;
use super::permits::Overloaded;
use budget::Budget;
use verdicts::{Place, Verdicts, Waiting};

/// What the settings say of password checks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// For how long a verdict is told again; zero: each attempt is submitted by itself, and shared with nobody.
    pub replay: Duration,
    /// How many attempts a user has that don't end in a yes.
    pub burst: u32,
    /// How long it takes until one of them is given back.
    pub refill: Duration,
    /// How many attempts of one user are submitted within a second, however they end.
    pub per_second: u32,
}

/// What was submitted to one source lately, shared by all workers. It holds no login and no password, only codes of them
/// under keys that nobody knows and that end with the process.
pub struct Submissions {
    attempts: hmac::Key,
    users: RandomState,
    remembers: bool,
    state: Mutex<State>,
    shared: Counter,
    over_budget: Counter,
}

/// A source to which equal attempts are submitted once.
///
/// Who follows waits for the one who leads, to its end: callers' own deadlines, and an end that comes although the
/// leader's caller is gone, are `RunToEnd`'s around this.
#[derive(Debug)]
pub struct Attempts<S> {
    inner: S,
    submissions: Arc<Submissions>,
}

/// The cause of an error that is ours and not the source's: the user has no attempt left.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OverBudget;

struct State {
    verdicts: Verdicts,
    budget: Budget,
}

/// The code of an attempt: who asked, about whom, with which password.
type Code = [u8; 32];

/// An attempt that is at the source. However it ends, it ends for those who wait, and for the budget.
struct Submission<'a> {
    submissions: &'a Submissions,
    code: Code,
    user: u64,
    asked_in: u64,
    has_ended: bool,
}

/// What becomes of an attempt.
enum Turn<'a> {
    Follows(Waiting),
    Leads(Submission<'a>),
    OverBudget(Duration),
    Remembered(Box<Authentication>),
}

impl Default for Limits {
    /// In any hour 9 attempts of one user, below the 10 at which Okta locks, and below its 4 a second.
    fn default() -> Self {
        Self {
            replay: Duration::from_secs(5),
            burst: 5,
            refill: Duration::from_secs(15 * 60),
            per_second: 3,
        }
    }
}

impl Submissions {
    /// The counters: who was told what an equal attempt had found out, and who was sent away.
    pub fn new(limits: Limits, shared: Counter, over_budget: Counter) -> Result<Self, Unspecified> {
        Ok(Self {
            attempts: hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())?,
            users: RandomState::new(),
            remembers: !limits.replay.is_zero(),
            state: Mutex::new(State {
                verdicts: Verdicts::new(limits.replay),
                budget: Budget::new(limits, Instant::now()),
            }),
            shared,
            over_budget,
        })
    }

    /// For when equal attempts would end otherwise from now on.
    pub fn forget_all(&self) {
        self.state().verdicts.forget_all();
    }

    /// Each part with its length, so that two attempts never read alike.
    fn code(&self, call: &Call, login: &Login, password: &Password) -> Code {
        let caller = call.caller.as_deref().unwrap_or_default();
        let mut context = hmac::Context::with_key(&self.attempts);
        context.update(&caller.len().to_be_bytes());
        context.update(caller.as_bytes());
        context.update(&login.as_str().len().to_be_bytes());
        context.update(login.as_str().as_bytes());
        context.update(password.expose().as_bytes());
        let mut code = [0; 32];
        code.copy_from_slice(context.sign().as_ref());
        code
    }

    /// Whose budget it is: spellings of one identifier have one.
    fn user(&self, login: &Login) -> u64 {
        self.users.hash_one(folded(login.as_str().trim()))
    }

    fn turn(&self, code: Code, user: u64) -> Turn<'_> {
        let now = Instant::now();
        let mut state = self.state();
        let asked_in = match state.verdicts.place(&code, now) {
            Place::Remembered(verdict) => return Turn::Remembered(verdict),
            Place::Follows(waiting) => return Turn::Follows(waiting),
            Place::New { asked_in } => asked_in,
        };
        if let Err(wait) = state.budget.take(user, now) {
            return Turn::OverBudget(wait);
        }
        if self.remembers {
            state.verdicts.begin(code);
        }
        Turn::Leads(Submission {
            submissions: self,
            code,
            user,
            asked_in,
            has_ended: false,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Submission<'_> {
    fn answered(mut self, answer: &Result<Authentication, SourceError>) {
        self.end(Some(answer));
    }

    fn end(&mut self, answer: Option<&Result<Authentication, SourceError>>) {
        if std::mem::replace(&mut self.has_ended, true) {
            return;
        }
        let now = Instant::now();
        let verdict = answer.and_then(|answer| answer.as_ref().ok());
        let verdict = verdict.filter(|_| self.submissions.remembers).cloned().map(Box::new);
        let mut state = self.submissions.state();
        state.budget.settle(self.user, now, answer.is_none_or(counts));
        let waiting = state.verdicts.end(self.code, verdict, self.asked_in, now);
        drop(state);
        // Only now: whoever hears of it and asks again must not meet this attempt.
        if let (Some(waiting), Some(answer)) = (waiting, answer) {
            waiting.send_replace(Some(answer.clone()));
        }
    }
}

/// Where the source panicked, or the runtime that asked it has ended.
impl Drop for Submission<'_> {
    fn drop(&mut self) {
        self.end(None);
    }
}

/// Whether an attempt is off the user's budget. A yes isn't: with it the source's own count begins anew. Neither is what
/// surely wasn't submitted, or was sent back unread.
fn counts(answer: &Result<Authentication, SourceError>) -> bool {
    match answer {
        Ok(Authentication::Accept(_)) => false,
        Ok(Authentication::Reject(_)) => true,
        Err(error) => match error.kind() {
            ErrorKind::Throttled { .. } | ErrorKind::Unsupported => false,
            _ => !std::error::Error::source(error).is_some_and(says_that_nothing_was_sent),
        },
    }
}

fn says_that_nothing_was_sent(cause: &(dyn std::error::Error + 'static)) -> bool {
    let refused = |error: &io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
    cause.is::<LeftAlone>()
        || cause.is::<Overloaded>()
        || cause.is::<TurnedOff>()
        || cause.downcast_ref().is_some_and(refused)
}

impl<S> Attempts<S> {
    pub fn new(inner: S, submissions: Arc<Submissions>) -> Self {
        Self { inner, submissions }
    }
}

#[async_trait]
impl<S: IdentitySource> IdentitySource for Attempts<S> {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn authenticate(
        &self,
        call: &Call,
        login: &Login,
        password: &Password,
    ) -> Result<Authentication, SourceError> {
        let submissions = &*self.submissions;
        let (code, user) = (submissions.code(call, login, password), submissions.user(login));
        let told = match submissions.turn(code, user) {
            Turn::Leads(submission) => {
                let answer = self.inner.authenticate(call, login, password).await;
                submission.answered(&answer);
                return answer;
            }
            Turn::OverBudget(wait) => {
                submissions.over_budget.inc();
                return Err(over_budget(wait));
            }
            Turn::Remembered(verdict) => Ok(*verdict),
            // Without an answer it isn't asked again: the password may have been submitted.
            Turn::Follows(waiting) => {
                tracing::debug!(request_id = %call.request_id, "An equal password check is waited for.");
                waiting.answer().await.unwrap_or_else(|| Err(lost()))
            }
        };
        submissions.shared.inc();
        told
    }

    async fn user_by_email(&self, call: &Call, email: &Email) -> Result<Lookup, SourceError> {
        self.inner.user_by_email(call, email).await
    }

    async fn user_by_login(&self, call: &Call, login: &UserName) -> Result<Lookup, SourceError> {
        self.inner.user_by_login(call, login).await
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

    fn budget(&self) -> idbridge_source::Budget {
        self.inner.budget()
    }

    async fn probe(&self, call: &Call) -> Result<(), SourceError> {
        // Probes go on when nobody asks any more, so that an idle broker keeps nobody's data.
        self.submissions.state().verdicts.forget(Instant::now());
        self.inner.probe(call).await
    }

    async fn examine(&self, call: &Call, canary_password: Option<&Password>) -> Vec<Finding> {
        self.inner.examine(call, canary_password).await
    }
}

fn over_budget(wait: Duration) -> SourceError {
    let retry_after = Some(wait);
    SourceError::new(ErrorKind::Throttled { retry_after }, "check a password").with_source(OverBudget)
}

fn lost() -> SourceError {
    let retry_after = None; // nobody can tell
    let lost = SourceError::new(
        ErrorKind::Unavailable { retry_after },
        "waiting for an equal password check",
    );
    lost.with_source("it came to no end")
}

impl fmt::Display for OverBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the user has no attempt left for now")
    }
}

impl std::error::Error for OverBudget {}

impl fmt::Debug for Submissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Submissions").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
