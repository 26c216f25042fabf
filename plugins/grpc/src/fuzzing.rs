//! A plugin's bytes, whatever they are: for those who look for what breaks a reader, and no part of the plugin's
//! interface.

use http::{HeaderMap, HeaderValue};
use idbridge_source::{Email, Login};

use crate::api;
use crate::map::{self, Asked, Operation};
use crate::wire;

/// A body, as the answer to each question.
pub fn answer(body: &[u8], asked: &Email, typed: &Login) {
    if let Some(message) = wire::unframe::<wire::AuthenticateResponse>(body) {
        for aliases in [false, true] {
            drop(map::authentication(message.clone(), typed, aliases));
        }
    }
    if let Some(message) = wire::unframe(body) {
        drop(map::lookup(message, Asked::Email(asked)));
    }
}

/// A status with this value for its details.
pub fn refusal(code: u32, details: HeaderValue) {
    let end = HeaderMap::from_iter([(api::GRPC_STATUS_DETAILS, details)]);
    let refusal = api::refusal(code, &end);
    for operation in [Operation::Authenticate, Operation::UserByEmail, Operation::UserByLogin] {
        drop(map::refused(&refusal, operation));
    }
}
