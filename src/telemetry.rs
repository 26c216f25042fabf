//! What the process says of itself: log records, metrics, and one audit record an attempt.

pub mod audit;
pub mod log;
pub mod metrics;
