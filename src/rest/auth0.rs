//! What the broker says, as Auth0's scripts are told it.

use super::profile::Unfit;
use super::{Outcome, Profile, Settings};
use crate::pb::{Rejection, RejectionReason, User, authenticate_response, get_user_by_email_response};

/// The script that asks.
#[derive(Clone, Copy)]
pub(super) enum Operation {
    GetUser,
    Login,
}

/// What a broker says of a user, in either call.
pub(super) enum Said {
    Rejection(Rejection),
    User(Box<User>),
}

/// The gateway's own reasons: the broker says yes, and Auth0 would store a user who can't come back.
pub(super) const IDENTIFIER_NOT_PORTABLE: &str = "identifier_not_portable";
pub(super) const PASSWORD_NOT_ACCEPTED: &str = "password_not_accepted_by_target";

/// The broker said what no broker says: neither a yes nor a no.
pub(super) struct Malformed(pub(super) &'static str);

impl Operation {
    pub(super) fn outcome(
        self,
        said: Option<Said>,
        source: String,
        typed: &str,
        settings: &Settings,
    ) -> Result<Outcome, Malformed> {
        let user = match said.ok_or(Malformed("no outcome"))? {
            Said::Rejection(rejection) => return self.rejected(rejection),
            Said::User(user) => user,
        };
        let profile = match Profile::new(*user, source, typed, settings) {
            Ok(profile) => Box::new(profile),
            Err(Unfit::Malformed(what)) => return Err(Malformed(what)),
            Err(Unfit::NotPortable) => {
                let reason = IDENTIFIER_NOT_PORTABLE.to_owned();
                return Ok(Outcome::Rejected { reason });
            }
        };
        Ok(match self {
            Self::GetUser => Outcome::Found { profile },
            Self::Login => Outcome::Authenticated { profile },
        })
    }

    fn rejected(self, rejection: Rejection) -> Result<Outcome, Malformed> {
        let reason = match (self, RejectionReason::try_from(rejection.reason)) {
            (_, Err(_) | Ok(RejectionReason::Unspecified)) => {
                return Err(Malformed("a rejection without a known reason"));
            }
            // That nobody has an address is a status: USER_NOT_FOUND.
            (Self::GetUser, Ok(RejectionReason::UnknownUser)) => {
                return Err(Malformed("a look-up that rejects an unknown user"));
            }
            (_, Ok(reason)) => name_of(reason),
        };
        Ok(Outcome::Rejected { reason })
    }
}

/// Every reason with which this operation rejects: the contract's, and the gateway's own.
pub(super) fn reasons(operation: Operation) -> impl Iterator<Item = String> {
    let numbered = (0..).map_while(|number| RejectionReason::try_from(number).ok());
    let said = numbered.filter_map(move |reason| {
        let reason = reason.into();
        match operation.rejected(Rejection { reason }) {
            Ok(Outcome::Rejected { reason }) => Some(reason),
            _ => None,
        }
    });
    // A look-up has no password to judge.
    let own: &[&str] = match operation {
        Operation::GetUser => &[IDENTIFIER_NOT_PORTABLE],
        Operation::Login => &[IDENTIFIER_NOT_PORTABLE, PASSWORD_NOT_ACCEPTED],
    };
    said.chain(own.iter().map(|reason| (*reason).to_owned()))
}

fn name_of(reason: RejectionReason) -> String {
    let name = reason.as_str_name();
    name.strip_prefix("REJECTION_REASON_")
        .unwrap_or(name)
        .to_ascii_lowercase()
}

impl From<authenticate_response::Outcome> for Said {
    fn from(outcome: authenticate_response::Outcome) -> Self {
        match outcome {
            authenticate_response::Outcome::Rejection(rejection) => Self::Rejection(rejection),
            authenticate_response::Outcome::User(user) => Self::User(Box::new(user)),
        }
    }
}

impl From<get_user_by_email_response::Outcome> for Said {
    fn from(outcome: get_user_by_email_response::Outcome) -> Self {
        match outcome {
            get_user_by_email_response::Outcome::Rejection(rejection) => Self::Rejection(rejection),
            get_user_by_email_response::Outcome::User(user) => Self::User(Box::new(user)),
        }
    }
}
