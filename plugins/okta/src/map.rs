//! What Okta's words mean: every row of Okta's documents by name. A word without a row proves nothing.

use idbridge_source::{ErrorKind, Rejection};

use crate::config::{Choice, Rules, SecondFactor};
use crate::wire;

const UNAVAILABLE: ErrorKind = ErrorKind::Unavailable { retry_after: None };
const THROTTLED: ErrorKind = ErrorKind::Throttled { retry_after: None };

/// What the status of an authentication transaction (HTTP 200) says about the password.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum State {
    /// The account takes no password now.
    Locked,
    /// It doesn't say that a password was checked.
    ProvesNothing,
    /// It was right, and the log-in is complete.
    Proved,
    /// It was right, and must be changed.
    ProvedExpired,
    /// It was right, and the log-in still owes a factor; unless that factor is the password.
    ProvedOwesFactor,
}

/// <https://developer.okta.com/docs/reference/api/authn/#transaction-state>; those from FACTOR_REQUIRED on are
/// undocumented and occur in the mocks of Okta's sign-in widget.
const STATES: &[(&str, State)] = &[
    ("LOCKED_OUT", State::Locked),
    ("MFA_CHALLENGE", State::ProvesNothing),
    ("MFA_ENROLL", State::ProvedOwesFactor),
    ("MFA_ENROLL_ACTIVATE", State::ProvesNothing),
    ("MFA_REQUIRED", State::ProvedOwesFactor),
    ("PASSWORD_EXPIRED", State::ProvedExpired),
    ("PASSWORD_RESET", State::ProvesNothing),
    ("PASSWORD_WARN", State::Proved),
    ("RECOVERY", State::ProvesNothing),
    ("RECOVERY_CHALLENGE", State::ProvesNothing),
    ("SUCCESS", State::Proved),
    ("UNAUTHENTICATED", State::ProvesNothing),
    ("ADMIN_CONSENT_REQUIRED", State::ProvesNothing),
    ("CONSENT_REQUIRED", State::ProvesNothing),
    ("DEVICE_ACTIVATE", State::ProvesNothing),
    ("FACTOR_CHALLENGE", State::ProvesNothing),
    ("FACTOR_ENROLL", State::ProvesNothing),
    ("FACTOR_REQUIRED", State::ProvesNothing),
    ("PROFILE_REQUIRED", State::ProvesNothing),
];

/// Also for a status that has no row.
pub(crate) fn state(status: &str) -> State {
    row(STATES, status).unwrap_or(State::ProvesNothing)
}

/// What an answer of `/authn` other than 200 says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Refusal {
    /// It is about the user: a no.
    Reject(Rejection),
    /// It is about us, about Okta, or about nothing we know: never a no.
    Fail(ErrorKind),
}

