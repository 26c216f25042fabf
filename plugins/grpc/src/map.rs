//! What a plugin's words mean. What has no row here is a protocol error: never a yes, and never a no.

use std::fmt;
use std::time::Duration;

use http::StatusCode;
use idbridge_source::{
    Authentication, Email, ErrorKind, Login, Lookup, Rejection, SourceError, UserName, same_identifier,
};

use crate::user::user;
use crate::wire::{self, AuthenticateResponse, GetUserByEmailResponse, RejectionReason};

/// What is asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Operation {
    Authenticate,
    UserByEmail,
    UserByLogin,
}

/// A call that the plugin answered with a status other than OK.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) code: u32,
    pub(crate) reason: Reason,
    pub(crate) retry_after: Option<Duration>,
}

/// What a status says beside its code.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Reason {
    /// An `ErrorInfo` of another domain: a proxy's, say.
    Foreign,
    /// No `ErrorInfo`.
    None,
    /// An `ErrorInfo` of the domain `idbridge`.
    Ours(String),
    /// Details that can't be read, or that contradict themselves.
    Unreadable,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Meaning {
    Absent,
    /// With `plain_not_found`.
    AbsentIfPlain,
    Ambiguous,
    CredentialRefused,
    Protocol,
    Throttled,
    TimedOut,
    Unavailable,
    Unsupported,
}

/// Who was looked up.
#[derive(Clone, Copy)]
pub(crate) enum Asked<'a> {
    Email(&'a Email),
    Login(&'a UserName),
}

/// Why an answer can't be used. The cause of the error, for the log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Unfit {
    AnotherUser,
    Http(u16),
    NoMessage,
    NoOutcome,
    NotGrpc,
    Rejection,
    Status(u32),
    User,
}

/// The codes of gRPC that have a row (<https://grpc.github.io/grpc/core/md_doc_statuscodes.html>).
pub(crate) mod code {
    pub(crate) const INVALID_ARGUMENT: u32 = 3;
    pub(crate) const DEADLINE_EXCEEDED: u32 = 4;
    pub(crate) const NOT_FOUND: u32 = 5;
    pub(crate) const PERMISSION_DENIED: u32 = 7;
    pub(crate) const RESOURCE_EXHAUSTED: u32 = 8;
    pub(crate) const FAILED_PRECONDITION: u32 = 9;
    pub(crate) const UNIMPLEMENTED: u32 = 12;
    pub(crate) const INTERNAL: u32 = 13;
    pub(crate) const UNAVAILABLE: u32 = 14;
    pub(crate) const UNAUTHENTICATED: u32 = 16;
}
use code::{
    DEADLINE_EXCEEDED, FAILED_PRECONDITION, INTERNAL, INVALID_ARGUMENT, NOT_FOUND, PERMISSION_DENIED,
    RESOURCE_EXHAUSTED, UNAUTHENTICATED, UNAVAILABLE, UNIMPLEMENTED,
};

const ALL: &[Operation] = &[Operation::Authenticate, Operation::UserByEmail, Operation::UserByLogin];
const LOOK_UPS: &[Operation] = &[Operation::UserByEmail, Operation::UserByLogin];
const BY_LOGIN: &[Operation] = &[Operation::UserByLogin];

