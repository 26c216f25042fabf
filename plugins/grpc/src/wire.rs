//! Shapes of messages, and how gRPC puts them into a body ("gRPC over HTTP2", Length-Prefixed-Message).

use std::fmt;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::{BufMut as _, Bytes, BytesMut};
use prost::Message;

#[expect(
    clippy::all,
    missing_debug_implementations,
    unreachable_pub,
    reason = "generated code isn't ours to style"
)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/idbridge.v1.rs"));
}
pub(crate) use generated::*;

/// A byte for compression, four for the length.
const PREFIX: usize = 5;

/// Servers may leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// `google.rpc.Status`, without its message, which is the plugin's own words.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Details {
    #[prost(int32, tag = "1")]
    pub(crate) code: i32,
    #[prost(message, repeated, tag = "3")]
    details: Vec<prost_types::Any>,
}

/// `google.rpc.ErrorInfo`, without its metadata.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ErrorInfo {
    #[prost(string, tag = "1")]
    pub(crate) reason: String,
    #[prost(string, tag = "2")]
    pub(crate) domain: String,
}

/// `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    pub(crate) retry_delay: Option<prost_types::Duration>,
}

impl Details {
    /// From `grpc-status-details-bin`.
    pub(crate) fn decode_header(value: &[u8]) -> Option<Self> {
        Self::decode(&*BASE64.decode(value).ok()?).ok()
    }

    /// The details of this type. `None` if one can't be read.
    pub(crate) fn all<T: Message + Default>(&self, name: &str) -> Option<Vec<T>> {
        let named = |any: &&prost_types::Any| any.type_url.rsplit('/').next() == Some(name);
        let mut found = self.details.iter().filter(named);
        found.try_fold(Vec::new(), |mut all, any| {
            all.push(T::decode(&*any.value).ok()?);
            Some(all)
        })
    }
}

pub(crate) fn frame(message: &impl Message) -> Option<Bytes> {
    let length = message.encoded_len();
    let mut framed = BytesMut::with_capacity(PREFIX + length);
    framed.put_u8(0);
    framed.put_u32(u32::try_from(length).ok()?);
    message.encode(&mut framed).ok()?;
    Some(framed.freeze())
}

/// The one message of a body. `None` if there is another number of them, or it can't be read: none was asked for
/// compressed.
pub(crate) fn unframe<T: Message + Default>(body: &[u8]) -> Option<T> {
    let (prefix, message) = body.split_first_chunk::<PREFIX>()?;
    let [0, length @ ..] = *prefix else { return None };
    if usize::try_from(u32::from_be_bytes(length)).ok()? != message.len() {
        return None;
    }
    T::decode(message).ok()
}

macro_rules! redacted {
    ($($message:ty),* $(,)?) => {$(
        impl fmt::Debug for $message {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($message), " { .. }"))
            }
        }
    )*};
}
redacted!(
    AuthenticateRequest,
    AuthenticateResponse,
    GetUserByEmailRequest,
    GetUserByEmailResponse,
    Rejection,
    User,
    authenticate_response::Outcome,
    get_user_by_email_response::Outcome,
);
