//! Who may call, told by a key.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::directory::Permission;

/// All callers of the settings.
#[derive(Debug)]
pub struct Callers(Vec<Arc<Caller>>);

/// An internal service, or a target's tenant. Never the user who signs in.
pub struct Caller {
    pub name: Arc<str>,
    /// SHA-256 of each key's text; more than one while keys are rotated.
    pub key_hashes: Vec<[u8; 32]>,
    pub may_authenticate: bool,
    pub may_look_up: bool,
    /// Only these; `None`: all.
    pub sources: Option<Vec<String>>,
    pub max_in_flight: usize,
    in_flight: AtomicUsize,
}

/// One call of a caller's, until it is dropped.
#[derive(Debug)]
pub struct CallerPermit<'a>(&'a AtomicUsize);

impl Callers {
    pub fn new(callers: impl IntoIterator<Item = Caller>) -> Self {
        Self(callers.into_iter().map(Arc::new).collect())
    }

    /// Whose key this is. Every hash is compared to its end, so that time tells nothing about any of them.
    pub fn find(&self, key: &str) -> Option<Arc<Caller>> {
        let presented = digest(&SHA256, key.as_bytes());
        let mut found = None;
        for caller in &self.0 {
            for hash in &caller.key_hashes {
                if verify_slices_are_equal(presented.as_ref(), hash).is_ok() {
                    found = Some(caller);
                }
            }
        }
        found.cloned()
    }
}

impl Caller {
    /// A caller with one key, who may do everything.
    pub fn new(name: &str, key_hashes: Vec<[u8; 32]>) -> Self {
        Self {
            name: name.into(),
            key_hashes,
            may_authenticate: true,
            may_look_up: true,
            sources: None,
            max_in_flight: 100,
            in_flight: AtomicUsize::new(0),
        }
    }

    /// `None` if the caller has as many calls in flight as it may.
    pub fn permit(&self) -> Option<CallerPermit<'_>> {
        let permit = CallerPermit(&self.in_flight);
        (self.in_flight.fetch_add(1, Ordering::Relaxed) < self.max_in_flight).then_some(permit)
    }
}

impl Drop for CallerPermit<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Permission for Caller {
    fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn may_authenticate(&self) -> bool {
        self.may_authenticate
    }

    fn may_look_up(&self) -> bool {
        self.may_look_up
    }

    fn may_ask(&self, source: &str) -> bool {
        self.sources
            .as_ref()
            .is_none_or(|sources| sources.iter().any(|allowed| allowed == source))
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// The key of `authorization: Bearer KEY`, if there is exactly one such header (RFC 6750 §2.1).
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
    let key = key.trim_start_matches(' ');
    (scheme.eq_ignore_ascii_case("bearer") && !key.is_empty()).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(key: &str) -> [u8; 32] {
        digest(&SHA256, key.as_bytes())
            .as_ref()
            .try_into()
            .expect("SHA-256 has 32 bytes")
    }

    #[test]
    fn both_keys_of_a_rotation_are_good_and_no_other() {
        let callers = Callers::new([
            Caller::new("auth0", vec![hash("old"), hash("new")]),
            Caller::new("billing", vec![hash("third")]),
        ]);
        let name = |key| callers.find(key).map(|caller| caller.name.to_string());
        assert_eq!(name("old").as_deref(), Some("auth0"));
        assert_eq!(name("new").as_deref(), Some("auth0"));
        assert_eq!(name("third").as_deref(), Some("billing"));
        assert_eq!(name("fourth"), None);
        assert_eq!(name(""), None);
    }

    #[test]
    fn a_permit_is_given_back() {
        let mut caller = Caller::new("auth0", vec![]);
        caller.max_in_flight = 1;
        let permit = caller.permit();
        assert!(permit.is_some());
        assert!(caller.permit().is_none());
        drop(permit);
        assert!(caller.permit().is_some());
    }

    #[test]
    fn only_one_well_formed_header_counts() {
        let headers = |values: &[&str]| {
            values
                .iter()
                .map(|value| (AUTHORIZATION, value.parse().expect("a header")))
                .collect::<HeaderMap>()
        };
        assert_eq!(bearer(&headers(&["Bearer k"])), Some("k"));
        assert_eq!(bearer(&headers(&["bearer k"])), Some("k"));
        for bad in [
            &[][..],
            &["k"],
            &["Basic k"],
            &["Bearer "],
            &["Bearer"],
            &["Bearer a", "Bearer b"],
        ] {
            assert_eq!(bearer(&headers(bad)), None, "{bad:?}");
        }
    }
}
