//! From a request to the endpoint that answers it.

use std::borrow::Cow;

use http::{Method, Uri};
use percent_encoding::percent_decode_str;

/// What the org serves.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Route {
    /// `POST /api/v1/authn`
    Authn,
    /// `GET /api/v1/users/{id}/factors`
    Factors(String),
    /// `GET /.well-known/okta-organization`
    Organization,
    /// `GET /api/v1/users?search=…`
    Search(String),
    /// `GET /api/v1/users/{id or login}`
    User(String),
}

impl Route {
    pub(super) fn of(method: &Method, uri: &Uri) -> Option<Self> {
        let path = uri.path();
        if method == Method::POST {
            return (path == "/api/v1/authn").then_some(Self::Authn);
        }
        if method != Method::GET {
            return None;
        }
        if path == "/.well-known/okta-organization" {
            return Some(Self::Organization);
        }
        match path.strip_prefix("/api/v1/users")? {
            "" | "/" => search(uri.query()?).map(Self::Search),
            rest => {
                let rest = rest.strip_prefix('/')?;
                match rest.split_once('/') {
                    None => Some(Self::User(decoded(rest))),
                    Some((id, "factors")) => Some(Self::Factors(decoded(id))),
                    Some(_) => None,
                }
            }
        }
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Authn => "authn",
            Self::Factors(_) => "factors",
            Self::Organization => "organization",
            Self::Search(_) => "search",
            Self::User(_) => "user",
        }
    }
}

fn decoded(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

fn search(query: &str) -> Option<String> {
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "search")
        .map(|(_, value): (_, Cow<'_, str>)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_apart() {
        let of = |method, uri: &'static str| Route::of(&method, &Uri::from_static(uri));
        assert_eq!(of(Method::POST, "/api/v1/authn"), Some(Route::Authn));
        assert_eq!(of(Method::GET, "/api/v1/authn"), None);
        assert_eq!(
            of(Method::GET, "/api/v1/users/a%40b"),
            Some(Route::User("a@b".to_owned()))
        );
        assert_eq!(
            of(Method::GET, "/api/v1/users/00u1/factors"),
            Some(Route::Factors("00u1".to_owned()))
        );
        assert_eq!(
            of(
                Method::GET,
                "/api/v1/users?search=profile.email+eq+%22a%40b%22&limit=10"
            ),
            Some(Route::Search("profile.email eq \"a@b\"".to_owned()))
        );
        assert_eq!(of(Method::GET, "/api/v1/users"), None);
        assert_eq!(of(Method::GET, "/api/v1/users/00u1/groups"), None);
    }
}
