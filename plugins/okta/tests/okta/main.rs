//! The source against a simulated org.

mod behaviour;
mod factors;
mod faults;
mod log_in;
mod look_up;
mod matrix;
mod wire;
mod world;
