//! What reached the org.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::Value;

use crate::Endpoint;

/// How many requests are kept whole; counts go on for ever.
const KEPT: usize = 4096;

/// What has reached the org: counts since the start, and the last 4,096 requests whole.
#[derive(Clone, Default)]
pub struct Received {
    connections: u64,
    arrived: BTreeMap<Endpoint, u64>,
    answered: BTreeMap<Endpoint, u64>,
    abandoned: u64,
    in_flight: u64,
    passwords: u64,
    passwords_by_username: HashMap<String, u64>,
    requests: VecDeque<Arc<Request>>,
}

/// A request as it came.
#[derive(Clone)]
pub struct Request {
    /// Counts from 1.
    pub number: u64,
    /// Which connection brought it; counts from 1.
    pub connection: u64,
    pub endpoint: Endpoint,
    pub method: Method,
    /// Path and query, raw: still percent-encoded.
    pub target: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Received {
    /// Connections accepted.
    pub fn connections(&self) -> u64 {
        self.connections
    }

    /// Requests that came in.
    pub fn total(&self) -> u64 {
        self.arrived.values().sum()
    }

    /// Requests that came in at `endpoint`.
    pub fn count(&self, endpoint: Endpoint) -> u64 {
        self.arrived.get(&endpoint).copied().unwrap_or(0)
    }

    /// Requests at `endpoint` that the org answered.
    pub fn answered(&self, endpoint: Endpoint) -> u64 {
        self.answered.get(&endpoint).copied().unwrap_or(0)
    }

    /// Requests that ended without an answer: the client left, or a fault cut the connection.
    pub fn abandoned(&self) -> u64 {
        self.abandoned
    }

    /// Requests that are being worked on.
    pub fn in_flight(&self) -> u64 {
        self.in_flight
    }

    /// Passwords submitted to `/authn`.
    pub fn passwords(&self) -> u64 {
        self.passwords
    }

    /// Passwords submitted for this user name, spelt so.
    pub fn passwords_for(&self, username: &str) -> u64 {
        self.passwords_by_username.get(username).copied().unwrap_or(0)
    }

    /// The last requests, oldest first.
    pub fn requests(&self) -> impl DoubleEndedIterator<Item = &Request> {
        self.requests.iter().map(AsRef::as_ref)
    }

    /// The last requests at `endpoint`, oldest first.
    pub fn at(&self, endpoint: Endpoint) -> impl DoubleEndedIterator<Item = &Request> {
        self.requests().filter(move |request| request.endpoint == endpoint)
    }

    pub(crate) fn connected(&mut self) -> u64 {
        self.connections += 1;
        self.connections
    }

    pub(crate) fn arrive(&mut self, mut request: Request) -> Arc<Request> {
        *self.arrived.entry(request.endpoint).or_default() += 1;
        self.in_flight += 1;
        request.number = self.total();
        if let Some(username) = request.submitted_username() {
            self.passwords += 1;
            *self.passwords_by_username.entry(username).or_default() += 1;
        }
        let request = Arc::new(request);
        if self.requests.len() == KEPT {
            self.requests.pop_front();
        }
        self.requests.push_back(Arc::clone(&request));
        request
    }

    pub(crate) fn leave(&mut self, endpoint: Endpoint, answered: bool) {
        self.in_flight -= 1;
        if answered {
            *self.answered.entry(endpoint).or_default() += 1;
        } else {
            self.abandoned += 1;
        }
    }
}

impl Request {
    /// A header's value, if it is there once or more and text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    fn submitted_username(&self) -> Option<String> {
        if self.endpoint != Endpoint::Authn || self.method != Method::POST {
            return None;
        }
        let body = self.json()?;
        body.get("password").filter(|password| !password.is_null())?;
        Some(
            body.get("username")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
        )
    }
}

/// Counts only: requests hold passwords, tokens and addresses.
impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Received")
            .field("connections", &self.connections)
            .field("arrived", &self.arrived)
            .field("passwords", &self.passwords)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("number", &self.number)
            .field("method", &self.method)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}
