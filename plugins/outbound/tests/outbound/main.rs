//! The client against servers that misbehave.

#![expect(clippy::expect_used, reason = "a test helper that can't go on fails the test")]

mod raw;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use idbridge_outbound::{Client, Limits, Origin, Request, Response};
use idbridge_source::{Call, ErrorKind, RequestId, SourceError, TraceContext};
use raw::{Reply, Server, json};
use serde_json::json as value;
use tokio::time::Instant;

const SECRET: &str = "hunter2";
const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn call(within: Duration) -> Call {
    Call {
        trace: TraceContext::parse(Some(PARENT), Some("a=b")),
        ..Call::new(RequestId::parse("req-1").expect("an id"), Instant::now() + within)
    }
}

fn client(address: SocketAddr) -> Client {
    let origin = Origin::parse(&format!("http://{address}")).expect("an origin");
    Client::new(origin, Limits::default()).expect("a client")
}

fn post() -> Request {
    Request::post("/users/{id}")
        .segment("ada@example.com")
        .json(&value!({"password": SECRET}))
}

async fn send(client: &Client) -> Result<Response, SourceError> {
    client.send(&call(Duration::from_secs(10)), post()).await
}

/// The kind of the failure; its text must be clean.
fn kind(result: Result<Response, SourceError>) -> ErrorKind {
    let error = result.expect_err("must fail");
    let chain = error.chain();
    assert!(chain.contains("POST /users/{id}"), "{chain}");
    assert!(
        !chain.contains(SECRET) && !chain.contains("ada") && !chain.contains("127.0.0.1"),
        "{chain}"
    );
    error.kind()
}

const UNAVAILABLE: ErrorKind = ErrorKind::Unavailable { retry_after: None };

#[tokio::test]
async fn an_exchange() {
    let server = Server::start(vec![json("{\"ok\": true}")]).await;
    let response = send(&client(server.address)).await.expect("an answer");
    assert_eq!(response.status(), 200);
    assert_eq!(
        response.json::<serde_json::Value>().expect("JSON"),
        value!({"ok": true})
    );

    let seen = server.seen().concat().to_ascii_lowercase();
    assert!(seen.starts_with("post /users/ada%40example.com http/1.1\r\n"), "{seen}");
    for part in [
        "x-request-id: req-1\r\n",
        &format!("traceparent: {PARENT}\r\n"),
        "tracestate: a=b\r\n",
        "user-agent: idbridge/",
    ] {
        assert!(seen.contains(part), "{part} is missing in {seen}");
    }
    for part in ["accept-encoding", "cookie", "referer", "\nte:"] {
        assert!(!seen.contains(part), "{part} is in {seen}");
    }
    assert!(seen.ends_with("{\"password\":\"hunter2\"}"), "{seen}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    for status in [300, 301, 302, 303, 304, 307, 308] {
        let elsewhere = Server::start(vec![json("{}")]).await;
        let location = format!("HTTP/1.1 {status} X\r\nlocation: http://{}/\r\n", elsewhere.address);
        let reply = Reply::Bytes(format!("{location}content-length: 0\r\n\r\n").into_bytes());
        let server = Server::start(vec![reply]).await;
        assert_eq!(
            kind(send(&client(server.address)).await),
            ErrorKind::Protocol,
            "{status}"
        );
        assert_eq!(server.seen().len(), 1, "{status}");
        assert!(elsewhere.seen().is_empty(), "{status}: the password went elsewhere");
    }
}

#[tokio::test]
async fn a_cookie_is_not_sent_back() {
    let reply = "HTTP/1.1 200 OK\r\nset-cookie: sid=1; Path=/\r\ncontent-length: 0\r\n\r\n";
    let server = Server::start(vec![Reply::Bytes(reply.into())]).await;
    let client = client(server.address);
    for _ in 0..2 {
        assert!(send(&client).await.is_ok());
    }
    assert_eq!(server.seen().len(), 2);
    assert!(!server.seen().concat().to_ascii_lowercase().contains("cookie"));
}

/// The variables can only be set for another process: this test binary, which runs `an_exchange` again.
#[test]
fn proxy_variables_are_ignored() {
    let program = std::env::current_exe().expect("this program");
    let mut command = std::process::Command::new(program);
    command.args(["--exact", "an_exchange"]);
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"] {
        command.env(name, "http://127.0.0.1:1");
    }
    let output = command
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .output()
        .expect("a run");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[tokio::test]
async fn a_body_has_an_end() {
    let chunked = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";
    let lying = "HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n";
    for head in [chunked, lying] {
        let server = Server::start(vec![Reply::Flood(head.into())]).await;
        assert_eq!(kind(send(&client(server.address)).await), ErrorKind::Protocol, "{head}");
        assert_eq!(server.seen().len(), 1);
    }
    let limit = Limits::default().body;
    for (size, fits) in [(limit, true), (limit + 1, false)] {
        let server = Server::start(vec![json(&"x".repeat(size))]).await;
        assert_eq!(send(&client(server.address)).await.is_ok(), fits, "{size}");
    }
}

