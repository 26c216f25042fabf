//! Okta's bytes, whatever they are: for those who look for what breaks a reader, and no part of the plugin's interface.

use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;

use crate::limits;
use crate::wire::{Account, ErrorBody, Factor, Group, Object, Organization, Transaction, UserRecord};

/// A body, as each shape that an answer is read as.
pub fn answer(body: &[u8]) {
    one::<Transaction>(body);
    one::<UserRecord>(body);
    one::<Account>(body);
    one::<Organization>(body);
    one::<ErrorBody>(body);
    many::<UserRecord>(body);
    many::<Factor>(body);
    many::<Group>(body);
}

/// What headers say of limits.
pub fn limits(status: StatusCode, headers: &HeaderMap) {
    let _ = limits::notice(status, headers);
    if let Some(wait) = limits::retry_after(headers) {
        assert!((1..=60).contains(&wait.as_secs()), "{wait:?}");
    }
}

fn one<T: DeserializeOwned>(body: &[u8]) {
    drop(serde_json::from_slice::<Object<T>>(body));
}

fn many<T: DeserializeOwned>(body: &[u8]) {
    drop(serde_json::from_slice::<Vec<Object<T>>>(body));
}
