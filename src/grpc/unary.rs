//! One question and one answer on the wire. tonic's own server keeps a request, and all that reads it, until the call
//! is answered: most of what a call would hold while it waits. Here both are gone before the question is asked.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use bytes::{BufMut as _, BytesMut};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use http_body::Frame;
use prost::Message;
use tonic::Status;
use tonic::codec::{BufferSettings, Streaming};
use tonic::metadata::GRPC_CONTENT_TYPE;
use tonic_prost::ProstDecoder;

use super::MAX_REQUEST_BYTES;

/// Where a message's bytes are gathered, to begin with. Most messages fit.
const BUFFER: usize = 512;

/// A byte for compression, four for the length ("Length-Prefixed-Message" of gRPC over HTTP/2).
const PREFIX: usize = 5;

/// The question of a request.
pub(super) async fn read<Q: Message + Default + 'static>(body: Body) -> Result<Q, Status> {
    let decoder = ProstDecoder::new(BufferSettings::new(BUFFER, BUFFER));
    let mut messages = Streaming::new_request(decoder, body, None, Some(MAX_REQUEST_BYTES));
    let question = messages.message().await?;
    let question = question.ok_or_else(|| Status::internal("a request without a message"))?;
    // What comes after is read and thrown away, so that the caller may end its stream.
    messages.trailers().await?;
    Ok(question)
}

/// The response of an answer.
pub(super) fn write(answer: Result<impl Message, Status>) -> Response {
    let message = match answer.and_then(|message| framed(&message)) {
        Ok(message) => message,
        Err(status) => return status.into_http(),
    };
    let mut response = Response::new(Body::new(Answer {
        message: Some(message),
        trailers: Some(ok()),
    }));
    response.headers_mut().insert(CONTENT_TYPE, GRPC_CONTENT_TYPE);
    response
}

fn framed(message: &impl Message) -> Result<Bytes, Status> {
    let length = message.encoded_len();
    let prefix = u32::try_from(length).map_err(|_| Status::internal("an answer is too long for gRPC"))?;
    let mut framed = BytesMut::with_capacity(PREFIX + length);
    framed.put_u8(0);
    framed.put_u32(prefix);
    message
        .encode(&mut framed)
        .map_err(|_| Status::internal("an answer doesn't fit its own length"))?;
    Ok(framed.freeze())
}

fn ok() -> HeaderMap {
    let mut trailers = HeaderMap::with_capacity(1);
    trailers.insert(Status::GRPC_STATUS, HeaderValue::from_static("0"));
    trailers
}

/// A message, and the trailers that say that it is all.
struct Answer {
    message: Option<Bytes>,
    trailers: Option<HeaderMap>,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let message = self.message.take().map(Frame::data);
        Poll::Ready(message.or_else(|| self.trailers.take().map(Frame::trailers)).map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.trailers.is_none()
    }
}
