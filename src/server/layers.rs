//! What the stacks are made of, in the order in which a call meets it.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use idbridge_source::RequestId;
use tokio::time::Instant;
use tonic::{Code, Status};

use super::callers::{Caller, CallerPermit, Callers, bearer};
use crate::grpc::status::{Reason, Refusal};
use crate::request_id;
use crate::telemetry::audit::Attempt;
use crate::telemetry::metrics::{Metrics, Operation};
use crate::unwind::caught;

/// A method by its path. Paths that don't exist have no name of their own, so that callers can't make labels.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Method {
    Asks(Operation),
    /// A service of others, whose statuses are theirs to word, and which needs no key.
    Foreign(&'static str),
    Unknown,
}

impl Method {
    pub(super) fn of(path: &str) -> Self {
        match path {
            "/idbridge.v1.IdentityService/Authenticate" => Self::Asks(Operation::Authenticate),
            "/idbridge.v1.IdentityService/GetUserByEmail" => Self::Asks(Operation::LookUp),
            _ if path.starts_with("/grpc.health.v1.Health/") => Self::Foreign("grpc.health.v1.Health"),
            _ if path.starts_with("/grpc.reflection.v1.ServerReflection/") => {
                Self::Foreign("grpc.reflection.v1.ServerReflection")
            }
            _ => Self::Unknown,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Asks(Operation::Authenticate) => "idbridge.v1.IdentityService/Authenticate",
            Self::Asks(Operation::LookUp) => "idbridge.v1.IdentityService/GetUserByEmail",
            Self::Foreign(name) => name,
            Self::Unknown => "_OTHER",
        }
    }
}

/// Puts the call's id on its answer.
pub(super) fn identify(mut response: Response, id: &RequestId) -> Response {
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        response
            .headers_mut()
            .insert(HeaderName::from_static(request_id::HEADER), value);
    }
    response
}

/// Measures the call, and audits it if it is an attempt.
pub(super) struct Record<'a> {
    metrics: &'a Metrics,
    method: Method,
    started: Instant,
    pub(super) attempt: Option<Arc<Attempt>>,
}

impl<'a> Record<'a> {
    pub(super) fn begin(metrics: &'a Metrics, method: Method, id: &RequestId) -> Self {
        let attempt = match method {
            Method::Asks(operation) => Some(Arc::new(Attempt::new(id.clone(), operation))),
            Method::Foreign(_) | Method::Unknown => None,
        };
        Self {
            metrics,
            method,
            started: Instant::now(),
            attempt,
        }
    }

    /// The answer of a stack's end, as a response.
    pub(super) fn end(self, answer: Result<Response, Reason>, id: &RequestId) -> Response {
        let response = answer.unwrap_or_else(|reason| {
            if let Some(attempt) = &self.attempt {
                attempt.outcome(reason.name_in_lower_case());
            }
            Refusal::new(reason).status(id).into_http()
        });
        let code = code_name(code(response.headers()));
        self.metrics.call(self.method.name(), code, self.started.elapsed());
        response
    }
}

/// A panic below is `INTERNAL` for this call and nothing for the others.
pub(super) async fn catch_panic<T>(
    id: &RequestId,
    answer: Pin<&mut impl Future<Output = Result<T, Reason>>>,
) -> Result<T, Reason> {
    caught(answer).await.unwrap_or_else(|| {
        tracing::error!(request_id = id.as_str(), "answering a call panicked");
        Err(Reason::Internal)
    })
}

