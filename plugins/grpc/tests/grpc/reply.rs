//! What a plugin says, well-formed and not.

use bytes::{BufMut as _, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use prost::Message;
use tonic::Status;

use crate::wire::{AuthenticateResponse, GetUserByEmailResponse, Rejection, User};
use crate::wire::{authenticate_response, get_user_by_email_response};

/// An answer, piece by piece.
#[derive(Clone)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<Bytes>,
    /// What follows the body.
    pub(crate) end: End,
}

#[derive(Clone)]
pub(crate) enum End {
    /// The connection is closed without a word.
    Cut,
    /// The body's last piece again and again.
    Flood,
    Nothing,
    Reset(h2::Reason),
    Trailers(HeaderMap),
}

impl Reply {
    /// A message, and that all is well.
    pub(crate) fn message(message: &impl Message) -> Self {
        Self::bytes(framed(&message.encode_to_vec()))
    }

    /// These bytes, and that all is well.
    pub(crate) fn bytes(body: impl Into<Bytes>) -> Self {
        Self {
            status: StatusCode::OK,
            headers: headers(&[("content-type", "application/grpc")]),
            body: vec![body.into()],
            end: End::Trailers(headers(&[("grpc-status", "0")])),
        }
    }

    /// A status as tonic's servers send it: all in the head.
    pub(crate) fn status(status: Status) -> Self {
        Self {
            headers: status.into_http::<()>().headers().clone(),
            body: Vec::new(),
            end: End::Nothing,
            ..Self::bytes("")
        }
    }

    pub(crate) fn ending(self, end: End) -> Self {
        Self { end, ..self }
    }

    pub(crate) fn http(self, status: u16) -> Self {
        let status = StatusCode::from_u16(status).expect("a status");
        Self { status, ..self }
    }

    pub(crate) fn with_headers(self, pairs: &[(&'static str, &str)]) -> Self {
        let headers = headers(pairs);
        Self { headers, ..self }
    }
}

pub(crate) fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let value = HeaderValue::from_str(value).expect("a value");
        headers.append(HeaderName::from_static(name), value);
    }
    headers
}

pub(crate) fn framed(message: &[u8]) -> Bytes {
    let mut framed = BytesMut::new();
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).expect("short"));
    framed.put_slice(message);
    framed.freeze()
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
