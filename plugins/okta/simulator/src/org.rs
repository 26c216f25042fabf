//! What an org consists of: its people, tokens and rules.

use std::fmt;

use crate::{Clock, Limits, Person};

/// An org, before it runs and (through [`crate::Control::change`]) while it runs.
#[derive(Clone)]
pub struct Org {
    pub people: Vec<Person>,
    pub tokens: Vec<Token>,
    pub lockout: Lockout,
    /// Wrong passwords in a row until a user is locked out. Okta's default is 10.
    pub lockout_after: u32,
    pub limits: Limits,
    pub clock: Clock,
    pub pipeline: Pipeline,
    /// ThreatInsight or a blocked zone bans the caller: every `/authn` is 403 E0000006.
    pub threat_insight: bool,
    /// Off: SUCCESS comes without `sessionToken`, as in orgs with STATE_TOKEN_ALL_FLOWS.
    pub session_tokens: bool,
    /// Search keeps to the state of the start until [`crate::Control::refresh_search`].
    pub stale_search: bool,
}

/// An SSWS token.
#[derive(Clone)]
pub struct Token {
    pub value: String,
    /// Login of the user who made it; `users/me` answers with that user, and without an active one the token is dead.
    pub owner: String,
    pub rights: Rights,
}

/// What a token may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// 403 E0000006 for everything.
    Forbidden,
    /// Lists are `200 []` and nobody is found, as recorded for a service app without a role.
    Nobody,
    /// All people.
    ReadUsers,
}

/// How the org shows that a user is locked out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lockout {
    /// 403 E0000069.
    Forbidden,
    /// 401 E0000004, even with the right password: the default of an org.
    Hidden,
    /// 200 LOCKED_OUT.
    Shown,
}

/// Which engine `/.well-known/okta-organization` names. `/authn` is the same on both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pipeline {
    Classic,
    IdentityEngine,
}

impl Org {
    /// An org with one user: the administrator whom tokens belong to.
    pub fn new() -> Org {
        Org {
            people: vec![
                Person::new(ADMINISTRATOR)
                    .name("Ops", "Admin")
                    .note("made the API token"),
            ],
            tokens: Vec::new(),
            lockout: Lockout::Hidden,
            lockout_after: 10,
            limits: Limits::workforce(),
            clock: Clock::system(),
            pipeline: Pipeline::IdentityEngine,
            threat_insight: false,
            session_tokens: true,
            stale_search: false,
        }
    }

    #[must_use]
    pub fn person(mut self, person: Person) -> Org {
        self.people.push(person);
        self
    }

    /// Adds a token that may read all people.
    #[must_use]
    pub fn token(self, value: &str) -> Org {
        self.token_with(value, Rights::ReadUsers)
    }

    #[must_use]
    pub fn token_with(mut self, value: &str, rights: Rights) -> Org {
        self.tokens.push(Token {
            value: value.to_owned(),
            owner: ADMINISTRATOR.to_owned(),
            rights,
        });
        self
    }

    #[must_use]
    pub fn lockout(mut self, after: u32, lockout: Lockout) -> Org {
        self.lockout_after = after;
        self.lockout = lockout;
        self
    }

    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Org {
        self.limits = limits;
        self
    }

    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Org {
        self.clock = clock;
        self
    }

    #[must_use]
    pub fn pipeline(mut self, pipeline: Pipeline) -> Org {
        self.pipeline = pipeline;
        self
    }

    #[must_use]
    pub fn threat_insight(mut self, on: bool) -> Org {
        self.threat_insight = on;
        self
    }

    #[must_use]
    pub fn session_tokens(mut self, on: bool) -> Org {
        self.session_tokens = on;
        self
    }

    #[must_use]
    pub fn stale_search(mut self) -> Org {
        self.stale_search = true;
        self
    }

    /// Everyone in the org, in the order in which they were added.
    pub fn people(&self) -> &[Person] {
        &self.people
    }

    /// The user with this login.
    pub fn find(&self, login: &str) -> Option<&Person> {
        self.people.iter().find(|person| same(&person.login, login))
    }
}

impl Default for Org {
    fn default() -> Org {
        Org::new()
    }
}

impl fmt::Debug for Org {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Org")
            .field("people", &self.people.len())
            .field("tokens", &self.tokens.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("rights", &self.rights)
            .finish_non_exhaustive()
    }
}

/// Equal ignoring case; accents count.
pub(crate) fn same(one: &str, other: &str) -> bool {
    one.chars()
        .flat_map(char::to_lowercase)
        .eq(other.chars().flat_map(char::to_lowercase))
}

pub(crate) const ADMINISTRATOR: &str = "api-admin@example.com";