/// A status: its code, the reason of its `ErrorInfo` (`""`: it has none), what was asked, and what that means.
///
/// The reasons are those of docs/errors.md, which another broker says; of those that speak of a caller, we are it. The
/// codes alone are what servers say that know nothing of them.
const STATUSES: &[(u32, &str, &[Operation], Meaning)] = &[
    // proto/: "Anything else is INVALID_ARGUMENT, unless the source is set to look up by login too."
    (INVALID_ARGUMENT, "INVALID_IDENTIFIER", BY_LOGIN, Meaning::Unsupported),
    (DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", ALL, Meaning::TimedOut),
    (DEADLINE_EXCEEDED, "", ALL, Meaning::TimedOut),
    (NOT_FOUND, "USER_NOT_FOUND", LOOK_UPS, Meaning::Absent),
    (NOT_FOUND, "", LOOK_UPS, Meaning::AbsentIfPlain),
    (PERMISSION_DENIED, "CALLER_NOT_ALLOWED", ALL, Meaning::CredentialRefused),
    (PERMISSION_DENIED, "", ALL, Meaning::CredentialRefused),
    (RESOURCE_EXHAUSTED, "CALLER_THROTTLED", ALL, Meaning::Throttled),
    (RESOURCE_EXHAUSTED, "SOURCE_THROTTLED", ALL, Meaning::Throttled),
    (RESOURCE_EXHAUSTED, "", ALL, Meaning::Throttled),
    (FAILED_PRECONDITION, "OPERATION_UNSUPPORTED", ALL, Meaning::Unsupported),
    (UNIMPLEMENTED, "UNKNOWN_METHOD", ALL, Meaning::Unsupported),
    // What generated servers say of a method that nobody wrote.
    (UNIMPLEMENTED, "", ALL, Meaning::Unsupported),
    (INTERNAL, "AMBIGUOUS_USER", ALL, Meaning::Ambiguous),
    (INTERNAL, "INTERNAL", ALL, Meaning::Protocol),
    (INTERNAL, "SOURCE_CREDENTIAL_REFUSED", ALL, Meaning::CredentialRefused),
    (INTERNAL, "SOURCE_PROTOCOL", ALL, Meaning::Protocol),
    (UNAVAILABLE, "OVERLOADED", ALL, Meaning::Unavailable),
    (UNAVAILABLE, "SHUTTING_DOWN", ALL, Meaning::Unavailable),
    (UNAVAILABLE, "SOURCE_UNAVAILABLE", ALL, Meaning::Unavailable),
    (UNAVAILABLE, "", ALL, Meaning::Unavailable),
    (
        UNAUTHENTICATED,
        "CALLER_UNAUTHENTICATED",
        ALL,
        Meaning::CredentialRefused,
    ),
    (UNAUTHENTICATED, "", ALL, Meaning::CredentialRefused),
];

/// What an HTTP status other than 200 means: no gRPC server sends one, but what stands before it may
/// (<https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md>). A 404 is a wrong address, and not a
/// method that a plugin lacks.
const HTTP_STATUSES: &[(u16, Meaning)] = &[
    (401, Meaning::CredentialRefused),
    (403, Meaning::CredentialRefused),
    (429, Meaning::Throttled),
    (502, Meaning::Unavailable),
    (503, Meaning::Unavailable),
    (504, Meaning::Unavailable),
];

/// What a look-up never says: they speak of a password check.
const NEVER_AT_LOOK_UP: [Rejection; 3] = [
    Rejection::InvalidCredentials,
    Rejection::UnknownUser,
    Rejection::WrongPassword,
];

pub(crate) fn meaning(refusal: &Refusal, operation: Operation) -> Meaning {
    let wanted = match &refusal.reason {
        Reason::Ours(reason) if !reason.is_empty() => reason.as_str(),
        Reason::Foreign | Reason::None => "",
        Reason::Ours(_) | Reason::Unreadable => return Meaning::Protocol,
    };
    let row = STATUSES.iter().find(|(code, reason, operations, _)| {
        *code == refusal.code && *reason == wanted && operations.contains(&operation)
    });
    match row {
        // Whoever else explains the status, it isn't a plugin that has no words.
        Some((.., Meaning::AbsentIfPlain)) if refusal.reason == Reason::Foreign => Meaning::Protocol,
        Some((.., meaning)) => *meaning,
        None => Meaning::Protocol,
    }
}

/// What is no gRPC at all.
pub(crate) fn http_error(status: StatusCode, operation: Operation) -> SourceError {
    let status = status.as_u16();
    let row = HTTP_STATUSES.iter().find(|(known, _)| *known == status);
    let meaning = row.map_or(Meaning::Protocol, |(_, meaning)| *meaning);
    error(meaning, None, operation).with_source(Unfit::Http(status))
}

pub(crate) fn refused(refusal: &Refusal, operation: Operation) -> SourceError {
    let meaning = meaning(refusal, operation);
    error(meaning, refusal.retry_after, operation).with_source(Unfit::Status(refusal.code))
}

fn error(meaning: Meaning, retry_after: Option<Duration>, operation: Operation) -> SourceError {
    let kind = match meaning {
        Meaning::Ambiguous => ErrorKind::Ambiguous,
        Meaning::CredentialRefused => ErrorKind::CredentialRefused,
        // An absence that isn't to be believed.
        Meaning::Absent | Meaning::AbsentIfPlain | Meaning::Protocol => ErrorKind::Protocol,
        Meaning::Throttled => ErrorKind::Throttled { retry_after },
        Meaning::TimedOut => ErrorKind::TimedOut,
        Meaning::Unavailable => ErrorKind::Unavailable { retry_after },
        Meaning::Unsupported => ErrorKind::Unsupported,
    };
    SourceError::new(kind, operation.name())
}

pub(crate) fn authentication(
    response: AuthenticateResponse,
    typed: &Login,
    aliases: bool,
) -> Result<Authentication, Unfit> {
    use wire::authenticate_response::Outcome;
    match response.outcome.ok_or(Unfit::NoOutcome)? {
        Outcome::User(told) => {
            let user = user(told).ok_or(Unfit::User)?;
            // A yes to one person with another's profile would move the wrong one.
            let is_typed = |name: &str| same_identifier(name, typed.as_str());
            if aliases || is_typed(&user.login) || is_typed(&user.email) {
                Ok(Authentication::Accept(user))
            } else {
                Err(Unfit::AnotherUser)
            }
        }
        Outcome::Rejection(told) => rejection(told).map(Authentication::Reject),
    }
}

pub(crate) fn lookup(response: GetUserByEmailResponse, asked: Asked<'_>) -> Result<Lookup, Unfit> {
    use wire::get_user_by_email_response::Outcome;
    match response.outcome.ok_or(Unfit::NoOutcome)? {
        Outcome::User(told) => {
            let user = user(told).ok_or(Unfit::User)?;
            let is_asked = match asked {
                Asked::Email(email) => same_identifier(&user.email, email.as_str()),
                Asked::Login(login) => same_identifier(&user.login, login.as_str()),
            };
            if is_asked {
                Ok(Lookup::Found(user))
            } else {
                Err(Unfit::AnotherUser)
            }
        }
        Outcome::Rejection(told) => match rejection(told)? {
            never if NEVER_AT_LOOK_UP.contains(&never) => Err(Unfit::Rejection),
            rejection => Ok(Lookup::Ineligible(rejection)),
        },
    }
}

fn rejection(told: wire::Rejection) -> Result<Rejection, Unfit> {
    let reason = RejectionReason::try_from(told.reason).map_err(|_| Unfit::Rejection)?;
    Ok(match reason {
        RejectionReason::Unspecified => return Err(Unfit::Rejection),
        RejectionReason::AccountDisabled => Rejection::AccountDisabled,
        RejectionReason::AccountInactive => Rejection::AccountInactive,
        RejectionReason::AccountLocked => Rejection::AccountLocked,
        RejectionReason::DeniedByPolicy => Rejection::DeniedByPolicy,
        RejectionReason::InvalidCredentials => Rejection::InvalidCredentials,
        RejectionReason::NoPassword => Rejection::NoPassword,
        RejectionReason::NotInCohort => Rejection::NotInCohort,
        RejectionReason::PasswordExpired => Rejection::PasswordExpired,
        RejectionReason::SecondFactorRequired => Rejection::SecondFactorRequired,
        RejectionReason::UnknownUser => Rejection::UnknownUser,
        RejectionReason::WrongPassword => Rejection::WrongPassword,
    })
}

impl Operation {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Authenticate => "Authenticate",
            Self::UserByEmail => "GetUserByEmail",
            Self::UserByLogin => "GetUserByEmail, by login",
        }
    }
}

impl Asked<'_> {
    pub(crate) fn operation(self) -> Operation {
        match self {
            Self::Email(_) => Operation::UserByEmail,
            Self::Login(_) => Operation::UserByLogin,
        }
    }

    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Email(email) => email.as_str(),
            Self::Login(login) => login.as_str(),
        }
    }
}

impl Unfit {
    pub(crate) fn error(self, operation: Operation) -> SourceError {
        SourceError::new(ErrorKind::Protocol, operation.name()).with_source(self)
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AnotherUser => f.write_str("the plugin names another user than the asked one"),
            Self::Http(status) => write!(f, "HTTP {status}"),
            Self::NoMessage => f.write_str("the plugin says OK without one whole message"),
            Self::NoOutcome => f.write_str("the plugin says neither yes nor no"),
            Self::NotGrpc => f.write_str("the answer is no gRPC: its type or its status is missing"),
            Self::Rejection => f.write_str("the plugin says no for no reason that it may have"),
            Self::Status(code) => write!(f, "gRPC status {code}"),
            Self::User => f.write_str("the plugin names a user without an id, or with attributes that are no JSON"),
        }
    }
}

impl std::error::Error for Unfit {}

#[cfg(test)]
#[path = "map_tests.rs"]
mod tests;
