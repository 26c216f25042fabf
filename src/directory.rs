//! The two use cases, free of any transport: choose a source, ask it, name who answered.

mod chain;
pub mod routing;

use std::collections::BTreeMap;
use std::sync::Arc;

use idbridge_source::{
    Authentication, Call, Email, IdentitySource, InvalidInput, Login, Lookup, Password, SourceError, UserName,
};

use chain::Chain;
use routing::{Destination, Routing};

/// Every configured source, and which of them are asked.
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
    fn name(&self) -> &Arc<str>;
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
        call.caller = Some(Arc::clone(caller.name()));
        let choice = self.choose(caller, login, source)?;
        match choice {
            Choice::Chain(chain) => Box::pin(chain.authenticate(call, &parsed, &password)).await,
            Choice::One(member) => member.authenticate(call, &parsed, &password).await,
        }
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
        match self.choose(caller, identifier, source)? {
            Choice::Chain(chain) => Box::pin(chain.look_up(call, identifier)).await,
            Choice::One(member) => member.look_up(call, identifier).await,
        }
    }

    fn choose(
        &self,
        caller: &(impl Permission + ?Sized),
        identifier: &str,
        asked: Option<&str>,
    ) -> Result<Choice<'_>, Failure> {
        if let Some(name) = asked {
            return self.member(caller, name).map(Choice::One);
        }
        let (_, route) = self.routing.find(identifier, caller.name()).ok_or(Failure::NoSource)?;
        match &route.to {
            Destination::Source(name) => self.member(caller, name).map(Choice::One),
            Destination::Chain(chain) => {
                let members = chain.sources.iter().map(|name| self.member(caller, name));
                Ok(Choice::Chain(Chain {
                    members: members.collect::<Result<_, _>>()?,
                    locate: chain.locate,
                }))
            }
        }
    }

    fn member(&self, caller: &(impl Permission + ?Sized), name: &str) -> Result<&Member, Failure> {
        // Whether a source exists is nothing to tell a caller who may not ask it.
        if !caller.may_ask(name) {
            return Err(Failure::CallerNotAllowed);
        }
        self.members.get(name).ok_or(Failure::NoSource)
    }
}

/// Who is asked.
enum Choice<'a> {
    Chain(Chain<'a>),
    One(&'a Member),
}

impl Member {
    async fn authenticate(
        &self,
        call: &mut Call,
        login: &Login,
        password: &Password,
    ) -> Result<Answer<Authentication>, Failure> {
        if !self.source.capabilities().authenticate {
            return Err(self.unsupported());
        }
        self.withhold(call);
        // Of what the `Arc` holds: an `Arc`'s own is one more future in a box.
        let outcome = (*self.source).authenticate(call, login, password).await;
        self.answer(outcome)
    }

    async fn look_up(&self, call: &mut Call, identifier: &str) -> Result<Answer<Lookup>, Failure> {
        let can = self.source.capabilities();
        self.withhold(call);
        let outcome = match Email::parse(identifier) {
            Ok(_) if !can.user_by_email => return Err(self.unsupported()),
            Ok(email) => self.source.user_by_email(call, &email).await,
            Err(invalid) if !can.user_by_login => return Err(Failure::InvalidIdentifier(invalid)),
            Err(_) => {
                let login = UserName::parse(identifier).map_err(Failure::InvalidIdentifier)?;
                self.source.user_by_login(call, &login).await
            }
        };
        self.answer(outcome)
    }

    fn withhold(&self, call: &mut Call) {
        if !self.forward_client_address {
            call.client_address = None;
        }
    }

    fn unsupported(&self) -> Failure {
        Failure::Unsupported {
            name: Arc::clone(&self.name),
        }
    }

    fn named<T>(&self, outcome: T) -> Answer<T> {
        Answer {
            source: Arc::clone(&self.name),
            id_prefix: Arc::clone(&self.id_prefix),
            outcome,
        }
    }

    fn answer<T>(&self, outcome: Result<T, SourceError>) -> Result<Answer<T>, Failure> {
        match outcome {
            Ok(outcome) => Ok(self.named(outcome)),
            Err(error) => Err(Failure::Source {
                name: Arc::clone(&self.name),
                error,
            }),
        }
    }
}
