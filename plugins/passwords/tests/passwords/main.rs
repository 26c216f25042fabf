//! Other programs' hashes, and texts that are none.

#[cfg(test)] // where clippy lets a mistake end it
mod bad;
#[cfg(test)]
mod vectors;
