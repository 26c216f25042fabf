//! A gRPC channel on the bare h2 crate: one connection, any number of calls at a time.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use h2::client::{Builder, SendRequest};
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use prost::Message;
use tokio::net::TcpStream;

use crate::Error;

/// No call waits for the peer's word that it may read on.
const WINDOW: u32 = 1 << 20;
/// A byte for compression, four for the length.
const PREFIX: usize = 5;

#[derive(Clone)]
pub(crate) struct Channel {
    sender: SendRequest<Bytes>,
    /// What every call has.
    head: Arc<Request<()>>,
}

impl Channel {
    pub(crate) async fn open(address: SocketAddr, path: &str, key: Option<&str>) -> Result<Self, Error> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = Builder::new()
            .initial_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .handshake(stream)
            .await?;
        // Its error is told to whoever waits for an answer.
        tokio::spawn(connection);
        let mut head = Request::post(format!("http://{address}/idbridge.v1.IdentityService/{path}"))
            .header(header::CONTENT_TYPE, "application/grpc")
            .header(header::TE, "trailers")
            .body(())?;
        if let Some(key) = key {
            let mut value = HeaderValue::from_str(&format!("Bearer {key}"))?;
            value.set_sensitive(true);
            head.headers_mut().insert(header::AUTHORIZATION, value);
        }
        Ok(Self {
            sender,
            head: Arc::new(head),
        })
    }

    /// Calls that may take so long: gRPC's `Timeout`.
    pub(crate) fn within(mut self, timeout: &'static str) -> Self {
        let value = HeaderValue::from_static(timeout);
        Arc::make_mut(&mut self.head)
            .headers_mut()
            .insert("grpc-timeout", value);
        self
    }

    /// One unary call. Any status but OK is an error.
    pub(crate) async fn call<A: Message + Default>(&self, question: &impl Message) -> Result<A, Error> {
        let mut sender = self.sender.clone().ready().await?;
        let (response, mut body) = sender.send_request(Request::clone(&self.head), false)?;
        body.send_data(frame(question)?, true)?;
        let response = response.await?;
        if response.status() != StatusCode::OK {
            return Err(format!("HTTP {}", response.status()).into());
        }
        if response.headers().contains_key("grpc-status") {
            check(response.headers())?;
        }
        let mut body = response.into_body();
        let mut message = BytesMut::new();
        while let Some(chunk) = body.data().await {
            let chunk = chunk?;
            body.flow_control().release_capacity(chunk.len())?;
            message.put(chunk);
        }
        check(&body.trailers().await?.ok_or("an answer without trailers")?)?;
        if message.len() < PREFIX {
            return Err("an answer without a message".into());
        }
        message.advance(PREFIX);
        Ok(A::decode(message)?)
    }
}

fn frame(message: &impl Message) -> Result<Bytes, Error> {
    let length = message.encoded_len();
    let mut frame = BytesMut::with_capacity(PREFIX + length);
    frame.put_u8(0);
    frame.put_u32(u32::try_from(length)?);
    message.encode(&mut frame)?;
    Ok(frame.freeze())
}

fn check(headers: &HeaderMap) -> Result<(), Error> {
    let text = |name| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
    match text("grpc-status").as_deref() {
        Some("0") => Ok(()),
        status => {
            let message = text("grpc-message").unwrap_or_default();
            Err(format!("gRPC status {}: {message}", status.unwrap_or("missing")).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_its_length_before_it() {
        let framed = frame(&"abc".to_owned()).expect("a frame");
        assert_eq!(framed[..PREFIX], [0, 0, 0, 0, 5]);
        assert_eq!(framed.len(), PREFIX + 5);
    }

    #[test]
    fn only_status_0_is_an_answer() {
        let with = |status: &'static str| {
            HeaderMap::from_iter([("grpc-status".parse().expect("a name"), HeaderValue::from_static(status))])
        };
        assert!(check(&with("0")).is_ok());
        assert!(check(&with("14")).is_err());
        assert!(check(&HeaderMap::new()).is_err());
    }
}
