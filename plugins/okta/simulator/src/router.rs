//! From a request to the endpoint that answers it.

use http::Method;
use percent_encoding::percent_decode_str;
use serde_json::json;

use crate::errors::{Answer, OktaError};
use crate::received::Request;
use crate::state::State;
use crate::{Pipeline, Rights, Status, authn, clock, ids, users};

/// What the org serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Endpoint {
    /// `/api/v1/authn`
    Authn,
    /// `/api/v1/users/{id}/factors`
    Factors,
    /// `/api/v1/users/{id}/groups`
    Groups,
    /// `/api/v1/users/me`
    Me,
    /// `/.well-known/okta-organization`
    Organization,
    /// Anything else.
    Other,
    /// `/api/v1/users?search=`
    Search,
    /// `/api/v1/users/{id or login}`
    User,
    /// `/api/v1/users`: plain, `filter=`, `q=`
    Users,
}

/// A request target, taken apart.
pub(crate) struct Route {
    pub(crate) endpoint: Endpoint,
    /// `{id or login}`, decoded.
    pub(crate) key: String,
    pub(crate) query: Vec<(String, String)>,
    /// `%2F` in the path.
    slash: bool,
}

/// A token that passed.
pub(crate) struct Access {
    pub(crate) rights: Rights,
    pub(crate) owner: String,
    token: String,
}

impl Route {
    /// Dot segments, encoded or not, are resolved first, as servers do: `/users/.` is the list.
    pub(crate) fn parse(target: &str) -> Route {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut segments: Vec<String> = Vec::new();
        for raw in path.split('/') {
            let segment = percent_decode_str(raw).decode_utf8_lossy().into_owned();
            match segment.as_str() {
                "" | "." => {}
                ".." => drop(segments.pop()),
                _ => segments.push(segment),
            }
        }
        let query: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let names: Vec<&str> = segments.iter().map(String::as_str).collect();
        let (endpoint, key) = match names.as_slice() {
            [".well-known", "okta-organization"] => (Endpoint::Organization, ""),
            ["api", "v1", "authn"] => (Endpoint::Authn, ""),
            ["api", "v1", "users"] if query.iter().any(|(name, _)| name == "search") => (Endpoint::Search, ""),
            ["api", "v1", "users"] => (Endpoint::Users, ""),
            ["api", "v1", "users", "me"] => (Endpoint::Me, "me"),
            ["api", "v1", "users", key] => (Endpoint::User, *key),
            ["api", "v1", "users", key, "factors"] => (Endpoint::Factors, *key),
            ["api", "v1", "users", key, "groups"] => (Endpoint::Groups, *key),
            _ => (Endpoint::Other, ""),
        };
        let slash = path.to_ascii_lowercase().contains("%2f");
        Route {
            endpoint,
            key: key.to_owned(),
            query,
            slash,
        }
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

/// The org's answer.
pub(crate) fn answer(state: &mut State, url: &str, request: &Request, route: &Route) -> Answer {
    if let Err(error) = well_formed(request, route) {
        return error.answer(&mut state.minted);
    }
    let access = access(state, request);
    match route.endpoint {
        Endpoint::Organization => organization(state, url),
        // A bad token here is not noticed: it only doesn't count.
        Endpoint::Authn => limited(state, route, access.ok().as_ref(), |state| {
            authn::answer(state, url, request)
        }),
        _ => match access {
            Err(error) => limited(state, route, None, |_| Err(error)),
            Ok(access) => limited(state, route, Some(&access), |state| {
                users::answer(state, url, &access, route)
            }),
        },
    }
}

/// The headers that Okta puts on everything.
pub(crate) fn dress(state: &mut State, mut answer: Answer) -> Answer {
    let session = ids::mint(&mut state.minted, "", 32).to_uppercase();
    for (name, value) in [
        ("date", clock::http_date(state.now())),
        ("server", "nginx".to_owned()),
        ("cache-control", "no-cache, no-store".to_owned()),
        ("pragma", "no-cache".to_owned()),
        ("expires", "0".to_owned()),
        ("x-content-type-options", "nosniff".to_owned()),
        ("x-okta-request-id", ids::mint(&mut state.minted, "", 32)),
    ] {
        if !answer.has(name) {
            answer = answer.header(name, value);
        }
    }
    answer
        .header("set-cookie", "sid=\"\";Version=1;Path=/;Max-Age=0".to_owned())
        .header("set-cookie", format!("JSESSIONID={session}; Path=/; Secure; HttpOnly"))
}

fn well_formed(request: &Request, route: &Route) -> Result<(), OktaError> {
    if route.slash {
        // Recorded by users of Okta's SDKs: a login with a slash can't be fetched (okta-sdk-nodejs#430).
        return Err(OktaError::new("E0000022"));
    }
    let allowed = match route.endpoint {
        Endpoint::Other => return Err(not_found(&request.target, "Endpoint")),
        Endpoint::Authn => Method::POST,
        _ => Method::GET,
    };
    if request.method != allowed {
        return Err(OktaError::new("E0000022"));
    }
    match request.header("accept") {
        Some(accept)
            if !["*/*", "application/*", "json"]
                .iter()
                .any(|known| accept.contains(known)) =>
        {
            Err(OktaError::new("E0000122"))
        }
        _ => Ok(()),
    }
}

/// Answers within the limits, and says how much of them is left.
fn limited(
    state: &mut State,
    route: &Route,
    access: Option<&Access>,
    work: impl FnOnce(&mut State) -> Result<Answer, OktaError>,
) -> Answer {
    let (now, limits) = (state.now(), state.org.limits);
    let token = access.map(|access| access.token.as_str());
    match state.limiter.take(route.endpoint, token, &limits, now) {
        Err(gauge) => gauge.exceeded(&mut state.minted),
        Ok(gauge) => {
            let answer = work(state).unwrap_or_else(|error| error.answer(&mut state.minted));
            if answer.has("x-rate-limit-limit") {
                answer
            } else {
                gauge.put_on(answer)
            }
        }
    }
}

/// The token must be known, and its maker active.
fn access(state: &State, request: &Request) -> Result<Access, OktaError> {
    // Okta's Python client sends no space after the scheme.
    let given = request
        .header("authorization")
        .and_then(|value| value.strip_prefix("SSWS"))
        .map(str::trim_start);
    let token = given.and_then(|given| state.org.tokens.iter().find(|token| token.value == given));
    match token {
        Some(token)
            if state
                .org
                .find(&token.owner)
                .is_some_and(|owner| owner.status == Status::Active) =>
        {
            Ok(Access {
                rights: token.rights,
                owner: token.owner.clone(),
                token: token.value.clone(),
            })
        }
        _ => Err(OktaError::new("E0000011")),
    }
}

/// `/.well-known/okta-organization`, which needs no token.
fn organization(state: &State, url: &str) -> Answer {
    let pipeline = match state.org.pipeline {
        Pipeline::Classic => "v1",
        Pipeline::IdentityEngine => "idx",
    };
    Answer::ok(&json!({
        "id": ids::of("00o", url),
        "cell": "ok12",
        "_links": {"organization": {"href": url}},
        "pipeline": pipeline,
    }))
}

pub(crate) fn not_found(what: &str, kind: &str) -> OktaError {
    OktaError::new("E0000007").detail(&format!("Resource not found: {what} ({kind})"))
}