/// <https://developer.okta.com/docs/reference/error-codes/>. A code counts with its own HTTP status only.
const AUTHN_ERRORS: &[(u16, &str, Refusal)] = &[
    // The request was ours and had both texts.
    (400, "E0000001", Refusal::Fail(ErrorKind::Protocol)),
    (400, "E0000003", Refusal::Fail(ErrorKind::Protocol)),
    // Wrong password or unknown user, and all that Okta hides behind it: locked, suspended, deactivated, federated.
    (401, "E0000004", Refusal::Reject(Rejection::InvalidCredentials)),
    // A token was refused; the only one that we may send is our own.
    (401, "E0000011", Refusal::Fail(ErrorKind::CredentialRefused)),
    (401, "E0000015", Refusal::Fail(ErrorKind::Protocol)),
    (401, "E0000064", Refusal::Reject(Rejection::PasswordExpired)),
    (401, "E0000207", Refusal::Reject(Rejection::InvalidCredentials)),
    // ThreatInsight, or a blocked network zone: it may be the user's address or ours.
    (403, "E0000006", Refusal::Reject(Rejection::DeniedByPolicy)),
    // Later steps of a transaction, which we never take.
    (403, "E0000014", Refusal::Fail(ErrorKind::Protocol)),
    (403, "E0000068", Refusal::Fail(ErrorKind::Protocol)),
    (403, "E0000069", Refusal::Reject(Rejection::AccountLocked)),
    (403, "E0000079", Refusal::Fail(ErrorKind::Protocol)),
    (403, "E0000080", Refusal::Fail(ErrorKind::Protocol)),
    (403, "E0000085", Refusal::Reject(Rejection::DeniedByPolicy)),
    (403, "E0000087", Refusal::Fail(ErrorKind::Protocol)),
    (403, "E0000095", Refusal::Fail(ErrorKind::Protocol)),
    (403, "E0000119", Refusal::Reject(Rejection::AccountLocked)),
    // A breached password.
    (403, "E0000259", Refusal::Reject(Rejection::DeniedByPolicy)),
    // The org itself is deactivated.
    (403, "E0000260", Refusal::Fail(UNAVAILABLE)),
    // Of the management API alone.
    (409, "E0000145", Refusal::Fail(ErrorKind::Protocol)),
    (423, "E0000239", Refusal::Fail(ErrorKind::Protocol)),
    (429, "E0000047", Refusal::Fail(THROTTLED)),
    (429, "E0000109", Refusal::Fail(THROTTLED)),
    (429, "E0000133", Refusal::Fail(THROTTLED)),
    (500, "E0000009", Refusal::Fail(UNAVAILABLE)),
    (502, "E0000240", Refusal::Fail(UNAVAILABLE)),
    (503, "E0000010", Refusal::Fail(UNAVAILABLE)),
    (503, "E0000100", Refusal::Fail(UNAVAILABLE)),
    (504, "E0000241", Refusal::Fail(UNAVAILABLE)),
];

/// What an `/authn` answer other than 200 means. `code` is `None` if the body is no error of Okta's.
pub(crate) fn authn_refusal(http: u16, code: Option<&str>) -> Refusal {
    AUTHN_ERRORS
        .iter()
        .find(|(row_http, row_code, _)| *row_http == http && Some(*row_code) == code)
        .map_or_else(|| Refusal::Fail(by_http(http)), |(_, _, refusal)| *refusal)
}

/// What an answer other than 200 means where our token was shown. "Not found" (404 E0000007) is not a refusal.
pub(crate) fn token_refusal(http: u16, code: Option<&str>) -> ErrorKind {
    match (http, code) {
        (403, Some("E0000260")) => UNAVAILABLE,
        (401 | 403, Some(_)) => ErrorKind::CredentialRefused,
        _ => by_http(http),
    }
}

/// `true` only for Okta's own "not found": a proxy has a 404 too.
pub(crate) fn is_absence(http: u16, code: Option<&str>) -> bool {
    (http, code) == (404, Some("E0000007"))
}

fn by_http(http: u16) -> ErrorKind {
    match http {
        408 => ErrorKind::TimedOut,
        429 => THROTTLED,
        500..=599 => UNAVAILABLE,
        _ => ErrorKind::Protocol,
    }
}

/// `status` of a user: <https://developer.okta.com/docs/api/openapi/okta-management/management/tag/User/>.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Status {
    Active,
    Deprovisioned,
    LockedOut,
    PasswordExpired,
    Provisioned,
    Recovery,
    Staged,
    Suspended,
}

const STATUSES: &[(&str, Status)] = &[
    ("ACTIVE", Status::Active),
    ("DEPROVISIONED", Status::Deprovisioned),
    ("LOCKED_OUT", Status::LockedOut),
    ("PASSWORD_EXPIRED", Status::PasswordExpired),
    ("PROVISIONED", Status::Provisioned),
    ("RECOVERY", Status::Recovery),
    ("STAGED", Status::Staged),
    ("SUSPENDED", Status::Suspended),
];

impl Status {
    /// What `lookup_statuses` is unless it is set.
    pub(crate) const LISTED_BY_DEFAULT: [Self; 4] =
        [Self::Active, Self::PasswordExpired, Self::Provisioned, Self::Recovery];

