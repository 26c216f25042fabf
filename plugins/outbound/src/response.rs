use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use idbridge_source::{ErrorKind, SourceError};
use serde::de::DeserializeOwned;

use crate::connections::Answer;
use crate::error::{HttpStatus, Undecodable};
use crate::request::Route;

/// A whole answer. Any status but a redirect: what it means is the source's to say.
pub struct Response {
    pub(crate) route: Route,
    pub(crate) answer: Answer,
}

impl Response {
    pub fn status(&self) -> StatusCode {
        self.answer.status
    }

    pub fn headers(&self) -> &HeaderMap {
        &self.answer.headers
    }

    /// The body as it came.
    pub fn body(&self) -> &Bytes {
        &self.answer.body
    }

    /// What HTTP/2 says after the body. Empty over HTTP/1.1, whose trailers are not read.
    pub fn trailers(&self) -> &HeaderMap {
        &self.answer.trailers
    }

    /// The body as one JSON value that is called so, `application/json` or `application/…+json` (RFC 6839, section 3.1);
    /// anything else is [`ErrorKind::Protocol`]. The error never quotes it.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, SourceError> {
        self.decode().map_err(|cause| self.protocol(cause))
    }

    /// An error of this kind about this answer; its cause names the HTTP status.
    pub fn error(&self, kind: ErrorKind) -> SourceError {
        SourceError::new(kind, self.route.to_string()).with_source(HttpStatus(self.answer.status.as_u16()))
    }

    fn decode<T: DeserializeOwned>(&self) -> Result<T, Undecodable> {
        if !self.is_json() {
            return Err(Undecodable::NotJson);
        }
        serde_json::from_slice(&self.answer.body).map_err(|error| Undecodable::from(&error))
    }

    fn protocol(&self, cause: Undecodable) -> SourceError {
        SourceError::new(ErrorKind::Protocol, self.route.to_string()).with_source(cause)
    }

    fn is_json(&self) -> bool {
        let value = self.answer.headers.get(header::CONTENT_TYPE);
        let essence = value.and_then(|value| value.to_str().ok()?.split(';').next());
        essence.is_some_and(|essence| {
            let essence = essence.trim().to_ascii_lowercase();
            essence == "application/json" || essence.starts_with("application/") && essence.ends_with("+json")
        })
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("route", &self.route.to_string())
            .field("status", &self.answer.status)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderValue;
    use serde::Deserialize;

    use super::*;
    use crate::Request;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Body {
        id: String,
    }

    fn decoded(content_type: Option<&'static str>, body: &'static [u8]) -> Result<Body, String> {
        let mut headers = HeaderMap::new();
        if let Some(value) = content_type {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(value));
        }
        let response = Response {
            route: Request::get("/x/{id}").into_parts().route,
            answer: Answer {
                trailers: HeaderMap::new(),
                status: StatusCode::OK,
                headers,
                body: Bytes::from_static(body),
            },
        };
        response.json().map_err(|error: SourceError| error.chain())
    }

    #[test]
    fn one_whole_json_value() {
        for content_type in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/scim+json",
        ] {
            assert!(
                decoded(Some(content_type), b" {\"id\": \"a\"}\n").is_ok(),
                "{content_type}"
            );
        }
        for (content_type, body) in [
            (None, &b"{\"id\": \"a\"}"[..]),
            (Some("text/html"), b"{\"id\": \"a\"}"),
            (Some("application/json"), b""),
            (Some("application/json"), b"<html>"),
            (Some("application/json"), b"{\"id\": \"a\""),
            (Some("application/json"), b"{\"id\": \"a\"} x"),
            (Some("application/json"), b"{\"id\": \"a\"}{\"id\": \"a\"}"),
            (Some("application/json"), b"{\"id\": \"a\", \"id\": \"b\"}"),
            (Some("application/json"), b"{\"id\": \"\xff\"}"),
        ] {
            assert!(decoded(content_type, body).is_err(), "{body:?}");
        }
    }

    #[test]
    fn an_undecodable_body_is_not_quoted() {
        let said = decoded(Some("application/json"), b"{\"id\": {\"hunter2\": 1}}").expect_err("a wrong type");
        assert_eq!(said, "protocol (GET /x/{id}): unexpected JSON at line 1, column 7");
    }
}
