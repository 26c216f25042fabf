use http::{HeaderMap, HeaderName, HeaderValue, header};
use idbridge_source::RequestId;
use tokio::time::Instant;

use super::Problem;
use crate::request_id;

/// What goes with a question: the caller's key, and what joins the call to others.
pub struct Call {
    pub(super) request_id: RequestId,
    /// When the caller began to wait.
    pub(super) received: Instant,
    /// Sent as gRPC metadata.
    pub(super) metadata: HeaderMap,
}

/// The longest key with its scheme, in bytes. A longer one is nobody's; and what comes in must fit, with what we add, into
/// the head that a remote broker takes.
const MAX_KEY: usize = 4 * 1024;

/// The same for the others: as much as a `tracestate` has to be taken with (W3C Trace Context §3.3.1.5).
const MAX_OTHER: usize = 512;

/// Passed on as they came, beside the request id.
const PASSED_ON: [HeaderName; 4] = [
    header::AUTHORIZATION,
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
    HeaderName::from_static("x-idbridge-client-address"),
];

impl Call {
    /// A call by the holder of this key, received now. `None` if the key can't stand in a header.
    pub fn with_key(key: &str) -> Option<Self> {
        let mut value = HeaderValue::from_str(&format!("Bearer {key}")).ok()?;
        value.set_sensitive(true);
        let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value)]);
        Self::from_headers(&headers, request_id::make()).ok()
    }

    /// A call received now. It takes a key; whose key it is, the broker says.
    pub(super) fn from_headers(headers: &HeaderMap, request_id: RequestId) -> Result<Self, Problem> {
        let mut keys = headers.get_all(header::AUTHORIZATION).iter();
        match (keys.next(), keys.next()) {
            (Some(key), None) if key.len() <= MAX_KEY && is_bearer(key) => {}
            _ => return Err(Problem::CALLER_UNAUTHENTICATED),
        }
        let mut metadata = HeaderMap::new();
        for name in PASSED_ON {
            let fits = |value: &&HeaderValue| name == header::AUTHORIZATION || value.len() <= MAX_OTHER;
            for value in headers.get_all(&name).iter().filter(fits) {
                metadata.append(name.clone(), value.clone());
            }
        }
        if let Ok(id) = HeaderValue::from_str(request_id.as_str()) {
            metadata.insert(HeaderName::from_static(request_id::HEADER), id);
        }
        Ok(Self {
            request_id,
            received: Instant::now(),
            metadata,
        })
    }
}

/// `Bearer`, in any case (RFC 9110 §11.1), and something after it.
fn is_bearer(value: &HeaderValue) -> bool {
    let text = value.to_str().unwrap_or_default();
    let parts = text.split_once(' ');
    parts.is_some_and(|(scheme, key)| scheme.eq_ignore_ascii_case("bearer") && !key.trim().is_empty())
}

impl std::fmt::Debug for Call {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call")
            .field("request_id", &self.request_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(values: &[&str]) -> Result<Call, Problem> {
        let headers = values.iter().map(|value| {
            (
                header::AUTHORIZATION,
                HeaderValue::from_str(value).expect("a header value"),
            )
        });
        Call::from_headers(&headers.collect(), request_id::make())
    }

    #[test]
    fn a_key_is_asked_for() {
        for good in ["Bearer k", "bearer k", "BEARER  k"] {
            assert!(call(&[good]).is_ok(), "{good}");
        }
        for bad in [
            &[][..],
            &[""],
            &["Bearer"],
            &["Bearer "],
            &["Basic k"],
            &["k"],
            &["Bearer\tk"],
            &[&format!("Bearer {}", "k".repeat(MAX_KEY))],
        ] {
            assert_eq!(call(bad).err(), Some(Problem::CALLER_UNAUTHENTICATED), "{bad:?}");
        }
        assert_eq!(
            call(&["Bearer a", "Bearer b"]).err(),
            Some(Problem::CALLER_UNAUTHENTICATED),
            "which of two keys is meant, nobody knows"
        );
    }

    #[test]
    fn a_key_is_passed_on_and_not_printed() {
        let call = Call::with_key("hunter2").expect("a fit key");
        assert_eq!(call.metadata[header::AUTHORIZATION], "Bearer hunter2");
        assert!(!format!("{call:?}").contains("hunter2"));
        assert!(Call::with_key("a\nb").is_none());
        assert!(Call::with_key("").is_none());
    }
}
