//! OAuth client credentials (RFC 6749, section 4.4): a token that all workers share until shortly before it expires.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use idbridge_outbound::{self as outbound, Origin, Request};
use idbridge_source::{Call, ErrorKind, Secret, SourceError, Table};
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::auth::{basic, exposed, sensitive};
use crate::template::percent_encoded;
use crate::wire::Once;

/// How long before its end a token isn't used any more: a request takes its time.
const MARGIN: Duration = Duration::from_secs(30);

/// RFC 6749 only recommends to say how long a token lives.
const UNSAID: Duration = Duration::from_secs(60);

const ROUTE: &str = "POST the token URL";

/// `auth` of the kind `oauth`.
pub(crate) struct Client {
    pub(crate) origin: Origin,
    path_and_query: String,
    body: Bytes,
    authorization: Option<HeaderValue>,
}

/// The token that is there, if there is one.
#[derive(Default)]
pub(crate) struct Tokens(Mutex<Option<Token>>);

#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) authorization: HeaderValue,
    until: Instant,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum ClientAuth {
    Basic,
    Post,
}

impl Client {
    pub(crate) fn read(table: &Table<'_>) -> Option<Self> {
        let url = table.text("token_url").parse(|text| token_url(&text)).required();
        let id = table.text("client_id").required();
        let secret = table.secret("client_secret", "client_secret_file").required();
        let scope = table.text("scope").optional();
        let audience = table.text("audience").optional();
        let words = [("basic", ClientAuth::Basic), ("post", ClientAuth::Post)];
        let client_auth = table.choice("client_auth", &words).or(ClientAuth::Basic);
        let (origin, path_and_query) = url?;
        let (id, secret): (String, Secret) = (id?, secret?);
        let mut body = "grant_type=client_credentials".to_owned();
        for (name, value) in [("scope", scope), ("audience", audience)] {
            if let Some(value) = value {
                body.push_str(&format!("&{name}={}", percent_encoded(&value)));
            }
        }
        let authorization = if client_auth == ClientAuth::Basic {
            // Both are form-encoded before they are joined: RFC 6749, section 2.3.1.
            basic(&percent_encoded(&id), &exposed(&secret))
        } else {
            body.push_str(&format!(
                "&client_id={}&client_secret={}",
                percent_encoded(&id),
                exposed(&secret)
            ));
            None
        };
        Some(Self {
            origin,
            path_and_query,
            body: Bytes::from(body),
            authorization,
        })
    }

    async fn fetch(&self, client: &outbound::Client, call: &Call) -> Result<Token, SourceError> {
        let mut request = Request::ready(Method::POST, "the token URL", self.path_and_query.clone())
            .body(
                HeaderValue::from_static("application/x-www-form-urlencoded"),
                self.body.clone(),
            )
            .header(header::ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization.clone());
        }
        let began = Instant::now();
        let response = client.send(call, request).await?;
        match response.status() {
            StatusCode::OK => {}
            // RFC 6749, section 5.2: 400, and 401 where the header was refused.
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                return Err(response.error(ErrorKind::CredentialRefused));
            }
            StatusCode::TOO_MANY_REQUESTS => return Err(response.error(ErrorKind::Throttled { retry_after: None })),
            status if status.is_server_error() => {
                return Err(response.error(ErrorKind::Unavailable { retry_after: None }));
            }
            _ => return Err(response.error(ErrorKind::Protocol)),
        }
        let Once(answer) = response.json()?;
        Token::read(&answer, began).ok_or_else(|| response.error(ErrorKind::Protocol).with_source("no bearer token"))
    }
}

impl Token {
    fn read(answer: &Value, began: Instant) -> Option<Self> {
        let text = |key: &str| answer.get(key).and_then(Value::as_str);
        let is_bearer = text("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("bearer"));
        let token = text("access_token").filter(|token| is_bearer && !token.is_empty())?;
        let lives = match answer.get("expires_in") {
            None => UNSAID,
            Some(seconds) => Duration::from_secs(seconds.as_u64()?.min(24 * 3600)),
        };
        // Of a token that lives shortly, half its life.
        let margin = MARGIN.min(lives / 2);
        Some(Self {
            authorization: sensitive(&format!("Bearer {token}"))?,
            until: began + (lives - margin),
        })
    }
}

impl Tokens {
    /// The token that is there, or a new one. Who comes while it is fetched waits for it, not longer than for the call.
    pub(crate) async fn token(
        &self,
        auth: &Client,
        client: &outbound::Client,
        call: &Call,
    ) -> Result<Token, SourceError> {
        let mut kept = timeout_at(call.deadline, self.0.lock())
            .await
            .map_err(|_late| SourceError::new(ErrorKind::TimedOut, ROUTE))?;
        if let Some(token) = kept.as_ref().filter(|token| token.until > Instant::now()) {
            return Ok(token.clone());
        }
        *kept = None;
        let token = auth.fetch(client, call).await?;
        *kept = Some(token.clone());
        Ok(token)
    }

    /// The next call fetches another one than this, which was refused.
    pub(crate) async fn forget(&self, refused: &Token) {
        let mut kept = self.0.lock().await;
        if kept
            .as_ref()
            .is_some_and(|token| token.authorization == refused.authorization)
        {
            *kept = None;
        }
    }
}

fn token_url(text: &str) -> Result<(Origin, String), &'static str> {
    let invalid = "is no URL such as \"https://auth.acme.com/oauth/token\"";
    let url = Url::parse(text).map_err(|_| invalid)?;
    if url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a user name, a password or a fragment");
    }
    let origin = Origin::parse(&url.origin().ascii_serialization())?;
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    Ok((origin, format!("{}{query}", url.path())))
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens(…)")
    }
}
