//! The one table of statuses. docs/errors.md shows it to people.

use std::sync::Arc;
use std::time::Duration;

use idbridge_source::{ErrorKind, RequestId};
use tonic::metadata::MetadataValue;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::directory::Failure;
use crate::disclosure;

/// The domain of every `ErrorInfo` of ours.
pub const DOMAIN: &str = "idbridge";

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $lower:literal, $code:ident, $message:literal;)*) => {
        /// Why a call has no outcome. One row each: name, gRPC code, and all that a caller is told.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        pub enum Reason { $($(#[$doc])* $variant),* }

        impl Reason {
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// `ErrorInfo.reason`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            pub fn name_in_lower_case(self) -> &'static str {
                match self { $(Self::$variant => $lower),* }
            }

            pub fn code(self) -> Code {
                match self { $(Self::$variant => Code::$code),* }
            }

            pub fn message(self) -> &'static str {
                match self { $(Self::$variant => $message),* }
            }
        }
    };
}

reasons! {
    /// The source holds two users for one address.
    AmbiguousUser = "AMBIGUOUS_USER", "ambiguous_user", Internal, "the source holds more than one user for this address";
    CallerNotAllowed = "CALLER_NOT_ALLOWED", "caller_not_allowed", PermissionDenied, "the caller may not do this";
    CallerThrottled = "CALLER_THROTTLED", "caller_throttled", ResourceExhausted, "the caller has too many calls in flight";
    CallerUnauthenticated = "CALLER_UNAUTHENTICATED", "caller_unauthenticated", Unauthenticated, "the caller's key is missing or wrong";
    DeadlineExceeded = "DEADLINE_EXCEEDED", "deadline_exceeded", DeadlineExceeded, "out of time";
    EncodingUnsupported = "ENCODING_UNSUPPORTED", "encoding_unsupported", Unimplemented, "requests are read uncompressed alone";
    Internal = "INTERNAL", "internal", Internal, "internal error";
    InvalidIdentifier = "INVALID_IDENTIFIER", "invalid_identifier", InvalidArgument, "the identifier is not one that can be asked for";
    InvalidPassword = "INVALID_PASSWORD", "invalid_password", InvalidArgument, "the password is empty, too long, or has a NUL";
    InvalidRequest = "INVALID_REQUEST", "invalid_request", InvalidArgument, "the request can't be read";
    OperationUnsupported = "OPERATION_UNSUPPORTED", "operation_unsupported", FailedPrecondition, "the source can't do this";
    Overloaded = "OVERLOADED", "overloaded", Unavailable, "too many calls are in flight at the source";
    ShuttingDown = "SHUTTING_DOWN", "shutting_down", Unavailable, "the broker is shutting down";
    SourceCredentialRefused = "SOURCE_CREDENTIAL_REFUSED", "source_credential_refused", Internal, "the source refuses the broker's credential";
    SourceProtocol = "SOURCE_PROTOCOL", "source_protocol", Internal, "the source's answer can't be used";
    SourceThrottled = "SOURCE_THROTTLED", "source_throttled", ResourceExhausted, "the source asks for patience";
    SourceUnavailable = "SOURCE_UNAVAILABLE", "source_unavailable", Unavailable, "the source could not be asked";
    UnknownMethod = "UNKNOWN_METHOD", "unknown_method", Unimplemented, "no such method";
    UnknownSource = "UNKNOWN_SOURCE", "unknown_source", FailedPrecondition, "no such source";
    /// The one outcome that is a status: the source is sure that it has no such user.
    UserNotFound = "USER_NOT_FOUND", "user_not_found", NotFound, "no user has this address";
}

/// A reason, with what else the caller is told.
#[derive(Debug)]
pub struct Refusal {
    reason: Reason,
    source: Option<Arc<str>>,
    retry_after: Option<Duration>,
}

impl Refusal {
    pub fn new(reason: Reason) -> Self {
        Self {
            reason,
            source: None,
            retry_after: None,
        }
    }

    pub fn source(self, name: Arc<str>) -> Self {
        Self {
            source: Some(name),
            ..self
        }
    }

    pub fn reason(&self) -> Reason {
        self.reason
    }

    pub fn source_name(&self) -> Option<&Arc<str>> {
        self.source.as_ref()
    }

    /// The status, with `ErrorInfo`, and with `RetryInfo` where the code asks for patience: whole seconds, 1 to 60.
    pub fn status(&self, request_id: &RequestId) -> Status {
        let mut metadata = std::collections::HashMap::from([("request_id".to_owned(), request_id.to_string())]);
        if let Some(source) = &self.source {
            metadata.insert("source".to_owned(), source.to_string());
        }
        let mut details = ErrorDetails::with_error_info(self.reason.name(), DOMAIN, metadata);
        if matches!(self.reason.code(), Code::ResourceExhausted | Code::Unavailable) {
            details.set_retry_info(Some(whole_seconds(self.retry_after)));
        }
        let mut status = Status::with_error_details(self.reason.code(), self.reason.message(), details);
        if self.reason == Reason::EncodingUnsupported {
            // So that a client can tell this from a method that doesn't exist (gRPC, "Compression").
            let spoken = MetadataValue::from_static("identity");
            status.metadata_mut().insert("grpc-accept-encoding", spoken);
        }
        status
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::CallerNotAllowed => Self::new(Reason::CallerNotAllowed),
            Failure::InvalidIdentifier(_) => Self::new(Reason::InvalidIdentifier),
            Failure::InvalidPassword(_) => Self::new(Reason::InvalidPassword),
            Failure::NoSource => Self::new(Reason::UnknownSource),
            Failure::Unsupported { name } => Self::new(Reason::OperationUnsupported).source(name),
            Failure::Source { name, error } => {
                let retry_after = match error.kind() {
                    ErrorKind::Throttled { retry_after } | ErrorKind::Unavailable { retry_after } => retry_after,
                    _ => None,
                };
                Self {
                    reason: disclosure::error(&error),
                    source: Some(name),
                    retry_after,
                }
            }
        }
    }
}

/// Rounded up, at least 1, at most 60; 1 where the source gave none.
fn whole_seconds(hint: Option<Duration>) -> Duration {
    let hint = hint.unwrap_or(Duration::from_secs(1));
    let seconds = hint.as_secs().min(60) + u64::from(hint.subsec_nanos() > 0);
    Duration::from_secs(seconds.clamp(1, 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_are_whole_seconds_from_1_to_60() {
        let seconds = |hint| whole_seconds(hint).as_secs();
        assert_eq!(seconds(None), 1);
        assert_eq!(seconds(Some(Duration::ZERO)), 1);
        assert_eq!(seconds(Some(Duration::from_millis(6_001))), 7);
        assert_eq!(seconds(Some(Duration::from_secs(7))), 7);
        assert_eq!(seconds(Some(Duration::MAX)), 60);
    }

    #[test]
    fn names_match() {
        for reason in Reason::ALL {
            assert_eq!(reason.name().to_lowercase(), reason.name_in_lower_case());
        }
    }
}
