//! What leaves the process about a rejection or an error. The only place that decides it.
//!
//! Callers are authenticated services, and the targets' scripts need the reason: an unknown user and a wrong password
//! are different log entries there. So a rejection is told whole. Of an error, only the reason of the table leaves:
//! which operation failed, and why, is for the log.

use idbridge_source::{ErrorKind, Rejection, SourceError};

use crate::grpc::status::Reason;
use crate::sources::permits::Overloaded;

/// What callers are told of this rejection.
pub fn rejection(rejection: Rejection) -> Rejection {
    rejection
}

/// What callers are told of this error.
pub fn error(error: &SourceError) -> Reason {
    if std::error::Error::source(error).is_some_and(|cause| cause.is::<Overloaded>()) {
        return Reason::Overloaded;
    }
    match error.kind() {
        ErrorKind::Ambiguous => Reason::AmbiguousUser,
        ErrorKind::CredentialRefused => Reason::SourceCredentialRefused,
        ErrorKind::Protocol => Reason::SourceProtocol,
        ErrorKind::Throttled { .. } => Reason::SourceThrottled,
        ErrorKind::TimedOut => Reason::DeadlineExceeded,
        ErrorKind::Unavailable { .. } => Reason::SourceUnavailable,
        ErrorKind::Unsupported => Reason::OperationUnsupported,
    }
}
