//! Why there is no outcome: the one table of it.

use http::StatusCode;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// An answer that is neither a yes nor a no.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Problem {
    pub status: StatusCode,
    pub code: &'static str,
    /// Whole seconds, 1 to 60; on 429 and 503.
    pub retry_after: Option<u64>,
    /// The methods that are taken; on 405.
    pub allow: Option<&'static str>,
}

impl Problem {
    // What the gateway finds itself.
    pub const BODY_TOO_LARGE: Self = Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large");
    pub const CALLER_UNAUTHENTICATED: Self = Self::new(StatusCode::UNAUTHORIZED, "caller_unauthenticated");
    pub const DEADLINE_EXCEEDED: Self = Self::new(StatusCode::GATEWAY_TIMEOUT, "deadline_exceeded");
    pub const GET_ONLY: Self = Self {
        allow: Some("GET, HEAD"),
        ..Self::METHOD_NOT_ALLOWED
    };
    pub const INTERNAL: Self = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal");
    pub const INVALID_REQUEST: Self = Self::new(StatusCode::BAD_REQUEST, "invalid_request");
    pub const METHOD_NOT_ALLOWED: Self = Self {
        allow: Some("POST"),
        ..Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed")
    };
    pub const NOT_FOUND: Self = Self::new(StatusCode::NOT_FOUND, "not_found");
    pub const SOURCE_PROTOCOL: Self = Self::new(StatusCode::BAD_GATEWAY, "source_protocol");
    pub const SOURCE_UNAVAILABLE: Self = Self::new(StatusCode::SERVICE_UNAVAILABLE, "source_unavailable");
    pub const UNSUPPORTED_MEDIA_TYPE: Self = Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type");

    /// A status of the broker's, or of whoever stands before it. `late`: the deadline has passed.
    ///
    /// `USER_NOT_FOUND` is no problem; see [`is_user_not_found`].
    pub(super) fn from_status(status: &Status, late: bool) -> Self {
        let mut problem = match reason(status) {
            Some(reason) => from_broker(status.code(), &reason).unwrap_or_else(|| from_elsewhere(status, late)),
            None => from_elsewhere(status, late),
        };
        if matches!(
            problem.status,
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS
        ) {
            problem.retry_after = Some(retry_after(status));
        }
        problem
    }

    const fn new(status: StatusCode, code: &'static str) -> Self {
        // The wait that is named where nobody names one.
        let retry_after = if status.as_u16() == 503 { Some(1) } else { None };
        Self {
            status,
            code,
            retry_after,
            allow: None,
        }
    }
}

/// Every problem that the gateway may answer with: its own, and those of the table.
pub(super) fn all() -> impl Iterator<Item = Problem> {
    let own = [
        Problem::BODY_TOO_LARGE,
        Problem::CALLER_UNAUTHENTICATED,
        Problem::DEADLINE_EXCEEDED,
        Problem::INTERNAL,
        Problem::INVALID_REQUEST,
        Problem::METHOD_NOT_ALLOWED,
        Problem::NOT_FOUND,
        Problem::SOURCE_PROTOCOL,
        Problem::SOURCE_UNAVAILABLE,
        Problem::UNSUPPORTED_MEDIA_TYPE,
    ];
    let of_the_broker = TABLE.iter().map(|&(_, _, status, code)| Problem::new(status, code));
    own.into_iter().chain(of_the_broker)
}

/// Whether this says that a look-up found nobody. `NOT_FOUND` alone doesn't: any proxy says that.
pub(super) fn is_user_not_found(status: &Status) -> bool {
    status.code() == Code::NotFound && reason(status).as_deref() == Some("USER_NOT_FOUND")
}