/// What HTTP has to say of a request that isn't gRPC. Servers differ in what else they say: here it is a status, too.
pub(super) fn not_grpc<B>(request: &http::Request<B>) -> Option<StatusCode> {
    if !is_grpc(request.headers()) {
        return Some(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    (request.method() != http::Method::POST).then_some(StatusCode::METHOD_NOT_ALLOWED)
}

/// `application/grpc`, alone or with what its messages are written in (gRPC over HTTP/2, "Requests").
fn is_grpc(headers: &HeaderMap) -> bool {
    const GRPC: &[u8] = b"application/grpc";
    let value = headers.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    value.split_at_checked(GRPC.len()).is_some_and(|(essence, rest)| {
        essence.eq_ignore_ascii_case(GRPC) && matches!(rest.first(), None | Some(b'+' | b';'))
    })
}

/// Told by the header, as tonic and grpc-go tell it, whether or not a message is compressed.
pub(super) fn encoding(headers: &HeaderMap) -> Result<(), Reason> {
    match headers.get("grpc-encoding") {
        Some(value) if value != "identity" => Err(Reason::EncodingUnsupported),
        _ => Ok(()),
    }
}

/// When the call ends: at the caller's deadline, or at ours if that comes first.
pub(super) fn deadline(headers: &HeaderMap, max: Duration) -> Result<Instant, Reason> {
    let asked = match headers.get("grpc-timeout") {
        None => max,
        Some(value) => parse_timeout(value).ok_or(Reason::InvalidRequest)?,
    };
    Ok(Instant::now() + asked.min(max))
}

/// Finds out who calls.
pub(super) fn authenticate_caller(callers: &Callers, headers: &HeaderMap) -> Result<Arc<Caller>, Reason> {
    let caller = bearer(headers).and_then(|key| callers.find(key));
    caller.ok_or(Reason::CallerUnauthenticated)
}

/// One caller can't take all that the broker has.
pub(super) fn limit_caller(caller: &Caller) -> Result<CallerPermit<'_>, Reason> {
    caller.permit().ok_or(Reason::CallerThrottled)
}

/// Puts tonic's own refusals into the table's words: they carry no `ErrorInfo`, and their messages say what a decoder
/// tripped over.
pub(super) fn rewrite_refusal(method: Method, response: Response) -> Result<Response, Reason> {
    let code = code(response.headers());
    match method {
        Method::Asks(_) if code == Code::Ok || response.headers().contains_key(Status::GRPC_STATUS_DETAILS) => {
            Ok(response)
        }
        Method::Asks(_) => Err(Reason::InvalidRequest),
        Method::Foreign(_) if code != Code::Unimplemented => Ok(response),
        Method::Foreign(_) | Method::Unknown => Err(Reason::UnknownMethod),
    }
}

/// A path of the REST gateway as a label. Those that don't exist share one, so that callers can't make labels.
pub(super) fn route(path: &str) -> &'static str {
    match path {
        "/auth0/v1/login" => "/auth0/v1/login",
        "/auth0/v1/get-user" => "/auth0/v1/get-user",
        _ => "_OTHER",
    }
}

/// The status of an answer without a body; one with a body is fine so far.
fn code(headers: &HeaderMap) -> Code {
    headers
        .get(Status::GRPC_STATUS)
        .map_or(Code::Ok, |value| Code::from_bytes(value.as_bytes()))
}

fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// `grpc-timeout`: 1 to 8 digits and a unit (gRPC over HTTP/2, "Requests").
fn parse_timeout(value: &HeaderValue) -> Option<Duration> {
    let (unit, digits) = value.as_bytes().split_last()?;
    if !(1..=8).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = digits
        .iter()
        .fold(0_u64, |number, digit| number * 10 + u64::from(digit - b'0'));
    match unit {
        b'H' => Some(Duration::from_secs(number * 3600)),
        b'M' => Some(Duration::from_secs(number * 60)),
        b'S' => Some(Duration::from_secs(number)),
        b'm' => Some(Duration::from_millis(number)),
        b'u' => Some(Duration::from_micros(number)),
        b'n' => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts() {
        let parse = |text: &'static str| parse_timeout(&HeaderValue::from_static(text));
        assert_eq!(parse("50m"), Some(Duration::from_millis(50)));
        assert_eq!(parse("0n"), Some(Duration::ZERO));
        assert_eq!(parse("99999999H"), Some(Duration::from_secs(99_999_999 * 3600)));
        for bad in ["", "1", "S", "-1S", "1.5S", "123456789S", "1s", "1 S"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
