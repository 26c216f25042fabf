use std::fmt;
use std::time::Duration;

use tonic::{Code, Status, TimeoutExpired};
use tonic_types::StatusExt as _;

use crate::drain::causes;
use crate::pb::{RejectionReason, User, authenticate_response, get_user_by_email_response};

/// The three ways in which a call ends.
pub enum Answer {
    Yes(Box<User>),
    /// And why: the reason in lower case.
    No(String),
    /// Nobody found out. It is never a no.
    Unknown(Unknown),
}

/// Why nobody found out.
#[derive(Debug)]
pub struct Unknown {
    pub code: Code,
    /// idbridge's reason; of the connection and of proxies there is none.
    pub reason: Option<String>,
    /// When to ask again.
    pub retry_after: Option<Duration>,
}

impl Default for Answer {
    /// An answer that says nothing, or what a later version says, is none.
    fn default() -> Self {
        Self::Unknown(Unknown {
            code: Code::Ok,
            reason: None,
            retry_after: None,
        })
    }
}

impl From<Status> for Answer {
    fn from(status: Status) -> Self {
        let info = status.get_details_error_info().filter(|info| info.domain == "idbridge");
        let reason = info.map(|info| info.reason);
        // Any proxy says NOT_FOUND; with this reason it is the source's word.
        if status.code() == Code::NotFound && reason.as_deref() == Some("USER_NOT_FOUND") {
            return Self::No("user_not_found".to_owned());
        }
        // tonic says CANCELLED of its own time limit.
        let late = causes(&status).any(|cause| cause.is::<TimeoutExpired>());
        Self::Unknown(Unknown {
            code: if late { Code::DeadlineExceeded } else { status.code() },
            reason,
            retry_after: status.get_details_retry_info().and_then(|info| info.retry_delay),
        })
    }
}

impl From<authenticate_response::Outcome> for Answer {
    fn from(outcome: authenticate_response::Outcome) -> Self {
        match outcome {
            authenticate_response::Outcome::Rejection(rejection) => Self::rejected(rejection.reason),
            authenticate_response::Outcome::User(user) => Self::Yes(Box::new(user)),
        }
    }
}

impl From<get_user_by_email_response::Outcome> for Answer {
    fn from(outcome: get_user_by_email_response::Outcome) -> Self {
        match outcome {
            get_user_by_email_response::Outcome::Rejection(rejection) => Self::rejected(rejection.reason),
            get_user_by_email_response::Outcome::User(user) => Self::Yes(Box::new(user)),
        }
    }
}

impl Answer {
    fn rejected(reason: i32) -> Self {
        match RejectionReason::try_from(reason) {
            Err(_) | Ok(RejectionReason::Unspecified) => Self::default(),
            Ok(reason) => {
                let name = reason.as_str_name();
                Self::No(
                    name.strip_prefix("REJECTION_REASON_")
                        .unwrap_or(name)
                        .to_ascii_lowercase(),
                )
            }
        }
    }
}

impl fmt::Debug for Answer {
    /// Without the user.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Yes(_) => f.write_str("Yes"),
            Self::No(reason) => f.debug_tuple("No").field(reason).finish(),
            Self::Unknown(unknown) => unknown.fmt(f),
        }
    }
}
