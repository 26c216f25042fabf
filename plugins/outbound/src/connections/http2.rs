//! HTTP/2: one connection for all exchanges.

use std::future::poll_fn;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use h2::client::{Builder, ResponseFuture, SendRequest};
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderValue, Request, Response, header};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::Instant;

use super::{Answer, Body, Failure, Message};
use crate::connector::Io;
use crate::origin::Target;

/// Answers are small, and none is waited for by another.
const STREAM_WINDOW: u32 = 1024 * 1024;
const WINDOW: u32 = 5 * STREAM_WINDOW;

/// Bytes of an answer's headers.
const HEADERS: u32 = 16 * 1024;

/// How long an upstream may answer nothing at all before new requests take another connection. What lies between may
/// have lost this one and go on acknowledging. If it is the upstream that is slow, it costs a handshake in this time.
const SILENCE: Duration = Duration::from_secs(3);

pub(super) struct Connection {
    /// One request at a time is handed over. While the upstream takes no further stream, the next waits here.
    sender: Mutex<SendRequest<Bytes>>,
    /// When the first request was sent since the last answer.
    unanswered: std::sync::Mutex<Option<Instant>>,
}

/// The right to hand over the next request.
pub(super) struct Turn<'a> {
    connection: &'a Connection,
    sender: MutexGuard<'a, SendRequest<Bytes>>,
}

/// A request that was sent. Dropped before its answer has come, it tells the upstream so.
pub(super) struct Stream<'a> {
    connection: &'a Connection,
    answer: ResponseFuture,
    sent: SendStream<Bytes>,
    is_answered: bool,
}

pub(super) async fn open(io: Box<dyn Io>) -> Result<Arc<Connection>, Failure> {
    let (sender, connection) = Builder::new()
        .enable_push(false)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(WINDOW)
        .max_header_list_size(HEADERS)
        // Until the upstream has said how many it takes. It would refuse the others, passwords and all.
        .initial_max_send_streams(1)
        .handshake(io)
        .await
        .map_err(Failure::Http2)?;
    // How it ends is told to whoever waits for an answer.
    tokio::spawn(async move { drop(connection.await) });
    Ok(Arc::new(Connection {
        sender: Mutex::new(sender),
        unanswered: std::sync::Mutex::default(),
    }))
}

impl Connection {
    /// `None` if the connection takes no more requests.
    pub(super) async fn turn(&self) -> Option<Turn<'_>> {
        let mut sender = self.sender.lock().await;
        poll_fn(|context| sender.poll_ready(context)).await.ok()?;
        Some(Turn {
            connection: self,
            sender,
        })
    }

    pub(super) fn is_silent(&self, now: Instant) -> bool {
        self.unanswered()
            .is_some_and(|since| now.saturating_duration_since(since) > SILENCE)
    }

    fn unanswered(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.unanswered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> Turn<'a> {
    pub(super) async fn send(mut self, target: &Target, message: Box<Message>) -> Result<Stream<'a>, Failure> {
        let body = message.body.clone();
        let has_body = !body.is_empty();
        let (answer, sent) = self
            .sender
            .send_request(request(target, message), !has_body)
            .map_err(Failure::Http2)?;
        self.connection.unanswered().get_or_insert_with(Instant::now);
        let mut stream = Stream {
            connection: self.connection,
            answer,
            sent,
            is_answered: false,
        };
        if has_body {
            // Until the upstream takes the stream, it may be given up, and then no body must be on its way.
            poll_fn(|context| self.sender.poll_ready(context))
                .await
                .map_err(Failure::Http2)?;
            stream.sent.send_data(body, true).map_err(Failure::Http2)?;
        }
        Ok(stream)
    }
}

impl Stream<'_> {
    pub(super) async fn read(&mut self, limit: usize) -> Result<Answer, Failure> {
        let response = (&mut self.answer).await;
        *self.connection.unanswered() = None;
        // In a box of its own: it is large, and comes after the longest wait.
        let answer = Box::pin(whole(response.map_err(Failure::Http2)?, limit)).await?;
        self.is_answered = true;
        Ok(answer)
    }
}

async fn whole(response: Response<RecvStream>, limit: usize) -> Result<Answer, Failure> {
    let (head, mut incoming) = response.into_parts();
    let mut body = Body::default();
    while let Some(piece) = incoming.data().await {
        let piece = piece.map_err(Failure::Http2)?;
        let length = piece.len();
        body.add(piece, limit)?;
        // An error says that the stream is over: so does the next piece.
        drop(incoming.flow_control().release_capacity(length));
    }
    let trailers = incoming.trailers().await.map_err(Failure::Http2)?;
    Ok(Answer {
        status: head.status,
        headers: head.headers,
        body: body.whole(),
        trailers: trailers.unwrap_or_default(),
    })
}

impl Drop for Stream<'_> {
    fn drop(&mut self) {
        if !self.is_answered {
            self.sent.send_reset(Reason::CANCEL);
        }
    }
}

#[expect(
    clippy::boxed_local,
    reason = "unboxed by the caller it would lie in the caller's future"
)]
fn request(target: &Target, message: Box<Message>) -> Request<()> {
    let message = *message;
    let mut request = Request::new(());
    *request.method_mut() = message.method;
    *request.uri_mut() = target.uri(message.path);
    *request.headers_mut() = message.headers;
    if !message.body.is_empty() {
        let length = HeaderValue::from(message.body.len());
        request.headers_mut().insert(header::CONTENT_LENGTH, length);
    }
    request
}

#[cfg(test)]
#[path = "http2_tests.rs"]
mod tests;
