//! Whether a source is asked at all, and who of those that it finds may move: its mode, its cohort, its tombstones.
//!
//! A cohort and a tombstone judge the user whom the source named, so a log-in submits the password first and is judged
//! after the yes. Whom the source itself refuses is refused in its own words: a no names nobody.

pub mod cohort;
pub mod tombstones;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use idbridge_source::{
    Authentication, Budget, Call, Capabilities, Cursor, Email, ErrorKind, Factors, Finding, IdentitySource, Listed,
    Login, Lookup, Page, Password, Rejection, SourceError, User, UserId, UserName, Verdict,
};

use cohort::Cohort;
use tombstones::Tombstones;

/// What the settings say of a source beside how to reach it. By default: it is asked, and everybody moves.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    pub mode: Mode,
    /// `None`: everybody.
    pub cohort: Option<Cohort>,
    pub tombstones: Option<Arc<Tombstones>>,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Mode {
    /// Passwords aren't checked here any more. That is no outage and no no: the operation isn't offered.
    LookupOnly,
    /// Nothing is asked, and nothing is known: neither yes nor no, and nobody is absent.
    Off,
    #[default]
    Serve,
}

/// The cause of an error that is the operator's wish.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TurnedOff;

/// A source whose answers go through these rules.
#[derive(Debug)]
pub struct Gate<S> {
    inner: S,
    rules: Rules,
}

impl Rules {
    /// Whether they change nothing.
    pub fn are_open(&self) -> bool {
        self.mode == Mode::Serve && self.cohort.is_none() && self.tombstones.is_none()
    }

    fn is_gone(&self, call: &Call, user: &User) -> bool {
        let gone = self.tombstones.as_ref().filter(|list| list.hold(&user.id));
        if let Some(list) = gone {
            tracing::info!(source = %list.source(), request_id = %call.request_id, "A tombstone was met.");
        }
        gone.is_some()
    }

    fn is_out(&self, user: &User) -> bool {
        self.cohort.as_ref().is_some_and(|cohort| !cohort.has(user))
    }
}

impl Mode {
    /// What is left of what a source can do.
    pub fn capabilities(self, inner: Capabilities) -> Capabilities {
        Capabilities {
            authenticate: inner.authenticate && self != Self::LookupOnly,
            ..inner
        }
    }
}

impl<S: IdentitySource> Gate<S> {
    pub fn new(inner: S, rules: Rules) -> Self {
        Self { inner, rules }
    }

    fn open(&self, operation: &'static str) -> Result<(), SourceError> {
        if self.rules.mode == Mode::Off {
            let retry_after = None; // nobody can tell
            return Err(SourceError::new(ErrorKind::Unavailable { retry_after }, operation).with_source(TurnedOff));
        }
        Ok(())
    }

    fn judge(&self, call: &Call, found: Lookup) -> Lookup {
        match found {
            Lookup::Found(user) if self.rules.is_gone(call, &user) => Lookup::Absent,
            Lookup::Found(user) if self.rules.is_out(&user) => Lookup::Ineligible(Rejection::NotInCohort),
            other => other,
        }
    }
}

#[async_trait]
impl<S: IdentitySource> IdentitySource for Gate<S> {
    fn capabilities(&self) -> Capabilities {
        self.rules.mode.capabilities(self.inner.capabilities())
    }

    async fn authenticate(
        &self,
        call: &Call,
        login: &Login,
        password: &Password,
    ) -> Result<Authentication, SourceError> {
        self.open("check a password")?;
        if self.rules.mode == Mode::LookupOnly {
            return Err(SourceError::new(ErrorKind::Unsupported, "check a password"));
        }
        Ok(match self.inner.authenticate(call, login, password).await? {
            Authentication::Accept(user) if self.rules.is_gone(call, &user) => {
                Authentication::Reject(Rejection::UnknownUser)
            }
            Authentication::Accept(user) if self.rules.is_out(&user) => Authentication::Reject(Rejection::NotInCohort),
            other => other,
        })
    }

    async fn user_by_email(&self, call: &Call, email: &Email) -> Result<Lookup, SourceError> {
        self.open("look-up by e-mail")?;
        let found = self.inner.user_by_email(call, email).await?;
        Ok(self.judge(call, found))
    }

    async fn user_by_login(&self, call: &Call, login: &UserName) -> Result<Lookup, SourceError> {
        self.open("look-up by login")?;
        let found = self.inner.user_by_login(call, login).await?;
        Ok(self.judge(call, found))
    }

    /// Everybody: whoever plans a move wants to see those who may not move yet.
    async fn list(&self, call: &Call, after: Option<&Cursor>) -> Result<Page, SourceError> {
        self.inner.list(call, after).await
    }

    async fn factors(&self, call: &Call, id: &UserId) -> Result<Factors, SourceError> {
        self.inner.factors(call, id).await
    }

    /// Everybody, as in a list: whoever asks wants to know what the rules make of them.
    async fn claimants(&self, call: &Call, identifier: &Login) -> Result<Vec<Listed>, SourceError> {
        self.inner.claimants(call, identifier).await
    }

    fn budget(&self) -> Budget {
        self.inner.budget()
    }

    async fn probe(&self, call: &Call) -> Result<(), SourceError> {
        self.open("probe")?;
        self.inner.probe(call).await
    }

    async fn examine(&self, call: &Call, canary_password: Option<&Password>) -> Vec<Finding> {
        if let Err(off) = self.open("examine") {
            return vec![Finding::new("mode", Verdict::Failed(off))];
        }
        if self.rules.mode != Mode::LookupOnly || canary_password.is_none() {
            return self.inner.examine(call, canary_password).await;
        }
        let mut findings = self.inner.examine(call, None).await;
        let why = "mode = \"lookup_only\": no password is checked here, the canary's neither".to_owned();
        findings.push(Finding::new("mode", Verdict::NotChecked(why)));
        findings
    }
}

impl fmt::Display for TurnedOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the settings say mode = \"off\"")
    }
}

impl std::error::Error for TurnedOff {}
