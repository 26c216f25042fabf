//! The service's questions, whatever their bytes are: for those who look for what breaks a reader.

use axum::body::Body;
use futures_util::FutureExt as _;
use futures_util::stream;

use super::unary;
use crate::pb::{AuthenticateRequest, GetUserByEmailRequest};

/// A request's body in these pieces, as the question of each method.
pub fn frames(pieces: &[&[u8]]) {
    let body = || {
        let pieces: Vec<_> = pieces
            .iter()
            .map(|piece| Ok::<_, std::io::Error>(piece.to_vec()))
            .collect();
        Body::from_stream(stream::iter(pieces))
    };
    drop(unary::read::<AuthenticateRequest>(body()).now_or_never());
    drop(unary::read::<GetUserByEmailRequest>(body()).now_or_never());
}