/// The broker's reasons, each with the gRPC code that it comes with.
#[rustfmt::skip] // a row a line
const TABLE: [(Code, &str, StatusCode, &str); 17] = [
    (Code::InvalidArgument, "INVALID_REQUEST", StatusCode::BAD_REQUEST, "invalid_request"),
    (Code::InvalidArgument, "INVALID_IDENTIFIER", StatusCode::BAD_REQUEST, "invalid_identifier"),
    (Code::InvalidArgument, "INVALID_PASSWORD", StatusCode::BAD_REQUEST, "invalid_password"),
    (Code::Unauthenticated, "CALLER_UNAUTHENTICATED", StatusCode::UNAUTHORIZED, "caller_unauthenticated"),
    (Code::PermissionDenied, "CALLER_NOT_ALLOWED", StatusCode::FORBIDDEN, "caller_not_allowed"),
    (Code::ResourceExhausted, "CALLER_THROTTLED", StatusCode::TOO_MANY_REQUESTS, "caller_throttled"),
    (Code::ResourceExhausted, "SOURCE_THROTTLED", StatusCode::TOO_MANY_REQUESTS, "source_throttled"),
    (Code::Unavailable, "SOURCE_UNAVAILABLE", StatusCode::SERVICE_UNAVAILABLE, "source_unavailable"),
    (Code::Unavailable, "OVERLOADED", StatusCode::SERVICE_UNAVAILABLE, "overloaded"),
    (Code::Unavailable, "SHUTTING_DOWN", StatusCode::SERVICE_UNAVAILABLE, "shutting_down"),
    (Code::DeadlineExceeded, "DEADLINE_EXCEEDED", StatusCode::GATEWAY_TIMEOUT, "deadline_exceeded"),
    (Code::Internal, "SOURCE_CREDENTIAL_REFUSED", StatusCode::BAD_GATEWAY, "source_credential_refused"),
    (Code::Internal, "SOURCE_PROTOCOL", StatusCode::BAD_GATEWAY, "source_protocol"),
    (Code::Internal, "AMBIGUOUS_USER", StatusCode::BAD_GATEWAY, "ambiguous_user"),
    (Code::Internal, "INTERNAL", StatusCode::INTERNAL_SERVER_ERROR, "internal"),
    (Code::FailedPrecondition, "OPERATION_UNSUPPORTED", StatusCode::NOT_IMPLEMENTED, "operation_unsupported"),
    (Code::FailedPrecondition, "UNKNOWN_SOURCE", StatusCode::BAD_REQUEST, "unknown_source"),
];

fn from_broker(code: Code, reason: &str) -> Option<Problem> {
    let row = TABLE.iter().find(|row| (row.0, row.1) == (code, reason));
    row.map(|&(_, _, status, code)| Problem::new(status, code))
}

/// A status that the broker didn't give: of the connection, of a proxy, of a service that isn't ours.
fn from_elsewhere(status: &Status, late: bool) -> Problem {
    match status.code() {
        Code::DeadlineExceeded => Problem::DEADLINE_EXCEEDED,
        // tonic's word for its own time limit, on either side of the wire.
        Code::Cancelled if late || stems_from::<tonic::TimeoutExpired>(status) => Problem::DEADLINE_EXCEEDED,
        Code::Unavailable => Problem::SOURCE_UNAVAILABLE,
        // The connection broke: no answer came, whatever the code says.
        _ if stems_from::<hyper::Error>(status) => Problem::SOURCE_UNAVAILABLE,
        _ => Problem::INTERNAL,
    }
}

fn reason(status: &Status) -> Option<String> {
    let info = status.get_details_error_info()?;
    (info.domain == "idbridge").then_some(info.reason)
}

fn retry_after(status: &Status) -> u64 {
    let delay = status
        .get_details_retry_info()
        .and_then(|info| info.retry_delay)
        .unwrap_or_default();
    delay
        .as_secs()
        .saturating_add(u64::from(delay.subsec_nanos() > 0))
        .clamp(1, 60)
}

