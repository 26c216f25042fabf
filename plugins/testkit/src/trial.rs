use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use idbridge_source::{
    Authentication, Call, Cursor, Email, ErrorKind, IdentitySource, Login, Lookup, Page, Password, Rejection,
    RequestId, SourceError, User, UserName,
};
use tokio::time::Instant;

use crate::cast::{self, Cast};
use crate::world::Person;
use crate::{Log, Subject};

/// Longer than a sound source takes for an answer, and short enough that one that hangs fails the case soon.
const PATIENCE: Duration = Duration::from_secs(5);

/// How a case ended.
pub type Verdict = Result<(), Violation>;

/// What a source did that it must not do.
#[derive(Clone, Eq, PartialEq)]
pub struct Violation(String);

impl Violation {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Ends the case with this violation unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($text:tt)+) => {
        if !$condition {
            return Err($crate::Violation::new(format!($($text)+)));
        }
    };
}
pub(crate) use ensure;

/// What a source can be asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Operation {
    Authenticate,
    List,
    UserByEmail,
    UserByLogin,
}

/// One case on one subject.
pub(crate) struct Trial {
    pub(crate) subject: Box<dyn Subject>,
    pub(crate) source: Arc<dyn IdentitySource>,
    pub(crate) log: Log,
    cast: Cast,
    lacks: RefCell<Lacks>,
}

/// Who would have been wanted.
#[derive(Debug, Default)]
struct Lacks {
    whom: Vec<&'static str>,
    /// The case couldn't go on.
    ended: bool,
    /// The source has asked for patience, and what comes of it is no verdict on it.
    patience: bool,
}

impl fmt::Debug for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trial").finish_non_exhaustive()
    }
}

impl Trial {
    pub(crate) fn new(subject: Box<dyn Subject>, log: Log, cast: Cast) -> Self {
        let source = subject.source();
        Self {
            subject,
            source,
            log,
            cast,
            lacks: RefCell::default(),
        }
    }

    /// Everything is well with her, and she is always there.
    pub(crate) fn ada(&self) -> Person {
        self.cast.ada
    }

