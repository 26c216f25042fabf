//! Callers that speak bare HTTP: nothing of the broker's own client code stands between a test and the wire.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use idbridge::pb;
use prost::Message;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::process::bounded;
use super::secrecy::Secrets;
use super::settings::KEY;

pub(crate) const AUTHENTICATE: &str = "/idbridge.v1.IdentityService/Authenticate";
pub(crate) const GET_USER_BY_EMAIL: &str = "/idbridge.v1.IdentityService/GetUserByEmail";

pub(crate) const HEALTH: &str = "/grpc.health.v1.Health/Check";

/// Headers of a question, on either transport.
pub(crate) type Headers = Vec<(String, String)>;

/// An id that no other call has.
pub(crate) fn request_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("promise-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The usual caller's key, and an id for the call.
pub(crate) fn with_id(id: &str) -> Headers {
    vec![
        ("authorization".to_owned(), format!("Bearer {KEY}")),
        ("x-request-id".to_owned(), id.to_owned()),
    ]
}

/// One HTTP/2 connection to the broker.
#[derive(Clone)]
pub(crate) struct Grpc {
    sender: SendRequest<Sent>,
    closed: CancellationToken,
    address: SocketAddr,
    secrets: Arc<Secrets>,
}

/// A gRPC answer, taken apart.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Code,
    pub(crate) message: String,
    /// `ErrorInfo`, if there is one of ours.
    pub(crate) reason: Option<String>,
    pub(crate) metadata: HashMap<String, String>,
    pub(crate) retry: Option<Duration>,
    /// The message's bytes if the code is OK.
    pub(crate) body: Bytes,
    pub(crate) headers: HeaderMap,
}

impl Grpc {
    pub(crate) async fn connect(address: SocketAddr, secrets: &Arc<Secrets>) -> Grpc {
        let stream = TcpStream::connect(address).await.expect("the broker takes connections");
        // As clients of gRPC do: else a question's message waits until its headers are acknowledged.
        stream.set_nodelay(true).expect("a socket");
        Grpc::over(stream, address, secrets).await
    }

    /// Over a connection that stands already.
    pub(crate) async fn over<S>(stream: S, address: SocketAddr, secrets: &Arc<Secrets>) -> Grpc
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
    {
        let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
        let (sender, connection) = bounded("the HTTP/2 handshake", handshake).await.expect("HTTP/2");
        let closed = CancellationToken::new();
        let guard = closed.clone().drop_guard();
        tokio::spawn(async move {
            let _ended = connection.await;
            drop(guard);
        });
        Grpc {
            sender,
            closed,
            address,
            secrets: Arc::clone(secrets),
        }
    }

    pub(crate) async fn authenticate(&self, headers: &Headers, login: &str, password: &str) -> Said {
        let question = pb::AuthenticateRequest {
            login: login.to_owned(),
            password: password.to_owned(),
            source: None,
        };
        self.secrets.keep(login);
        self.secrets.keep(password);
        self.unary(AUTHENTICATE, headers, question.encode_to_vec()).await
    }

    pub(crate) async fn get_user_by_email(&self, headers: &Headers, email: &str) -> Said {
        let question = pb::GetUserByEmailRequest {
            email: email.to_owned(),
            source: None,
        };
        self.secrets.keep(email);
        self.unary(GET_USER_BY_EMAIL, headers, question.encode_to_vec()).await
    }

    /// `None` if the connection ends without an answer.
    pub(crate) async fn try_authenticate(&self, headers: &Headers, login: &str, password: &str) -> Option<Said> {
        let question = pb::AuthenticateRequest {
            login: login.to_owned(),
            password: password.to_owned(),
            source: None,
        };
        self.try_post(AUTHENTICATE, headers, frame(&question.encode_to_vec()))
            .await
    }

    /// One message there, one back.
    pub(crate) async fn unary(&self, path: &str, headers: &Headers, message: Vec<u8>) -> Said {
        self.post(path, headers, frame(&message)).await
    }

