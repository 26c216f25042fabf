use std::error::Error;
use std::fmt;

use idbridge_source::{ErrorKind, SourceError};

use crate::connections::Failure;
use crate::request::Route;

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

/// Why an HTTP/2 stream or connection ended. An upstream may add words of its own, and they may hold what it was asked:
/// they are not repeated.
#[derive(Clone, Copy, Debug)]
struct Http2(h2::Reason);

/// What this client itself refuses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Refused {
    OutOfTime,
    Oversize,
    Unfit,
}

/// The one table from failures of the transport to kinds.
impl Failure {
    pub(crate) fn into_error(self, route: &Route) -> SourceError {
        let kind = match &self {
            // Name, TCP, TLS, and the time for them: nothing was asked yet, so it counts as unreachable and not as silent.
            Self::Connect(_) => UNAVAILABLE,
            Self::Http1(error) if error.is_parse() => ErrorKind::Protocol,
            // Reset, closed, cut off in the middle of an answer.
            Self::Http1(_) | Self::Http2(_) => UNAVAILABLE,
            Self::Refused(why) => why.kind(),
        };
        let error = SourceError::new(kind, route.to_string());
        match self {
            Self::Connect(cause) => error.with_source(cause),
            Self::Http1(cause) => error.with_source(cause),
            Self::Http2(cause) => match cause.reason() {
                Some(reason) => error.with_source(Http2(reason)),
                None => error.with_source(cause),
            },
            Self::Refused(cause) => error.with_source(cause),
        }
    }
}

const UNAVAILABLE: ErrorKind = ErrorKind::Unavailable { retry_after: None };

impl Refused {
    pub(crate) fn kind(self) -> ErrorKind {
        match self {
            Self::OutOfTime => ErrorKind::TimedOut,
            Self::Oversize | Self::Unfit => ErrorKind::Protocol,
        }
    }
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

impl fmt::Display for Http2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP/2: {}", self.0)
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

impl Error for Http2 {}
impl Error for HttpStatus {}
impl Error for Refused {}
impl Error for Undecodable {}
