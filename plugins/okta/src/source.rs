use std::sync::Arc;

use async_trait::async_trait;
use idbridge_source::{
    Authentication, Budget, BuildError, Call, Capabilities, Clock, Cursor, Email, ErrorKind, Factors, Finding,
    IdentitySource, Listed, Login, Lookup, Page, Password, Rejection, SourceError, User, UserId, UserName,
};
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::api::{Api, Ask, protocol};
use crate::config::{Choice, SecondFactor, Settings};
use crate::lookup::{owner, unsupported};
use crate::map::{self, State, Status};
use crate::pace::{Counted, Pacer, Purpose};
use crate::profile::{self, Facts};
use crate::wire::{AuthnUser, Id, Transaction, UserRecord};

/// An Okta org, for one worker.
#[derive(Debug)]
pub(crate) struct OktaSource {
    pub(crate) api: Arc<Api>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// What the user's own record doesn't tell.
#[derive(Default)]
pub(crate) struct Extras {
    second_factor: bool,
    groups: Vec<String>,
}

/// A password that Okta proved.
pub(crate) struct Proof {
    user: AuthnUser,
    expired: bool,
}

impl OktaSource {
    pub(crate) fn new(settings: Arc<Settings>, pacer: Arc<Pacer>, clock: Arc<dyn Clock>) -> Result<Self, BuildError> {
        Ok(Self {
            api: Arc::new(Api::new(&settings, pacer)?),
            settings,
            clock,
        })
    }

    /// What else has to be asked about a user, as the settings want it.
    pub(crate) async fn extras(&self, ask: Ask<'_>, id: &Id) -> Result<Extras, SourceError> {
        if !self.asks_extras() {
            return Ok(Extras::default());
        }
        // In a box of its own: it is large, and comes after the longest wait.
        Box::pin(self.ask_extras(ask, id)).await
    }

    async fn ask_extras(&self, ask: Ask<'_>, id: &Id) -> Result<Extras, SourceError> {
        let rules = &self.settings.rules;
        let factors = async {
            if rules.second_factor == SecondFactor::Ignore {
                return Ok(false);
            }
            Ok(self.api.factors(ask, id).await?.iter().any(map::is_second_factor))
        };
        let groups = async {
            if !rules.groups {
                return Ok(Vec::new());
            }
            let groups = self.api.groups(ask, id).await?;
            let mut names: Vec<String> = groups.into_iter().map(|group| group.profile.name).collect();
            // Okta promises no order, and the same user has to look the same twice.
            names.sort();
            names.dedup();
            Ok(names)
        };
        let (second_factor, groups) = tokio::try_join!(factors, groups)?;
        Ok(Extras { second_factor, groups })
    }

    fn asks_extras(&self) -> bool {
        self.extra_calls() > 0
    }

    /// How many calls tell what the user's own record doesn't.
    pub(crate) fn extra_calls(&self) -> u32 {
        let rules = &self.settings.rules;
        let calls = u32::from(rules.groups) + u32::from(rules.second_factor != SecondFactor::Ignore);
        if self.settings.access.is_some() { calls } else { 0 }
    }

    /// The last rule, and the profile. Both RPCs end here.
    pub(crate) fn user(
        &self,
        record: &UserRecord,
        status: Status,
        extras: Extras,
        expired: bool,
    ) -> Result<Result<User, Rejection>, SourceError> {
        let credentials = record.credentials.as_ref().filter(|_| status == Status::Active);
        let emails = credentials.and_then(|credentials| credentials.emails.as_deref());
        let facts = Facts {
            id: &record.id,
            profile: &record.profile,
            emails: emails.unwrap_or_default(),
            second_factor: extras.second_factor,
            groups: extras.groups,
            password_expired: expired || status == Status::PasswordExpired,
        };
        self.admit(facts)
    }

