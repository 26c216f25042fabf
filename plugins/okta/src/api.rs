//! The calls to Okta: what is sent, and which answers are answers.

use std::sync::Arc;

use http::{HeaderName, HeaderValue, StatusCode, header};
use idbridge_outbound::{Client, Limits, Request, Response};
use idbridge_source::{BuildError, Call, ErrorKind, ExposeSecret as _, Login, Password, Rejection, SourceError};
use serde::de::DeserializeOwned;
use unicode_normalization::UnicodeNormalization as _;
use url::Url;

use crate::config::Settings;
use crate::limits;
use crate::listing::Part;
use crate::map::{self, Refusal};
use crate::pace::{Counted, Pacer, Purpose, Turn};
use crate::wire::{Account, ErrorBody, Factor, Group, Id, LogIn, Object, Organization, Transaction, UserRecord};

pub(crate) const USER: &str = "/api/v1/users/{id}";

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

const PAGE: &str = "10";
/// Okta's largest page, and what it may weigh: people with long profiles have some thousand bytes each.
const LONG_PAGE: &str = "200";
const LONG_PAGE_BODY: usize = 8 * 1024 * 1024;
/// A list that doesn't end within these is not read on.
const PAGES: usize = 5;

#[derive(Debug)]
pub(crate) struct Api {
    client: Client,
    /// For pages of people, which are larger than anything else.
    lists: Client,
    pacer: Arc<Pacer>,
    /// `SSWS …`; its `Debug` is redacted.
    token: Option<HeaderValue>,
    send_token_with_authn: bool,
}

/// For whom something is asked, and what for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) call: &'a Call,
    pub(crate) purpose: Purpose,
}

impl Api {
    pub(crate) fn new(settings: &Settings, pacer: Arc<Pacer>) -> Result<Self, BuildError> {
        let token = match &settings.access {
            None => None,
            Some(access) => {
                let text = format!("SSWS {}", access.token.expose_secret());
                let mut value = HeaderValue::try_from(text).map_err(|_| BuildError::new("the token fits no header"))?;
                value.set_sensitive(true);
                Some(value)
            }
        };
        Ok(Self {
            client: Client::new(settings.origin.clone(), Limits::default())?,
            lists: Client::new(
                settings.origin.clone(),
                Limits {
                    body: LONG_PAGE_BODY,
                    ..Limits::default()
                },
            )?,
            pacer,
            token,
            send_token_with_authn: settings.rules.send_token_with_authn,
        })
    }

    /// Waits for the turn of a log-in, and for nothing if it could not be finished.
    pub(crate) async fn turn_to_log_in(&self, call: &Call, follow_ups: &[Counted]) -> Result<Turn, SourceError> {
        for counted in follow_ups {
            self.pacer.foresee(*counted, Purpose::LogIn, call.begin_by)?;
        }
        self.pacer.turn(Counted::Authn, Purpose::LogIn, call).await
    }

    /// A log-in with this password, ready to be sent.
    pub(crate) fn log_in(&self, call: &Call, login: &Login, password: &Password) -> Request {
        let body = LogIn {
            username: login.as_str(),
            password: password.expose(),
        };
        let request = Request::post("/api/v1/authn").json(&body);
        match call
            .client_address
            .map(|address| HeaderValue::try_from(address.to_string()))
        {
            Some(Ok(address)) => request.header(X_FORWARDED_FOR, address),
            _ => request,
        }
    }

    /// Submits the password, once.
    pub(crate) fn authn(&self, call: &Call, log_in: Request) -> impl Future<Output = Result<Response, SourceError>> {
        self.send(call, log_in, self.send_token_with_authn)
    }

    /// What Okta says of the password. `Ok(Err(…))` is a no.
    pub(crate) fn authn_answer(response: &Response) -> Result<Result<Transaction, Rejection>, SourceError> {
        if response.status() == StatusCode::OK {
            return response
                .json::<Object<Transaction>>()
                .map(|transaction| Ok(transaction.0));
        }
        match map::authn_refusal(response.status().as_u16(), code(response).as_deref()) {
            Refusal::Reject(rejection) => Ok(Err(rejection)),
            Refusal::Fail(kind) => Err(failure(response, kind)),
        }
    }

    /// The user with this id or login. `None`: Okta says that there is none, or hides them from this token.
    pub(crate) async fn user(&self, ask: Ask<'_>, key: &str) -> Result<Option<UserRecord>, SourceError> {
        let response = self.user_answer(ask, key).await?;
        response.map(|response| one(&response)).transpose()
    }

    /// The same with what decides nothing at a call.
    pub(crate) async fn account(&self, ask: Ask<'_>, key: &str) -> Result<Option<(UserRecord, Account)>, SourceError> {
        let response = self.user_answer(ask, key).await?;
        response
            .map(|response| Ok((one(&response)?, one(&response)?)))
            .transpose()
    }

