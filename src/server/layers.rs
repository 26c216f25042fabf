//! The layers of the stacks, in the order in which a call meets them.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue};
use idbridge_source::RequestId;
use tokio::time::{Instant, timeout_at};
use tonic::{Code, Status};
use tracing::Instrument as _;

use super::callers::{Caller, bearer};
use super::stack::Shared;
use crate::grpc::status::{Reason, Refusal};
use crate::grpc::{Allowed, Deadline};
use crate::request_id;
use crate::telemetry::audit::Attempt;
use crate::telemetry::metrics::{Metrics, Operation};

const AUTHENTICATE: &str = "/idbridge.v1.IdentityService/Authenticate";
const GET_USER_BY_EMAIL: &str = "/idbridge.v1.IdentityService/GetUserByEmail";
/// Services of others, whose statuses are theirs to word, and which need no key.
const FOREIGN: [&str; 2] = ["/grpc.health.v1.Health/", "/grpc.reflection.v1.ServerReflection/"];

/// Gives the call its id, on the way in and on the answer.
pub(super) async fn identify(mut request: Request, next: Next) -> Response {
    let id = request_id::take_or_make(request.headers());
    let header = HeaderValue::from_str(id.as_str()).ok();
    let span = tracing::info_span!("call", request_id = %id, method = method(request.uri().path()));
    request.extensions_mut().insert(id);
    let mut response = next.run(request).instrument(span).await;
    if let Some(header) = header {
        response
            .headers_mut()
            .insert(HeaderName::from_static(request_id::HEADER), header);
    }
    response
}

/// Measures the call, and audits it if it is an attempt.
pub(super) async fn record(State(shared): State<Arc<Shared>>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = method(request.uri().path());
    let attempt = operation(method).map(|operation| Arc::new(Attempt::new(id_of(&request), operation)));
    if let Some(attempt) = &attempt {
        request.extensions_mut().insert(Arc::clone(attempt));
    }

    let response = next.run(request).await;

    if let (Some(attempt), Some(reason)) = (&attempt, response.extensions().get::<Reason>()) {
        attempt.outcome(reason.name_in_lower_case());
    }
    shared
        .metrics
        .call(method, code_name(code(response.headers())), started.elapsed());
    response
}

/// A panic below is `INTERNAL` for this call and nothing for the others.
pub(super) async fn catch_panic(request: Request, next: Next) -> Response {
    let id = id_of(&request);
    let mut answer = pin!(next.run(request));
    let caught = std::future::poll_fn(|context| {
        match std::panic::catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(response)) => Poll::Ready(Some(response)),
            Err(_) => Poll::Ready(None),
        }
    });
    caught.await.unwrap_or_else(|| refuse(Reason::Internal, &id))
}

/// Ends what is still in flight when a drain has used up its time.
pub(super) async fn cut(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let id = id_of(&request);
    tokio::select! {
        response = next.run(request) => response,
        () = shared.cut.cancelled() => refuse(Reason::ShuttingDown, &id),
    }
}

/// Ends the call at the caller's deadline, or at ours if that comes first. A stream, such as a health watch, has ended for
/// this layer when it begins to answer.
pub(super) async fn deadline(State(shared): State<Arc<Shared>>, mut request: Request, next: Next) -> Response {
    let id = id_of(&request);
    let asked = match request.headers().get("grpc-timeout").map(parse_timeout) {
        None => shared.max_deadline,
        Some(Some(asked)) => asked.min(shared.max_deadline),
        Some(None) => return refuse(Reason::InvalidRequest, &id),
    };
    let at = Instant::now() + asked;
    request.extensions_mut().insert(Deadline(at));
    timeout_at(at, next.run(request))
        .await
        .unwrap_or_else(|_| refuse(Reason::DeadlineExceeded, &id))
}

/// Finds out who calls. Health and reflection need no key, and neither does being told that there is no such method.
pub(super) async fn authenticate_caller(
    State(shared): State<Arc<Shared>>,
    mut request: Request,
    next: Next,
) -> Response {
    if operation(method(request.uri().path())).is_none() {
        return next.run(request).await;
    }
    let Some(caller) = bearer(request.headers()).and_then(|key| shared.callers.find(key)) else {
        return refuse(Reason::CallerUnauthenticated, &id_of(&request));
    };
    if let Some(attempt) = request.extensions().get::<Arc<Attempt>>() {
        attempt.caller(&caller.name);
    }
    request
        .extensions_mut()
        .insert::<Allowed>(Arc::<Caller>::clone(&caller));
    request.extensions_mut().insert(caller);
    next.run(request).await
}

/// One caller can't take all that the broker has.
pub(super) async fn limit_caller(request: Request, next: Next) -> Response {
    let id = id_of(&request);
    let Some(caller) = request.extensions().get::<Arc<Caller>>().cloned() else {
        return next.run(request).await;
    };
    let Some(_permit) = caller.permit() else {
        return refuse(Reason::CallerThrottled, &id);
    };
    next.run(request).await
}

/// Puts tonic's own refusals into the table's words: they carry no `ErrorInfo`, and their messages say what a decoder
/// tripped over.
pub(super) async fn rewrite_refusals(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let (foreign, known, id) = (is_foreign(path), operation(method(path)).is_some(), id_of(&request));
    let response = next.run(request).await;
    if known && (code(response.headers()) == Code::Ok || response.headers().contains_key(Status::GRPC_STATUS_DETAILS)) {
        return response;
    }
    if foreign && code(response.headers()) != Code::Unimplemented {
        return response;
    }
    refuse(
        if known {
            Reason::InvalidRequest
        } else {
            Reason::UnknownMethod
        },
        &id,
    )
}

/// Measures a REST call.
pub(super) async fn measure_request(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let route = match request.uri().path() {
        "/auth0/v1/login" => "/auth0/v1/login",
        "/auth0/v1/get-user" => "/auth0/v1/get-user",
        _ => "_OTHER",
    };
    let response = next.run(request).await;
    metrics.request(route, response.status().as_u16(), started.elapsed());
    response
}

fn refuse(reason: Reason, id: &RequestId) -> Response {
    let mut response = Refusal::new(reason).status(id).into_http::<axum::body::Body>();
    response.extensions_mut().insert(reason);
    response
}

fn id_of(request: &Request) -> RequestId {
    request
        .extensions()
        .get::<RequestId>()
        .cloned()
        .unwrap_or_else(request_id::make)
}

/// The method's full name if it is one of ours, so that callers can't make labels.
fn method(path: &str) -> &'static str {
    match path {
        AUTHENTICATE => "idbridge.v1.IdentityService/Authenticate",
        GET_USER_BY_EMAIL => "idbridge.v1.IdentityService/GetUserByEmail",
        path if path.starts_with(FOREIGN[0]) => "grpc.health.v1.Health",
        path if path.starts_with(FOREIGN[1]) => "grpc.reflection.v1.ServerReflection",
        _ => "_OTHER",
    }
}

fn operation(method: &str) -> Option<Operation> {
    match method {
        "idbridge.v1.IdentityService/Authenticate" => Some(Operation::Authenticate),
        "idbridge.v1.IdentityService/GetUserByEmail" => Some(Operation::LookUp),
        _ => None,
    }
}

fn is_foreign(path: &str) -> bool {
    FOREIGN.iter().any(|service| path.starts_with(service))
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
fn parse_timeout(value: &HeaderValue) -> Option<std::time::Duration> {
    use std::time::Duration;
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
    use std::time::Duration;

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
