//! The suite on a source whose upstream nobody here holds: a plugin that runs elsewhere, with the suite's people in it.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use idbridge_source::{
    Authentication, Budget, Call, Capabilities, Cursor, Email, Factors, IdentitySource, Login, Lookup, Page, Password,
    SourceError, UserId, UserName, same_identifier,
};
use tokio::sync::Notify;

use crate::suite::{LIMIT, runtime};
use crate::trial::Trial;
use crate::world::Person;
use crate::{Case, Fault, Log, Subject, Submission, Violation};

/// How a case ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Ended {
    Broken(Violation),
    Held,
    /// It holds or it doesn't: nobody knows, and this is why.
    NotRun(String),
}

const CONTROL: &str = "needs control over the plugin's upstream, or sight of what reaches it";

/// Runs one case, in a runtime of its own, on a source that is built in it. Without these people the cases that ask for
/// them are not run, and neither is what needs an upstream that can be broken or looked into.
pub fn check_alone<E>(
    case: &Case,
    missing: &[Person],
    build: impl FnOnce() -> Result<Arc<dyn IdentitySource>, E>,
) -> Result<Ended, E> {
    runtime().block_on(async {
        let stop = Arc::new(Stop::default());
        let source: Arc<dyn IdentitySource> = Arc::new(Watched {
            source: build()?,
            missing: missing.to_vec(),
            stop: Arc::clone(&stop),
        });
        let trial = Trial::new(
            Box::new(Alone {
                source,
                stop: Arc::clone(&stop),
            }),
            Log::default(),
        );
        let declared = trial.operations();
        if let Some(operation) = case.needs.iter().find(|need| !declared.contains(need)) {
            return Ok(Ended::NotRun(format!("the source doesn't declare {operation:?}")));
        }
        Ok(tokio::select! {
            // First, so that what ends the case isn't outrun by what the case makes of it.
            biased;
            () = stop.told.notified() => Ended::NotRun(stop.because()),
            verdict = tokio::time::timeout(LIMIT, case.verdict(&trial)) => match verdict {
                Ok(Ok(())) => Ended::Held,
                Ok(Err(violation)) => Ended::Broken(violation),
                Err(_late) => Ended::Broken(Violation::new("it never ends")),
            },
        })
    })
}

/// Why a case can't be run, once it turns out.
#[derive(Debug, Default)]
struct Stop {
    because: Mutex<String>,
    told: Notify,
}

impl Stop {
    /// Never returns: the case is over.
    async fn stop<T>(&self, because: String) -> T {
        *self.because.lock().unwrap_or_else(PoisonError::into_inner) = because;
        self.told.notify_one();
        std::future::pending().await
    }

    fn because(&self) -> String {
        self.because.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

struct Alone {
    source: Arc<dyn IdentitySource>,
    stop: Arc<Stop>,
}

#[async_trait]
impl Subject for Alone {
    fn source(&self) -> Arc<dyn IdentitySource> {
        Arc::clone(&self.source)
    }

    async fn inflict(&self, _: Fault) {
        self.stop.stop(CONTROL.to_owned()).await
    }

    async fn heal(&self) {
        self.stop.stop(CONTROL.to_owned()).await
    }

    async fn submissions(&self) -> Vec<Submission> {
        self.stop.stop(CONTROL.to_owned()).await
    }

    async fn arrived(&self, _: usize) {
        self.stop.stop(CONTROL.to_owned()).await
    }

    async fn answered(&self, _: usize) {
        self.stop.stop(CONTROL.to_owned()).await
    }
}

/// Ends the case that asks for somebody who isn't there.
#[derive(Debug)]
struct Watched {
    source: Arc<dyn IdentitySource>,
    missing: Vec<Person>,
    stop: Arc<Stop>,
}

impl Watched {
    async fn is_there(&self, asked: &str) {
        let is_asked = |person: &&Person| {
            [person.login, person.email]
                .iter()
                .any(|own| same_identifier(own, asked))
        };
        if let Some(person) = self.missing.iter().find(is_asked) {
            self.stop
                .stop(format!("the plugin doesn't hold {}", person.login))
                .await
        }
    }
}

#[async_trait]
impl IdentitySource for Watched {
    fn capabilities(&self) -> Capabilities {
        self.source.capabilities()
    }

    async fn authenticate(
        &self,
        call: &Call,
        login: &Login,
        password: &Password,
    ) -> Result<Authentication, SourceError> {
        self.is_there(login.as_str()).await;
        self.source.authenticate(call, login, password).await
    }

    async fn user_by_email(&self, call: &Call, email: &Email) -> Result<Lookup, SourceError> {
        self.is_there(email.as_str()).await;
        self.source.user_by_email(call, email).await
    }

    async fn user_by_login(&self, call: &Call, login: &UserName) -> Result<Lookup, SourceError> {
        self.is_there(login.as_str()).await;
        self.source.user_by_login(call, login).await
    }

    async fn list(&self, call: &Call, after: Option<&Cursor>) -> Result<Page, SourceError> {
        if let Some(person) = self.missing.first()
            && self.capabilities().list
        {
            self.stop
                .stop(format!("the plugin doesn't hold {}", person.login))
                .await
        }
        self.source.list(call, after).await
    }

    async fn factors(&self, call: &Call, id: &UserId) -> Result<Factors, SourceError> {
        self.source.factors(call, id).await
    }

    fn budget(&self) -> Budget {
        self.source.budget()
    }

    async fn probe(&self, call: &Call) -> Result<(), SourceError> {
        self.source.probe(call).await
    }
}