    async fn user_answer(&self, ask: Ask<'_>, key: &str) -> Result<Option<Response>, SourceError> {
        let response = self.paced(ask, Counted::User, Request::get(USER).segment(key)).await?;
        let is_found = response.status() == StatusCode::OK;
        if !is_found && map::is_absence(response.status().as_u16(), code(&response).as_deref()) {
            return Ok(None);
        }
        Ok(Some(response))
    }

    /// [`user`](Self::user), and the answer is about this very id.
    pub(crate) async fn user_by_id(&self, ask: Ask<'_>, id: &Id) -> Result<Option<UserRecord>, SourceError> {
        let record = self.user(ask, id.as_str()).await?;
        match &record {
            Some(other) if other.id != *id => Err(protocol("the answer is about another user")),
            _ => Ok(record),
        }
    }

    pub(crate) async fn factors(&self, ask: Ask<'_>, id: &Id) -> Result<Vec<Factor>, SourceError> {
        let request = Request::get("/api/v1/users/{id}/factors").segment(id.as_str());
        many(&self.paced(ask, Counted::Other, request).await?)
    }

    pub(crate) async fn groups(&self, ask: Ask<'_>, id: &Id) -> Result<Vec<Group>, SourceError> {
        let first = || Request::get("/api/v1/users/{id}/groups").segment(id.as_str());
        let groups = self.pages(ask, Counted::Other, first).await?;
        groups.ok_or_else(|| protocol("the list of groups has no end"))
    }

    /// Everyone whose profile has this value. The search index lags behind, and its text match is wider than ours:
    /// what it finds has to be read again and compared.
    pub(crate) async fn search(&self, ask: Ask<'_>, key: &str, value: &str) -> Result<Vec<UserRecord>, SourceError> {
        let expression = search_expression(key, value);
        let first = || {
            Request::get("/api/v1/users")
                .query("search", &expression)
                .query("limit", PAGE)
        };
        let found = self.pages(ask, Counted::Users, first).await?;
        found.ok_or_else(|| SourceError::new(ErrorKind::Ambiguous, "searching users").with_source("it has no end"))
    }

    /// One page of people, in two readings side by side, and the cursor of the next.
    pub(crate) async fn list(
        &self,
        ask: Ask<'_>,
        part: Part,
        after: Option<&str>,
    ) -> Result<(Vec<UserRecord>, Vec<Account>, Option<String>), SourceError> {
        let mut request = Request::get("/api/v1/users").query("limit", LONG_PAGE);
        if part == Part::Deactivated {
            request = request.query("filter", "status eq \"DEPROVISIONED\"");
        }
        if let Some(after) = after {
            request = request.query("after", after);
        }
        let turn = self.pacer.turn(Counted::Users, ask.purpose, ask.call).await?;
        let response = self.send_by(&self.lists, ask.call, request, true).await?;
        turn.answered(&response);
        Ok((many(&response)?, many(&response)?, next_page(&response)?))
    }

    /// What an answer named as the limit, for this token.
    pub(crate) fn measured_limit(&self, counted: Counted) -> Option<u32> {
        self.pacer.limit(counted)
    }

    /// A list, page by page. `None` if there are too many.
    async fn pages<T: DeserializeOwned>(
        &self,
        ask: Ask<'_>,
        counted: Counted,
        first: impl Fn() -> Request,
    ) -> Result<Option<Vec<T>>, SourceError> {
        let mut items = Vec::new();
        let mut request = first();
        for _ in 0..PAGES {
            let response = self.paced(ask, counted, request).await?;
            items.append(&mut answer(&response)?);
            match next_page(&response)? {
                Some(cursor) => request = first().query("after", cursor),
                None => return Ok(Some(items)),
            }
        }
        Ok(None)
    }

    /// The org's public description, and the org's time.
    pub(crate) async fn organization(&self, call: &Call) -> Result<(Organization, Option<i64>), SourceError> {
        let request = Request::get("/.well-known/okta-organization");
        let response = self.send(call, request, false).await?;
        Ok((one(&response)?, limits::date(response.headers())))
    }

    /// Asks with the token, when it is our turn.
    async fn paced(&self, ask: Ask<'_>, counted: Counted, request: Request) -> Result<Response, SourceError> {
        let turn = self.pacer.turn(counted, ask.purpose, ask.call).await?;
        let response = self.send(ask.call, request, true).await?;
        turn.answered(&response);
        Ok(response)
    }

    async fn send(&self, call: &Call, request: Request, with_token: bool) -> Result<Response, SourceError> {
        self.send_by(&self.client, call, request, with_token).await
    }

    async fn send_by(
        &self,
        client: &Client,
        call: &Call,
        request: Request,
        with_token: bool,
    ) -> Result<Response, SourceError> {
        let token = self.token.as_ref().filter(|_| with_token);
        let response = client.send(call, dressed(request, token)).await?;
        tracing::debug!(
            okta_request_id = ?response.headers().get("x-okta-request-id"),
            status = response.status().as_u16(),
            "Okta answered"
        );
        Ok(response)
    }
}

