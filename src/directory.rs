//! The two use cases, free of any transport: choose a source, ask it, name who answered.

pub mod routing;

use std::collections::BTreeMap;
use std::sync::Arc;

use idbridge_source::{
    Authentication, Call, Email, IdentitySource, InvalidInput, Login, Lookup, Password, SourceError, UserName,
};

use routing::Routing;

/// Every configured source, and which of them is asked.
#[derive(Debug)]
pub struct Directory {
    members: BTreeMap<Arc<str>, Member>,
    routing: Routing,
}

/// A configured source.
#[derive(Debug)]
pub struct Member {
    pub name: Arc<str>,
    pub source: Arc<dyn IdentitySource>,
    /// Stands before every id, for ever. Empty: the source's ids carry a prefix already.
    pub id_prefix: Arc<str>,
    /// Whether this source may be told the user's address.
    pub forward_client_address: bool,
}

/// What a caller may ask, by the broker's settings.
pub trait Permission {
    fn may_authenticate(&self) -> bool;
    fn may_look_up(&self) -> bool;
    fn may_ask(&self, source: &str) -> bool;
}

/// An outcome, and the source that it came from.
#[derive(Debug)]
pub struct Answer<T> {
    pub source: Arc<str>,
    pub id_prefix: Arc<str>,
    pub outcome: T,
}

/// Why there is no outcome.
#[derive(Debug)]
pub enum Failure {
    CallerNotAllowed,
    InvalidIdentifier(InvalidInput),
    InvalidPassword(InvalidInput),
    /// No source has this name, or no route leads to one.
    NoSource,
    /// The source could not find out.
    Source {
        name: Arc<str>,
        error: SourceError,
    },
    /// The source can't do this.
    Unsupported {
        name: Arc<str>,
    },
}

impl Directory {
    pub fn new(members: impl IntoIterator<Item = Member>, routing: Routing) -> Self {
        Self {
            members: members
                .into_iter()
                .map(|member| (Arc::clone(&member.name), member))
                .collect(),
            routing,
        }
    }

    /// Is this person who they say they are? Of the call, what the source may not be told is taken away.
    pub async fn authenticate(
        &self,
        call: &mut Call,
        caller: &(impl Permission + ?Sized),
        login: &str,
        password: String,
        source: Option<&str>,
    ) -> Result<Answer<Authentication>, Failure> {
        if !caller.may_authenticate() {
            return Err(Failure::CallerNotAllowed);
        }
        let parsed = Login::parse(login).map_err(Failure::InvalidIdentifier)?;
        let password = Password::parse(password).map_err(Failure::InvalidPassword)?;
        let member = self.choose(caller, login, source)?;
        if !member.source.capabilities().authenticate {
            return Err(Failure::Unsupported {
                name: Arc::clone(&member.name),
            });
        }
        member.withhold(call);
        let outcome = member.source.authenticate(call, &parsed, &password).await;
        member.answer(outcome)
    }

    /// Who has this address? Of the call, as above.
    pub async fn user_by_email(
        &self,
        call: &mut Call,
        caller: &(impl Permission + ?Sized),
        identifier: &str,
        source: Option<&str>,
    ) -> Result<Answer<Lookup>, Failure> {
        if !caller.may_look_up() {
            return Err(Failure::CallerNotAllowed);
        }
        Login::parse(identifier).map_err(Failure::InvalidIdentifier)?;
        let member = self.choose(caller, identifier, source)?;
        let can = member.source.capabilities();
        member.withhold(call);
        let outcome = match Email::parse(identifier) {
            Ok(_) if !can.user_by_email => {
                return Err(Failure::Unsupported {
                    name: Arc::clone(&member.name),
                });
            }
            Ok(email) => member.source.user_by_email(call, &email).await,
            Err(invalid) if !can.user_by_login => return Err(Failure::InvalidIdentifier(invalid)),
            Err(_) => {
                let login = UserName::parse(identifier).map_err(Failure::InvalidIdentifier)?;
                member.source.user_by_login(call, &login).await
            }
        };
        member.answer(outcome)
    }

    fn choose(
        &self,
        caller: &(impl Permission + ?Sized),
        identifier: &str,
        asked: Option<&str>,
    ) -> Result<&Member, Failure> {
        let name = match asked {
            Some(name) => name,
            None => self.routing.source_for(identifier).ok_or(Failure::NoSource)?,
        };
        // Whether a source exists is nothing to tell a caller who may not ask it.
        if !caller.may_ask(name) {
            return Err(Failure::CallerNotAllowed);
        }
        self.members.get(name).ok_or(Failure::NoSource)
    }
}

impl Member {
    fn withhold(&self, call: &mut Call) {
        if !self.forward_client_address {
            call.client_address = None;
        }
    }

    fn answer<T>(&self, outcome: Result<T, SourceError>) -> Result<Answer<T>, Failure> {
        match outcome {
            Ok(outcome) => Ok(Answer {
                source: Arc::clone(&self.name),
                id_prefix: Arc::clone(&self.id_prefix),
                outcome,
            }),
            Err(error) => Err(Failure::Source {
                name: Arc::clone(&self.name),
                error,
            }),
        }
    }
}
