//! What would become of one person: the broker's rules and the gateway's, on what the list tells.

use idbridge_source::{Admission, Email, Listed, Rejection, User, same_identifier};

use super::Subject;
use crate::grpc::convert;
use crate::rest::{self, Profile};

/// What was found out about a person.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) login: LoginName,
    pub(super) address: Address,
    /// Why no log-in moves this person; the first reason if there are several.
    pub(super) reason: Option<&'static str>,
    /// No log-in moves them, but a look-up by their address would find them: a password reset can bring them.
    pub(super) comes_by_reset: bool,
    /// A name or a picture is beyond the target's limits, and is left out of the profile.
    pub(super) loses_a_field: bool,
}

/// What the person types to log in, beside the e-mail address.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum LoginName {
    Email,
    /// An address that isn't the e-mail address.
    OtherAddress,
    /// A user name that Auth0 takes as connections are by default, up to 15 characters.
    UserName,
    /// One that it takes once the connection's limit is raised.
    UserNameLong,
    /// One that it never takes.
    UserNameRefused,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Address {
    Fine,
    Malformed,
    Missing,
}

/// What connections take unless `validation.username` is raised.
const USER_NAME: usize = 15;

impl Judged {
    pub(super) fn can_move(&self) -> bool {
        self.reason.is_none()
    }
}

pub(super) fn judge(subject: &Subject, listed: &Listed) -> Judged {
    let user = &listed.user;
    let address = address(&user.email);
    let profile = profile(subject, user, &user.login);
    let look_up = listed.look_up == Admission::Admitted && factors(listed) == Admission::Admitted;
    let refused = refusal(listed.log_in).or_else(|| refusal(factors(listed)));
    let reason = refused.or_else(|| unfit(&profile, address));
    let found = || look_up && self::profile(subject, user, &user.email).is_ok();
    Judged {
        login: login_name(user),
        address,
        reason,
        comes_by_reset: reason.is_some() && found(),
        loses_a_field: profile.is_ok_and(|profile| profile.lacks_a_field_of(user)),
    }
}

/// Not asked is no reason.
fn factors(listed: &Listed) -> Admission {
    listed
        .factors
        .as_ref()
        .map_or(Admission::Admitted, |factors| factors.admission)
}

fn refusal(admission: Admission) -> Option<&'static str> {
    match admission {
        Admission::Admitted => None,
        Admission::Rejected(rejection) => Some(Rejection::name(rejection)),
        Admission::Unknown => Some("unknown_state"),
    }
}

/// The profile that Auth0 would get if the person typed this.
fn profile(subject: &Subject, user: &User, typed: &str) -> Result<Profile, rest::Unfit> {
    let wire = convert::user(user.clone(), &subject.id_prefix);
    Profile::new(wire, subject.name.to_string(), typed, &subject.rest)
}

fn unfit(profile: &Result<Profile, rest::Unfit>, address: Address) -> Option<&'static str> {
    match (profile, address) {
        (Ok(_), _) => None,
        (Err(rest::Unfit::Malformed(_)), _) => Some("id_not_accepted"),
        (Err(rest::Unfit::NotPortable), Address::Missing) => Some("no_address"),
        (Err(rest::Unfit::NotPortable), Address::Malformed) => Some("address_not_accepted"),
        (Err(rest::Unfit::NotPortable), Address::Fine) => Some("identifier_not_portable"),
    }
}

fn address(text: &str) -> Address {
    if text.trim().is_empty() {
        Address::Missing
    } else if Email::parse(text).is_err() {
        Address::Malformed
    } else {
        Address::Fine
    }
}

fn login_name(user: &User) -> LoginName {
    let lower = user.login.to_lowercase();
    if same_identifier(&user.login, &user.email) {
        LoginName::Email
    } else if Email::parse(&user.login).is_ok() {
        LoginName::OtherAddress
    } else if !rest::is_username(&lower, rest::USERNAME_LENGTH) || !same_identifier(&lower, &user.login) {
        LoginName::UserNameRefused
    } else if lower.len() > USER_NAME {
        LoginName::UserNameLong
    } else {
        LoginName::UserName
    }
}
