//! One record an attempt: who asked which question about whom, and what came of it.
//!
//! The identifier stands there as a keyed hash: equal for the same person, so that attempts can be joined, and of no
//! use to whoever reads the log without the key.

use std::fmt;
use std::sync::{Arc, OnceLock};

use aws_lc_rs::hmac;
use idbridge_source::{RequestId, folded};
use tokio::time::Instant;

use super::metrics::Operation;
use crate::hex::hex;

/// The target of audit records, to route them by.
pub const TARGET: &str = "idbridge::audit";

/// Hashes identifiers.
#[derive(Clone)]
pub struct Hasher(Arc<hmac::Key>);

impl Hasher {
    /// With a key of the operator's, hashes can be joined across restarts and replicas.
    pub fn keyed(key: &[u8]) -> Self {
        Self(Arc::new(hmac::Key::new(hmac::HMAC_SHA256, key)))
    }

    /// With a key that nobody knows and that ends with the process.
    pub fn random() -> Result<Self, aws_lc_rs::error::Unspecified> {
        let mut key = [0; 32];
        aws_lc_rs::rand::fill(&mut key)?;
        Ok(Self::keyed(&key))
    }

    /// The first half of an HMAC-SHA-256 over the identifier as it is compared: NFC, ASCII letters in lower case.
    pub fn hash(&self, identifier: &str) -> String {
        hex(&hmac::sign(&self.0, folded(identifier).as_bytes()).as_ref()[..16])
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hasher(…)")
    }
}

/// A record that fills while its call is answered, and is written when the call ends, however it ends.
#[derive(Debug)]
pub struct Attempt {
    started: Instant,
    request_id: RequestId,
    operation: Operation,
    caller: OnceLock<Arc<str>>,
    source: OnceLock<Arc<str>>,
    identifier: OnceLock<String>,
    outcome: OnceLock<&'static str>,
}

impl Attempt {
    pub fn new(request_id: RequestId, operation: Operation) -> Self {
        Self {
            started: Instant::now(),
            request_id,
            operation,
            caller: OnceLock::new(),
            source: OnceLock::new(),
            identifier: OnceLock::new(),
            outcome: OnceLock::new(),
        }
    }

    pub fn caller(&self, name: &Arc<str>) {
        self.caller.get_or_init(|| Arc::clone(name));
    }

    pub fn source(&self, name: &Arc<str>) {
        self.source.get_or_init(|| Arc::clone(name));
    }

    pub fn identifier(&self, hash: String) {
        self.identifier.get_or_init(|| hash);
    }

    /// The outcome, or the reason of an error. The first one said stands.
    pub fn outcome(&self, name: &'static str) {
        self.outcome.get_or_init(|| name);
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        tracing::info!(
            target: TARGET,
            request_id = self.request_id.as_str(),
            caller = self.caller.get().map(|name| &**name),
            operation = self.operation.name(),
            source = self.source.get().map(|name| &**name),
            identifier = self.identifier.get().map(String::as_str),
            // Nobody said how it ended: the caller hung up first.
            outcome = self.outcome.get().copied().unwrap_or("cancelled"),
            duration_ms = self.started.elapsed().as_secs_f64() * 1e3,
            "attempt",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_join_spellings_of_one_identifier_and_nothing_else() {
        let hasher = Hasher::keyed(b"a key");
        assert_eq!(hasher.hash("Ada@Example.com"), hasher.hash("ada@example.com"));
        assert_ne!(hasher.hash("ada@example.com"), hasher.hash("bob@example.com"));
        assert_ne!(
            hasher.hash("ada@example.com"),
            Hasher::keyed(b"another").hash("ada@example.com")
        );
        assert_eq!(hasher.hash("ada").len(), 32);
    }
}
