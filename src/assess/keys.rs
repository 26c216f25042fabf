//! Addresses as keyed hashes: equal where the addresses are, and of no use without the key.

use std::fmt;

use aws_lc_rs::hmac;
use idbridge_source::{ExposeSecret as _, Secret, UserId};
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::Subject;
use crate::hex::hex;
use crate::telemetry::audit::Hasher;

/// Where the key of the hashes comes from.
#[derive(Clone, Debug)]
pub enum Key {
    /// `audit.hash_key`: hashes in the report are those of the audit records. It isn't written anywhere.
    Audit(Secret),
    /// A random one, which stands beside the work until there is a report, and nowhere after that.
    Random,
}

pub(super) struct Keys {
    labels: Hasher,
    fold: hmac::Key,
}

/// One address in three readings, each coarser than the one before.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Address {
    /// Ignoring case and accents.
    pub(super) skeleton: u64,
    /// As identifiers are compared: after NFC, ignoring ASCII case. The beginning of the label.
    pub(super) identifier: u64,
    /// As it is spelt.
    pub(super) spelling: u64,
}

impl Keys {
    pub(super) fn new(key: &[u8]) -> Self {
        Self {
            labels: Hasher::keyed(key),
            fold: hmac::Key::new(hmac::HMAC_SHA256, key),
        }
    }

    /// What stands for a login or an address in the report: the same hash as in the audit.
    pub(super) fn label(&self, identifier: &str) -> String {
        self.labels.hash(identifier)
    }

    /// Tells keys apart without telling anything of them.
    pub(super) fn check(&self) -> String {
        format!("{:016x}", self.hash("check", "idbridge assess"))
    }

    /// The same for the same settings: who goes on with others would count by two measures.
    pub(super) fn of_settings(&self, subject: &Subject) -> String {
        let rest = format!("{:?}", subject.rest);
        format!(
            "{:016x}",
            self.hash("settings", &format!("{}{rest}", hex(&subject.fingerprint)))
        )
    }

    pub(super) fn of_id(&self, id: &UserId) -> u64 {
        self.hash("id", id.as_str())
    }

    pub(super) fn address(&self, address: &str) -> Address {
        Address {
            skeleton: self.hash("skeleton", &skeleton(address)),
            identifier: u64::from_str_radix(self.label(address).get(..16).unwrap_or_default(), 16).unwrap_or_default(),
            spelling: self.hash("spelling", address),
        }
    }

    fn hash(&self, what: &str, text: &str) -> u64 {
        let mut context = hmac::Context::with_key(&self.fold);
        context.update(what.as_bytes());
        context.update(&[0]);
        context.update(text.as_bytes());
        let tag = context.sign();
        let mut first = [0; 8];
        first.copy_from_slice(&tag.as_ref()[..8]);
        u64::from_be_bytes(first)
    }
}

/// Without what tells twins apart that look alike to people: case, and marks above and below letters.
fn skeleton(address: &str) -> String {
    address
        .nfd()
        .filter(|letter| !is_combining_mark(*letter))
        .flat_map(char::to_lowercase)
        .collect()
}

impl Key {
    pub(super) fn exposed(&self) -> Option<&[u8]> {
        match self {
            Self::Audit(key) => Some(key.expose_secret().as_bytes()),
            Self::Random => None,
        }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_readings_of_an_address() {
        let keys = Keys::new(b"a key");
        let of = |text| keys.address(text);
        let (plain, upper) = (of("rene@x.org"), of("Rene@x.org"));
        assert_ne!(plain.spelling, upper.spelling);
        assert_eq!((plain.identifier, plain.skeleton), (upper.identifier, upper.skeleton));
        let accented = of("ren\u{e9}@x.org");
        assert_ne!(plain.identifier, accented.identifier);
        assert_eq!(plain.skeleton, accented.skeleton);
        let decomposed = of("rene\u{301}@x.org");
        assert_eq!(accented.identifier, decomposed.identifier);
        assert_ne!(accented.spelling, decomposed.spelling);
        assert_ne!(plain.skeleton, of("irene@x.org").skeleton);
    }

    #[test]
    fn a_hash_needs_its_key() {
        assert_ne!(Keys::new(b"a").address("a@x.org"), Keys::new(b"b").address("a@x.org"));
        assert_ne!(Keys::new(b"a").check(), Keys::new(b"b").check());
    }
}
