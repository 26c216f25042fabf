//! The people whom every subject's upstream holds.
//!
//! Each is there for one behaviour. Passwords share the word [`PASSWORD_MARK`], so that a search of a log finds any of
//! them however it was quoted.

use std::fmt;

/// A person of the upstream.
#[derive(Clone, Copy)]
pub struct Person {
    /// `None`: the upstream gives one.
    pub id: Option<&'static str>,
    pub login: &'static str,
    pub email: &'static str,
    /// `None`: the upstream doesn't say.
    pub email_verified: Option<bool>,
    pub given_name: Option<&'static str>,
    pub family_name: Option<&'static str>,
    /// Right for everyone but [`FEDERATED`], who has none upstream; a log-in is tried with it all the same.
    pub password: &'static str,
    pub status: Status,
    /// An active second factor is enrolled, and a log-in asks for it.
    pub second_factor: bool,
    /// A log-in with the right password is told to change it.
    pub password_expired: bool,
}

impl fmt::Debug for Person {
    /// The suite's own are public; an upstream's own are not.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Person(…)")
    }
}

/// What became of the account.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Status {
    Active,
    /// Left for good; the upstream keeps the account.
    Deactivated,
    /// Another system owns the password.
    Federated,
    /// Created and never activated.
    Inactive,
    /// After too many wrong passwords.
    Locked,
    /// Barred for now.
    Suspended,
}

/// In every password of the world.
pub const PASSWORD_MARK: &str = "hunter2";
/// Nobody's password.
pub const WRONG_PASSWORD: &str = "wrong-hunter2";
/// Nobody's login and nobody's address.
pub const NOBODY: &str = "nobody@example.com";

/// Everything is well with her.
pub const ADA: Person = Person {
    id: None,
    login: "ada@example.com",
    email: "ada@example.com",
    email_verified: Some(true),
    given_name: Some("Ada"),
    family_name: Some("Lovelace"),
    password: "hunter2-ada",
    status: Status::Active,
    second_factor: false,
    password_expired: false,
};

/// Ada, called otherwise: what the others differ from.
const fn like_ada(login: &'static str, email: &'static str, password: &'static str) -> Person {
    Person {
        login,
        email,
        password,
        ..ADA
    }
}

/// The upstream spells her in mixed case.
pub const MIXED_CASE: Person = Person {
    given_name: Some("Grace"),
    family_name: Some("Hopper"),
    ..like_ada("Grace.Hopper@Example.COM", "Grace.Hopper@Example.COM", "hunter2-grace")
};

/// Her name and address have an accent, composed (NFC).
pub const ACCENTED: Person = Person {
    given_name: Some("Zo\u{eb}"),
    ..like_ada("zo\u{eb}@example.com", "zo\u{eb}@example.com", "hunter2-zoe")
};

/// Her password has white space at both ends, quotes, a backslash, an emoji, a combining mark, and differs from
/// shorter ones beyond the 72 bytes where bcrypt stops reading.
pub const BYTES: Person = like_ada(
    "bytes@example.com",
    "bytes@example.com",
    "  \"hunter2\"\\ 'p\u{e4}ss' e\u{301} \u{1f980} & <b> + %20 0123456789-0123456789-0123456789-0123456789-end  ",
);

/// Her login is an address that is not her e-mail's.
pub const LOGIN_IS_NOT_EMAIL: Person = Person {
    given_name: Some("Kay"),
    family_name: Some("McNulty"),
    ..like_ada("kay.before@example.com", "kay@example.com", "hunter2-kay")
};

/// Owns the address that [`LOGIN_TAKES_ADDRESS`] has for a login.
pub const ADDRESS_OWNER: Person = like_ada("vera.owner@example.com", "vera@example.com", "hunter2-vera");
/// His login is the e-mail of [`ADDRESS_OWNER`].
pub const LOGIN_TAKES_ADDRESS: Person = like_ada("vera@example.com", "mallory@example.com", "hunter2-mallory");

/// Shares an address with [`TWIN_TWO`].
pub const TWIN_ONE: Person = like_ada("twin.one@example.com", "twins@example.com", "hunter2-one");
/// Shares an address with [`TWIN_ONE`].
pub const TWIN_TWO: Person = like_ada("twin.two@example.com", "twins@example.com", "hunter2-two");

/// Has no name, and an address that nobody verified.
pub const NAMELESS: Person = Person {
    email_verified: Some(false),
    given_name: None,
    family_name: None,
    ..like_ada("nameless@example.com", "nameless@example.com", "hunter2-nameless")
};

/// Of his address the upstream doesn't say whether it is verified.
pub const UNSAID: Person = Person {
    email_verified: None,
    ..like_ada("unsaid@example.com", "unsaid@example.com", "hunter2-unsaid")
};

pub const DEACTIVATED: Person = Person {
    status: Status::Deactivated,
    ..like_ada(
        "deactivated@example.com",
        "deactivated@example.com",
        "hunter2-deactivated",
    )
};
pub const FEDERATED: Person = Person {
    status: Status::Federated,
    ..like_ada("federated@example.com", "federated@example.com", "hunter2-federated")
};
pub const INACTIVE: Person = Person {
    status: Status::Inactive,
    ..like_ada("inactive@example.com", "inactive@example.com", "hunter2-inactive")
};
pub const LOCKED: Person = Person {
    status: Status::Locked,
    ..like_ada("locked@example.com", "locked@example.com", "hunter2-locked")
};
pub const SUSPENDED: Person = Person {
    status: Status::Suspended,
    ..like_ada("suspended@example.com", "suspended@example.com", "hunter2-suspended")
};

pub const PASSWORD_EXPIRED: Person = Person {
    password_expired: true,
    ..like_ada("expired@example.com", "expired@example.com", "hunter2-expired")
};
pub const SECOND_FACTOR: Person = Person {
    second_factor: true,
    ..like_ada("factor@example.com", "factor@example.com", "hunter2-factor")
};

/// Everybody.
pub const PEOPLE: [Person; 18] = [
    ACCENTED,
    ADA,
    ADDRESS_OWNER,
    BYTES,
    DEACTIVATED,
    FEDERATED,
    INACTIVE,
    LOCKED,
    LOGIN_IS_NOT_EMAIL,
    LOGIN_TAKES_ADDRESS,
    MIXED_CASE,
    NAMELESS,
    PASSWORD_EXPIRED,
    SECOND_FACTOR,
    SUSPENDED,
    TWIN_ONE,
    TWIN_TWO,
    UNSAID,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_password_has_the_mark_and_its_own_text() {
        for (index, person) in PEOPLE.iter().enumerate() {
            assert!(person.password.contains(PASSWORD_MARK), "{}", person.login);
            assert_ne!(person.password, WRONG_PASSWORD);
            for other in &PEOPLE[index + 1..] {
                assert_ne!(person.password, other.password);
                assert_ne!(person.login, other.login);
            }
        }
        assert!(BYTES.password.len() > 80 && BYTES.password.is_char_boundary(72));
    }
}
