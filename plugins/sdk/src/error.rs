use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The cause of a [`SourceError`], kept for the log.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// The source could not find out. Never a "no".
///
/// Every `SourceError` is counted as the source's. The kind decides what callers are told; the operation and the cause
/// are for the log alone.
///
/// # What it may hold
///
/// Neither may hold a password, a token, an address or a text of the upstream's: build causes from what this program
/// knows, not from what it was sent (`secrecy::errors_show_no_personal_data`).
///
/// | wanted | don't attach | attach |
/// | --- | --- | --- |
/// | where a body can't be read | the parser's error, which may quote the body | its line and column |
/// | why a request failed | the client's error, which may name the URL with its query | its sort, or the `io::Error` below |
/// | what the upstream said | its message | its status |
///
/// A clone is the same failure, its cause included: equal look-ups that waited for one answer are each told of it.
#[derive(Clone)]
pub struct SourceError {
    kind: ErrorKind,
    operation: Cow<'static, str>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// Whose turn it is.
///
/// Each kind is one reason (`ErrorInfo.reason`) of the public contract. The broker tells it so to its callers, and a
/// source in another process to the broker:
///
/// | kind | reason |
/// | --- | --- |
/// | `Ambiguous` | `AMBIGUOUS_USER` |
/// | `CredentialRefused` | `SOURCE_CREDENTIAL_REFUSED` |
/// | `Protocol` | `SOURCE_PROTOCOL` |
/// | `Throttled` | `SOURCE_THROTTLED` |
/// | `TimedOut` | `DEADLINE_EXCEEDED` |
/// | `Unavailable` | `SOURCE_UNAVAILABLE` |
/// | `Unsupported` | `OPERATION_UNSUPPORTED` |
///
/// # Which kind when
///
/// Ask who can mend it. If it is the user, it is no error at all but a [`Rejection`](crate::Rejection).
///
/// | what happened | kind | held by |
/// | --- | --- | --- |
/// | no connection, no name, a broken TLS handshake, a 5xx that reads as one | `Unavailable` | `faults::down_is_unavailable` |
/// | a body, a status or a shape that the plugin's table doesn't know | `Protocol` | `faults::garbage_is_a_protocol_error` |
/// | a 429, or the upstream's word for it | `Throttled` | `faults::throttling_is_throttled` |
/// | our token is refused, expired, or lacks a right | `CredentialRefused` | `faults::refused_credential_is_ours_not_the_users` |
/// | silence until the deadline | `TimedOut` | `faults::hung_upstream_ends_at_the_deadline` |
/// | two users where one was asked for | `Ambiguous` | `user_by_email::ambiguous_address_is_an_error` |
///
/// A 401 has two readings, the user's password and our own credential. Only the upstream's documents tell them apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ErrorKind {
    /// The source holds two users where one was asked for. A person has to look at the data.
    Ambiguous,
    /// The source refuses *our* credential, not the user's. The operator has to look at the settings.
    CredentialRefused,
    /// The source answered something that this plugin can't read, or that proves nothing. The plugin's author.
    Protocol,
    /// The source asks for patience.
    Throttled {
        /// How long, if the source said so credibly. Callers are told 1 to 60 whole seconds whatever stands here.
        retry_after: Option<Duration>,
    },
    /// No answer within the deadline. The question may have reached the source all the same.
    TimedOut,
    /// The source could not be asked, or said that it is ill.
    Unavailable {
        /// How long it asks to be left alone, if it said so (`Retry-After`, RFC 9110 §10.2.3).
        retry_after: Option<Duration>,
    },
    /// This source can't do this at all.
    Unsupported,
}

impl ErrorKind {
    /// A name for labels and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ambiguous => "ambiguous",
            Self::CredentialRefused => "credential_refused",
            Self::Protocol => "protocol",
            Self::Throttled { .. } => "throttled",
            Self::TimedOut => "timed_out",
            Self::Unavailable { .. } => "unavailable",
            Self::Unsupported => "unsupported",
        }
    }
}

impl SourceError {
    /// An error of this kind in this operation, which is named for a reader of the log: `"GET /api/v1/users/{id}"`.
    pub fn new(kind: ErrorKind, operation: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            operation: operation.into(),
            source: None,
        }
    }

    /// Attaches the cause. See the type's rule on what it may hold.
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What was being done.
    pub fn operation(&self) -> &str {
        &self.operation
    }

    /// The error and its causes in one line, for the log. `Debug` shows the same.
    pub fn chain(&self) -> String {
        let mut line = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            line.push_str(": ");
            line.push_str(&error.to_string());
            cause = error.source();
        }
        line
    }
}

impl fmt::Debug for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.chain())
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.kind.name(), self.operation)
    }
}

impl Error for SourceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chain_names_kind_operation_and_causes() {
        let cause = std::io::Error::other("connection reset");
        let error = SourceError::new(ErrorKind::Unavailable { retry_after: None }, "POST /authn").with_source(cause);
        assert_eq!(error.to_string(), "unavailable (POST /authn)");
        assert_eq!(error.chain(), "unavailable (POST /authn): connection reset");
    }

    #[test]
    fn a_clone_has_the_same_cause() {
        let cause = std::io::Error::other("connection reset");
        let error = SourceError::new(ErrorKind::TimedOut, "POST /authn").with_source(cause);
        let clone = error.clone();
        assert_eq!((clone.kind(), clone.chain()), (error.kind(), error.chain()));
        assert!(clone.source().is_some_and(|cause| cause.is::<std::io::Error>()));
    }
}
