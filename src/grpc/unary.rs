//! One question and one answer on the wire ("Length-Prefixed-Message" of gRPC over HTTP/2). tonic's own server keeps a
//! request, and all that reads it, until the call is answered: most of what a call would hold while it waits. Here both
//! are gone before the question is asked.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use bytes::{Buf as _, BufMut as _, BytesMut};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use http_body::Frame;
use http_body_util::BodyExt as _;
use prost::Message;
use tonic::Status;
use tonic::metadata::GRPC_CONTENT_TYPE;

use super::MAX_REQUEST_BYTES;

/// A byte for compression, four for the length.
pub(crate) const PREFIX: usize = 5;

pub(crate) const PLAIN: u8 = 0;

/// The question of a request, which is one message and nothing after it. A request that was cut off asks nothing, also
/// where its caller cut it and the message was whole.
pub(crate) async fn read<Q: Message + Default>(mut body: Body) -> Result<Q, Status> {
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Status::cancelled("a request that was cut off"))?;
        // Trailers say nothing here.
        let Ok(piece) = frame.into_data() else { continue };
        if first.len().max(all.len()) + piece.len() > PREFIX + MAX_REQUEST_BYTES {
            return Err(Status::out_of_range("a request that is too long"));
        }
        // Most come in one piece, which is read where it is.
        if first.is_empty() {
            first = piece;
            continue;
        }
        if all.is_empty() {
            all.extend_from_slice(&first);
        }
        all.extend_from_slice(&piece);
    }
    message(if all.is_empty() { &first } else { &all })
}

fn message<Q: Message + Default>(mut framed: &[u8]) -> Result<Q, Status> {
    if framed.len() < PREFIX {
        return Err(Status::internal("a request without a message"));
    }
    if framed.get_u8() != PLAIN {
        // One that says how it is compressed has been refused before (gRPC, "Compression").
        return Err(Status::internal("a compressed request that doesn't say how"));
    }
    let length = framed.get_u32();
    if usize::try_from(length) != Ok(framed.len()) {
        return Err(Status::internal("a request with less than a message, or more"));
    }
    Q::decode(framed).map_err(|_| Status::internal("a request that can't be decoded"))
}

/// The response of an answer.
pub(crate) fn write(answer: Result<impl Message, Status>) -> Response {
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
    framed.put_u8(PLAIN);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pb::GetUserByEmailRequest;

    type Piece = Result<Frame<Bytes>, Status>;

    struct Pieces<I>(I);

    impl<I: Iterator<Item = Piece> + Unpin> HttpBody for Pieces<I> {
        type Data = Bytes;
        type Error = Status;

        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Piece>> {
            Poll::Ready(self.0.next())
        }
    }

    const QUESTION: &[u8] = b"\0\0\0\0\x05\x0a\x03ada";

    fn data(bytes: &[u8]) -> Piece {
        Ok(Frame::data(Bytes::copy_from_slice(bytes)))
    }

    fn trailers() -> Piece {
        Ok(Frame::trailers(HeaderMap::new()))
    }

    async fn asked(pieces: Vec<Piece>) -> Result<String, Status> {
        let body = Body::new(Pieces(pieces.into_iter()));
        read::<GetUserByEmailRequest>(body).await.map(|question| question.email)
    }

    #[tokio::test]
    async fn one_message_however_it_is_cut_up() {
        assert_eq!(asked(vec![data(QUESTION)]).await.unwrap(), "ada");
        for cut in 0..=QUESTION.len() {
            let (one, two) = QUESTION.split_at(cut);
            assert_eq!(
                asked(vec![data(one), data(two), trailers()]).await.unwrap(),
                "ada",
                "{cut}"
            );
        }
        let bytewise = QUESTION.iter().map(|byte| data(&[*byte])).collect();
        assert_eq!(asked(bytewise).await.unwrap(), "ada");
    }

    #[tokio::test]
    async fn no_question_but_one_whole_message() {
        for (case, pieces) in [
            ("nothing", vec![]),
            ("trailers alone", vec![trailers()]),
            ("half", vec![data(&QUESTION[..7])]),
            ("half, then trailers", vec![data(&QUESTION[..7]), trailers()]),
            ("two", vec![data(QUESTION), data(QUESTION)]),
            ("one and a piece", vec![data(QUESTION), data(b"\0")]),
            (
                "one and a piece, then trailers",
                vec![data(QUESTION), data(b"\0"), trailers()],
            ),
            ("compressed", vec![data(b"\x01\0\0\0\x05\x0a\x03ada")]),
            ("lost", vec![data(QUESTION), Err(Status::unknown("lost"))]),
            (
                "given up by its caller",
                vec![data(QUESTION), Err(Status::cancelled("gone"))],
            ),
        ] {
            assert!(asked(pieces).await.is_err(), "{case}");
        }
    }

    #[tokio::test]
    async fn a_request_has_an_end() {
        let body = Body::new(Pieces(std::iter::repeat_with(|| data(&[0; 16 * 1024]))));
        assert!(read::<GetUserByEmailRequest>(body).await.is_err());
    }
}
