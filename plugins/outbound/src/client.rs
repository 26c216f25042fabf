use std::fmt;
use std::time::Duration;

use bytes::BytesMut;
use http::{HeaderMap, HeaderName, HeaderValue};
use idbridge_source::{BuildError, Call, ErrorKind, SourceError};
use tokio::time::{Instant, timeout_at};
use tracing::Instrument as _;

use crate::error::{self, HttpStatus, Refused};
use crate::{Origin, Request, Response};

const USER_AGENT: &str = concat!("idbridge/", env!("CARGO_PKG_VERSION"));

/// Shorter than the idle time of common load balancers (60 s), so that a connection is rarely found closed.
const IDLE: Duration = Duration::from_secs(30);

/// What one request may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of an answer's body.
    pub body: usize,
    /// For name, TCP and TLS.
    pub connect: Duration,
    /// For the whole exchange, body included. The call's deadline may be earlier.
    pub total: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 256 * 1024,
            connect: Duration::from_secs(2),
            total: Duration::from_secs(30),
        }
    }
}

/// Speaks to one upstream. Its connections live in the runtime that it is used in: make one for each worker.
pub struct Client {
    http: reqwest::Client,
    limits: Limits,
    origin: Origin,
}

impl Client {
    /// Opens no connection. For https it reads the machine's certificate store.
    pub fn new(origin: Origin, limits: Limits) -> Result<Self, BuildError> {
        let http = plain(&origin, limits);
        // Without TLS no certificate is needed, and a machine may have none.
        let http = if origin.is_https() {
            http
        } else {
            http.tls_certs_only([])
        };
        let http = http.build().map_err(|error| BuildError::new(error.without_url()))?;
        Ok(Self { http, limits, origin })
    }

    /// Sends once, and reads the whole answer.
    pub async fn send(&self, call: &Call, request: Request) -> Result<Response, SourceError> {
        let route = request.route();
        let span = tracing::debug_span!("outbound", route, host = self.origin.host());
        async {
            let began = Instant::now();
            let result = self.exchange(call, request, route).await;
            let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            match &result {
                Ok(response) => tracing::debug!(status = response.status.as_u16(), duration_ms, "answered"),
                Err(error) => tracing::debug!(error = error.chain(), duration_ms, "failed"),
            }
            result
        }
        .instrument(span)
        .await
    }

    async fn exchange(&self, call: &Call, request: Request, route: String) -> Result<Response, SourceError> {
        let refused = |why: Refused| SourceError::new(why.kind(), route.clone()).with_source(why);
        let url = request.url(&self.origin).ok_or_else(|| refused(Refused::Unfit))?;
        let now = Instant::now();
        let deadline = call.deadline.min(now + self.limits.total);
        if deadline <= now {
            return Err(refused(Refused::OutOfTime));
        }
        let mut message = self
            .http
            .request(request.method, url)
            .headers(request.headers)
            .headers(passed_on(call));
        if let Some(body) = request.body {
            message = message.body(body);
        }
        let answer = timeout_at(deadline, self.read(message)).await;
        let (status, headers, body) = match answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(Failure::Refused(why))) => return Err(refused(why)),
            Ok(Err(Failure::Transport(error))) => {
                return Err(SourceError::new(error::kind(&error), route).with_source(error.without_url()));
            }
            Err(_) => return Err(refused(Refused::OutOfTime)),
        };
        if status.is_redirection() {
            let cause = HttpStatus(status.as_u16());
            return Err(SourceError::new(ErrorKind::Protocol, route).with_source(cause));
        }
        Ok(Response {
            route,
            status,
            headers,
            body: body.freeze(),
        })
    }

    async fn read(&self, message: reqwest::RequestBuilder) -> Result<Answer, Failure> {
        let mut response = message.send().await?;
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > self.limits.body {
                return Err(Failure::Refused(Refused::Oversize));
            }
            body.extend_from_slice(&chunk);
        }
        Ok((response.status(), std::mem::take(response.headers_mut()), body))
    }
}

type Answer = (http::StatusCode, HeaderMap, BytesMut);

enum Failure {
    Refused(Refused),
    Transport(reqwest::Error),
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        Self::Transport(error)
    }
}

/// reqwest with everything off that acts by itself. Cookies, decompression and the system's proxy are not even compiled.
#[expect(clippy::disallowed_methods, reason = "this is the one place that makes a client")]
fn plain(origin: &Origin, limits: Limits) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .connect_timeout(limits.connect)
        .https_only(origin.is_https())
        .no_proxy()
        .pool_idle_timeout(IDLE)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .user_agent(USER_AGENT)
}

fn passed_on(call: &Call) -> HeaderMap {
    let pairs = [
        ("x-request-id", Some(call.request_id.as_str())),
        ("traceparent", call.trace.traceparent()),
        ("tracestate", call.trace.tracestate()),
    ];
    let header = |(name, value): (&'static str, Option<&str>)| {
        Some((HeaderName::from_static(name), HeaderValue::from_str(value?).ok()?))
    };
    pairs.into_iter().filter_map(header).collect()
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("origin", &self.origin)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
