//! A user of the org.

use std::fmt;

use serde_json::{Map, Value};

use crate::{Factor, ids};

/// A user of the org. Made by [`Person::new`], then shaped by the methods of the same names as the fields.
#[derive(Clone)]
pub struct Person {
    /// 20 characters, `00u…`; made from the login unless set.
    pub id: String,
    pub login: String,
    pub email: String,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub status: Status,
    pub provider: Provider,
    /// Without one, `/authn` can only say no, and `credentials.password` is absent.
    pub password: Option<String>,
    pub factors: Vec<Factor>,
    /// Names of the groups beside `Everyone`.
    pub groups: Vec<String>,
    /// Further keys of `profile`.
    pub attributes: Map<String, Value>,
    /// What `credentials.emails` says of the address; `None` leaves the key out, as many orgs do.
    pub email_verified: Option<bool>,
    pub mfa: Mfa,
    /// Days until the password expires, within the warning window.
    pub password_warn: Option<u32>,
    /// The password aged out, which Okta notices at the next log-in: until then the status stays ACTIVE.
    pub password_aged: bool,
    pub denied: Option<Denial>,
    /// `/authn` answers the right password with this status instead, and with the user.
    pub authn_status: Option<String>,
    /// `transitioningToStatus`, while Okta works on the user.
    pub transitioning: Option<Status>,
    pub locale: Option<String>,
    /// A word that tells a reader who this is; never sent.
    pub note: &'static str,
    pub(crate) failures: u32,
    /// `lastLogin`, as Okta writes times; a log-in moves it.
    pub last_login: Option<String>,
}

/// `status` of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    Active,
    Deprovisioned,
    LockedOut,
    /// A status that no document knows.
    Other(String),
    PasswordExpired,
    Provisioned,
    Recovery,
    Staged,
    Suspended,
}

/// `credentials.provider`: who owns the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// `OKTA`, `FEDERATION`, …
    pub kind: String,
    pub name: String,
}

/// What the sign-in policy wants of this user beside the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mfa {
    /// `MFA_ENROLL`: a factor must be set up first.
    Enroll,
    /// Nothing, even if factors are enrolled.
    None,
    /// The policy asks for something else first: `MFA_REQUIRED` whose open factor is the password, for any password.
    PasswordOpen,
    /// `MFA_REQUIRED` with the enrolled factors; without one, `MFA_ENROLL`.
    Required,
}

/// Why a right password doesn't get in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    /// 403 E0000259.
    BreachedPassword,
    /// 403 E0000085.
    SignOnPolicy,
}

impl Person {
    /// An active user without a password, whose e-mail address is the login.
    pub fn new(login: &str) -> Person {
        Person {
            id: ids::of("00u", login),
            login: login.to_owned(),
            email: login.to_owned(),
            first_name: None,
            last_name: None,
            status: Status::Active,
            provider: Provider::okta(),
            password: None,
            factors: Vec::new(),
            groups: Vec::new(),
            attributes: Map::new(),
            email_verified: None,
            mfa: Mfa::None,
            password_warn: None,
            password_aged: false,
            denied: None,
            authn_status: None,
            transitioning: None,
            locale: None,
            note: "",
            failures: 0,
            last_login: None,
        }
    }

    #[must_use]
    pub fn id(mut self, id: &str) -> Person {
        self.id = id.to_owned();
        self
    }

    #[must_use]
    pub fn email(mut self, email: &str) -> Person {
        self.email = email.to_owned();
        self
    }

    #[must_use]
    pub fn name(mut self, first: &str, last: &str) -> Person {
        self.first_name = Some(first.to_owned());
        self.last_name = Some(last.to_owned());
        self
    }

    #[must_use]
    pub fn status(mut self, status: Status) -> Person {
        self.status = status;
        self
    }

    #[must_use]
    pub fn provider(mut self, provider: Provider) -> Person {
        self.provider = provider;
        self
    }

    #[must_use]
    pub fn password(mut self, password: &str) -> Person {
        self.password = Some(password.to_owned());
        self
    }

    #[must_use]
    pub fn factor(mut self, factor: Factor) -> Person {
        self.factors.push(factor);
        self
    }

    #[must_use]
    pub fn group(mut self, name: &str) -> Person {
        self.groups.push(name.to_owned());
        self
    }

    #[must_use]
    pub fn attribute(mut self, key: &str, value: impl Into<Value>) -> Person {
        self.attributes.insert(key.to_owned(), value.into());
        self
    }

    #[must_use]
    pub fn email_verified(mut self, verified: bool) -> Person {
        self.email_verified = Some(verified);
        self
    }

    #[must_use]
    pub fn mfa(mut self, mfa: Mfa) -> Person {
        self.mfa = mfa;
        self
    }

    #[must_use]
    pub fn password_warn(mut self, days: u32) -> Person {
        self.password_warn = Some(days);
        self
    }

    #[must_use]
    pub fn password_aged(mut self) -> Person {
        self.password_aged = true;
        self
    }

    #[must_use]
    pub fn denied(mut self, denial: Denial) -> Person {
        self.denied = Some(denial);
        self
    }

    #[must_use]
    pub fn authn_status(mut self, status: &str) -> Person {
        self.authn_status = Some(status.to_owned());
        self
    }

    #[must_use]
    pub fn locale(mut self, locale: &str) -> Person {
        self.locale = Some(locale.to_owned());
        self
    }

    #[must_use]
    pub fn last_login(mut self, time: &str) -> Person {
        self.last_login = Some(time.to_owned());
        self
    }

    #[must_use]
    pub fn note(mut self, note: &'static str) -> Person {
        self.note = note;
        self
    }

    /// Whether `/authn` can prove a password of this user at all.
    pub(crate) fn password_usable(&self) -> bool {
        let status = matches!(
            self.status,
            Status::Active | Status::LockedOut | Status::Other(_) | Status::PasswordExpired
        );
        status && self.password.is_some() && !matches!(self.provider.kind.as_str(), "FEDERATION" | "SOCIAL")
    }
}

/// Personal data and the password stay out of logs.
impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person")
            .field("id", &self.id)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

impl Status {
    pub fn as_str(&self) -> &str {
        match self {
            Status::Active => "ACTIVE",
            Status::Deprovisioned => "DEPROVISIONED",
            Status::LockedOut => "LOCKED_OUT",
            Status::Other(text) => text,
            Status::PasswordExpired => "PASSWORD_EXPIRED",
            Status::Provisioned => "PROVISIONED",
            Status::Recovery => "RECOVERY",
            Status::Staged => "STAGED",
            Status::Suspended => "SUSPENDED",
        }
    }
}

impl Provider {
    pub fn new(kind: &str, name: &str) -> Provider {
        Provider {
            kind: kind.to_owned(),
            name: name.to_owned(),
        }
    }

    pub fn okta() -> Provider {
        Provider::new("OKTA", "OKTA")
    }
}