    fn admit(&self, facts: Facts<'_>) -> Result<Result<User, Rejection>, SourceError> {
        if let Some(rejection) = map::rejected_for_factors(facts.second_factor, &self.settings.rules) {
            return Ok(Err(rejection));
        }
        profile::user(facts, &self.settings.rules).map(Ok)
    }

    /// Submits the password when it is its turn, in a task of its own: once sent, it runs to its end even if nobody waits
    /// any more.
    pub(crate) async fn submit(
        &self,
        call: &Call,
        login: &Login,
        password: &Password,
    ) -> Result<Result<Transaction, Rejection>, SourceError> {
        if call.begin_by <= Instant::now() {
            return Err(SourceError::new(ErrorKind::TimedOut, "POST /api/v1/authn"));
        }
        let turn = self.api.turn_to_log_in(call, self.follow_ups()).await?;
        let log_in = self.api.log_in(call, login, password);
        let (api, call) = (Arc::clone(&self.api), call.clone());
        let submission = async move {
            let response = api.authn(&call, log_in).await?;
            turn.answered(&response);
            Api::authn_answer(&response)
        };
        let ended = tokio::spawn(submission.in_current_span()).await;
        ended.unwrap_or_else(|_| {
            let stopped = SourceError::new(ErrorKind::Unavailable { retry_after: None }, "POST /api/v1/authn");
            Err(stopped.with_source("the worker stopped"))
        })
    }

    /// What has to be asked after a password was proved.
    fn follow_ups(&self) -> &'static [Counted] {
        match (self.settings.rules.login_is_email, self.asks_extras()) {
            (false, true) => &[Counted::User, Counted::Other],
            (false, false) => &[Counted::User],
            (true, true) => &[Counted::Other],
            (true, false) => &[],
        }
    }

    /// Takes a transaction as evidence, or not. `Ok(Err(…))` is a no.
    pub(crate) fn weigh(&self, transaction: Transaction) -> Result<Result<Proof, Rejection>, SourceError> {
        let state = map::state(&transaction.status);
        let embedded = transaction.embedded.unwrap_or_default();
        match state {
            State::Locked => return Ok(Err(Rejection::AccountLocked)),
            State::ProvesNothing => return Err(protocol("the transaction's status proves nothing")),
            State::Proved | State::ProvedExpired => {}
            State::ProvedOwesFactor if embedded.owes_password() => {
                return Err(protocol("the factor that is still open is the password"));
            }
            State::ProvedOwesFactor => {}
        }
        let names_factors = embedded.names_factors();
        let Some(user) = embedded.user else {
            return Err(protocol("the transaction names no user"));
        };
        let expired = state == State::ProvedExpired;
        if expired && self.settings.rules.password_expired == Choice::Reject {
            return Ok(Err(Rejection::PasswordExpired));
        }
        if state == State::ProvedOwesFactor {
            if self.settings.rules.second_factor == SecondFactor::Reject {
                return Ok(Err(Rejection::SecondFactorRequired));
            }
            // A yes needs to know that what is open isn't the password.
            if !names_factors {
                return Err(protocol("a factor is open, and none is named"));
            }
        }
        Ok(Ok(Proof { user, expired }))
    }

    /// With login_is_email the transaction tells all there is.
    async fn complete_from_authn(&self, ask: Ask<'_>, proof: Proof) -> Result<Result<User, Rejection>, SourceError> {
        let extras = self.extras(ask, &proof.user.id).await?;
        self.told_by_authn(proof, extras)
    }

    pub(crate) fn told_by_authn(&self, proof: Proof, extras: Extras) -> Result<Result<User, Rejection>, SourceError> {
        let profile = proof
            .user
            .profile
            .ok_or_else(|| protocol("the transaction tells no profile"))?;
        self.admit(Facts {
            id: &proof.user.id,
            profile: &profile,
            emails: &[],
            second_factor: extras.second_factor,
            groups: extras.groups,
            password_expired: proof.expired,
        })
    }