fn dressed(request: Request, token: Option<&HeaderValue>) -> Request {
    let request = request.header(header::ACCEPT, HeaderValue::from_static("application/json"));
    match token {
        Some(token) => request.header(header::AUTHORIZATION, token.clone()),
        None => request,
    }
}

/// An error about an answer that can be read and says something impossible.
pub(crate) fn protocol(cause: &'static str) -> SourceError {
    SourceError::new(ErrorKind::Protocol, "reading Okta's answer").with_source(cause)
}

/// Okta compares code points, so an address with an accent is searched for in each of its spellings.
fn search_expression(key: &str, value: &str) -> String {
    let mut spellings = vec![value.to_owned()];
    if !value.is_ascii() {
        spellings.extend([value.nfc().collect(), value.nfd().collect()]);
        spellings.sort();
        spellings.dedup();
    }
    let terms = spellings.iter().map(|spelling| {
        let quoted = spelling.replace('\\', "\\\\").replace('"', "\\\"");
        format!("profile.{key} eq \"{quoted}\"")
    });
    terms.collect::<Vec<String>>().join(" or ")
}

fn one<T: DeserializeOwned>(response: &Response) -> Result<T, SourceError> {
    answer::<Object<T>>(response).map(|object| object.0)
}

fn many<T: DeserializeOwned>(response: &Response) -> Result<Vec<T>, SourceError> {
    answer::<Vec<Object<T>>>(response).map(|objects| objects.into_iter().map(|object| object.0).collect())
}

/// 200 and nothing else is an answer.
fn answer<T: DeserializeOwned>(response: &Response) -> Result<T, SourceError> {
    if response.status() == StatusCode::OK {
        return response.json();
    }
    let kind = map::token_refusal(response.status().as_u16(), code(response).as_deref());
    Err(failure(response, kind))
}

/// The error, with Okta's hint if it asks for patience.
fn failure(response: &Response, kind: ErrorKind) -> SourceError {
    let kind = match kind {
        ErrorKind::Throttled { .. } => ErrorKind::Throttled {
            retry_after: limits::retry_after(response.headers()),
        },
        other => other,
    };
    response.error(kind)
}

fn code(response: &Response) -> Option<String> {
    response.json::<Object<ErrorBody>>().ok().map(|body| body.0.error_code)
}

/// The cursor of the next page. Only the cursor is taken of a link, so that no answer decides where a token is sent.
///
/// A page that is overlooked is a claimant who is overlooked, so names and quotes are read as RFC 8288 lets them be
/// written, and a link that can't be read is an error.
fn next_page(response: &Response) -> Result<Option<String>, SourceError> {
    for value in response.headers().get_all(header::LINK) {
        let text = value.to_str().map_err(|_| response.error(ErrorKind::Protocol))?;
        let links = text.split('<').skip(1).map(|link| link.split_once('>'));
        for link in links {
            let (target, parameters) = link.ok_or_else(|| response.error(ErrorKind::Protocol))?;
            if !is_next(parameters) {
                continue;
            }
            let cursor = Url::parse(target).ok().and_then(|url| {
                let mut pairs = url.query_pairs();
                pairs
                    .find(|(name, _)| name == "after")
                    .map(|(_, value)| value.into_owned())
            });
            return cursor.map(Some).ok_or_else(|| response.error(ErrorKind::Protocol));
        }
    }
    Ok(None)
}

fn is_next(parameters: &str) -> bool {
    parameters
        .split([';', ','])
        .filter_map(|parameter| parameter.split_once('='))
        .any(|(name, value)| {
            let mut relations = value.trim().trim_matches('"').split_ascii_whitespace();
            name.trim().eq_ignore_ascii_case("rel") && relations.any(|relation| relation.eq_ignore_ascii_case("next"))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_next_link_is_found_however_it_is_written() {
        for next in [
            "; rel=\"next\"",
            ";rel=next",
            "; REL = \"Next\"",
            "; title=\"a\"; rel=\"last next\"",
            "; rel=\"next\", ",
        ] {
            assert!(is_next(next), "{next}");
        }
        for other in ["; rel=\"self\"", "; rev=\"next\"", "; rel=\"nextish\"", ""] {
            assert!(!is_next(other), "{other}");
        }
    }

    #[test]
    fn a_search_closes_no_quote_and_knows_each_spelling() {
        assert_eq!(
            search_expression("email", "a\\\"b@example.com"),
            r#"profile.email eq "a\\\"b@example.com""#
        );
        assert_eq!(
            search_expression("login", "zo\u{eb}@example.com"),
            "profile.login eq \"zoe\u{308}@example.com\" or profile.login eq \"zo\u{eb}@example.com\""
        );
    }
}
