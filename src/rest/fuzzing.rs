//! The gateway's questions, whatever their bytes are: for those who look for what breaks a reader.

use super::body::{GetUser, Login, parse};

/// A body, as the question of each operation.
pub fn body(bytes: &[u8]) {
    drop(parse::<GetUser>(bytes.to_vec().into()));
    drop(parse::<Login>(bytes.to_vec().into()));
}
