//! The edges of the gRPC port: what no client of gRPC would send, by HTTP/2 alone.

use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::behind_tests::{KEY, Running, config};

const AUTHENTICATE: &str = "/idbridge.v1.IdentityService/Authenticate";
const HEALTH: &str = "/grpc.health.v1.Health/Check";

/// A login and a password, which are nobody's.
const QUESTION: &[u8] = b"\0\0\0\0\x06\x0a\x01a\x12\x01b";

struct Peer {
    sender: SendRequest<Full<Bytes>>,
    _broker: Running,
}

struct Said {
    http: StatusCode,
    code: Code,
    reason: Option<String>,
    accepted: Option<String>,
}

impl Peer {
    async fn connect() -> Self {
        let broker = Running::start(config("[sources.people]\nkind = \"memory\"\n")).await;
        let address = broker.url.strip_prefix("http://").expect("plain text").to_owned();
        let stream = TcpStream::connect(address).await.expect("a connection");
        let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .expect("HTTP/2");
        tokio::spawn(connection);
        Self {
            sender,
            _broker: broker,
        }
    }

    async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &'static [u8]) -> Said {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("http://broker{path}"))
            .header("authorization", format!("Bearer {KEY}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from_static(body))).expect("a request");
        let response = self.sender.clone().send_request(request).await.expect("an answer");
        let (head, body) = response.into_parts();
        let body = body.collect().await.expect("a whole answer");
        let status = Status::from_header_map(&head.headers)
            .or_else(|| Status::from_header_map(body.trailers()?))
            .expect("every answer has a status");
        assert!(head.headers.contains_key("x-request-id"));
        Said {
            http: head.status,
            code: status.code(),
            reason: status.get_details_error_info().map(|info| info.reason),
            accepted: head
                .headers
                .get("grpc-accept-encoding")
                .and_then(|value| Some(value.to_str().ok()?.to_owned())),
        }
    }
}

/// HTTP's 415 is the specification's word (gRPC over HTTP/2, "Requests"); 405 and the order of the two are grpc-go's.
#[tokio::test]
async fn what_is_not_grpc_is_told_so_by_http_too() {
    let peer = Peer::connect().await;
    let grpc = Some("application/grpc");
    for (method, content_type, http) in [
        (Method::POST, None, 415),
        (Method::POST, Some(""), 415),
        (Method::POST, Some("application/json"), 415),
        (Method::POST, Some("application/grpcweb"), 415),
        (Method::POST, Some("application/grpc-web+proto"), 415),
        (Method::POST, Some("text/html"), 415),
        (Method::GET, Some("text/html"), 415),
        (Method::GET, grpc, 405),
        (Method::PUT, grpc, 405),
        (Method::DELETE, grpc, 405),
    ] {
        let headers: Vec<_> = content_type.map(|value| ("content-type", value)).into_iter().collect();
        for path in [AUTHENTICATE, HEALTH, "/no/method"] {
            let said = peer.ask(method.clone(), path, &headers, QUESTION).await;
            let case = format!("{method} {path} {content_type:?}");
            assert_eq!(said.http, http, "{case}");
            assert_eq!(said.code, Code::InvalidArgument, "{case}");
            assert_eq!(said.reason.as_deref(), Some("INVALID_REQUEST"), "{case}");
        }
    }
}

#[tokio::test]
async fn what_a_message_is_written_in_and_a_missing_te_are_no_reason_to_refuse() {
    let peer = Peer::connect().await;
    for content_type in [
        "application/grpc",
        "application/grpc+proto",
        "application/grpc;charset=utf-8",
        "Application/gRPC",
    ] {
        for te in [&[][..], &[("te", "trailers")]] {
            let headers = [&[("content-type", content_type), ("grpc-encoding", "identity")], te].concat();
            let said = peer.ask(Method::POST, AUTHENTICATE, &headers, QUESTION).await;
            assert_eq!((said.http, said.code), (StatusCode::OK, Code::Ok), "{content_type}");
            assert_eq!((said.reason, said.accepted), (None, None), "{content_type}");
        }
    }
}

/// "A message compressed by a client in a way not supported by its server MUST fail with status UNIMPLEMENTED" (gRPC,
/// "Compression"). tonic and grpc-go go by the header.
#[tokio::test]
async fn who_compresses_is_told_what_is_read() {
    let peer = Peer::connect().await;
    for encoding in ["gzip", "deflate", "zstd", "snappy", "identity,gzip", ""] {
        for body in [QUESTION, b"\x01\0\0\0\0"] {
            let headers = [("content-type", "application/grpc"), ("grpc-encoding", encoding)];
            let said = peer.ask(Method::POST, AUTHENTICATE, &headers, body).await;
            assert_eq!(
                (said.http, said.code),
                (StatusCode::OK, Code::Unimplemented),
                "{encoding}"
            );
            assert_eq!(said.reason.as_deref(), Some("ENCODING_UNSUPPORTED"), "{encoding}");
            assert_eq!(said.accepted.as_deref(), Some("identity"), "{encoding}");
        }
    }
    // The specification's INTERNAL is tonic's word. Here that would be a bug of the broker's, which it isn't.
    for headers in [&[][..], &[("grpc-encoding", "identity")]] {
        let headers = [&[("content-type", "application/grpc")], headers].concat();
        let said = peer.ask(Method::POST, AUTHENTICATE, &headers, b"\x01\0\0\0\0").await;
        assert_eq!(said.reason.as_deref(), Some("INVALID_REQUEST"));
        assert_eq!(said.accepted, None);
    }
}
