use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use url::Url;

use crate::Origin;

/// Everything but RFC 3986's unreserved characters.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// One request: a route's template, what fills it, and what goes with it.
pub struct Request {
    pub(crate) method: Method,
    template: &'static str,
    segments: Vec<String>,
    query: Vec<(&'static str, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Bytes>,
    /// Whether the body could be written.
    is_whole: bool,
}

impl Request {
    /// A GET of a path whose variable segments stand in braces: `"/api/v1/users/{id}"`.
    pub fn get(template: &'static str) -> Self {
        Self::new(Method::GET, template)
    }

    pub fn post(template: &'static str) -> Self {
        Self::new(Method::POST, template)
    }

    /// Fills the next segment in braces. A value that can't be one segment (`""`, `.`, `..`) fails the request before
    /// anything is sent.
    #[must_use]
    pub fn segment(mut self, value: &str) -> Self {
        self.segments.push(value.to_owned());
        self
    }

    #[must_use]
    pub fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// A JSON body and its `Content-Type`. One that can't be written fails the request before anything is sent.
    #[must_use]
    pub fn json(mut self, body: &impl Serialize) -> Self {
        self.body = serde_json::to_vec(body).ok().map(Bytes::from);
        self.is_whole = self.body.is_some();
        self.header(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))
    }

    /// `"GET /api/v1/users/{id}"`: what logs and errors call this.
    pub(crate) fn route(&self) -> String {
        format!("{} {}", self.method, self.template)
    }

    /// `None` if the body couldn't be written, if the segments don't fit the template, or the parser would make another path of them.
    pub(crate) fn url(&self, origin: &Origin) -> Option<Url> {
        if !self.is_whole {
            return None;
        }
        let mut values = self.segments.iter();
        let mut path = String::new();
        for part in self.template.split('/').skip(1) {
            path.push('/');
            if part.starts_with('{') {
                let value = values.next().filter(|value| !value.is_empty())?;
                path.extend(utf8_percent_encode(value, ENCODED));
            } else {
                path.push_str(part);
            }
        }
        if values.next().is_some() {
            return None;
        }
        let pair = |(name, value): &(&str, String)| format!("{name}={}", utf8_percent_encode(value, ENCODED));
        let query: Vec<String> = self.query.iter().map(pair).collect();
        origin.join(&path, (!query.is_empty()).then(|| query.join("&")).as_deref())
    }

    fn new(method: Method, template: &'static str) -> Self {
        Self {
            method,
            template,
            segments: Vec::new(),
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: None,
            is_whole: true,
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("route", &self.route())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(request: &Request) -> Option<String> {
        let origin = Origin::parse("https://acme.okta.com").expect("an origin");
        request.url(&origin).map(|url| url.as_str().to_owned())
    }

    #[test]
    fn a_segment_stays_one_segment() {
        for (value, path) in [
            ("00u1", "00u1"),
            ("ada@example.com", "ada%40example.com"),
            ("a/b", "a%2Fb"),
            ("%2e%2e", "%252e%252e"),
            ("...", "..."),
            (". .", ".%20."),
            ("a?b#c", "a%3Fb%23c"),
            ("a\\b", "a%5Cb"),
            ("é", "%C3%A9"),
        ] {
            let request = Request::get("/api/v1/users/{id}/factors").segment(value);
            assert_eq!(
                url(&request),
                Some(format!("https://acme.okta.com/api/v1/users/{path}/factors"))
            );
        }
    }

    #[test]
    fn what_the_parser_would_resolve_is_refused() {
        for value in ["", ".", ".."] {
            assert_eq!(
                url(&Request::get("/api/v1/users/{id}").segment(value)),
                None,
                "{value:?}"
            );
            assert_eq!(
                url(&Request::get("/users/{id}/groups").segment(value)),
                None,
                "{value:?}"
            );
        }
        assert_eq!(url(&Request::get("/users/{id}")), None, "one too few");
        assert_eq!(url(&Request::get("/users").segment("x")), None, "one too many");
    }

    #[test]
    fn query_values_are_encoded() {
        let request = Request::get("/users")
            .query("search", "a eq \"b&c=d+e#\"")
            .query("limit", "20");
        assert_eq!(
            url(&request).as_deref(),
            Some("https://acme.okta.com/users?search=a%20eq%20%22b%26c%3Dd%2Be%23%22&limit=20")
        );
    }

    #[test]
    fn debug_names_the_route_alone() {
        let request = Request::get("/users/{id}")
            .segment("ada@example.com")
            .query("q", "secret");
        assert_eq!(format!("{request:?}"), "Request { route: \"GET /users/{id}\", .. }");
    }
}
