//! A source that is wrong in one way, around one that is right.

#![expect(clippy::expect_used, reason = "a mistake in a test may end it")]

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use idbridge_source::{
    Authentication, Call, Capabilities, Cursor, Email, ErrorKind, Factors, Finding, IdentitySource, Listed, Login,
    Lookup, Page, Password, SourceError, User, UserId, UserName,
};
use idbridge_testkit::{Fault, Subject, Submission};

type Answer<T> = Result<T, SourceError>;

/// What is wrong.
#[derive(Clone, Copy)]
pub(crate) struct Defect {
    /// Changes what a log-in answers.
    pub(crate) log_in: fn(Answer<Authentication>, &str) -> Answer<Authentication>,
    /// Changes what either look-up answers.
    pub(crate) look_up: fn(Answer<Lookup>, &str) -> Answer<Lookup>,
    /// Changes what a list answers to this cursor.
    pub(crate) list: fn(Answer<Page>, Option<&str>) -> Answer<Page>,
    pub(crate) claimants: fn(Answer<Vec<Listed>>) -> Answer<Vec<Listed>>,
    pub(crate) probe: fn(Answer<()>) -> Answer<()>,
    /// Changes what an examination finds.
    pub(crate) examine: fn(Vec<Finding>) -> Vec<Finding>,
    /// Changes the login before it is sent.
    pub(crate) login: fn(&str) -> String,
    pub(crate) password: fn(&str) -> String,
    /// Changes what is looked up.
    pub(crate) address: fn(&str) -> String,
    pub(crate) habit: Habit,
}

/// What is wrong with how it asks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Habit {
    BeginLate,
    CutTheCheck,
    DeclareLess,
    DeclareNothing,
    IgnoreDeadline,
    ListByLoggingIn,
    LogAddressInSpan,
    LogPassword,
    LookUpByLoggingIn,
    None,
    ProbeByLoggingIn,
    Retry,
    ShareSession,
    ShowPassword,
    StayBroken,
    SubmitTwice,
}

/// Nothing is wrong.
pub(crate) const SOUND: Defect = Defect {
    log_in: |answer, _| answer,
    look_up: |answer, _| answer,
    list: |answer, _| answer,
    claimants: |answer| answer,
    probe: |answer| answer,
    examine: |findings| findings,
    login: str::to_owned,
    password: str::to_owned,
    address: str::to_owned,
    habit: Habit::None,
};

impl Defect {
    pub(crate) fn subject<S: Subject>(self, sound: S) -> Mutated<impl Subject> {
        Mutated {
            subject: sound.wrap(|inner| Mutant {
                inner,
                defect: self,
                last: Mutex::default(),
                broken: AtomicBool::default(),
            }),
            cut: self.habit == Habit::CutTheCheck,
        }
    }
}

pub(crate) fn reject(answer: &Answer<Authentication>) -> bool {
    matches!(answer, Ok(Authentication::Reject(_)))
}

/// Whether somebody was found whose address is spelt otherwise.
pub(crate) fn unlike(answer: &Answer<Lookup>, asked: &str) -> bool {
    matches!(answer, Ok(Lookup::Found(user)) if user.email != asked)
}

/// The same page, changed.
pub(crate) fn amend(answer: Answer<Page>, change: impl FnOnce(&mut Page)) -> Answer<Page> {
    answer.map(|mut page| {
        change(&mut page);
        page
    })
}

/// The same answer with the user changed.
pub(crate) fn forget(answer: Answer<Lookup>, change: impl FnOnce(&mut User)) -> Answer<Lookup> {
    match answer {
        Ok(Lookup::Found(mut user)) => {
            change(&mut user);
            Ok(Lookup::Found(user))
        }
        other => other,
    }
}

pub(crate) struct Mutant {
    inner: Arc<dyn IdentitySource>,
    defect: Defect,
    /// The login of [`Habit::ShareSession`], the password of [`Habit::ShowPassword`].
    last: Mutex<String>,
    broken: AtomicBool,
}

impl Mutant {
    fn has(&self, habit: Habit) -> bool {
        self.defect.habit == habit
    }

    fn call(&self, call: &Call) -> Call {
        let late = |habit| Duration::from_secs(if self.has(habit) { 3600 } else { 0 });
        Call {
            deadline: call.deadline + late(Habit::IgnoreDeadline),
            begin_by: call.begin_by + late(Habit::BeginLate),
            ..call.clone()
        }
    }

    fn note(&self, text: &str) {
        text.clone_into(&mut self.last.lock().expect("nobody panicked"));
    }

    async fn log_in_on_the_side(&self, call: &Call) {
        let login = Login::parse("side@example.com").expect("a login");
        let password = Password::parse("x".to_owned()).expect("a password");
        let _ = self.inner.authenticate(call, &login, &password).await;
    }

    fn judge<T>(&self, answer: Answer<T>) -> Answer<T> {
        if answer.is_err() {
            self.broken.store(true, Ordering::Relaxed);
        }
        if self.has(Habit::StayBroken) && self.broken.load(Ordering::Relaxed) {
            return Err(SourceError::new(
                ErrorKind::Unavailable { retry_after: None },
                "be broken",
            ));
        }
        answer
    }
}

