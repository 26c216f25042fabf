use std::sync::Arc;

use async_trait::async_trait;
use idbridge_source::{
    Authentication, BuildError, Call, Capabilities, Email, ErrorKind, IdentitySource, Login, Lookup, Password,
    SourceError, UserName,
};
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::api::{Answer, Api};
use crate::config::Settings;
use crate::map::{self, Asked, Meaning, Operation};

/// Nobody has it (RFC 2606, section 2). A plugin without look-ups is asked for it, to see whether it answers.
const NOBODY: &str = "idbridge-probe@example.invalid";

/// A plugin in another process, for one worker.
#[derive(Debug)]
pub(crate) struct GrpcSource {
    api: Arc<Api>,
    settings: Arc<Settings>,
}

impl GrpcSource {
    pub(crate) fn new(settings: Arc<Settings>) -> Result<Self, BuildError> {
        Ok(Self {
            api: Arc::new(Api::new(&settings)?),
            settings,
        })
    }

    /// Submits the password, in a task of its own: once sent, it runs to its end even if nobody waits any more.
    async fn submit(&self, call: &Call, login: &Login, password: &Password) -> Result<Authentication, SourceError> {
        let operation = Operation::Authenticate;
        if call.begin_by <= Instant::now() {
            return Err(SourceError::new(ErrorKind::TimedOut, operation.name()));
        }
        let request = self.api.log_in(call, login, password);
        let (api, call) = (Arc::clone(&self.api), call.clone());
        let submission = async move { api.send(&call, request, operation).await };
        let ended = tokio::spawn(submission.in_current_span()).await;
        let answer = ended.unwrap_or_else(|_| {
            let stopped = SourceError::new(ErrorKind::Unavailable { retry_after: None }, operation.name());
            Err(stopped.with_source("the worker stopped"))
        });
        match answer? {
            Answer::Message(response) => map::authentication(response, login, self.settings.rules.aliases)
                .map_err(|unfit| unfit.error(operation)),
            Answer::Refused(refusal) => Err(map::refused(&refusal, operation)),
        }
    }

    /// Absent is only what the plugin says while it finds the canary: one that lost its users finds nobody.
    async fn look_up(&self, call: &Call, asked: Asked<'_>) -> Result<Lookup, SourceError> {
        let found = self.ask(call, asked).await?;
        if found == Lookup::Absent {
            self.see_canary(call).await?;
        }
        Ok(found)
    }

    async fn see_canary(&self, call: &Call) -> Result<(), SourceError> {
        let Some(canary) = &self.settings.rules.canary else {
            return Err(unsupported(Operation::UserByEmail));
        };
        match self.ask(call, Asked::Email(canary)).await? {
            Lookup::Found(_) | Lookup::Ineligible(_) => Ok(()),
            Lookup::Absent => {
                let hidden = SourceError::new(ErrorKind::CredentialRefused, "looking the canary up");
                Err(hidden.with_source("the plugin doesn't find the canary"))
            }
        }
    }

    /// What the plugin itself says.
    async fn ask(&self, call: &Call, asked: Asked<'_>) -> Result<Lookup, SourceError> {
        let operation = asked.operation();
        let request = self.api.look_up(call, asked);
        match self.api.send(call, request, operation).await? {
            Answer::Message(response) => map::lookup(response, asked).map_err(|unfit| unfit.error(operation)),
            Answer::Refused(refusal) => match map::meaning(&refusal, operation) {
                Meaning::Absent => Ok(Lookup::Absent),
                Meaning::AbsentIfPlain if self.settings.rules.plain_not_found => Ok(Lookup::Absent),
                _ => Err(map::refused(&refusal, operation)),
            },
        }
    }
}

#[async_trait]
impl IdentitySource for GrpcSource {
    fn capabilities(&self) -> Capabilities {
        self.settings.capabilities()
    }

    async fn authenticate(
        &self,
        call: &Call,
        login: &Login,
        password: &Password,
    ) -> Result<Authentication, SourceError> {
        self.submit(call, login, password).await
    }

    async fn user_by_email(&self, call: &Call, email: &Email) -> Result<Lookup, SourceError> {
        if !self.capabilities().user_by_email {
            return Err(unsupported(Operation::UserByEmail));
        }
        self.look_up(call, Asked::Email(email)).await
    }

    async fn user_by_login(&self, call: &Call, login: &UserName) -> Result<Lookup, SourceError> {
        // The call has one text for both: what reads as an address would be looked up as one.
        if !self.capabilities().user_by_login || Email::parse(login.as_str()).is_ok() {
            return Err(unsupported(Operation::UserByLogin));
        }
        self.look_up(call, Asked::Login(login)).await
    }

    /// With look-ups, whether the canary is found. Without them, whether the plugin says so: it has heard us and taken our
    /// key.
    async fn probe(&self, call: &Call) -> Result<(), SourceError> {
        if self.settings.rules.canary.is_some() {
            return self.see_canary(call).await;
        }
        let nobody = Email::parse(NOBODY).map_err(|_| unsupported(Operation::UserByEmail))?;
        match self.ask(call, Asked::Email(&nobody)).await {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == ErrorKind::Unsupported => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn unsupported(operation: Operation) -> SourceError {
    SourceError::new(ErrorKind::Unsupported, operation.name())
}
