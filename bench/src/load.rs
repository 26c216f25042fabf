//! The load: identical for ours and theirs, and cheap. It runs in the main process, on the one thread of its runtime.

pub(crate) mod closed;
pub(crate) mod grpc;
pub(crate) mod http;
pub(crate) mod open;
pub(crate) mod target;