#[async_trait]
impl IdentitySource for Mutant {
    fn capabilities(&self) -> Capabilities {
        let declared = self.inner.capabilities();
        let nothing = self.has(Habit::DeclareNothing);
        Capabilities {
            authenticate: declared.authenticate && !nothing,
            list: declared.list && !nothing,
            user_by_email: declared.user_by_email && !nothing,
            user_by_login: declared.user_by_login && !nothing && !self.has(Habit::DeclareLess),
        }
    }

    async fn authenticate(&self, call: &Call, login: &Login, password: &Password) -> Answer<Authentication> {
        let call = self.call(call);
        let mut sent = Login::parse(&(self.defect.login)(login.as_str())).expect("a login");
        let password = Password::parse((self.defect.password)(password.expose())).expect("a password");
        match self.defect.habit {
            Habit::LogPassword => tracing::trace!(password = password.expose(), "Checks a password."),
            Habit::ShareSession => {
                self.note(sent.as_str());
                tokio::task::yield_now().await;
                sent = Login::parse(&self.last.lock().expect("nobody panicked")).expect("a login");
            }
            Habit::ShowPassword => self.note(password.expose()),
            Habit::SubmitTwice => drop(self.inner.authenticate(&call, &sent, &password).await),
            _ => {}
        }
        let mut answer = self.inner.authenticate(&call, &sent, &password).await;
        if answer.is_err() && self.has(Habit::Retry) {
            answer = self.inner.authenticate(&call, &sent, &password).await;
        }
        self.judge((self.defect.log_in)(answer, login.as_str()))
    }

    async fn user_by_email(&self, call: &Call, email: &Email) -> Answer<Lookup> {
        let call = self.call(call);
        if self.has(Habit::LogAddressInSpan) {
            tracing::trace_span!("look up", address = email.as_str()).in_scope(|| ());
        }
        if self.has(Habit::LookUpByLoggingIn) {
            self.log_in_on_the_side(&call).await;
        }
        let sent = Email::parse(&(self.defect.address)(email.as_str())).expect("an address");
        let answer = self.inner.user_by_email(&call, &sent).await;
        self.judge((self.defect.look_up)(answer, email.as_str()))
    }

    async fn user_by_login(&self, call: &Call, login: &UserName) -> Answer<Lookup> {
        let sent = UserName::parse(&(self.defect.address)(login.as_str())).expect("a login");
        let answer = self.inner.user_by_login(&self.call(call), &sent).await;
        self.judge((self.defect.look_up)(answer, login.as_str()))
    }

    async fn list(&self, call: &Call, after: Option<&Cursor>) -> Answer<Page> {
        if self.has(Habit::ListByLoggingIn) {
            self.log_in_on_the_side(call).await;
        }
        let answer = self.inner.list(&self.call(call), after).await;
        self.judge((self.defect.list)(answer, after.map(Cursor::as_str)))
    }

    async fn factors(&self, call: &Call, id: &UserId) -> Answer<Factors> {
        self.inner.factors(call, id).await
    }

    async fn claimants(&self, call: &Call, identifier: &Login) -> Answer<Vec<Listed>> {
        let answer = self.inner.claimants(&self.call(call), identifier).await;
        self.judge((self.defect.claimants)(answer))
    }

    async fn probe(&self, call: &Call) -> Answer<()> {
        if self.has(Habit::ProbeByLoggingIn) {
            self.log_in_on_the_side(call).await;
        }
        (self.defect.probe)(self.inner.probe(&self.call(call)).await)
    }

    async fn examine(&self, call: &Call, _canary_password: Option<&Password>) -> Vec<Finding> {
        (self.defect.examine)(vec![Finding::of_probe(self.probe(call).await)])
    }
}

impl fmt::Debug for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mutant({})", self.last.lock().expect("nobody panicked"))
    }
}

impl fmt::Debug for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Defect")
            .field("habit", &self.habit)
            .finish_non_exhaustive()
    }
}

/// A subject whose upstream may lose its listeners.
pub(crate) struct Mutated<S> {
    subject: S,
    cut: bool,
}

#[async_trait]
impl<S: Subject> Subject for Mutated<S> {
    fn source(&self) -> Arc<dyn IdentitySource> {
        self.subject.source()
    }

    async fn inflict(&self, fault: Fault) {
        self.subject.inflict(fault).await;
    }

    async fn heal(&self) {
        self.subject.heal().await;
    }

    async fn submissions(&self) -> Vec<Submission> {
        self.subject.submissions().await
    }

    async fn arrived(&self, count: usize) {
        self.subject.arrived(count).await;
    }

    async fn answered(&self, count: usize) {
        // What an upstream sees of a source that drops the connection with its caller.
        if self.cut {
            std::future::pending::<()>().await;
        }
        self.subject.answered(count).await;
    }

    fn may_pause_time(&self) -> bool {
        self.subject.may_pause_time()
    }
}
