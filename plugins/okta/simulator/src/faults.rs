//! What can go wrong between a client and Okta, on demand.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use jiff::Timestamp;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::Endpoint;
use crate::errors::{Answer, OktaError};
use crate::limits::Gauge;
use crate::received::Request;

/// A fault. Only `ResetMidBody`, `Slow`, `Truncated` and `WrongContentType` let the org work on the request; with the
/// others it never sees it (but the request is counted and recorded).
#[derive(Clone, Debug)]
pub enum Fault {
    /// The connection ends without an answer.
    Close,
    /// 429 of the concurrency limit: `X-Rate-Limit-Limit: 0` and a reset that means nothing.
    ConcurrencyLimit,
    /// 200, `application/json`, and no byte of body.
    EmptyBody,
    /// This answer, as given, with the usual headers of the org.
    Exact {
        status: u16,
        headers: Vec<(String, String)>,
        body: Bytes,
    },
    /// A body without end.
    Flood,
    /// Bytes that aren't HTTP.
    Garbage,
    /// No answer, for as long as the client waits.
    Hang,
    /// A proxy's page.
    Html(u16),
    /// 429 of the org's limit, whose window ends after this time.
    RateLimit(Duration),
    /// A redirect to this address.
    Redirect(u16, String),
    /// The connection is reset (RST) instead of an answer.
    Reset,
    /// The connection is reset in the middle of the body.
    ResetMidBody,
    /// The answer comes after this time.
    Slow(Duration),
    /// A body without end, one byte after each such time.
    SlowDrip(Duration),
    /// An error of Okta's with this HTTP status and code.
    Status(u16, String),
    /// Half the body that `Content-Length` promises, then the end of the connection.
    Truncated,
    /// The right body, called `text/html`.
    WrongContentType,
}

impl Fault {
    /// [`Fault::Status`], shorter to write.
    pub fn status(status: u16, code: &str) -> Fault {
        Fault::Status(status, code.to_owned())
    }

    /// [`Fault::Exact`] with a JSON body.
    pub fn json(status: u16, body: &str) -> Fault {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Fault::Exact {
            status,
            headers,
            body: Bytes::copy_from_slice(body.as_bytes()),
        }
    }
}

/// Which requests.
#[derive(Clone, Debug)]
pub enum On {
    All,
    Endpoint(Endpoint),
    /// Those whose raw path and query contain this text.
    Target(String),
}

impl On {
    pub(crate) fn matches(&self, request: &Request) -> bool {
        match self {
            On::All => true,
            On::Endpoint(endpoint) => request.endpoint == *endpoint,
            On::Target(text) => request.target.contains(text),
        }
    }
}

impl From<Endpoint> for On {
    fn from(endpoint: Endpoint) -> On {
        On::Endpoint(endpoint)
    }
}

impl From<&str> for On {
    fn from(text: &str) -> On {
        On::Target(text.to_owned())
    }
}

/// What a matching request meets.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    Fault(Fault),
    /// Waits until the value is true.
    Hold(watch::Receiver<bool>),
}

/// An effect, and for how many requests more (`None`: all).
pub(crate) struct Rule {
    pub(crate) on: On,
    pub(crate) effect: Effect,
    pub(crate) left: Option<u32>,
}

/// What `request` meets, in order: waits, then at most one fault.
pub(crate) fn draw(rules: &mut Vec<Rule>, request: &Request) -> Vec<Effect> {
    let mut effects = Vec::new();
    for rule in rules.iter_mut().filter(|rule| rule.on.matches(request)) {
        if let Some(left) = &mut rule.left {
            *left = left.saturating_sub(1);
        }
        effects.push(rule.effect.clone());
        if !matches!(rule.effect, Effect::Hold(_) | Effect::Fault(Fault::Slow(_))) {
            break;
        }
    }
    rules.retain(|rule| rule.left != Some(0));
    effects
}

/// Bytes for the bare socket, and what becomes of it then.
#[derive(Debug)]
pub(crate) struct Script {
    head: Vec<u8>,
    then: Then,
}

