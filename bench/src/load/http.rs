//! An HTTP/1.1 connection.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::Error;

pub(crate) struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    host: String,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self, Error> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // Its error is told to whoever waits for an answer.
        tokio::spawn(connection);
        Ok(Self {
            sender,
            host: address.to_string(),
        })
    }

    /// One exchange. `key` is the caller's.
    pub(crate) async fn post(
        &mut self,
        path: &str,
        key: Option<&str>,
        body: Vec<u8>,
    ) -> Result<(StatusCode, Bytes), Error> {
        let mut request = Request::post(path)
            .header(header::HOST, &self.host)
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(key) = key {
            request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
        }
        self.send(request.body(Full::from(body))?).await
    }

    async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes), Error> {
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await?;
        let status = response.status();
        Ok((status, response.into_body().collect().await?.to_bytes()))
    }
}

/// One JSON value, over a connection of its own.
pub(crate) async fn get(address: SocketAddr, path: &str) -> Result<Value, Error> {
    Ok(serde_json::from_slice(&get_body(address, path).await?)?)
}

/// One body, over a connection of its own.
pub(crate) async fn get_body(address: SocketAddr, path: &str) -> Result<Bytes, Error> {
    let mut connection = Connection::open(address).await?;
    let request = Request::get(path)
        .header(header::HOST, &connection.host)
        .body(Full::default())?;
    let (status, body) = connection.send(request).await?;
    if status != StatusCode::OK {
        return Err(format!("{path}: {status}").into());
    }
    Ok(body)
}