    /// Nobody's login and nobody's address.
    pub(crate) fn nobody(&self) -> &'static str {
        self.cast.nobody
    }

    pub(crate) fn cast(&self) -> &Cast {
        &self.cast
    }

    /// Who plays this person, without whom the case can't go on.
    pub(crate) fn person(&self, person: &Person) -> Result<Person, Violation> {
        self.cast.player(person).ok_or_else(|| {
            self.lack(cast::name(person));
            self.lacks.borrow_mut().ended = true;
            Violation::new("nobody plays a part")
        })
    }

    /// Who plays these people, those who are there. Where somebody isn't, what the others show still counts against the
    /// source, and never for it.
    pub(crate) fn people<const N: usize>(&self, people: [Person; N]) -> Vec<Person> {
        let player = |person: &Person| {
            let player = self.cast.player(person);
            if player.is_none() {
                self.lack(cast::name(person));
            }
            player
        };
        people.iter().filter_map(player).collect()
    }

    pub(crate) fn lack(&self, whom: &'static str) {
        let mut lacks = self.lacks.borrow_mut();
        if !lacks.whom.contains(&whom) {
            lacks.whom.push(whom);
        }
    }

    /// The same answer, noted if it says nothing but that one should wait.
    fn heeded<T>(&self, answer: Result<T, SourceError>) -> Result<T, SourceError> {
        let throttled = |error: &SourceError| matches!(error.kind(), ErrorKind::Throttled { .. });
        if answer.as_ref().is_err_and(throttled) {
            self.lacks.borrow_mut().patience = true;
        }
        answer
    }

    /// Whether the source asked for patience.
    pub(crate) fn lacked_patience(&self) -> bool {
        self.lacks.borrow().patience
    }

    /// Whom the case lacked, unless it found something wrong with the others.
    pub(crate) fn lacks(&self, verdict: &Verdict) -> Option<String> {
        let lacks = self.lacks.borrow();
        let is_open = lacks.ended || verdict.is_ok() && !lacks.whom.is_empty();
        is_open.then(|| lacks.whom.join(", "))
    }

    pub(crate) fn call(&self) -> Call {
        call_until(Instant::now() + PATIENCE)
    }

    pub(crate) async fn authenticate(&self, login: &str, password: &str) -> Result<Authentication, SourceError> {
        let (login, password) = (parsed_login(login), parsed_password(password));
        self.heeded(self.source.authenticate(&self.call(), &login, &password).await)
    }

    /// A log-in with the password that this person has.
    pub(crate) async fn log_in(&self, person: &Person) -> Result<Authentication, SourceError> {
        self.authenticate(person.login, person.password).await
    }

    pub(crate) async fn by_email(&self, email: &str) -> Result<Lookup, SourceError> {
        self.heeded(self.source.user_by_email(&self.call(), &parsed_email(email)).await)
    }

    pub(crate) async fn by_login(&self, login: &str) -> Result<Lookup, SourceError> {
        self.heeded(self.source.user_by_login(&self.call(), &parsed_user_name(login)).await)
    }

    pub(crate) async fn page(&self, after: Option<&Cursor>) -> Result<Page, SourceError> {
        self.source.list(&self.call(), after).await
    }

    /// The user whom this person's log-in yields.
    pub(crate) async fn accepted(&self, person: &Person) -> Result<User, Violation> {
        self.accepted_as(person.login, person).await
    }

    /// The user whom this person's log-in yields, the login typed so.
    pub(crate) async fn accepted_as(&self, login: &str, person: &Person) -> Result<User, Violation> {
        match self.authenticate(login, person.password).await {
            Ok(Authentication::Accept(user)) => Ok(user),
            other => Err(Violation::new(format!(
                "{login} with the right password: {other:?}, not Accept"
            ))),
        }
    }

    pub(crate) async fn rejected(&self, login: &str, password: &str) -> Result<Rejection, Violation> {
        match self.authenticate(login, password).await {
            Ok(Authentication::Reject(rejection)) => Ok(rejection),
            other => Err(Violation::new(format!(
                "{login} with a password that isn't to get in: {other:?}, not Reject"
            ))),
        }
    }

    pub(crate) async fn found(&self, email: &str) -> Result<User, Violation> {
        found(email, self.by_email(email).await)
    }

    pub(crate) async fn found_by_login(&self, login: &str) -> Result<User, Violation> {
        found(login, self.by_login(login).await)
    }

    pub(crate) async fn absent(&self, email: &str) -> Verdict {
        match self.by_email(email).await {
            Ok(Lookup::Absent) => Ok(()),
            other => Err(Violation::new(format!("look-up of {email}: {other:?}, not Absent"))),
        }
    }

    /// The operations that the source declares.
    pub(crate) fn operations(&self) -> Vec<Operation> {
        let can = self.source.capabilities();
        let all = [
            (can.authenticate, Operation::Authenticate),
            (can.list, Operation::List),
            (can.user_by_email, Operation::UserByEmail),
            (can.user_by_login, Operation::UserByLogin),
        ];
        all.into_iter()
            .filter(|(declared, _)| *declared)
            .map(|(_, operation)| operation)
            .collect()
    }

    /// Asks for Ada with this operation; what a source answers on a good day is described in words.
    pub(crate) async fn ask(&self, operation: Operation, call: &Call) -> Result<String, SourceError> {
        self.heeded(self.answer(operation, call).await)
    }

    async fn answer(&self, operation: Operation, call: &Call) -> Result<String, SourceError> {
        let describe = |lookup: Lookup| format!("{lookup:?}");
        let ada = self.ada();
        match operation {
            Operation::Authenticate => {
                let (login, password) = (parsed_login(ada.login), parsed_password(ada.password));
                let answer = self.source.authenticate(call, &login, &password).await?;
                Ok(format!("{answer:?}"))
            }
            Operation::List => self.source.list(call, None).await.map(|page| format!("{page:?}")),
            Operation::UserByEmail => self
                .source
                .user_by_email(call, &parsed_email(ada.email))
                .await
                .map(describe),
            Operation::UserByLogin => self
                .source
                .user_by_login(call, &parsed_user_name(ada.login))
                .await
                .map(describe),
        }
    }

    /// What the case is for a source that doesn't declare the operation.
    pub(crate) async fn unsupported(&self, operation: Operation) -> Verdict {
        match self.ask(operation, &self.call()).await {
            Err(error) if error.kind() == ErrorKind::Unsupported => Ok(()),
            other => Err(Violation::new(format!(
                "undeclared {operation:?}: {other:?}, not Unsupported"
            ))),
        }
    }

    pub(crate) async fn submission_count(&self) -> usize {
        self.subject.submissions().await.len()
    }
}

pub(crate) fn call_until(deadline: Instant) -> Call {
    Call::new(parsed(RequestId::parse("behaviour").ok_or("no request id")), deadline)
}

pub(crate) fn parsed_email(text: &str) -> Email {
    parsed(Email::parse(text))
}

pub(crate) fn parsed_login(text: &str) -> Login {
    parsed(Login::parse(text))
}

pub(crate) fn parsed_password(text: &str) -> Password {
    parsed(Password::parse(text.to_owned()))
}

fn parsed_user_name(text: &str) -> UserName {
    parsed(UserName::parse(text))
}

#[expect(clippy::expect_used, reason = "the suite's own texts parse, or the suite is wrong")]
fn parsed<T, E: fmt::Debug>(result: Result<T, E>) -> T {
    result.expect("the suite's own input must parse")
}

fn found(asked: &str, lookup: Result<Lookup, SourceError>) -> Result<User, Violation> {
    match lookup {
        Ok(Lookup::Found(user)) => Ok(user),
        other => Err(Violation::new(format!("look-up of {asked}: {other:?}, not Found"))),
    }
}
