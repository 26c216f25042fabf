//! What a broker's stop does to a call. A broker that stops says GOAWAY, finishes what it has begun, and takes no new call
//! (RFC 9113 §6.8). Other languages' gRPC libraries repeat by themselves what was never begun (gRFC A6, "transparent
//! retries"); tonic doesn't.

use std::error::Error;

use tonic::{Code, ConnectError, Status};
use tonic_types::StatusExt as _;

/// Whether it is certain that nobody has begun this call.
///
/// `SHUTTING_DOWN` doesn't say that: it is told to calls that outlived the stop, whose password may have been counted.
pub(crate) fn never_begun(status: &Status) -> bool {
    causes(status).any(|cause| {
        // Nobody listens, or TLS fails.
        cause.is::<ConnectError>()
            // The connection ended while the call still waited for its turn on it.
            || cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_canceled)
            || cause.downcast_ref::<h2::Error>().is_some_and(refused)
    })
}

/// Whether the stop, and no fault, ended this call: never begun, cut with the connection, or told `SHUTTING_DOWN`.
pub(crate) fn caught(status: &Status) -> bool {
    let told = || {
        let info = status.get_details_error_info();
        status.code() == Code::Unavailable
            && info.is_some_and(|info| info.domain == "idbridge" && info.reason == "SHUTTING_DOWN")
    };
    let cut = || causes(status).any(|cause| cause.is::<hyper::Error>() || cause.is::<h2::Error>());
    never_begun(status) || told() || cut()
}

/// The peer refused the stream (RFC 9113 §8.7), or its GOAWAY says that it came too late.
///
/// h2 gives the peer's GOAWAY as the error only of streams above the last one that the peer takes; streams below it run
/// on, and break with an I/O error if the connection does.
fn refused(error: &h2::Error) -> bool {
    let reason = error.reason();
    error.is_remote()
        && (error.is_reset() && reason == Some(h2::Reason::REFUSED_STREAM)
            || error.is_go_away() && reason == Some(h2::Reason::NO_ERROR))
}

pub(crate) fn causes(status: &Status) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(status.source(), |&cause| cause.source())
}
