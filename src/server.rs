//! Everything between a socket and a service: listeners, workers, connections, the stacks of layers, callers, health.

mod accepted;
pub mod admin;
pub mod callers;
pub mod connection;
pub mod drain;
pub mod health;
mod layers;
pub mod limits;
pub mod listen;
mod sparse;
pub mod stack;
pub mod tls;
pub mod workers;

#[cfg(test)]
mod tests;
