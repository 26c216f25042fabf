//! The source before an SQLite file, and before a PostgreSQL server that the tests start.

#[cfg(test)] // where clippy lets a mistake end it
mod answers;
#[cfg(test)]
mod asking;
#[cfg(test)]
mod behaviour;
#[cfg(test)]
mod on_a_server;
#[cfg(test)]
mod relay;
#[cfg(test)]
mod server;
#[cfg(test)]
mod settings;