    /// Whether `lookup_statuses` may list it. A suspended or deactivated user may never come in by a password reset.
    pub(crate) fn can_be_listed(self) -> bool {
        !matches!(self, Self::Deprovisioned | Self::Suspended)
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        row(STATUSES, text)
    }
}

/// Why a user of this status doesn't get in although the password was proved.
pub(crate) fn rejected_at_login(status: Status, rules: &Rules) -> Option<Rejection> {
    match status {
        Status::Active => None,
        Status::Deprovisioned | Status::Suspended => Some(Rejection::AccountDisabled),
        Status::LockedOut => Some(Rejection::AccountLocked),
        Status::PasswordExpired if rules.password_expired == Choice::Accept => None,
        Status::PasswordExpired => Some(Rejection::PasswordExpired),
        Status::Provisioned | Status::Staged => Some(Rejection::AccountInactive),
        // A reset is under way: Okta itself lets no password in until it is done.
        Status::Recovery => Some(Rejection::DeniedByPolicy),
    }
}

/// Why a user of this status can't be migrated without a password.
pub(crate) fn rejected_at_lookup(status: Status, rules: &Rules) -> Option<Rejection> {
    match status {
        Status::Deprovisioned | Status::Suspended => Some(Rejection::AccountDisabled),
        listed if rules.lookup_statuses.contains(&listed) => None,
        Status::LockedOut => Some(Rejection::AccountLocked),
        Status::PasswordExpired => Some(Rejection::PasswordExpired),
        Status::Provisioned | Status::Staged => Some(Rejection::AccountInactive),
        Status::Active | Status::Recovery => Some(Rejection::DeniedByPolicy),
    }
}

/// Why a user who holds an active second factor doesn't get in, by either way.
pub(crate) fn rejected_for_factors(holds_one: bool, rules: &Rules) -> Option<Rejection> {
    let refused = holds_one && rules.second_factor == SecondFactor::Reject;
    refused.then_some(Rejection::SecondFactorRequired)
}

/// `credentials.provider.type`: who owns the password.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Owner {
    /// A directory that Okta asks through its agent.
    Directory,
    /// Somebody whom Okta can't ask: there is no password here.
    Elsewhere,
    Okta,
}

/// IMPORT passwords become Okta's own at their first use.
const OWNERS: &[(&str, Owner)] = &[
    ("ACTIVE_DIRECTORY", Owner::Directory),
    ("FEDERATION", Owner::Elsewhere),
    ("IMPORT", Owner::Okta),
    ("LDAP", Owner::Directory),
    ("OKTA", Owner::Okta),
    ("SOCIAL", Owner::Elsewhere),
];

impl Owner {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        row(OWNERS, text)
    }

    /// A proved directory password is a password; a reset of one would fork it.
    pub(crate) fn rejected(self, at_lookup: bool, rules: &Rules) -> Option<Rejection> {
        let fork = at_lookup && rules.directory_users == Choice::Reject;
        match self {
            Self::Elsewhere => Some(Rejection::NoPassword),
            Self::Directory if fork => Some(Rejection::NoPassword),
            Self::Directory | Self::Okta => None,
        }
    }
}

/// Whether an enrolled factor is one that a migration would silently drop. E-mail enrols by itself on Identity Engine,
/// and a security question is no second factor. A type or a status without a row counts.
pub(crate) fn is_second_factor(factor: &wire::Factor) -> bool {
    let unused = ["DISABLED", "EXPIRED", "INACTIVE", "NOT_SETUP", "PENDING_ACTIVATION"];
    !unused.contains(&factor.status.as_str()) && !matches!(factor.factor_type.as_str(), "email" | "question")
}

fn row<T: Copy>(table: &[(&str, T)], name: &str) -> Option<T> {
    table.iter().find(|(row, _)| *row == name).map(|(_, value)| *value)
}

#[cfg(test)]
#[path = "map_tests.rs"]
mod tests;