    /// Reads the user whose password was proved. From here on a failure is a failure: neither a no nor a thin profile.
    async fn complete(&self, ask: Ask<'_>, proof: Proof) -> Result<Result<User, Rejection>, SourceError> {
        let id = &proof.user.id;
        let (record, extras) = tokio::join!(self.api.user_by_id(ask, id), self.extras(ask, id));
        let record = record?.ok_or_else(|| protocol("the user who logged in can't be read"))?;
        let status = Status::parse(&record.status).ok_or_else(|| protocol("the user's status is unknown"))?;
        if let Some(rejection) = map::rejected_at_login(status, &self.settings.rules) {
            return Ok(Err(rejection));
        }
        if let Some(rejection) = owner(&record)?.rejected(false, &self.settings.rules) {
            return Ok(Err(rejection));
        }
        self.user(&record, status, extras?, proof.expired)
    }
}

#[async_trait]
impl IdentitySource for OktaSource {
    fn capabilities(&self) -> Capabilities {
        self.settings.capabilities()
    }

    async fn authenticate(
        &self,
        call: &Call,
        login: &Login,
        password: &Password,
    ) -> Result<Authentication, SourceError> {
        let ask = Ask {
            call,
            purpose: Purpose::LogIn,
        };
        let proof = match self.submit(call, login, password).await? {
            Ok(transaction) => self.weigh(transaction)?,
            Err(rejection) => Err(rejection),
        };
        let user = match proof {
            Ok(proof) if self.settings.rules.login_is_email => self.complete_from_authn(ask, proof).await?,
            // In a box of its own, as the extras are.
            Ok(proof) => Box::pin(self.complete(ask, proof)).await?,
            Err(rejection) => Err(rejection),
        };
        Ok(match user {
            Ok(user) => Authentication::Accept(user),
            Err(rejection) => Authentication::Reject(rejection),
        })
    }

    async fn user_by_email(&self, call: &Call, email: &Email) -> Result<Lookup, SourceError> {
        if !self.capabilities().user_by_email {
            return Err(unsupported("look-up by e-mail"));
        }
        self.by_email(
            Ask {
                call,
                purpose: Purpose::LookUp,
            },
            email,
        )
        .await
    }

    async fn user_by_login(&self, call: &Call, login: &UserName) -> Result<Lookup, SourceError> {
        if !self.capabilities().user_by_login {
            return Err(unsupported("look-up by login"));
        }
        self.by_login(
            Ask {
                call,
                purpose: Purpose::LookUp,
            },
            login,
        )
        .await
    }

    async fn list(&self, call: &Call, after: Option<&Cursor>) -> Result<Page, SourceError> {
        if !self.capabilities().list {
            return Err(unsupported("list"));
        }
        let purpose = Purpose::List;
        self.page(Ask { call, purpose }, after).await
    }

    async fn factors(&self, call: &Call, id: &UserId) -> Result<Factors, SourceError> {
        if !self.capabilities().list {
            return Err(unsupported("factors"));
        }
        let purpose = Purpose::List;
        self.second_factors(Ask { call, purpose }, id).await
    }

    async fn claimants(&self, call: &Call, identifier: &Login) -> Result<Vec<Listed>, SourceError> {
        if !self.capabilities().list {
            return Err(unsupported("claimants"));
        }
        let purpose = Purpose::LookUp;
        self.everybody(Ask { call, purpose }, identifier.as_str()).await
    }

    fn budget(&self) -> Budget {
        self.log_in_budget()
    }

    async fn probe(&self, call: &Call) -> Result<(), SourceError> {
        if self.settings.access.is_some() {
            self.see_canary(Ask {
                call,
                purpose: Purpose::LookUp,
            })
            .await
        } else {
            self.api.organization(call).await.map(drop)
        }
    }

    async fn examine(&self, call: &Call, canary_password: Option<&Password>) -> Vec<Finding> {
        self.findings(call, canary_password).await
    }
}