    /// Any bytes as the body.
    pub(crate) async fn post(&self, path: &str, headers: &Headers, body: Bytes) -> Said {
        self.try_post(path, headers, body).await.expect("an answer")
    }

    /// Waits until the broker has closed the connection.
    pub(crate) async fn closed(&self) {
        bounded("the connection's end", self.closed.cancelled()).await;
    }

    /// A call whose message never comes.
    pub(crate) async fn never_ask(&self, path: &str, headers: &Headers) -> Said {
        self.send(path, headers, Sent(None)).await.expect("an answer")
    }

    async fn try_post(&self, path: &str, headers: &Headers, body: Bytes) -> Option<Said> {
        self.send(path, headers, Sent(Some(Full::new(body)))).await
    }

    async fn send(&self, path: &str, headers: &Headers, body: Sent) -> Option<Said> {
        let mut request = http::Request::post(format!("http://{}{path}", self.address));
        if !headers.iter().any(|(name, _)| name == "content-type") {
            request = request.header("content-type", "application/grpc");
        }
        request = request.header("te", "trailers");
        for (name, value) in headers {
            request = request.header(name, HeaderValue::from_bytes(value.as_bytes()).expect("a header"));
        }
        let request = request.body(body).expect("a request");
        let response = bounded(path, self.sender.clone().send_request(request)).await;
        let (head, body) = response.ok()?.into_parts();
        let body = bounded("the answer's body", body.collect()).await.ok()?;
        let mut trailers = body.trailers().cloned().unwrap_or_default();
        if !trailers.contains_key("grpc-status") {
            trailers = head.headers.clone();
        }
        let bytes = body.to_bytes();
        Some(Said::of(head.headers, trailers, bytes, &self.secrets))
    }
}

/// A request's body; `None` never ends.
struct Sent(Option<Full<Bytes>>);

impl http_body::Body for Sent {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        match &mut self.0 {
            Some(body) => Pin::new(body).poll_frame(context),
            None => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_some_and(http_body::Body::is_end_stream)
    }
}

fn frame(message: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(message.len() + 5);
    frame.put_u8(0); // not compressed
    frame.put_u32(message.len().try_into().expect("a message of less than 4 GiB"));
    frame.put_slice(message);
    frame.freeze()
}

impl Said {
    fn of(headers: HeaderMap, trailers: HeaderMap, body: Bytes, secrets: &Secrets) -> Said {
        let status = Status::from_header_map(&trailers).expect("every answer has a grpc-status");
        let info = status.get_details_error_info();
        let retry = status.get_details_retry_info().and_then(|info| info.retry_delay);
        if status.code() != Code::Ok {
            let said = format!("{:?} {} {info:?}", status.code(), status.message());
            secrets.answered(format!("{said} {}", String::from_utf8_lossy(status.details())));
        }
        let ours = info.as_ref().is_some_and(|info| info.domain == "idbridge");
        assert!(info.is_none() || ours, "an ErrorInfo of another domain: {info:?}");
        Said {
            code: status.code(),
            message: status.message().to_owned(),
            reason: info.as_ref().map(|info| info.reason.clone()),
            metadata: info.map(|info| info.metadata).unwrap_or_default(),
            retry,
            body: if body.len() > 5 { body.slice(5..) } else { Bytes::new() },
            headers,
        }
    }

