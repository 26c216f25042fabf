use crate::User;

/// What a password check found out. Either way the source answered, and all is well with it.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
#[expect(
    clippy::large_enum_variant,
    reason = "one value a call to an upstream; a box would cost every reader more"
)]
pub enum Authentication {
    /// The password is right, by evidence that the plugin lists, and belongs to this user.
    /// The target stores the password on the strength of this, and doesn't ask a second time.
    Accept(User),
    /// The password doesn't let this person in. It may be the right one: an account can be closed to its owner.
    Reject(Rejection),
}

/// What a look-up found out.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
#[expect(
    clippy::large_enum_variant,
    reason = "one value a call to an upstream; a box would cost every reader more"
)]
pub enum Lookup {
    /// The source is sure that it has no such user. A source that can't be sure answers an error.
    ///
    /// The target lets a stranger sign up on the strength of this.
    Absent,
    /// Exactly one user, who may be migrated.
    Found(User),
    /// The user exists but may not be migrated.
    ///
    /// `Found` would let a password reset revive the account, and `Absent` would let anyone sign up over it.
    Ineligible(Rejection),
}

/// Why the answer is no. On the wire these are `idbridge.v1.RejectionReason`.
///
/// Choose the most precise one that the upstream's answer proves. A guess is worse than a vague word: support acts on it.
///
/// | the upstream says | reason |
/// | --- | --- |
/// | wrong password, and names the user | `WrongPassword` |
/// | wrong password or no such user, one message for both | `InvalidCredentials` |
/// | no such user, at a password check | `UnknownUser` |
/// | right password, but change it first | `PasswordExpired` |
/// | right password, and now the second factor | `SecondFactorRequired` |
/// | locked, but answers as to a wrong password | `InvalidCredentials` |
///
/// `UnknownUser`, `WrongPassword` and `InvalidCredentials` speak of a password check: a look-up never says them.
/// `PasswordExpired` needs a right password: it would otherwise tell a stranger something about the user
/// (`authenticate::expired_password_is_rejected`).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Rejection {
    /// Suspended or deactivated.
    AccountDisabled,
    /// Never activated.
    AccountInactive,
    /// Locked, mostly after too many wrong passwords.
    AccountLocked,
    /// The source's policy denies this log-in whatever the password.
    DeniedByPolicy,
    /// Wrong user or wrong password; the source won't say which. Most don't, so that nobody can try out names.
    InvalidCredentials,
    /// Federated, social, or owned by a directory: this password isn't the source's to check or to reset.
    NoPassword,
    /// Not among those who move yet. The broker's settings say so, not a source.
    NotInCohort,
    /// The password was right and must be changed first.
    PasswordExpired,
    /// The log-in still owes a second factor, or the user holds one that migration would silently drop
    /// (`authenticate::second_factor_is_rejected`).
    SecondFactorRequired,
    /// No such user. Only for sources that say so at a password check; a look-up says [`Lookup::Absent`].
    UnknownUser,
    /// The user exists and this isn't their password.
    WrongPassword,
}

impl Rejection {
    /// All reasons, for tables and tests.
    pub const ALL: [Self; 11] = [
        Self::AccountDisabled,
        Self::AccountInactive,
        Self::AccountLocked,
        Self::DeniedByPolicy,
        Self::InvalidCredentials,
        Self::NoPassword,
        Self::NotInCohort,
        Self::PasswordExpired,
        Self::SecondFactorRequired,
        Self::UnknownUser,
        Self::WrongPassword,
    ];

    /// The public name: the wire enum's value without its prefix, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::AccountDisabled => "account_disabled",
            Self::AccountInactive => "account_inactive",
            Self::AccountLocked => "account_locked",
            Self::DeniedByPolicy => "denied_by_policy",
            Self::InvalidCredentials => "invalid_credentials",
            Self::NoPassword => "no_password",
            Self::NotInCohort => "not_in_cohort",
            Self::PasswordExpired => "password_expired",
            Self::SecondFactorRequired => "second_factor_required",
            Self::UnknownUser => "unknown_user",
            Self::WrongPassword => "wrong_password",
        }
    }
}
