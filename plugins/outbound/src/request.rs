use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::Serialize;

/// Everything but RFC 3986's unreserved characters.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// One request: a route's template, what fills it, and what goes with it.
///
/// It is handed on from future to future, each of which is as large as what it holds: hence the box.
pub struct Request(Box<Parts>);

pub(crate) struct Parts {
    pub(crate) route: Route,
    /// Path and query that come ready, in place of the template, the segments and the query.
    ready: Option<String>,
    segments: Vec<String>,
    query: Vec<(&'static str, String)>,
    pub(crate) headers: HeaderMap,
    /// `None` if it could not be written.
    pub(crate) body: Option<Bytes>,
}

/// What logs and errors call a request: `GET /api/v1/users/{id}`.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) method: Method,
    template: Cow<'static, str>,
}

/// The headers of most requests, with those that the client adds. One more doubles what they take.
const HEADERS: usize = 6;

impl Request {
    /// A GET of a path whose variable segments stand in braces: `"/api/v1/users/{id}"`.
    pub fn get(template: &'static str) -> Self {
        Self::new(Method::GET, template)
    }

    pub fn post(template: &'static str) -> Self {
        Self::new(Method::POST, template)
    }

    /// A request whose path and query are built already, every value in them encoded. `route` is what logs and errors call
    /// it. A path that a server or a parser could make another one of (`..`, `.`, an empty segment, a fragment) fails the
    /// request before anything is sent.
    pub fn ready(method: Method, route: impl Into<Cow<'static, str>>, path_and_query: String) -> Self {
        let mut request = Self::new(method, route);
        request.0.ready = Some(path_and_query);
        request
    }

    /// Fills the next segment in braces. A value that can't be one segment (`""`, `.`, `..`) fails the request before
    /// anything is sent.
    #[must_use]
    pub fn segment(mut self, value: &str) -> Self {
        self.0.segments.push(value.to_owned());
        self
    }

    #[must_use]
    pub fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.query.push((name, value.into()));
        self
    }

    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.insert(name, value);
        self
    }

    /// A JSON body and its `Content-Type`. One that can't be written fails the request before anything is sent.
    #[must_use]
    pub fn json(mut self, body: &impl Serialize) -> Self {
        self.0.body = serde_json::to_vec(body).ok().map(Bytes::from);
        self.header(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))
    }

    /// A body of this type, as it is.
    #[must_use]
    pub fn body(mut self, content_type: HeaderValue, body: impl Into<Bytes>) -> Self {
        self.0.body = Some(body.into());
        self.header(header::CONTENT_TYPE, content_type)
    }

    pub(crate) fn route(&self) -> &Route {
        &self.0.route
    }

    pub(crate) fn into_parts(self) -> Parts {
        *self.0
    }

    fn new(method: Method, template: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Parts {
            route: Route {
                method,
                template: template.into(),
            },
            ready: None,
            segments: Vec::new(),
            query: Vec::new(),
            headers: HeaderMap::with_capacity(HEADERS),
            body: Some(Bytes::new()),
        }))
    }
}

impl Parts {
    /// `None` if the segments don't fit the template, or a server or a parser could make another path of it.
    pub(crate) fn path(&self) -> Option<PathAndQuery> {
        if let Some(ready) = &self.ready {
            return as_meant(ready);
        }
        if let (Cow::Borrowed(template), true, true) =
            (&self.route.template, self.segments.is_empty(), self.query.is_empty())
            && !template.contains('{')
        {
            return Some(PathAndQuery::from_static(template));
        }
        let mut values = self.segments.iter();
        let mut path = String::with_capacity(128);
        for part in self.route.template.split('/').skip(1) {
            path.push('/');
            if part.starts_with('{') {
                // The last two climb (RFC 3986, section 5.2.4).
                let value = values
                    .next()
                    .filter(|value| !matches!(value.as_str(), "" | "." | ".."))?;
                path.extend(utf8_percent_encode(value, ENCODED));
            } else {
                path.push_str(part);
            }
        }
        if values.next().is_some() {
            return None;
        }
        for (number, (name, value)) in self.query.iter().enumerate() {
            path.push(if number == 0 { '?' } else { '&' });
            path.push_str(name);
            path.push('=');
            path.extend(utf8_percent_encode(value, ENCODED));
        }
        let built = PathAndQuery::try_from(path.as_str()).ok()?;
        (built.as_str() == path).then_some(built)
    }
}

/// A path that stays what it is, whoever reads it.
fn as_meant(ready: &str) -> Option<PathAndQuery> {
    let path = ready.split('?').next()?;
    let mut segments = path.strip_prefix('/')?.split('/').peekable();
    while let Some(segment) = segments.next() {
        let decoded = percent_decode_str(segment).decode_utf8().ok()?;
        let ends_in_a_slash = segment.is_empty() && segments.peek().is_none();
        if matches!(&*decoded, "." | "..") || segment.is_empty() && !ends_in_a_slash {
            return None;
        }
    }
    let built = PathAndQuery::try_from(ready).ok()?;
    (built.as_str() == ready).then_some(built)
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.template)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("route", &self.0.route.to_string())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Origin;

    fn url(request: &Request) -> Option<String> {
        let target = Origin::parse("https://acme.okta.com").expect("an origin").target()?;
        request.0.path().map(|path| target.uri(path).to_string())
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
    fn what_a_parser_would_resolve_is_refused() {
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
    fn a_ready_path_is_sent_as_it_is_or_not_at_all() {
        let sent = |path: &str| url(&Request::ready(Method::GET, "/users/{{ login }}", path.to_owned()));
        for path in ["/", "/users", "/users/", "/users/a%2Fb?q=%20..//", "/users/..."] {
            assert_eq!(sent(path), Some(format!("https://acme.okta.com{path}")));
        }
        for path in [
            "",
            "users",
            "//evil.example.com",
            "/users//x",
            "/users/..",
            "/users/%2e%2E/admin",
            "/users/.?q=1",
            "/users#x",
            "/users x",
            "/users\r\nx: y",
            "@evil.example.com",
        ] {
            assert_eq!(sent(path), None, "{path:?}");
        }
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
