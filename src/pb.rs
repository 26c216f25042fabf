//! What `build.rs` generates from `proto/`, and a `Debug` of its messages that shows nothing: they hold passwords and
//! people, and prost ignores `debug_redact`.

use std::fmt;

#[expect(
    clippy::all,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    missing_debug_implementations,
    reason = "generated code isn't ours to style"
)]
mod generated {
    tonic::include_proto!("idbridge.v1");
}
pub use generated::*;

/// The descriptor set that reflection serves.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/idbridge.v1.bin"));

macro_rules! redacted {
    ($($message:ty),* $(,)?) => {$(
        impl fmt::Debug for $message {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($message), " { .. }"))
            }
        }
    )*};
}
redacted!(
    AuthenticateRequest,
    AuthenticateResponse,
    GetUserByEmailRequest,
    GetUserByEmailResponse,
    Rejection,
    User,
    authenticate_response::Outcome,
    get_user_by_email_response::Outcome,
);
