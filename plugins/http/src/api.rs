//! What is sent, and how often: once. A look-up whose token is refused is sent a second time with another one; a password
//! isn't.

use std::sync::Arc;

use http::{HeaderName, HeaderValue, header};
use idbridge_outbound::{Client, Limits, Request, Response, Way};
use idbridge_source::{BuildError, Call, Clock, ErrorKind, Login, Password, SourceError};
use serde_json::Value;
use tokio::time::Instant;

use crate::auth::{self, Auth};
use crate::config::{LogIn, Settings};
use crate::map::Outcome;
use crate::request::{Ask, Built};
use crate::template::Values;
use crate::token::{Token, Tokens};
use crate::wire::Once;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

#[derive(Debug)]
pub(crate) struct Api {
    client: Client,
    /// The token's URL may be another host's.
    token_client: Option<Client>,
    pub(crate) settings: Arc<Settings>,
    tokens: Arc<Tokens>,
    clock: Arc<dyn Clock>,
}

/// An answer that is no error.
pub(crate) struct Answered {
    pub(crate) outcome: Outcome,
    response: Response,
    body: Result<Value, SourceError>,
}

impl Api {
    pub(crate) fn new(
        settings: &Arc<Settings>,
        tokens: &Arc<Tokens>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, BuildError> {
        let client = |origin| {
            let way = Way {
                reach: settings.reach.clone(),
                ..Way::default()
            };
            Client::by_way_of(way, origin, Limits::default())
        };
        let token_client = match &settings.auth {
            Auth::ClientCredentials(auth) => Some(client(auth.origin.clone())?),
            _ => None,
        };
        Ok(Self {
            client: client(settings.origin.clone())?,
            token_client,
            settings: Arc::clone(settings),
            tokens: Arc::clone(tokens),
            clock: Arc::clone(clock),
        })
    }

    /// Submits the password once.
    pub(crate) async fn log_in(
        &self,
        call: &Call,
        spec: &LogIn,
        login: &Login,
        password: &Password,
    ) -> Result<Answered, SourceError> {
        let values = [("login", login.as_str().into()), ("password", password.expose().into())];
        let built = spec.ask.build(&values, None)?;
        let unfit = || SourceError::new(ErrorKind::Protocol, format!("{built:?}"));
        let basic = spec.basic.then(|| auth::basic(login.as_str(), password.expose()));
        let (credential, token) = match basic {
            Some(None) => return Err(unfit().with_source("a login with a colon fits no Basic credentials")),
            Some(Some(value)) => (Some((header::AUTHORIZATION, value)), None),
            None => self.credential(call).await?,
        };
        if call.begin_by <= Instant::now() {
            let late = SourceError::new(ErrorKind::TimedOut, format!("{built:?}"));
            return Err(late.with_source("nobody waits for it any more"));
        }
        let mut request = self.dressed(built, credential);
        if let Some(address) = call.client_address {
            let value = HeaderValue::try_from(address.to_string())
                .map_err(|_| SourceError::new(ErrorKind::Protocol, "X-Forwarded-For"))?;
            request = request.header(X_FORWARDED_FOR, value);
        }
        self.send(call, &spec.ask, request, token.as_ref()).await
    }

    pub(crate) async fn ask(
        &self,
        call: &Call,
        ask: &Ask,
        values: &Values<'_>,
        query: Option<&str>,
    ) -> Result<Answered, SourceError> {
        let (answered, token) = self.try_to_ask(call, ask, values, query).await;
        let refused = matches!(&answered, Err(error) if error.kind() == ErrorKind::CredentialRefused);
        if refused && token.is_some() {
            return self.try_to_ask(call, ask, values, query).await.0;
        }
        answered
    }

    /// The answer, and the token that it was asked with.
    async fn try_to_ask(
        &self,
        call: &Call,
        ask: &Ask,
        values: &Values<'_>,
        query: Option<&str>,
    ) -> (Result<Answered, SourceError>, Option<Token>) {
        let built = match ask.build(values, query) {
            Ok(built) => built,
            Err(error) => return (Err(error), None),
        };
        let (credential, token) = match self.credential(call).await {
            Ok(found) => found,
            // No token: there is nothing that another one would make better.
            Err(error) => return (Err(error), None),
        };
        let request = self.dressed(built, credential);
        (self.send(call, ask, request, token.as_ref()).await, token)
    }

    async fn credential(&self, call: &Call) -> Result<(Option<(HeaderName, HeaderValue)>, Option<Token>), SourceError> {
        match (&self.settings.auth, &self.token_client) {
            (Auth::Fixed(name, value), _) => Ok((Some((name.clone(), value.clone())), None)),
            (Auth::ClientCredentials(auth), Some(client)) => {
                let token = self.tokens.token(auth, client, call).await?;
                Ok((Some((header::AUTHORIZATION, token.authorization.clone())), Some(token)))
            }
            _ => Ok((None, None)),
        }
    }

    fn dressed(&self, built: Built, credential: Option<(HeaderName, HeaderValue)>) -> Request {
        let method = built.method.clone();
        let mut request = Request::ready(method, built.path_template.clone(), built.path_and_query.clone()).header(
            header::ACCEPT,
            HeaderValue::from_static("application/json, application/*+json"),
        );
        if let Some((content_type, body)) = &built.body {
            request = request.body(HeaderValue::from_static(content_type), body.clone());
        }
        for (name, value) in &self.settings.headers {
            request = request.header(name.clone(), value.clone());
        }
        if let Auth::Hmac(hmac) = &self.settings.auth {
            request = hmac.sign(request, &built, &*self.clock);
        }
        match credential {
            Some((name, value)) => request.header(name, value),
            None => request,
        }
    }

    async fn send(
        &self,
        call: &Call,
        ask: &Ask,
        request: Request,
        token: Option<&Token>,
    ) -> Result<Answered, SourceError> {
        let response = self.client.send(call, request).await?;
        let body = response.json::<Once>().map(|once| once.0);
        match ask.answers.judge(&response, body.as_ref().ok()) {
            Ok(outcome) => Ok(Answered {
                outcome,
                response,
                body,
            }),
            Err(error) => {
                if let (ErrorKind::CredentialRefused, Some(token)) = (error.kind(), token) {
                    self.tokens.forget(token).await;
                }
                Err(error)
            }
        }
    }
}

impl Answered {
    pub(crate) fn body(&self) -> Result<&Value, SourceError> {
        self.body.as_ref().map_err(Clone::clone)
    }

    /// The answer can be read and says something impossible.
    pub(crate) fn protocol(&self, cause: impl Into<idbridge_source::BoxError>) -> SourceError {
        self.response.error(ErrorKind::Protocol).with_source(cause)
    }
}