    pub(crate) fn reason(&self) -> &str {
        self.reason.as_deref().unwrap_or("")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn decode<M: Message + Default>(&self) -> M {
        assert_eq!(self.code, Code::Ok, "{self:?}");
        M::decode(self.body.clone()).expect("an answer of ours")
    }

    /// `authenticated`, `found`, or the rejection's reason as REST spells it.
    pub(crate) fn outcome(&self) -> String {
        use pb::authenticate_response::Outcome;
        // The two answers have one shape on the wire.
        match self.decode::<pb::AuthenticateResponse>().outcome {
            Some(Outcome::User(_)) => "yes".to_owned(),
            Some(Outcome::Rejection(rejection)) => reason(rejection.reason),
            None => panic!("an answer without an outcome"),
        }
    }
}

pub(crate) fn reason(number: i32) -> String {
    let reason = pb::RejectionReason::try_from(number).expect("a reason of the contract");
    let name = reason.as_str_name().strip_prefix("REJECTION_REASON_");
    name.expect("buf's prefix").to_ascii_lowercase()
}

/// A REST caller; each question has its own connection.
#[derive(Clone)]
pub(crate) struct Rest {
    pub(crate) address: SocketAddr,
    secrets: Arc<Secrets>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Rest {
    pub(crate) fn new(address: SocketAddr, secrets: &Arc<Secrets>) -> Rest {
        Rest {
            address,
            secrets: Arc::clone(secrets),
        }
    }

    pub(crate) async fn login(&self, headers: &Headers, identifier: &str, password: &str) -> Answer {
        self.secrets.keep(identifier);
        self.secrets.keep(password);
        let body = serde_json::json!({"identifier": identifier, "password": password});
        self.ask("POST", "/auth0/v1/login", headers, body.to_string().as_bytes())
            .await
    }

    pub(crate) async fn get_user(&self, headers: &Headers, identifier: &str) -> Answer {
        self.secrets.keep(identifier);
        let body = serde_json::json!({"identifier": identifier});
        self.ask("POST", "/auth0/v1/get-user", headers, body.to_string().as_bytes())
            .await
    }

    /// With `content-type: application/json` unless the headers say another.
    pub(crate) async fn ask(&self, method: &str, path: &str, headers: &Headers, body: &[u8]) -> Answer {
        let stream = TcpStream::connect(self.address)
            .await
            .expect("the gateway takes connections");
        let answer = exchange(stream, &head(method, path, headers, body.len()), body).await;
        if answer.status != 200 {
            self.secrets
                .answered(String::from_utf8_lossy(&answer.body).into_owned());
        }
        answer
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{} with no JSON: {text}", self.status))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or("").to_owned()
    }
}

/// The head of a request that closes its connection.
pub(crate) fn head(method: &str, path: &str, headers: &Headers, length: usize) -> String {
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n");
    if !headers.iter().any(|(name, _)| name == "content-type") {
        head.push_str("content-type: application/json\r\n");
    }
    head.push_str(&format!("content-length: {length}\r\n"));
    // An empty value leaves the header out.
    for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head + "\r\n"
}

/// Sends all, and reads to the end.
pub(crate) async fn exchange<S>(stream: S, head: &str, body: &[u8]) -> Answer
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite,
{
    let (mut from, mut to) = tokio::io::split(stream);
    let mut bytes = Vec::new();
    let write = async {
        // A server that refuses early may stop reading: its answer tells.
        if to.write_all(head.as_bytes()).await.is_ok() {
            let _refused = to.write_all(body).await;
        }
        let _refused = to.flush().await;
    };
    let read = async { from.read_to_end(&mut bytes).await };
    let ((), read) = bounded("an HTTP/1 answer", async { tokio::join!(write, read) }).await;
    assert!(read.is_ok() || !bytes.is_empty(), "no answer: {read:?}");
    parse(&bytes)
}

fn parse(bytes: &[u8]) -> Answer {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    let end = end.unwrap_or_else(|| panic!("no HTTP answer: {:?}", String::from_utf8_lossy(bytes)));
    let head = std::str::from_utf8(&bytes[..end]).expect("a head in ASCII");
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .expect("a status line");
    let headers = lines.map(|line| {
        let (name, value) = line.split_once(':').expect("a header");
        let name: HeaderName = name.parse().expect("a header's name");
        (name, value.trim().parse().expect("a header's value"))
    });
    let headers: HeaderMap = headers.collect();
    let body = &bytes[end + 4..];
    let length = headers
        .get("content-length")
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if let Some(length) = length {
        assert_eq!(body.len(), length, "a whole body");
    }
    Answer {
        status: status.parse().expect("a status"),
        headers,
        body: body.to_vec(),
    }
}