fn stems_from<E: std::error::Error + 'static>(status: &Status) -> bool {
    let mut cause = std::error::Error::source(status);
    while let Some(error) = cause {
        if error.is::<E>() {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tonic_types::ErrorDetails;

    use super::*;

    fn status(code: Code, domain: &str, reason: &str, wait: Option<Duration>) -> Status {
        let mut details = ErrorDetails::with_error_info(reason, domain, [("source".to_owned(), "okta".to_owned())]);
        if let Some(wait) = wait {
            details.set_retry_info(Some(wait));
        }
        Status::with_error_details(code, "a message", details)
    }

    /// The public table, a row a line. Beside it: whether an answer names a wait.
    #[test]
    #[rustfmt::skip] // a row a line
    fn every_row_of_the_contract() {
        for (code, reason, http, problem, waits) in [
            (Code::InvalidArgument, "INVALID_REQUEST", 400, "invalid_request", false),
            (Code::InvalidArgument, "INVALID_IDENTIFIER", 400, "invalid_identifier", false),
            (Code::InvalidArgument, "INVALID_PASSWORD", 400, "invalid_password", false),
            (Code::Unauthenticated, "CALLER_UNAUTHENTICATED", 401, "caller_unauthenticated", false),
            (Code::PermissionDenied, "CALLER_NOT_ALLOWED", 403, "caller_not_allowed", false),
            (Code::ResourceExhausted, "CALLER_THROTTLED", 429, "caller_throttled", true),
            (Code::ResourceExhausted, "SOURCE_THROTTLED", 429, "source_throttled", true),
            (Code::Unavailable, "SOURCE_UNAVAILABLE", 503, "source_unavailable", true),
            (Code::Unavailable, "OVERLOADED", 503, "overloaded", true),
            (Code::Unavailable, "SHUTTING_DOWN", 503, "shutting_down", true),
            (Code::DeadlineExceeded, "DEADLINE_EXCEEDED", 504, "deadline_exceeded", false),
            (Code::Internal, "SOURCE_CREDENTIAL_REFUSED", 502, "source_credential_refused", false),
            (Code::Internal, "SOURCE_PROTOCOL", 502, "source_protocol", false),
            (Code::Internal, "AMBIGUOUS_USER", 502, "ambiguous_user", false),
            (Code::Internal, "INTERNAL", 500, "internal", false),
            (Code::FailedPrecondition, "OPERATION_UNSUPPORTED", 501, "operation_unsupported", false),
            (Code::FailedPrecondition, "UNKNOWN_SOURCE", 400, "unknown_source", false),
            (Code::Unimplemented, "ENCODING_UNSUPPORTED", 500, "internal", false),
            (Code::Unimplemented, "UNKNOWN_METHOD", 500, "internal", false),
        ] {
            let status = status(code, "idbridge", reason, Some(Duration::from_secs(7)));
            let answer = Problem::from_status(&status, false);
            assert_eq!((answer.status.as_u16(), answer.code), (http, problem), "{reason}");
            assert_eq!(answer.retry_after, waits.then_some(7), "{reason}");
        }
    }

    #[test]
    fn only_the_brokers_own_not_found_is_one() {
        assert!(is_user_not_found(&status(
            Code::NotFound,
            "idbridge",
            "USER_NOT_FOUND",
            None
        )));
        for other in [
            Status::not_found("no such host"),
            status(Code::NotFound, "example.com", "USER_NOT_FOUND", None),
            status(Code::NotFound, "idbridge", "OVERLOADED", None),
            status(Code::Unavailable, "idbridge", "USER_NOT_FOUND", None),
        ] {
            assert!(!is_user_not_found(&other), "{other:?}");
            assert!(
                Problem::from_status(&other, false).status.is_server_error(),
                "{other:?}"
            );
        }
    }

    #[test]
    fn a_status_from_elsewhere_goes_by_its_code_and_is_never_an_answer() {
        for number in 1..=16 {
            let code = Code::from(number);
            let expected = match code {
                Code::DeadlineExceeded => Problem::DEADLINE_EXCEEDED,
                Code::Unavailable => Problem::SOURCE_UNAVAILABLE,
                _ => Problem::INTERNAL,
            };
            for status in [
                Status::new(code, "a proxy's"),
                Status::with_details(code, "not protobuf", vec![0xff; 9].into()),
                status(code, "example.com", "SOURCE_THROTTLED", None),
                status(code, "idbridge", "A_LATER_REASON", None),
            ] {
                assert_eq!(Problem::from_status(&status, false), expected, "{status:?}");
            }
        }
        let cancelled = Status::cancelled("Timeout expired");
        assert_eq!(Problem::from_status(&cancelled, true), Problem::DEADLINE_EXCEEDED);
        let by_tonic = Status::from_error(Box::new(tonic::TimeoutExpired(())));
        assert_eq!(Problem::from_status(&by_tonic, false), Problem::DEADLINE_EXCEEDED);
    }

    #[test]
    fn a_reason_counts_only_with_its_code() {
        for (code, reason) in [
            (Code::Internal, "CALLER_UNAUTHENTICATED"),
            (Code::InvalidArgument, "SOURCE_UNAVAILABLE"),
            (Code::NotFound, "INVALID_IDENTIFIER"),
        ] {
            let status = status(code, "idbridge", reason, None);
            assert_eq!(Problem::from_status(&status, false), Problem::INTERNAL, "{reason}");
        }
    }

    #[test]
    fn waits_are_whole_seconds_from_1_to_60() {
        for (millis, seconds) in [
            (0, 1),
            (1, 1),
            (1000, 1),
            (1001, 2),
            (59_001, 60),
            (60_000, 60),
            (3_600_000, 60),
        ] {
            let wait = Duration::from_millis(millis);
            let status = status(Code::ResourceExhausted, "idbridge", "SOURCE_THROTTLED", Some(wait));
            assert_eq!(
                Problem::from_status(&status, false).retry_after,
                Some(seconds),
                "{millis} ms"
            );
        }
        let silent = status(Code::ResourceExhausted, "idbridge", "SOURCE_THROTTLED", None);
        assert_eq!(Problem::from_status(&silent, false).retry_after, Some(1), "none given");
        assert_eq!(
            Problem::from_status(&Status::unavailable("refused"), false).retry_after,
            Some(1)
        );
    }
}
