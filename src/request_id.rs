//! The id that joins the records of one call on both sides of it.

use http::HeaderMap;
use idbridge_source::RequestId;

use crate::hex::hex;

/// The header, and the gRPC metadata key.
pub const HEADER: &str = "x-request-id";

/// The caller's id if it is fit to be carried, else a new one.
pub fn take_or_make(headers: &HeaderMap) -> RequestId {
    let given = headers.get(HEADER).and_then(|value| value.to_str().ok());
    given.and_then(RequestId::parse).unwrap_or_else(make)
}

/// 128 random bits in hex.
pub fn make() -> RequestId {
    let mut bytes = [0; 16];
    #[expect(
        clippy::expect_used,
        reason = "aws-lc itself aborts where the system gives no random bytes"
    )]
    aws_lc_rs::rand::fill(&mut bytes).expect("random bytes");

    #[expect(clippy::expect_used, reason = "32 hex digits are a request id")]
    RequestId::parse(&hex(&bytes)).expect("hex digits")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id_for(header: &[u8]) -> String {
        let value = http::HeaderValue::from_bytes(header).expect("a header value");
        take_or_make(&HeaderMap::from_iter([(http::HeaderName::from_static(HEADER), value)])).to_string()
    }

    #[test]
    fn a_fit_id_is_taken() {
        assert_eq!(id_for(b"auth0-a.B_9"), "auth0-a.B_9");
    }

    #[test]
    fn any_other_is_replaced() {
        for bad in [&b""[..], b"a b", b"a\"b", b"\xff", "x".repeat(65).as_bytes()] {
            assert_ne!(id_for(bad).as_bytes(), bad);
            assert_eq!(id_for(bad).len(), 32);
        }
        assert_ne!(take_or_make(&HeaderMap::new()), take_or_make(&HeaderMap::new()));
    }
}
