//! HTTP/1.1: one exchange at a time on a connection.

use bytes::Bytes;
use http::{HeaderMap, Request, Response, Uri, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;

use super::{Answer, Body, Failure, Message};
use crate::connector::Io;
use crate::origin::Target;

pub(super) type Sender = SendRequest<Full<Bytes>>;

pub(super) async fn open(io: Box<dyn Io>) -> Result<Sender, Failure> {
    let (mut sender, mut connection) = Builder::new()
        // The body goes into the buffer of the head, which is there anyway, and not into a list beside it.
        .writev(false)
        .handshake(TokioIo::new(io))
        .await
        .map_err(Failure::Http1)?;
    // How it ends is told to whoever waits for an answer. Awaited in place: moved, it would be held twice.
    tokio::spawn(async move { drop((&mut connection).await) });
    sender.ready().await.map_err(Failure::Http1)?;
    Ok(sender)
}

#[expect(
    clippy::boxed_local,
    reason = "unboxed by the caller it would lie in the caller's future"
)]
pub(super) fn request(target: &Target, message: Box<Message>) -> Request<Full<Bytes>> {
    let message = *message;
    let mut request = Request::new(Full::new(message.body));
    *request.method_mut() = message.method;
    *request.uri_mut() = Uri::from(message.path);
    *request.headers_mut() = message.headers;
    request.headers_mut().insert(header::HOST, target.host.clone());
    request
}

/// The message, if the connection took nothing of it.
pub(super) fn unsent(mut failure: TrySendError<Request<Full<Bytes>>>) -> Result<Box<Message>, Failure> {
    match failure.take_message().and_then(message) {
        Some(message) => Ok(Box::new(message)),
        None => Err(Failure::Http1(failure.into_error())),
    }
}

pub(super) async fn read(response: Response<Incoming>, limit: usize) -> Result<Answer, Failure> {
    let (head, mut incoming) = response.into_parts();
    let mut body = Body::default();
    while let Some(frame) = incoming.frame().await {
        if let Ok(piece) = frame.map_err(Failure::Http1)?.into_data() {
            body.add(piece, limit)?;
        }
    }
    Ok(Answer {
        status: head.status,
        headers: head.headers,
        body: body.whole(),
        trailers: HeaderMap::new(),
    })
}

fn message(request: Request<Full<Bytes>>) -> Option<Message> {
    let (head, body) = request.into_parts();
    Some(Message {
        method: head.method,
        path: head.uri.into_parts().path_and_query?,
        headers: head.headers,
        body: body.into_inner().unwrap_or_default(),
    })
}
