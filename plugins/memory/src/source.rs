use std::sync::Arc;

use async_trait::async_trait;
use idbridge_source::{
    Authentication, Blueprint, BuildError, Call, Capabilities, Cursor, Email, ErrorKind, IdentitySource, Listed, Login,
    Lookup, Page, Password, Rejection, SourceError, UserName, same_identifier,
};
use tokio::time::{Instant, timeout_at};

use crate::Control;
use crate::map::{self, Rules};
use crate::person::Person;

/// People to a page: few, so that a handful of them shows how a list goes on.
const PAGE: usize = 10;

/// People, and the rules by which they are shown. Clones share them.
#[derive(Clone, Debug)]
pub struct MemorySource {
    people: Arc<[Person]>,
    rules: Rules,
    lookup_by_login: bool,
    control: Control,
}

impl MemorySource {
    pub(crate) fn new(people: Vec<Person>, rules: Rules, lookup_by_login: bool, control: Control) -> Self {
        Self {
            people: people.into(),
            rules,
            lookup_by_login,
            control,
        }
    }

    async fn check(self, login: Login, password: Password) -> Result<Authentication, SourceError> {
        self.control.submit(login.as_str(), password.expose());
        let answer = self.control.ask("check a password").await;
        self.control.answer();
        answer?;
        let person = self.only(|person| same_identifier(&person.user.login, login.as_str()))?;
        Ok(match person {
            None => Authentication::Reject(Rejection::UnknownUser),
            Some(person) if person.password.is_none() => Authentication::Reject(Rejection::NoPassword),
            Some(person) if !person.has_password(&password) => Authentication::Reject(Rejection::WrongPassword),
            Some(person) => map::authentication(person, self.rules),
        })
    }

    async fn look_up(&self, call: &Call, who: impl Fn(&Person) -> bool) -> Result<Lookup, SourceError> {
        in_time(call, "look a user up", self.control.ask("look a user up")).await?;
        Ok(self
            .only(who)?
            .map_or(Lookup::Absent, |person| map::lookup(person, self.rules)))
    }

    /// The one such person. Two are an error, never the first.
    fn only(&self, who: impl Fn(&Person) -> bool) -> Result<Option<&Person>, SourceError> {
        let mut people = self.people.iter().filter(|person| who(person));
        match (people.next(), people.next()) {
            (_, Some(_)) => Err(SourceError::new(ErrorKind::Ambiguous, "find one user")),
            (person, None) => Ok(person),
        }
    }
}

#[async_trait]
impl IdentitySource for MemorySource {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            authenticate: true,
            list: true,
            user_by_email: true,
            user_by_login: self.lookup_by_login,
        }
    }

    async fn authenticate(
        &self,
        call: &Call,
        login: &Login,
        password: &Password,
    ) -> Result<Authentication, SourceError> {
        if call.begin_by <= Instant::now() {
            return Err(SourceError::new(ErrorKind::TimedOut, "check a password")); // and it isn't sent any more
        }
        // In a task of its own: a password that was sent is answered, even if the caller hangs up.
        let check = tokio::spawn(self.clone().check(login.clone(), password.clone()));
        // A task ends without an answer only by a panic: the plugin is at fault.
        let checked = async {
            check
                .await
                .map_err(|_| SourceError::new(ErrorKind::Protocol, "check a password"))?
        };
        in_time(call, "check a password", checked).await
    }

    async fn user_by_email(&self, call: &Call, email: &Email) -> Result<Lookup, SourceError> {
        self.look_up(call, |person| same_identifier(&person.user.email, email.as_str()))
            .await
    }

    async fn user_by_login(&self, call: &Call, login: &UserName) -> Result<Lookup, SourceError> {
        if !self.lookup_by_login {
            return Err(SourceError::new(ErrorKind::Unsupported, "look-up by login"));
        }
        self.look_up(call, |person| same_identifier(&person.user.login, login.as_str()))
            .await
    }

    async fn list(&self, call: &Call, after: Option<&Cursor>) -> Result<Page, SourceError> {
        in_time(call, "list", self.control.ask("list")).await?;
        let begin = after.map_or(Some(0), |cursor| cursor.as_str().parse::<usize>().ok());
        let begin = begin.filter(|begin| *begin <= self.people.len());
        let begin = begin.ok_or_else(|| SourceError::new(ErrorKind::Protocol, "list"))?;
        let end = begin + PAGE;
        Ok(Page {
            people: self
                .people
                .iter()
                .skip(begin)
                .take(PAGE)
                .map(|person| map::listed(person, self.rules))
                .collect(),
            next: (end < self.people.len())
                .then(|| Cursor::parse(&end.to_string()))
                .flatten(),
        })
    }

    async fn claimants(&self, call: &Call, identifier: &Login) -> Result<Vec<Listed>, SourceError> {
        in_time(call, "claimants", self.control.ask("claimants")).await?;
        let carries = |text: &str| same_identifier(text, identifier.as_str());
        let people = self.people.iter();
        Ok(people
            .filter(|person| carries(&person.user.login) || carries(&person.user.email))
            .map(|person| map::listed(person, self.rules))
            .collect())
    }

    async fn probe(&self, call: &Call) -> Result<(), SourceError> {
        in_time(call, "probe", self.control.ask("probe")).await
    }
}

impl Blueprint for MemorySource {
    fn capabilities(&self) -> Capabilities {
        IdentitySource::capabilities(self)
    }

    fn build(&self) -> Result<Arc<dyn IdentitySource>, BuildError> {
        Ok(Arc::new(self.clone()))
    }
}

/// No answer after the deadline is of use to anybody.
async fn in_time<T>(
    call: &Call,
    operation: &'static str,
    answer: impl Future<Output = Result<T, SourceError>>,
) -> Result<T, SourceError> {
    match timeout_at(call.deadline, answer).await {
        Ok(answer) => answer,
        Err(_late) => Err(SourceError::new(ErrorKind::TimedOut, operation)),
    }
}
