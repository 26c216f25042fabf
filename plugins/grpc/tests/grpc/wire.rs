//! The messages of `proto/`, as any server has them.

#[expect(
    clippy::all,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    missing_debug_implementations,
    unreachable_pub,
    reason = "generated code isn't ours to style"
)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/idbridge.v1.rs"));
}
pub(crate) use generated::*;
