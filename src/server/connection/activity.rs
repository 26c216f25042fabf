//! What happens on one connection, as its bytes and its requests tell, and which time limit follows.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use http::Version;
use http_body::{Frame, SizeHint};
use tokio::time::Instant;

use super::{Limit, Protocol};
use crate::server::limits;

/// Shared by the connection's loop, its transport and its requests, which nearly always run on one thread.
#[derive(Debug)]
pub(super) struct Activity {
    protocol: Protocol,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The version of the first request; before it, nothing is known.
    version: Option<Version>,
    in_flight: usize,
    /// Since when nothing is in flight, while that is so.
    idle_since: Instant,
    /// When the first byte after that came: the head of the next request, where HTTP/1 is spoken.
    head_since: Option<Instant>,
    /// Since when the peer takes nothing of what we send.
    blocked_since: Option<Instant>,
    closing_since: Option<Instant>,
}

impl Activity {
    pub(super) fn new(protocol: Protocol) -> Self {
        let state = State {
            version: None,
            in_flight: 0,
            idle_since: Instant::now(),
            head_since: None,
            blocked_since: None,
            closing_since: None,
        };
        Self {
            protocol,
            state: Mutex::new(state),
        }
    }

    /// A request is in flight until what this returns is dropped, with the answer's body or before.
    pub(super) fn begin(self: &Arc<Self>, version: Version) -> InFlight {
        let mut state = self.lock();
        state.version.get_or_insert(version);
        state.in_flight += 1;
        state.head_since = None;
        InFlight(self.clone())
    }

    /// From now on the peer has [`limits::CLOSE`] once nothing is in flight.
    pub(super) fn close(&self) {
        self.lock().closing_since.get_or_insert_with(Instant::now);
    }

    /// The limit that passes next if nothing happens, and when.
    pub(super) fn limit(&self) -> Option<(Instant, Limit)> {
        let state = self.lock();
        let blocked = state
            .blocked_since
            .map(|since| (since + limits::STALLED_WRITE, Limit::StalledWrite));
        let idle = (state.in_flight == 0).then(|| state.idle_limit(self.protocol));
        [blocked, idle].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// Bytes came.
    pub(super) fn received(&self) {
        let mut state = self.lock();
        if state.in_flight == 0 {
            state.head_since.get_or_insert_with(Instant::now);
        }
    }

    /// The peer took something, or everything that there was.
    pub(super) fn flowing(&self) {
        self.lock().blocked_since = None;
    }

    /// The peer takes nothing at the moment.
    pub(super) fn blocked(&self) {
        self.lock().blocked_since.get_or_insert_with(Instant::now);
    }

    /// Whether HTTP/2 is spoken, as far as is known.
    pub(super) fn is_http2(&self) -> bool {
        self.protocol == Protocol::Grpc || self.lock().version == Some(Version::HTTP_2)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn idle_limit(&self, protocol: Protocol) -> (Instant, Limit) {
        if let Some(since) = self.closing_since {
            return (since.max(self.idle_since) + limits::CLOSE, Limit::Close);
        }
        match (self.version, self.head_since) {
            (None, _) if protocol == Protocol::Grpc => {
                (self.idle_since + limits::FIRST_REQUEST_HTTP2, Limit::FirstRequest)
            }
            (None, _) => (self.idle_since + limits::FIRST_REQUEST_HTTP1, Limit::FirstRequest),
            (Some(Version::HTTP_2), _) => (self.idle_since + limits::IDLE_HTTP2, Limit::Idle),
            (Some(_), Some(since)) => (since + limits::HEADER_READ, Limit::Header),
            (Some(_), None) => (self.idle_since + limits::IDLE_HTTP1, Limit::Idle),
        }
    }
}

/// One request in flight.
#[derive(Debug)]
pub(super) struct InFlight(Arc<Activity>);

impl InFlight {
    pub(super) fn with(self, body: Body) -> Answer {
        Answer { body, _in_flight: self }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.in_flight -= 1;
        if state.in_flight == 0 {
            // The loop needn't be woken: the end of an answer is written by it, and whatever else ends a request, the
            // next PING at the latest makes it look.
            state.idle_since = Instant::now();
        }
    }
}

/// An answer's body, which keeps its request in flight.
#[derive(Debug)]
pub(super) struct Answer {
    body: Body,
    _in_flight: InFlight,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if frame.is_pending() {
            super::stall::our_turn();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
