//! The mappings: from what the database says to an error, and from a row to an answer. Both methods use the same.

use std::fmt;

use idbridge_source::{
    Admission, Authentication, ErrorKind, Factors, Listed, Lookup, Rejection, Secret, SourceError, User,
};
use sqlx::Error;
use sqlx::sqlite::SqliteError;

use crate::wire::{Garbage, Kept, Row};

/// The rules that the settings make.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) on_password_expired: Expired,
    pub(crate) on_second_factor: SecondFactor,
    /// What the table calls each status. A word that isn't here is an error.
    pub(crate) statuses: Vec<(String, Status)>,
}

/// `on_password_expired`
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Expired {
    Accept,
    Reject,
}

/// `on_second_factor`
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum SecondFactor {
    Accept,
    Ignore,
    Reject,
}

/// A key of `[statuses]`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Status {
    Active,
    Denied,
    Disabled,
    Inactive,
    Locked,
    NoPassword,
}

impl Expired {
    pub(crate) const WORDS: [(&'static str, Self); 2] = [("accept", Self::Accept), ("reject", Self::Reject)];
}

impl SecondFactor {
    pub(crate) const WORDS: [(&'static str, Self); 3] = [
        ("accept", Self::Accept),
        ("ignore", Self::Ignore),
        ("reject", Self::Reject),
    ];
}

impl Status {
    pub(crate) const WORDS: [(&'static str, Self); 6] = [
        ("active", Self::Active),
        ("denied", Self::Denied),
        ("disabled", Self::Disabled),
        ("inactive", Self::Inactive),
        ("locked", Self::Locked),
        ("no_password", Self::NoPassword),
    ];
}

/// Somebody whose password is right.
pub(crate) fn authentication(row: &Row, rules: &Rules) -> Result<Authentication, SourceError> {
    if let Some(rejection) = ineligible(row, rules)? {
        return Ok(Authentication::Reject(rejection));
    }
    if row.user.password_expired && rules.on_password_expired == Expired::Reject {
        return Ok(Authentication::Reject(Rejection::PasswordExpired));
    }
    Ok(Authentication::Accept(user(row, rules)))
}

/// Somebody who was looked up. An expired password is no reason to hide them: it is changed in the new place.
pub(crate) fn lookup(row: &Row, rules: &Rules) -> Result<Lookup, SourceError> {
    Ok(match ineligible(row, rules)? {
        Some(rejection) => Lookup::Ineligible(rejection),
        None => Lookup::Found(user(row, rules)),
    })
}

/// Somebody in a list. A row about which every call is an error is listed as just that.
pub(crate) fn listed(row: &Row, rules: &Rules) -> Listed {
    let refused = ineligible(row, rules);
    let expired = row.user.password_expired && rules.on_password_expired == Expired::Reject;
    let admission = |also: Option<Rejection>| match &refused {
        Ok(rejection) => Admission::unless(rejection.or(also)),
        Err(_) => Admission::Unknown,
    };
    let kinds = row.user.second_factor.then(|| "second_factor".to_owned());
    Listed {
        address_verified: row.user.email_verified,
        log_in: admission(expired.then_some(Rejection::PasswordExpired)),
        look_up: admission(None),
        factors: Some(Factors {
            admission: Admission::unless(owed_factor(row, rules)),
            kinds: kinds.into_iter().collect(),
        }),
        ..Listed::new(user(row, rules), row.status.clone().unwrap_or_default(), "sql")
    }
}

/// The hash that a log-in is checked against; `None` for somebody who can't log in with a password.
pub(crate) fn hash<'a>(row: &'a Row, rules: &Rules) -> Result<Option<&'a Secret>, SourceError> {
    match &row.hash {
        // A word that no one knows is an error once the password is right, and says nothing before.
        _ if status(row, rules).ok() == Some(Status::NoPassword) => Ok(None),
        Kept::Unusable => Ok(None),
        Kept::Missing => Err(missing()),
        Kept::Hash(hash) => Ok(Some(hash)),
    }
}

/// Why this person may neither log in nor be migrated. One function for both, so that what a log-in is refused for, a
/// password reset doesn't bring in.
fn ineligible(row: &Row, rules: &Rules) -> Result<Option<Rejection>, SourceError> {
    let rejection = match status(row, rules)? {
        Status::Active => None,
        Status::Denied => Some(Rejection::DeniedByPolicy),
        Status::Disabled => Some(Rejection::AccountDisabled),
        Status::Inactive => Some(Rejection::AccountInactive),
        Status::Locked => Some(Rejection::AccountLocked),
        Status::NoPassword => return Ok(Some(Rejection::NoPassword)),
    };
    match row.hash {
        Kept::Hash(_) => Ok(rejection.or_else(|| owed_factor(row, rules))),
        Kept::Missing => Err(missing()),
        Kept::Unusable => Ok(Some(Rejection::NoPassword)),
    }
}

fn status(row: &Row, rules: &Rules) -> Result<Status, SourceError> {
    let Some(word) = &row.status else {
        return Ok(Status::Active);
    };
    let known = rules.statuses.iter().find(|(known, _)| known == word);
    known
        .map(|(_, status)| *status)
        .ok_or_else(|| protocol("the status has no row in the settings"))
}

fn owed_factor(row: &Row, rules: &Rules) -> Option<Rejection> {
    let owes = row.user.second_factor && rules.on_second_factor == SecondFactor::Reject;
    owes.then_some(Rejection::SecondFactorRequired)
}

fn user(row: &Row, rules: &Rules) -> User {
    User {
        second_factor: row.user.second_factor && rules.on_second_factor != SecondFactor::Ignore,
        ..row.user.clone()
    }
}

fn missing() -> SourceError {
    protocol("password_hash is NULL or empty")
}

fn protocol(problem: &'static str) -> SourceError {
    SourceError::new(ErrorKind::Protocol, "read a row").with_source(problem)
}

pub(crate) fn garbage(problem: Garbage) -> SourceError {
    SourceError::new(ErrorKind::Protocol, "read a row").with_source(problem)
}

pub(crate) fn late(operation: &'static str) -> SourceError {
    SourceError::new(ErrorKind::TimedOut, operation)
}

/// Whose turn it is. The database's own text stays behind: it quotes values.
pub(crate) fn error(error: &Error, operation: &'static str) -> SourceError {
    let unavailable = ErrorKind::Unavailable { retry_after: None };
    match error {
        Error::Database(error) => {
            let code = error.code().unwrap_or_default().into_owned();
            let is_sqlite = error.try_downcast_ref::<SqliteError>().is_some();
            let kind = if is_sqlite { sqlite(&code) } else { postgres(&code) };
            SourceError::new(kind, operation).with_source(Code { is_sqlite, code })
        }
        // What rustls refuses comes so: a certificate that isn't trusted, or is another name's.
        Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            SourceError::new(unavailable, operation).with_source("the TLS handshake failed")
        }
        Error::Io(error) => SourceError::new(unavailable, operation).with_source(std::io::Error::from(error.kind())),
        Error::Tls(_) => SourceError::new(unavailable, operation).with_source("the TLS handshake failed"),
        Error::WorkerCrashed => SourceError::new(unavailable, operation).with_source("SQLite's thread ended"),
        Error::ColumnDecode { .. } | Error::Decode(_) => {
            SourceError::new(ErrorKind::Protocol, operation).with_source("a row can't be decoded")
        }
        _ => SourceError::new(ErrorKind::Protocol, operation).with_source("the driver gave up"),
    }
}

/// PostgreSQL's documentation, appendix A: by code, then by class.
fn postgres(code: &str) -> ErrorKind {
    let unavailable = ErrorKind::Unavailable { retry_after: None };
    let throttled = ErrorKind::Throttled { retry_after: None };
    match code {
        "42501" => return ErrorKind::CredentialRefused,  // insufficient_privilege
        "53300" => return throttled,                     // too_many_connections
        "55P03" | "57014" => return ErrorKind::TimedOut, // lock_not_available, query_canceled: the statement's time is up
        _ => {}
    }
    match code.get(..2).unwrap_or_default() {
        "08" | "40" | "53" | "57" | "58" | "XX" => unavailable,
        "28" => ErrorKind::CredentialRefused,
        _ => ErrorKind::Protocol,
    }
}

/// <https://www.sqlite.org/rescode.html>: the lower eight bits.
fn sqlite(code: &str) -> ErrorKind {
    match code.parse::<u32>().unwrap_or_default() & 0xff {
        3 | 23 => ErrorKind::CredentialRefused, // SQLITE_PERM, SQLITE_AUTH
        5 | 6 | 9 => ErrorKind::TimedOut, // SQLITE_BUSY, SQLITE_LOCKED, SQLITE_INTERRUPT: the statement's time is up
        7 | 10 | 13 | 14 => ErrorKind::Unavailable { retry_after: None }, // SQLITE_NOMEM, _IOERR, _FULL, _CANTOPEN
        _ => ErrorKind::Protocol,
    }
}

/// The database's code for what went wrong.
#[derive(Debug)]
struct Code {
    is_sqlite: bool,
    code: String,
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.is_sqlite {
            "SQLite's result code"
        } else {
            "SQLSTATE"
        };
        write!(f, "{name} {}", self.code)
    }
}

impl std::error::Error for Code {}

#[cfg(test)]
#[path = "map_tests.rs"]
mod tests;
