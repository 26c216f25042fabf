//! Upstreams that are made by hand, so that they can say what no library would, and count what reaches them.

#![expect(clippy::expect_used, reason = "a test's helper that can't go on fails the test")]

pub mod grpc;
pub mod http;
pub mod raw;
