use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use tokio::time::Instant;

/// What a source may know of the call that it answers.
///
/// A look-up may be dropped at any point: the broker does so when its caller hangs up. A password check may not, so it
/// runs in a task of its own, and the deadline ends the wait and not the check:
///
/// ```
/// use idbridge_source::{Call, ErrorKind, SourceError};
/// use tokio::time::timeout_at;
///
/// async fn in_time<T: Send + 'static>(
///     call: &Call,
///     operation: &'static str,
///     check: impl Future<Output = Result<T, SourceError>> + Send + 'static,
/// ) -> Result<T, SourceError> {
///     match timeout_at(call.deadline, tokio::spawn(check)).await {
///         Ok(Ok(answer)) => answer,
///         // The task panicked: the plugin is at fault, and neither the user nor the upstream.
///         Ok(Err(_ended)) => Err(SourceError::new(ErrorKind::Protocol, operation)),
///         Err(_late) => Err(SourceError::new(ErrorKind::TimedOut, operation)),
///     }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Call {
    /// Sent to the upstream (`x-request-id` over HTTP), so that both logs can be joined. Of equal questions that share
    /// a call the upstream sees the first one's, and the first one's `client_address` and `trace`.
    pub request_id: RequestId,
    /// No answer after this is of use. A password check that was sent runs on all the same.
    pub deadline: Instant,
    /// Until when anything may be begun for this call: when its caller leaves. The same as the deadline, or earlier where
    /// a password check may run on without its caller. One that is still waiting for its turn then is not sent any more.
    pub begin_by: Instant,
    /// Who called the broker, by its settings; `None` where it asks by itself. It tells equal questions of two callers
    /// apart, and is nothing to tell an upstream.
    pub caller: Option<Arc<str>>,
    /// The user's address, only where the settings say that this source may be told. A caller has sent it: it proves nothing.
    pub client_address: Option<IpAddr>,
    /// The trace that the caller is part of.
    pub trace: TraceContext,
}

impl Call {
    /// A call whose caller waits until the deadline, with no name, no address and no trace.
    pub fn new(request_id: RequestId, deadline: Instant) -> Self {
        Self {
            request_id,
            deadline,
            begin_by: deadline,
            caller: None,
            client_address: None,
            trace: TraceContext::default(),
        }
    }
}

/// `[A-Za-z0-9._-]{1,64}`: fit for a header and a log line, with nothing in it that could end either.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// `None` if the text has any other character, none, or more than 64.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=64).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
        fits.then(|| Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// W3C Trace Context as it came in, to be sent on.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TraceContext {
    traceparent: Option<Box<str>>,
    tracestate: Option<Box<str>>,
}

impl TraceContext {
    /// Takes the headers if `traceparent` is well formed (version 00, <https://www.w3.org/TR/trace-context/>), else
    /// neither: a broken parent starts a new trace, and a state without a parent means nothing. A state of more than
    /// 512 bytes, or with anything but printable ASCII, is left out.
    pub fn parse(traceparent: Option<&str>, tracestate: Option<&str>) -> Self {
        match traceparent {
            Some(parent) if is_traceparent(parent) => Self {
                traceparent: Some(parent.into()),
                tracestate: tracestate.filter(|state| is_tracestate(state)).map(Into::into),
            },
            _ => Self::default(),
        }
    }

    pub fn traceparent(&self) -> Option<&str> {
        self.traceparent.as_deref()
    }

    pub fn tracestate(&self) -> Option<&str> {
        self.tracestate.as_deref()
    }
}

fn is_traceparent(text: &str) -> bool {
    let lower_hex = |part: &str| part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let not_zero = |part: &str| part.bytes().any(|byte| byte != b'0');
    let parts: Vec<&str> = text.split('-').collect();
    matches!(parts[..], ["00", trace, span, flags]
        if trace.len() == 32 && span.len() == 16 && flags.len() == 2
            && lower_hex(trace) && lower_hex(span) && lower_hex(flags)
            && not_zero(trace) && not_zero(span))
}

fn is_tracestate(text: &str) -> bool {
    text.len() <= 512 && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids() {
        assert!(RequestId::parse("a.B-9_").is_some());
        for bad in ["", "a b", "a\n", "é", &"x".repeat(65)] {
            assert!(RequestId::parse(bad).is_none(), "{bad:?} must be refused");
        }
    }

    #[test]
    fn a_broken_parent_takes_the_state_with_it() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(TraceContext::parse(Some(good), Some("a=b")).tracestate(), Some("a=b"));
        for bad in [
            "",
            "00-0-0-0",
            &good.to_uppercase(),
            &good.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
        ] {
            assert_eq!(
                TraceContext::parse(Some(bad), Some("a=b")),
                TraceContext::default(),
                "{bad}"
            );
        }
    }
}
