//! What a plugin says, well-formed and not.

use bytes::{BufMut as _, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// An answer, piece by piece.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<Bytes>,
    /// What follows the body.
    pub end: End,
}

/// What follows a body.
#[derive(Clone, Debug)]
pub enum End {
    /// The connection is closed without a word.
    Cut,
    /// The body's last piece again and again.
    Flood,
    Nothing,
    Reset(h2::Reason),
    Trailers(HeaderMap),
}

impl Reply {
    /// These bytes, and that all is well.
    pub fn bytes(body: impl Into<Bytes>) -> Self {
        Self {
            status: StatusCode::OK,
            headers: headers(&[("content-type", "application/grpc")]),
            body: vec![body.into()],
            end: End::Trailers(headers(&[("grpc-status", "0")])),
        }
    }

    /// The same, ending so.
    pub fn ending(self, end: End) -> Self {
        Self { end, ..self }
    }

    /// The same, with another HTTP status.
    pub fn http(self, status: u16) -> Self {
        let status = StatusCode::from_u16(status).expect("a status");
        Self { status, ..self }
    }

    /// The same, with these headers and no others.
    pub fn with_headers(self, pairs: &[(&'static str, &str)]) -> Self {
        let headers = headers(pairs);
        Self { headers, ..self }
    }
}

/// Headers, in their order.
pub fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let value = HeaderValue::from_str(value).expect("a value");
        headers.append(HeaderName::from_static(name), value);
    }
    headers
}

/// A message as gRPC puts it into a body.
pub fn framed(message: &[u8]) -> Bytes {
    let mut framed = BytesMut::new();
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).expect("short"));
    framed.put_slice(message);
    framed.freeze()
}