#[tokio::test]
async fn a_broken_answer_is_no_answer() {
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{\"a\":";
    let head_cut = "HTTP/1.1 200 OK\r\ncontent-le";
    let cut_chunk = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"a\"";
    for (bytes, expected) in [
        ("", UNAVAILABLE),
        (head_cut, UNAVAILABLE),
        (cut, UNAVAILABLE),
        (cut_chunk, UNAVAILABLE),
        ("SSH-2.0-OpenSSH_9.2\r\n", ErrorKind::Protocol),
        ("HTTP/1.1 banana\r\n\r\n", ErrorKind::Protocol),
    ] {
        let server = Server::start(vec![Reply::BytesThenClose(bytes.into())]).await;
        assert_eq!(kind(send(&client(server.address)).await), expected, "{bytes:?}");
        assert_eq!(server.seen().len(), 1, "{bytes:?}: sent more than once");
    }
}

#[tokio::test]
async fn the_deadline_covers_the_body() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n";
    for reply in [Reply::Drip(head.into(), Duration::from_millis(20)), Reply::Silence] {
        let server = Server::start(vec![reply.clone()]).await;
        let client = client(server.address);
        let began = Instant::now();
        let result = client.send(&call(Duration::from_millis(250)), post()).await;
        assert_eq!(kind(result), ErrorKind::TimedOut, "{reply:?}");
        assert!(
            (200..5000).contains(&began.elapsed().as_millis()),
            "{:?}",
            began.elapsed()
        );
        assert_eq!(server.seen().len(), 1);
    }
}

#[tokio::test]
async fn the_cap_holds_where_the_deadline_is_far() {
    let server = Server::start(vec![Reply::Silence]).await;
    let origin = Origin::parse(&format!("http://{}", server.address)).expect("an origin");
    let limits = Limits {
        total: Duration::from_millis(100),
        ..Limits::default()
    };
    let client = Client::new(origin, limits).expect("a client");
    assert_eq!(
        kind(client.send(&call(Duration::from_secs(3600)), post()).await),
        ErrorKind::TimedOut
    );
}

#[tokio::test]
async fn after_the_deadline_nothing_is_sent() {
    let server = Server::start(vec![json("{}")]).await;
    assert_eq!(
        kind(client(server.address).send(&call(Duration::ZERO), post()).await),
        ErrorKind::TimedOut
    );
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_segment_that_climbs_is_not_sent() {
    let server = Server::start(vec![json("{}")]).await;
    for value in ["", ".", ".."] {
        let request = Request::get("/users/{id}").segment(value);
        let error = client(server.address)
            .send(&call(Duration::from_secs(5)), request)
            .await
            .expect_err("unfit");
        assert_eq!(error.kind(), ErrorKind::Protocol);
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_lost_connection_is_not_tried_again() {
    for loss in [Reply::Reset, Reply::BytesThenClose(Vec::new())] {
        let server = Server::start(vec![loss.clone()]).await;
        assert_eq!(kind(send(&client(server.address)).await), UNAVAILABLE, "{loss:?}");
        assert_eq!(server.seen().len(), 1, "{loss:?} on a new connection");

        let server = Server::start(vec![json("{}"), loss.clone(), json("{}")]).await;
        let client = client(server.address);
        assert!(send(&client).await.is_ok());
        assert_eq!(kind(send(&client).await), UNAVAILABLE, "{loss:?}");
        assert_eq!(server.seen().len(), 2, "{loss:?} on a kept connection");
    }
}

/// The server ends the idle connection at the very moment that it is used again. Whether the client notices in time is
/// a race; either way the request arrives once at the most, and never after an error.
#[tokio::test]
async fn a_connection_closed_while_idle_costs_no_second_submission() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    for round in 0..50 {
        let server = Server::start(vec![Reply::BytesThenClose(head.into()), json("{}")]).await;
        let client = client(server.address);
        assert!(send(&client).await.is_ok());
        for _ in 0..round % 5 {
            tokio::task::yield_now().await;
        }
        let arrived = usize::from(send(&client).await.is_ok());
        assert_eq!(server.seen().len(), 1 + arrived, "round {round}");
    }
}

#[tokio::test]
async fn nobody_there_is_unavailable() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = free.local_addr().expect("an address");
    drop(free);
    assert_eq!(kind(send(&client(address)).await), UNAVAILABLE);
}

#[tokio::test]
async fn a_certificate_of_its_own_making_is_not_trusted() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("a server");
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let accepted = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        acceptor.accept(stream).await.is_ok()
    });
    let origin = Origin::parse(&format!("https://localhost:{port}")).expect("an origin");
    let client = Client::new(origin, Limits::default()).expect("a client");
    assert_eq!(kind(send(&client).await), UNAVAILABLE);
    assert!(!accepted.await.expect("no panic"), "the handshake must fail");
}

#[test]
fn the_log_holds_the_route_and_nothing_personal() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .finish();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    tracing::subscriber::with_default(subscriber, || {
        runtime.block_on(async {
            let server = Server::start(vec![json("{\"answer\": \"hunter2\"}"), Reply::Reset]).await;
            let client = client(server.address);
            let answer = send(&client).await.expect("an answer");
            tracing::info!(?answer, ?client, "shown");
            kind(send(&client).await);
        });
    });
    let text = String::from_utf8(log.0.lock().expect("no panic").clone()).expect("text");
    assert!(
        text.contains("POST /users/{id}") && text.contains("status=200"),
        "{text}"
    );
    for personal in [SECRET, "ada", "%40"] {
        assert!(!text.contains(personal), "{personal} is in the log: {text}");
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
