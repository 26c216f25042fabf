//! `openapi`: what the gateway takes and answers, for tools.

use super::{Exit, output};
use crate::rest;

pub(crate) fn run() -> Exit {
    output::line(&format!("{:#}", rest::openapi()));
    Exit::Fine
}
