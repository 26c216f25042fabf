use std::fmt;
use std::time::Duration;

use http::{HeaderName, HeaderValue, header};
use idbridge_source::{BuildError, Call, ErrorKind, SourceError};
use tokio::time::{Instant, timeout_at};
use tracing::Instrument as _;

use crate::connections::{Answer, Connections, Failure, Message};
use crate::error::{HttpStatus, Refused};
use crate::request::Route;
use crate::{Origin, Request, Response, Way};

const USER_AGENT: &str = concat!("idbridge/", env!("CARGO_PKG_VERSION"));

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

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
    connections: Connections,
    limits: Limits,
    origin: Origin,
}

impl Client {
    /// Opens no connection. For https it reads the machine's certificate store.
    pub fn new(origin: Origin, limits: Limits) -> Result<Self, BuildError> {
        Self::by_way_of(Way::default(), origin, limits)
    }

    /// The same, where the connection isn't a usual one.
    pub fn by_way_of(way: Way, origin: Origin, limits: Limits) -> Result<Self, BuildError> {
        let connections = Connections::new(&origin, way, limits.connect)?;
        Ok(Self {
            connections,
            limits,
            origin,
        })
    }

    /// Trusts this authority and no other.
    #[cfg(test)]
    pub(crate) fn trust(&mut self, root: rustls::pki_types::CertificateDer<'static>) {
        self.connections.connector.trust(root);
    }

    /// Sends once, and reads the whole answer.
    pub fn send<'a>(
        &'a self,
        call: &Call,
        request: Request,
    ) -> impl Future<Output = Result<Response, SourceError>> + use<'a> {
        let began = Instant::now();
        let deadline = call.deadline.min(began + self.limits.total);
        let span = tracing::debug_span!("outbound", route = %request.route(), host = self.origin.host());
        let route = request.route().clone();
        let message = if deadline > began {
            message(call, request)
        } else {
            Err(Refused::OutOfTime)
        };
        async move {
            let ended = match message {
                Ok(message) => timeout_at(deadline, self.connections.exchange(message, self.limits.body))
                    .await
                    .unwrap_or(Err(Failure::Refused(Refused::OutOfTime))),
                Err(refused) => Err(Failure::Refused(refused)),
            };
            let result = answered(ended, route);
            let duration_ms = || u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            match &result {
                Ok(response) => {
                    tracing::debug!(
                        status = response.status().as_u16(),
                        duration_ms = duration_ms(),
                        "answered"
                    );
                }
                Err(error) => tracing::debug!(error = error.chain(), duration_ms = duration_ms(), "failed"),
            }
            result
        }
        .instrument(span)
    }
}

/// A redirect is no answer.
fn answered(ended: Result<Answer, Failure>, route: Route) -> Result<Response, SourceError> {
    match ended {
        Ok(answer) if answer.status.is_redirection() => {
            let cause = HttpStatus(answer.status.as_u16());
            Err(SourceError::new(ErrorKind::Protocol, route.to_string()).with_source(cause))
        }
        Ok(answer) => Ok(Response { route, answer }),
        Err(failure) => Err(failure.into_error(&route)),
    }
}

fn message(call: &Call, request: Request) -> Result<Box<Message>, Refused> {
    let request = request.into_parts();
    let path = request.path().ok_or(Refused::Unfit)?;
    let body = request.body.ok_or(Refused::Unfit)?;
    let mut headers = request.headers;
    headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    let passed_on = [
        (X_REQUEST_ID, Some(call.request_id.as_str())),
        (TRACEPARENT, call.trace.traceparent()),
        (TRACESTATE, call.trace.tracestate()),
    ];
    for (name, value) in passed_on {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
            headers.insert(name, value);
        }
    }
    Ok(Box::new(Message {
        method: request.route.method,
        path,
        headers,
        body,
    }))
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("origin", &self.origin)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
