//! What happens on one connection, as its bytes and its requests tell, and which time limit follows.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use http::Version;
use http_body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
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

/// A transport that tells [`Activity`] what it does.
#[derive(Debug)]
pub(super) struct Watched<T> {
    io: T,
    activity: Arc<Activity>,
    ended: bool,
    discarded: usize,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Watched<T> {
    pub(super) fn new(io: T, activity: Arc<Activity>) -> Self {
        Self {
            io,
            activity,
            ended: false,
            discarded: 0,
        }
    }

    fn note<R>(&self, written: Poll<R>) -> Poll<R> {
        let mut state = self.activity.lock();
        if written.is_ready() {
            state.blocked_since = None;
        } else {
            state.blocked_since.get_or_insert_with(Instant::now);
        }
        written
    }

    /// Reads on after our end is closed, for closing on unread bytes would reset the connection and take the answer from
    /// the peer, such as the one that says that its body is too large.
    fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut space = [0; 4_096];
        while !self.ended && self.discarded < limits::DISCARD {
            let mut buffer = ReadBuf::new(&mut space);
            match ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => self.discarded += buffer.filled().len(),
                _ => self.ended = true,
            }
        }
        Poll::Ready(())
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for Watched<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = ready!(Pin::new(&mut self.io).poll_read(cx, buf));
        if read.is_ok() && buf.filled().len() > before {
            let mut state = self.activity.lock();
            if state.in_flight == 0 {
                state.head_since.get_or_insert_with(Instant::now);
            }
        } else {
            self.ended = true;
        }
        Poll::Ready(read)
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, buf);
        self.note(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        self.note(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.io).poll_flush(cx);
        self.note(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.activity.close();
        let shut = ready!(Pin::new(&mut self.io).poll_shutdown(cx));
        // An HTTP/2 peer has been told by a GOAWAY what counts.
        let http2 = self.activity.protocol == Protocol::Grpc || self.activity.lock().version == Some(Version::HTTP_2);
        if shut.is_ok() && !http2 {
            ready!(self.poll_discard(cx));
        }
        Poll::Ready(shut)
    }
}
