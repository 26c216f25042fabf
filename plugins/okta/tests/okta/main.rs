//! The source against a simulated org.

#![expect(clippy::expect_used, reason = "a test helper that can't go on fails the test")]

mod behaviour;
mod examine;
mod factors;
mod faults;
mod log_in;
mod look_up;
mod matrix;
mod pacing;
mod wire;
mod world;
