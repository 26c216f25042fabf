//! One connection, from its first byte to its last: which protocol, which limit applies at the moment, how it ends.
//!
//! The loop is ours because those of tonic and axum let a silent peer stay for ever.

mod activity;
mod stall;
mod transport;

use std::convert::Infallible;
use std::error::Error;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep};
use tower::Service as _;

use super::drain::Drain;
use super::limits;
use activity::Activity;
use stall::StreamExecutor;
use transport::Watched;

/// What a listener speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1 alone.
    Admin,
    /// HTTP/2 alone.
    Grpc,
    /// HTTP/1.1 and HTTP/2, told apart by the first bytes.
    Rest,
}

/// How a connection ended.
#[derive(Debug)]
pub(super) enum End {
    /// By the peer, by HTTP, or by a graceful close of ours.
    Closed,
    /// By [`Drain::cut`].
    Cut,
    /// The transport broke, or the peer doesn't speak the protocol.
    Failed(Box<dyn Error + Send + Sync>),
    /// The peer went past a limit.
    Limit(Limit),
}

/// The time limits of a connection. At any moment one of them at most is running, [`StalledWrite`](Self::StalledWrite) aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    /// We said that we are closing, and the peer doesn't close its end.
    Close,
    FirstRequest,
    Header,
    Idle,
    StalledWrite,
}

/// Serves one connection to its end. Every request carries the peer's address as `ConnectInfo<SocketAddr>`.
pub(super) async fn serve<T>(io: T, peer: SocketAddr, protocol: Protocol, router: Router, drain: &Drain) -> End
where
    T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let activity = Arc::new(Activity::new(protocol));
    let io = TokioIo::new(Watched::new(io, activity.clone()));
    let service = service_fn({
        let activity = activity.clone();
        move |request: Request<Incoming>| {
            let in_flight = activity.begin(request.version());
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            let mut answer = stall::ours(router.clone().call(request));
            async move {
                // Awaited in place: moved, it would be held twice.
                let answer = (&mut answer).await?;
                Ok::<_, Infallible>(answer.map(|body| in_flight.with(body)))
            }
        }
    });
    let http = http(protocol);
    let mut connection = pin!(http.serve_connection(io, service));
    let mut timer = pin!(Timer::new());
    let mut closing = false;

    loop {
        let event = tokio::select! {
            biased;
            () = drain.is_cut() => return End::Cut,
            () = drain.begun(), if !closing => Event::Drain,
            event = poll_fn(|cx| match connection.as_mut().poll(cx) {
                Poll::Ready(ended) => Poll::Ready(Event::Ended(ended)),
                Poll::Pending => timer.as_mut().poll_limit(cx, &activity).map(Event::Limit),
            }) => event,
        };
        match event {
            Event::Ended(Ok(())) => return End::Closed,
            // The peer was told to go, and went in its own way.
            Event::Ended(Err(_)) if closing => return End::Closed,
            Event::Ended(Err(error)) => return End::Failed(error),
            Event::Limit(limit) if !limit.is_graceful(protocol) => return End::Limit(limit),
            Event::Drain | Event::Limit(_) => {
                closing = true;
                activity.close();
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

enum Event {
    Drain,
    Ended(Result<(), Box<dyn Error + Send + Sync>>),
    Limit(Limit),
}

impl Limit {
    /// Whether the peer did nothing wrong and is told that we close (GOAWAY), rather than cut.
    fn is_graceful(self, protocol: Protocol) -> bool {
        match self {
            Self::Idle => true,
            Self::FirstRequest => protocol == Protocol::Grpc,
            Self::Close | Self::Header | Self::StalledWrite => false,
        }
    }
}

fn http(protocol: Protocol) -> auto::Builder<StreamExecutor> {
    let mut http = auto::Builder::new(StreamExecutor);
    // The number of headers stays hyper's 100: another number would cost an allocation a request. Its time limit for
    // the head is off, since it counts the idle time before it; `activity` counts. The head must fit into the buffer.
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_buf_size(limits::MAX_HEADER_BYTES);
    http.http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits::MAX_CONCURRENT_STREAMS)
        .max_header_list_size(limits::MAX_HEADER_BYTES as u32)
        .max_pending_accept_reset_streams(limits::MAX_PENDING_RESET_STREAMS)
        .max_local_error_reset_streams(limits::MAX_ERROR_RESET_STREAMS)
        .initial_stream_window_size(limits::STREAM_WINDOW)
        .initial_connection_window_size(limits::CONNECTION_WINDOW)
        .max_send_buf_size(limits::SEND_BUFFER)
        .keep_alive_interval(limits::PING_INTERVAL)
        .keep_alive_timeout(limits::PING_ANSWER);
    match protocol {
        Protocol::Admin => http.http1_only(),
        Protocol::Grpc => http.http2_only(),
        Protocol::Rest => http,
    }
}

/// Rings when the limit that applies has passed. A limit that moves away, as most do with every request, doesn't touch
/// the runtime's timer; it is looked at again when the timer rings.
struct Timer {
    sleep: Pin<Box<Sleep>>,
    armed: bool,
}

impl Timer {
    fn new() -> Self {
        Self {
            sleep: Box::pin(tokio::time::sleep_until(Instant::now())),
            armed: false,
        }
    }

    fn poll_limit(mut self: Pin<&mut Self>, cx: &mut Context<'_>, activity: &Activity) -> Poll<Limit> {
        loop {
            let Some((at, limit)) = activity.limit() else {
                return Poll::Pending;
            };
            if !self.armed || at < self.sleep.deadline() {
                self.sleep.as_mut().reset(at);
                self.armed = true;
            }
            ready!(self.sleep.as_mut().poll(cx));
            self.armed = false;
            if Instant::now() >= at {
                return Poll::Ready(limit);
            }
        }
    }
}

#[cfg(test)]
mod tests;
