//! The connections to one upstream, and one exchange over one of them.
//!
//! What waits for an answer is as little as can be: over HTTP/2 a stream's handle and no task, over HTTP/1.1 a channel to
//! the connection's task.

mod http1;
mod http2;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::uri::PathAndQuery;
use http::{HeaderMap, Method, StatusCode};
use idbridge_source::{BoxError, BuildError};
use tokio::time::{Instant, timeout};

use crate::connector::Connector;
use crate::error::Refused;
use crate::origin::Target;
use crate::{Origin, Way};

/// Shorter than the idle time of common load balancers (60 s), so that a connection is rarely found closed.
const IDLE: Duration = Duration::from_secs(30);

/// So many wait for their next request over HTTP/1.1. More than a source usually has calls in flight; what a burst leaves
/// beyond, each with its buffers, ends with the burst.
const MOST_IDLE: usize = 100;

pub(crate) struct Connections {
    pub(crate) connector: Connector,
    target: Target,
    kept: Mutex<Kept>,
    /// Over HTTP/2 one connection serves all: who comes while it is opened waits for it.
    opening: tokio::sync::Mutex<()>,
}

/// What is sent. In a box while it waits to be sent, and gone after.
pub(crate) struct Message {
    pub(crate) method: Method,
    pub(crate) path: PathAndQuery,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// A whole answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) trailers: HeaderMap,
}

/// Why there is no whole answer.
pub(crate) enum Failure {
    /// Nothing was asked.
    Connect(BoxError),
    Http1(hyper::Error),
    Http2(h2::Error),
    Refused(Refused),
}

/// Connections that wait for their next request.
#[derive(Default)]
struct Kept {
    /// With the time of their last use, the latest last.
    http1: Vec<(http1::Sender, Instant)>,
    /// One for all.
    http2: Option<(Arc<http2::Connection>, Instant)>,
    /// What the upstream chose last.
    is_http1: bool,
}

enum Connection {
    Http1(http1::Sender),
    Http2(Arc<http2::Connection>),
}

impl Connections {
    pub(crate) fn new(origin: &Origin, way: Way, connect: Duration) -> Result<Self, BuildError> {
        let target = origin
            .target()
            .ok_or_else(|| BuildError::new("the host fits no header"))?;
        Ok(Self {
            connector: Connector::new(origin, way, &target, connect)?,
            target,
            kept: Mutex::default(),
            opening: tokio::sync::Mutex::default(),
        })
    }

    /// Sends once, and reads an answer whose body has at most so many bytes.
    pub(crate) async fn exchange(&self, mut message: Box<Message>, limit: usize) -> Result<Answer, Failure> {
        loop {
            let (connection, is_new) = match self.take() {
                Some(kept) => (kept, false),
                // In a box of its own: few wait for a connection, and what they hold is large.
                None => Box::pin(self.open()).await?,
            };
            // A kept connection may have been closed meanwhile. Then none of the message has left this process.
            match connection {
                Connection::Http1(mut sender) => {
                    let request = http1::request(&self.target, message);
                    let answering = match sender.try_send_request(request).await {
                        // In a box of its own: it is large, and comes after the longest wait.
                        Ok(response) => Ok(Box::pin(http1::read(response, limit))),
                        Err(failure) => Err(http1::unsent(failure)?),
                    };
                    match answering {
                        Ok(answering) => {
                            let answer = answering.await?;
                            self.keep(sender);
                            return Ok(answer);
                        }
                        Err(unsent) => message = unsent,
                    }
                }
                Connection::Http2(connection) => match connection.turn().await {
                    Some(turn) => {
                        let mut stream = turn.send(&self.target, message).await?;
                        return stream.read(limit).await;
                    }
                    None => self.forget(&connection),
                },
            }
            if is_new {
                return Err(Failure::Connect("the connection was closed at once".into()));
            }
        }
    }

    /// A connection, and whether it is new.
    async fn open(&self) -> Result<(Connection, bool), Failure> {
        let mut turn = None;
        if self.is_shared() {
            let waited = timeout(self.connector.within, self.opening.lock()).await;
            turn = Some(waited.map_err(|late| Failure::Connect(late.into()))?);
            if let Some(opened) = self.take() {
                return Ok((opened, false));
            }
        }
        let _turn = turn.filter(|_| self.is_shared());
        let connected = self.connector.connect().await.map_err(Failure::Connect)?;
        self.lock().is_http1 = !connected.is_http2;
        if !connected.is_http2 {
            return Ok((Connection::Http1(http1::open(connected.io).await?), true));
        }
        let new = http2::open(connected.io).await?;
        self.lock().http2 = Some((Arc::clone(&new), Instant::now()));
        Ok((Connection::Http2(new), true))
    }

    fn is_shared(&self) -> bool {
        self.connector.offers_http2() && !self.lock().is_http1
    }

    fn take(&self) -> Option<Connection> {
        let now = Instant::now();
        let is_stale = |used: Instant| now.saturating_duration_since(used) > IDLE;
        let mut kept = self.lock();
        match &mut kept.http2 {
            Some((connection, used)) if !is_stale(*used) && !connection.is_silent(now) => {
                *used = now;
                return Some(Connection::Http2(Arc::clone(connection)));
            }
            // Whoever still waits on it has a handle of its own.
            stale => *stale = None,
        }
        let stale = kept.http1.partition_point(|(_, used)| is_stale(*used));
        kept.http1.drain(..stale);
        let mut unready = Vec::new();
        let ready = loop {
            match kept.http1.pop() {
                Some((sender, _)) if sender.is_ready() => break Some(Connection::Http1(sender)),
                // It has answered this very moment.
                Some((sender, used)) if !sender.is_closed() => unready.push((sender, used)),
                Some(_closed) => {}
                None => break None,
            }
        };
        kept.http1.extend(unready.into_iter().rev());
        ready
    }

    fn keep(&self, sender: http1::Sender) {
        if sender.is_closed() {
            return;
        }
        let mut kept = self.lock();
        if kept.http1.len() == MOST_IDLE {
            kept.http1.remove(0);
        }
        kept.http1.push((sender, Instant::now()));
    }

    fn forget(&self, closed: &Arc<http2::Connection>) {
        let mut kept = self.lock();
        if kept.http2.as_ref().is_some_and(|(known, _)| Arc::ptr_eq(known, closed)) {
            kept.http2 = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // What stands behind it is whole after every step.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A body as it comes in. Most come in one piece, which is taken as it is.
#[derive(Default)]
struct Body {
    first: Bytes,
    all: BytesMut,
}

impl Body {
    fn add(&mut self, piece: Bytes, limit: usize) -> Result<(), Failure> {
        if self.first.len().max(self.all.len()) + piece.len() > limit {
            return Err(Failure::Refused(Refused::Oversize));
        }
        if self.first.is_empty() {
            self.first = piece;
            return Ok(());
        }
        if self.all.is_empty() {
            self.all.extend_from_slice(&self.first);
        }
        self.all.extend_from_slice(&piece);
        Ok(())
    }

    fn whole(self) -> Bytes {
        if self.all.is_empty() {
            self.first
        } else {
            self.all.freeze()
        }
    }
}