#[derive(Debug)]
enum Then {
    Close,
    Drip(Duration),
    Flood,
    Reset,
}

impl Script {
    pub(crate) fn close() -> Script {
        Script {
            head: Vec::new(),
            then: Then::Close,
        }
    }

    pub(crate) fn drip(every: Duration) -> Script {
        Script {
            head: endless_head(),
            then: Then::Drip(every),
        }
    }

    pub(crate) fn flood() -> Script {
        Script {
            head: endless_head(),
            then: Then::Flood,
        }
    }

    pub(crate) fn garbage() -> Script {
        Script {
            head: b"\x16\x03\x01\x02\x00 not HTTP \xff\xfe\r\n\r\n".to_vec(),
            then: Then::Close,
        }
    }

    pub(crate) fn reset() -> Script {
        Script {
            head: Vec::new(),
            then: Then::Reset,
        }
    }

    pub(crate) fn reset_mid_body(answer: &Answer) -> Script {
        Script {
            head: half(answer),
            then: Then::Reset,
        }
    }

    pub(crate) fn truncated(answer: &Answer) -> Script {
        Script {
            head: half(answer),
            then: Then::Close,
        }
    }

    /// Plays to the end, or until the client is gone.
    pub(crate) async fn play(self, mut stream: TcpStream) -> io::Result<()> {
        stream.write_all(&self.head).await?;
        match self.then {
            Then::Close => stream.shutdown().await,
            Then::Drip(every) => loop {
                tokio::time::sleep(every).await;
                stream.write_all(b" ").await?;
            },
            Then::Flood => loop {
                stream.write_all(&[b' '; 16 * 1024]).await?;
            },
            // With no time to linger, closing sends RST.
            Then::Reset => stream.set_zero_linger(),
        }
    }
}

/// The answer of a fault that is an answer; `None` for the others.
pub(crate) fn answer(fault: &Fault, now: Timestamp, minted: &mut u64) -> Option<Answer> {
    let answer = match fault {
        Fault::ConcurrencyLimit => Gauge::concurrency(now).exceeded(minted),
        Fault::EmptyBody => plain(200, "application/json", Bytes::new()),
        Fault::Exact { status, headers, body } => headers.iter().fold(
            Answer {
                status: status_code(*status),
                headers: Vec::new(),
                body: body.clone(),
            },
            |answer, (name, value)| answer.header(name.clone(), value.clone()),
        ),
        Fault::Html(status) => plain(
            *status,
            "text/html; charset=utf-8",
            Bytes::from_static(b"<!DOCTYPE html><html><head><title>Error</title></head><body>proxy</body></html>"),
        ),
        Fault::RateLimit(ends_in) => {
            let reset = now.as_second() + i64::try_from(ends_in.as_secs()).unwrap_or(0);
            Gauge {
                limit: 600,
                remaining: 0,
                reset,
            }
            .exceeded(minted)
        }
        Fault::Redirect(status, location) => {
            plain(*status, "text/html", Bytes::new()).header("location", location.clone())
        }
        Fault::Status(status, code) => OktaError::new(code).status(status_code(*status)).answer(minted),
        Fault::Close
        | Fault::Flood
        | Fault::Garbage
        | Fault::Hang
        | Fault::Reset
        | Fault::ResetMidBody
        | Fault::Slow(_)
        | Fault::SlowDrip(_)
        | Fault::Truncated
        | Fault::WrongContentType => return None,
    };
    Some(answer)
}

fn plain(status: u16, content_type: &str, body: Bytes) -> Answer {
    Answer {
        status: status_code(status),
        headers: vec![("content-type".into(), content_type.to_owned())],
        body,
    }
}

fn status_code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn endless_head() -> Vec<u8> {
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000000000000\r\n\r\n".to_vec()
}

/// The head as for the whole body, and half of it.
fn half(answer: &Answer) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {}\r\n", answer.status).into_bytes();
    for (name, value) in &answer.headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", answer.body.len()).as_bytes());
    bytes.extend_from_slice(&answer.body[..answer.body.len() / 2]);
    bytes
}
