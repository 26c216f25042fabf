//! What a plugin says, in the messages of `proto/`.

pub(crate) use idbridge_testkit::upstreams::grpc::{End, Reply, framed, headers};
use prost::Message;
use tonic::Status;

use crate::wire::{AuthenticateResponse, GetUserByEmailResponse, Rejection, User};
use crate::wire::{authenticate_response, get_user_by_email_response};

pub(crate) trait Said {
    /// A message, and that all is well.
    fn message(message: &impl Message) -> Self;
    /// A status as tonic's servers send it: all in the head.
    fn status(status: Status) -> Self;
}

impl Said for Reply {
    fn message(message: &impl Message) -> Self {
        Self::bytes(framed(&message.encode_to_vec()))
    }

    fn status(status: Status) -> Self {
        Self {
            headers: status.into_http::<()>().headers().clone(),
            body: Vec::new(),
            end: End::Nothing,
            ..Self::bytes("")
        }
    }
}

pub(crate) fn ada() -> User {
    User {
        id: "1".to_owned(),
        login: "ada".to_owned(),
        email: "ada@example.com".to_owned(),
        ..User::default()
    }
}

pub(crate) fn accepted(user: User) -> AuthenticateResponse {
    AuthenticateResponse {
        outcome: Some(authenticate_response::Outcome::User(user)),
        source: "p".to_owned(),
    }
}

pub(crate) fn rejected(reason: i32) -> AuthenticateResponse {
    AuthenticateResponse {
        outcome: Some(authenticate_response::Outcome::Rejection(Rejection { reason })),
        source: "p".to_owned(),
    }
}

pub(crate) fn found(user: User) -> GetUserByEmailResponse {
    GetUserByEmailResponse {
        outcome: Some(get_user_by_email_response::Outcome::User(user)),
        source: "p".to_owned(),
    }
}

pub(crate) fn ineligible(reason: i32) -> GetUserByEmailResponse {
    GetUserByEmailResponse {
        outcome: Some(get_user_by_email_response::Outcome::Rejection(Rejection { reason })),
        source: "p".to_owned(),
    }
}
