use std::sync::Arc;

use async_trait::async_trait;
use idbridge_source::{
    Authentication, BoxError, BuildError, Call, Capabilities, Clock, Cursor, Email, ErrorKind, IdentitySource, Login,
    Lookup, Page, Password, Rejection, SourceError, UserName, same_identifier,
};
use serde_json::Value;
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::api::{Answered, Api};
use crate::config::{LogIn, LookUp, Records, Settings};
use crate::map::{self, Outcome};
use crate::person::{Identifier, Known};
use crate::token::Tokens;

/// An HTTP API, for one worker.
#[derive(Debug)]
pub(crate) struct HttpSource {
    pub(crate) api: Arc<Api>,
    pub(crate) settings: Arc<Settings>,
}

/// What a look-up saw.
enum Sight {
    No(Rejection),
    Nobody,
    Somebody(Box<Known>),
}

impl HttpSource {
    pub(crate) fn new(
        settings: &Arc<Settings>,
        tokens: &Arc<Tokens>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, BuildError> {
        Ok(Self {
            api: Arc::new(Api::new(settings, tokens, clock)?),
            settings: Arc::clone(settings),
        })
    }

    /// Submits the password in a task of its own: once sent, it runs to its end even if nobody waits any more.
    async fn submit(&self, call: &Call, login: &Login, password: &Password) -> Result<Answered, SourceError> {
        let (api, call) = (Arc::clone(&self.api), call.clone());
        let (login, password) = (login.clone(), password.clone());
        let submission = async move {
            let settings = Arc::clone(&api.settings);
            let spec = settings.log_in.as_ref().ok_or_else(|| unsupported("log-in"))?;
            api.log_in(&call, spec, &login, &password).await
        };
        let ended = tokio::spawn(submission.in_current_span()).await;
        ended.unwrap_or_else(|_| {
            let stopped = SourceError::new(ErrorKind::Unavailable { retry_after: None }, "log-in");
            Err(stopped.with_source("the worker stopped"))
        })
    }

    /// Reads whose password was proved. From here on a failure is a failure: neither a no nor a thin profile.
    async fn complete(
        &self,
        call: &Call,
        spec: &LogIn,
        login: &Login,
        answered: &Answered,
    ) -> Result<Result<Known, Rejection>, SourceError> {
        if let Some(pointer) = &spec.record {
            let record = record(pointer.find(answered.body()?).ok().flatten()).map_err(|why| answered.protocol(why))?;
            return self
                .known(answered, record, &spec.identified_by, login.as_str())
                .map(Ok);
        }
        let look_up = self
            .settings
            .user_by_login
            .as_ref()
            .ok_or_else(|| unsupported("look-up by login"))?;
        match self.sight(call, look_up, &spec.identified_by, login.as_str()).await? {
            Sight::Somebody(known) => Ok(Ok(*known)),
            Sight::No(rejection) => Ok(Err(rejection)),
            Sight::Nobody => Err(answered.protocol("the user who logged in can't be read")),
        }
    }

    async fn look_up(
        &self,
        call: &Call,
        spec: Option<&LookUp>,
        identifier: Identifier,
        asked: &str,
    ) -> Result<Lookup, SourceError> {
        let spec = spec.ok_or_else(|| unsupported("look-up"))?;
        match self.sight(call, spec, &[identifier], asked).await? {
            Sight::No(rejection) => Ok(Lookup::Ineligible(rejection)),
            Sight::Somebody(known) => Ok(map::lookup(*known, self.settings.rules)),
            Sight::Nobody => {
                let canary = spec.canary.as_deref().ok_or_else(|| hidden("there is no canary"))?;
                self.see_canary(call, spec, identifier, canary).await?;
                Ok(Lookup::Absent)
            }
        }
    }

    /// Proves that the credential sees users: without that, "absent" means nothing.
    pub(crate) async fn see_canary(
        &self,
        call: &Call,
        spec: &LookUp,
        identifier: Identifier,
        canary: &str,
    ) -> Result<(), SourceError> {
        match self.sight(call, spec, &[identifier], canary).await? {
            Sight::Somebody(_) => Ok(()),
            Sight::No(_) | Sight::Nobody => Err(hidden("the canary isn't visible to this credential")),
        }
    }

    async fn sight(
        &self,
        call: &Call,
        spec: &LookUp,
        identifiers: &[Identifier],
        asked: &str,
    ) -> Result<Sight, SourceError> {
        // A request knows one of them.
        let answered = self
            .api
            .ask(
                call,
                &spec.ask,
                &[("email", asked.into()), ("login", asked.into())],
                None,
            )
            .await?;
        match answered.outcome {
            Outcome::Absent => return Ok(Sight::Nobody),
            Outcome::No(rejection) => return Ok(Sight::No(rejection)),
            Outcome::Found | Outcome::Page | Outcome::Well | Outcome::Yes => {}
        }
        let known = match &spec.records {
            Records::One(pointer) => {
                let record = record(pointer.find(answered.body()?).ok().flatten());
                let record = record.map_err(|why| answered.protocol(why))?;
                self.known(&answered, record, identifiers, asked)?
            }
            Records::Many(pointer) => {
                let records = pointer.find(answered.body()?).ok().flatten().and_then(Value::as_array);
                let records = records.ok_or_else(|| answered.protocol("there is no list of records"))?;
                self.only(&answered, records, identifiers, asked)?
            }
        };
        Ok(Sight::Somebody(Box::new(known)))
    }

    /// The one of a list who was asked for. A search may be wider than the question, so that others are left out; nobody is
    /// an error, since the answer says that somebody was found.
    fn only(
        &self,
        answered: &Answered,
        records: &[Value],
        identifiers: &[Identifier],
        asked: &str,
    ) -> Result<Known, SourceError> {
        let mut claimants = Vec::new();
        for item in records {
            let item = record(Some(item)).map_err(|why| answered.protocol(why))?;
            if self.is_meant(answered, item, identifiers, asked)? {
                claimants.push(item);
            }
        }
        match claimants[..] {
            [record] => self.known(answered, record, identifiers, asked),
            [] => Err(answered.protocol("found, and nobody in the list was asked for")),
            _ => {
                let ambiguous = SourceError::new(ErrorKind::Ambiguous, "look-up");
                Err(ambiguous.with_source("more than one record was asked for"))
            }
        }
    }

    /// The person of a record, if it is the one who was asked for.
    fn known(
        &self,
        answered: &Answered,
        record: &Value,
        identifiers: &[Identifier],
        asked: &str,
    ) -> Result<Known, SourceError> {
        if !self.is_meant(answered, record, identifiers, asked)? {
            return Err(answered.protocol("the record is somebody else's"));
        }
        self.settings.person.known(record).map_err(|why| answered.protocol(why))
    }

    fn is_meant(
        &self,
        answered: &Answered,
        record: &Value,
        identifiers: &[Identifier],
        asked: &str,
    ) -> Result<bool, SourceError> {
        for identifier in identifiers {
            let found = self.settings.person.identifier(record, *identifier);
            let found = found.map_err(|why| answered.protocol(why))?;
            if found.is_some_and(|found| same_identifier(found, asked)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

#[async_trait]
impl IdentitySource for HttpSource {
    fn capabilities(&self) -> Capabilities {
        self.settings.capabilities()
    }

    async fn authenticate(
        &self,
        call: &Call,
        login: &Login,
        password: &Password,
    ) -> Result<Authentication, SourceError> {
        let spec = self.settings.log_in.as_ref().ok_or_else(|| unsupported("log-in"))?;
        if call.begin_by <= Instant::now() {
            return Err(SourceError::new(ErrorKind::TimedOut, "log-in")); // and it isn't sent any more
        }
        let answered = self.submit(call, login, password).await?;
        if let Outcome::No(rejection) = answered.outcome {
            return Ok(Authentication::Reject(rejection));
        }
        // In a box of its own: it is large, and comes after the longest wait.
        let known = Box::pin(self.complete(call, spec, login, &answered)).await?;
        Ok(match known {
            Ok(known) => map::authentication(known, self.settings.rules),
            Err(rejection) => Authentication::Reject(rejection),
        })
    }

    async fn user_by_email(&self, call: &Call, email: &Email) -> Result<Lookup, SourceError> {
        let spec = self.settings.user_by_email.as_ref();
        self.look_up(call, spec, Identifier::Email, email.as_str()).await
    }

    async fn user_by_login(&self, call: &Call, login: &UserName) -> Result<Lookup, SourceError> {
        let spec = self.settings.user_by_login.as_ref();
        self.look_up(call, spec, Identifier::Login, login.as_str()).await
    }

    async fn list(&self, call: &Call, after: Option<&Cursor>) -> Result<Page, SourceError> {
        self.page(call, after).await
    }

    async fn probe(&self, call: &Call) -> Result<(), SourceError> {
        if let Some((spec, identifier, canary)) = self.settings.watched() {
            return self.see_canary(call, spec, identifier, canary).await;
        }
        match &self.settings.probe {
            Some(ask) => self.api.ask(call, ask, &[], None).await.map(drop),
            None => Err(unsupported("probe")),
        }
    }
}

pub(crate) fn record(value: Option<&Value>) -> Result<&Value, BoxError> {
    value
        .filter(|value| value.is_object())
        .ok_or_else(|| "there is no record".into())
}

pub(crate) fn unsupported(operation: &'static str) -> SourceError {
    SourceError::new(ErrorKind::Unsupported, operation).with_source("the settings describe no such request")
}

pub(crate) fn hidden(cause: &'static str) -> SourceError {
    SourceError::new(ErrorKind::CredentialRefused, "reading the canary").with_source(cause)
}
