//! Everybody, page by page: what an assessment reads before a migration begins.

use std::fmt;
use std::time::SystemTime;

use crate::{Rejection, User, UserId};

/// Some of the people, and where the next ones begin.
///
/// A page may be empty and still have a next one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    pub people: Vec<Listed>,
    /// `None`: this was the last page.
    pub next: Option<Cursor>,
}

/// A person as a list shows them: the user, and what is known of the account.
#[derive(Clone, PartialEq)]
pub struct Listed {
    /// As a look-up would return them, apart from groups and the second factor, which a list may not tell.
    pub user: User,
    /// The source's own word: `ACTIVE`.
    pub status: String,
    /// Who owns the password, in the source's own word: `OKTA`, `ACTIVE_DIRECTORY`.
    pub provider: String,
    /// What the source itself says of the address, whatever the settings make of it (`list::nothing_is_invented`).
    pub address_verified: Option<bool>,
    pub created: Option<SystemTime>,
    pub last_login: Option<SystemTime>,
    /// What a log-in with the right password would come to, as far as a list can tell (`list::admission_is_what_a_call_answers`).
    pub log_in: Admission,
    /// What a look-up would come to.
    pub look_up: Admission,
    /// The second factors; `None` where a list doesn't tell them: [`IdentitySource::factors`](crate::IdentitySource::factors).
    pub factors: Option<Factors>,
}

/// What the source's rules make of a person.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Admission {
    Admitted,
    Rejected(Rejection),
    /// The account has a state that the plugin's table doesn't know: every call about this person is an error.
    Unknown,
}

/// Active second factors, those that a migration would drop.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Factors {
    /// In the source's own words, sorted, each once: `push`, `sms`.
    pub kinds: Vec<String>,
    /// What the source's rules make of them, at log-in and look-up alike.
    pub admission: Admission,
}

/// Where a list goes on: 1 to 2,048 printable ASCII characters that mean something to the source alone.
///
/// It is kept on disk, so that a list that was broken off goes on in another process, and may hold no personal data
/// (`list::cursors_show_no_personal_data`).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cursor(Box<str>);

impl Cursor {
    /// `None` if the text can't be a cursor.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=2048).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How much a source lets through. For planning: it is what the upstream says now, and no promise.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Budget {
    pub limits: Vec<RateLimit>,
    /// How much of each limit lists and their factors take at the most, in percent.
    pub for_lists: u32,
}

/// One of the upstream's limits.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RateLimit {
    /// What is limited, in the upstream's words.
    pub name: String,
    pub per_minute: u32,
    /// How much of it one log-in takes.
    pub per_log_in: u32,
    /// How much of it one log-in takes if the target looks the user up before.
    pub with_look_up: u32,
    /// How much of it [`IdentitySource::factors`](crate::IdentitySource::factors) takes.
    pub per_factors: u32,
    /// The upstream said so in an answer to this process. Otherwise it is the upstream's published default.
    pub is_measured: bool,
}

impl Budget {
    /// How many people's factors can be asked for in a minute; `None` if no limit is known.
    pub fn factors_per_minute(&self) -> Option<u64> {
        let limits = self.limits.iter().filter(|limit| limit.per_factors > 0);
        let of = |limit: &RateLimit| {
            u64::from(limit.per_minute) * u64::from(self.for_lists) / 100 / u64::from(limit.per_factors)
        };
        limits.map(of).min()
    }
}

impl Listed {
    /// Who may be listed without more: somebody of whom only these are known.
    pub fn new(user: User, status: impl Into<String>, provider: impl Into<String>) -> Self {
        Self {
            user,
            status: status.into(),
            provider: provider.into(),
            address_verified: None,
            created: None,
            last_login: None,
            log_in: Admission::Unknown,
            look_up: Admission::Unknown,
            factors: None,
        }
    }

    pub fn id(&self) -> &UserId {
        &self.user.id
    }
}

impl Admission {
    /// Rejected for this reason, or admitted if there is none.
    pub fn unless(rejection: Option<Rejection>) -> Self {
        rejection.map_or(Self::Admitted, Self::Rejected)
    }
}

impl fmt::Debug for Listed {
    /// The id and the account's state: the rest is personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listed")
            .field("id", &self.user.id)
            .field("status", &self.status)
            .field("provider", &self.provider)
            .field("log_in", &self.log_in)
            .field("look_up", &self.look_up)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_one_printable_word() {
        assert!(Cursor::parse("200u1a2B3").is_some());
        for bad in ["", "a b", "a\n", "\u{e9}", &"x".repeat(2049)] {
            assert!(Cursor::parse(bad).is_none(), "{bad:?}");
        }
    }
}
