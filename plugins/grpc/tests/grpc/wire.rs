//! The messages of `proto/`, as any server has them.

#[expect(
    clippy::all,
    missing_debug_implementations,
    unreachable_pub,
    reason = "generated code isn't ours to style"
)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/idbridge.v1.rs"));
}
pub(crate) use generated::*;
