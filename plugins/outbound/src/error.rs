use std::error::Error;
use std::fmt;

use idbridge_source::ErrorKind;

/// The cause of an error that an HTTP status brought.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct HttpStatus(pub u16);

/// Why a body could not be read. It holds positions, never a part of the body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Undecodable {
    /// Not called `application/json`.
    NotJson,
    /// No JSON, or more than one value.
    Syntax { line: usize, column: usize },
    /// JSON of another shape: a missing, doubled or mistyped key.
    Unexpected { line: usize, column: usize },
}

/// What this client itself refuses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Refused {
    OutOfTime,
    Oversize,
    Unfit,
}

/// The one table from failures of the transport to kinds.
pub(crate) fn kind(error: &reqwest::Error) -> ErrorKind {
    let unavailable = ErrorKind::Unavailable { retry_after: None };
    // Name, TCP, TLS, and the time for them: nothing was asked yet, so it counts as unreachable and not as silent.
    if error.is_connect() {
        return unavailable;
    }
    if error.is_timeout() {
        return ErrorKind::TimedOut;
    }
    if error.is_builder() || error.is_redirect() || spoke_no_http(error) {
        return ErrorKind::Protocol;
    }
    // Reset, closed, cut off in the middle of an answer.
    unavailable
}

impl Refused {
    pub(crate) fn kind(self) -> ErrorKind {
        match self {
            Self::OutOfTime => ErrorKind::TimedOut,
            Self::Oversize | Self::Unfit => ErrorKind::Protocol,
        }
    }
}

fn spoke_no_http(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse) {
            return true;
        }
        cause = error.source();
    }
    false
}

impl From<&serde_json::Error> for Undecodable {
    fn from(error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        if error.is_data() {
            Self::Unexpected { line, column }
        } else {
            Self::Syntax { line, column }
        }
    }
}

impl fmt::Display for HttpStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP {}", self.0)
    }
}

impl fmt::Display for Undecodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson => f.write_str("the body is not called application/json"),
            Self::Syntax { line, column } => write!(f, "no JSON at line {line}, column {column}"),
            Self::Unexpected { line, column } => write!(f, "unexpected JSON at line {line}, column {column}"),
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OutOfTime => "no whole answer in time",
            Self::Oversize => "the body is larger than the limit",
            Self::Unfit => "a value can't be one segment of the path",
        })
    }
}

impl Error for HttpStatus {}
impl Error for Refused {}
impl Error for Undecodable {}
