//! Every limit with the time paused, over a transport in memory.

mod http2;
mod stopping;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::{Bytes, HttpBody};
use axum::routing::get;
use http_body::Frame;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::task::JoinHandle;

use super::*;
use http2::Peer;

/// More than any limit; the answer of `/slow` takes this long.
const SLOW: Duration = Duration::from_secs(20 * 60);

struct Served {
    drain: Drain,
    end: JoinHandle<End>,
    /// Requests whose handlers have been started and neither finished nor dropped.
    running: Arc<AtomicUsize>,
}

impl Served {
    async fn end(self) -> End {
        self.end.await.expect("the connection must not panic")
    }
}

/// Counts a handler while it runs, until it is dropped.
struct Running(Arc<AtomicUsize>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Says one thing and then nothing more, without an end.
struct Watch {
    sent: bool,
}

impl HttpBody for Watch {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.sent {
            return Poll::Pending;
        }
        self.sent = true;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"serving")))))
    }
}

fn serve_one(protocol: Protocol) -> (DuplexStream, Served) {
    let running = Arc::new(AtomicUsize::new(0));
    let (drain, counter) = (Drain::default(), running.clone());
    let router = Router::new()
        .route("/", get(|| async { "fine" }))
        .route("/watch", get(|| async { Body::new(Watch { sent: false }) }))
        .route("/large", get(|| async { vec![b'x'; 1 << 20] }))
        .route(
            "/peer",
            get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.to_string() }),
        )
        .route(
            "/slow",
            get(|| async move {
                counter.fetch_add(1, Ordering::SeqCst);
                let _running = Running(counter);
                tokio::time::sleep(SLOW).await;
                "done"
            }),
        );
    let (ours, theirs) = tokio::io::duplex(4_096);
    let peer = "192.0.2.7:4711".parse().unwrap();
    let end = tokio::spawn({
        let drain = drain.clone();
        async move { serve(ours, peer, protocol, router, &drain).await }
    });
    (theirs, Served { drain, end, running })
}

async fn read_to_end(io: &mut DuplexStream) -> (String, Duration) {
    let started = Instant::now();
    let mut text = Vec::new();
    io.read_to_end(&mut text).await.unwrap();
    (String::from_utf8_lossy(&text).into_owned(), started.elapsed())
}

/// Reads one answer of a few bytes, which comes in one piece.
async fn read_some(io: &mut DuplexStream) -> String {
    let mut text = vec![0; 1_024];
    let length = io.read(&mut text).await.unwrap();
    String::from_utf8_lossy(&text[..length]).into_owned()
}

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";

async fn ended_by(served: Served, limit: Limit) {
    let end = served.end().await;
    assert!(matches!(&end, End::Limit(passed) if *passed == limit), "{end:?}");
}

// === silence ===

#[tokio::test(start_paused = true)]
async fn who_connects_and_says_nothing_is_closed() {
    for (protocol, limit) in [
        (Protocol::Admin, limits::FIRST_REQUEST_HTTP1),
        (Protocol::Grpc, limits::FIRST_REQUEST_HTTP2 + limits::CLOSE),
        (Protocol::Rest, limits::FIRST_REQUEST_HTTP1),
    ] {
        let (mut io, served) = serve_one(protocol);
        let (_, took) = read_to_end(&mut io).await;
        assert!(took <= limit + Duration::from_millis(2), "{protocol:?}: {took:?}");
        served.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_preface_alone_gets_a_goaway_and_is_closed() {
    let (io, served) = serve_one(Protocol::Grpc);
    let mut peer = Peer::connect(io, &[]).await;
    let started = Instant::now();
    peer.until(http2::GOAWAY).await;
    assert_eq!(started.elapsed().as_secs(), limits::FIRST_REQUEST_HTTP2.as_secs());
    peer.closed().await;
    assert!(matches!(served.end().await, End::Closed));
}

#[tokio::test(start_paused = true)]
async fn a_preface_alone_of_a_peer_that_is_dead_is_cut() {
    for protocol in [Protocol::Grpc, Protocol::Rest] {
        let (io, served) = serve_one(protocol);
        let mut peer = Peer::connect(io, &[]).await;
        peer.alive = false;
        let took = peer.closed().await;
        assert!(
            took <= limits::FIRST_REQUEST_HTTP2 + limits::CLOSE + Duration::from_millis(2),
            "{took:?}"
        );
        assert!(matches!(served.end().await, End::Limit(_)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_dies_during_a_call_is_found_out() {
    let (io, served) = serve_one(Protocol::Grpc);
    let mut peer = Peer::connect(io, &[]).await;
    peer.alive = false;
    peer.send(&http2::get(1, "/slow")).await;
    let took = peer.closed().await;
    assert!(
        took <= limits::PING_INTERVAL + limits::PING_ANSWER + Duration::from_millis(2),
        "{took:?}"
    );
    let running = served.running.clone();
    served.end().await;
    tokio::task::yield_now().await;
    assert_eq!(running.load(Ordering::SeqCst), 0, "its call must not go on");
}

// === slowness ===

#[tokio::test(start_paused = true)]
async fn a_head_that_trickles_is_cut() {
    let (mut io, served) = serve_one(Protocol::Rest);
    let started = Instant::now();
    while io.write_all(b"G").await.is_ok() && started.elapsed() < SLOW {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert!(
        started.elapsed() <= limits::FIRST_REQUEST_HTTP1 + Duration::from_secs(1),
        "{:?}",
        started.elapsed()
    );
    ended_by(served, Limit::FirstRequest).await;
}

#[tokio::test(start_paused = true)]
async fn the_head_of_a_later_request_has_its_time_from_its_first_byte() {
    let (mut io, served) = serve_one(Protocol::Rest);
    io.write_all(REQUEST).await.unwrap();
    assert!(read_some(&mut io).await.ends_with("fine"));
    // Idle for longer than a head may take: that's another limit.
    tokio::time::sleep(limits::HEADER_READ * 2).await;
    io.write_all(REQUEST).await.unwrap();
    assert!(read_some(&mut io).await.ends_with("fine"));
    tokio::time::sleep(limits::HEADER_READ * 2).await;
    io.write_all(b"GET / HT").await.unwrap();
    let (text, took) = read_to_end(&mut io).await;
    assert_eq!((text.as_str(), took.as_secs()), ("", limits::HEADER_READ.as_secs()));
    ended_by(served, Limit::Header).await;
}

#[tokio::test(start_paused = true)]
async fn who_never_reads_the_answer_is_cut() {
    let (mut io, served) = serve_one(Protocol::Rest);
    io.write_all(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let started = Instant::now();
    ended_by(served, Limit::StalledWrite).await;
    assert_eq!(started.elapsed().as_secs(), limits::STALLED_WRITE.as_secs());
}

#[tokio::test(start_paused = true)]
async fn who_grants_no_window_loses_the_stream_and_keeps_the_connection() {
    let (io, served) = serve_one(Protocol::Grpc);
    let mut peer = Peer::connect(io, http2::NO_WINDOW).await;
    let started = Instant::now();
    peer.send(&http2::get(1, "/large")).await;
    assert_eq!(peer.until(http2::HEADERS).await.stream, 1);
    assert_eq!(peer.until(http2::RST_STREAM).await.stream, 1);
    assert_eq!(started.elapsed().as_secs(), limits::STALLED_WRITE.as_secs());
    peer.send(&http2::get(3, "/nowhere")).await;
    assert_eq!(peer.until(http2::HEADERS).await.stream, 3);
    drop(peer);
    assert!(matches!(served.end().await, End::Closed | End::Failed(_)));
}

// === patience ===

#[tokio::test(start_paused = true)]
async fn a_request_in_flight_is_not_idle() {
    let (mut io, _served) = serve_one(Protocol::Rest);
    io.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert!(read_some(&mut io).await.ends_with("done"));

    let (io, _served) = serve_one(Protocol::Grpc);
    let mut peer = Peer::connect(io, &[]).await;
    peer.send(&http2::get(1, "/slow")).await;
    assert_eq!(peer.until(http2::DATA).await.payload, b"done");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_waits_for_us_is_not_stalled() {
    let (io, served) = serve_one(Protocol::Grpc);
    let mut peer = Peer::connect(io, &[]).await;
    peer.send(&http2::get(1, "/watch")).await;
    assert_eq!(peer.until(http2::DATA).await.payload, b"serving");
    tokio::time::timeout(SLOW, peer.next())
        .await
        .expect_err("nothing more may come, neither a reset nor a GOAWAY");
    assert!(!served.end.is_finished());
}

#[tokio::test(start_paused = true)]
async fn an_idle_http1_connection_closes() {
    let (mut io, served) = serve_one(Protocol::Rest);
    io.write_all(REQUEST).await.unwrap();
    assert!(read_some(&mut io).await.ends_with("fine"));
    let (text, took) = read_to_end(&mut io).await;
    assert_eq!((text.as_str(), took.as_secs()), ("", limits::IDLE_HTTP1.as_secs()));
    drop(io);
    assert!(matches!(served.end().await, End::Closed));
}

#[tokio::test(start_paused = true)]
async fn an_idle_http2_connection_gets_a_goaway() {
    for protocol in [Protocol::Grpc, Protocol::Rest] {
        let (io, served) = serve_one(protocol);
        let mut peer = Peer::connect(io, &[]).await;
        peer.send(&http2::get(1, "/")).await;
        peer.until(http2::DATA).await;
        let started = Instant::now();
        peer.until(http2::GOAWAY).await;
        assert_eq!(started.elapsed().as_secs(), limits::IDLE_HTTP2.as_secs());
        peer.closed().await;
        assert!(matches!(served.end().await, End::Closed));
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_the_peer_resets_ends_and_the_connection_is_idle() {
    let (io, served) = serve_one(Protocol::Grpc);
    let mut peer = Peer::connect(io, &[]).await;
    peer.send(&http2::get(1, "/slow")).await;
    peer.send(&http2::reset(1)).await;
    let started = Instant::now();
    peer.until(http2::GOAWAY).await;
    assert_eq!(served.running.load(Ordering::SeqCst), 0);
    assert_eq!(started.elapsed().as_secs(), limits::IDLE_HTTP2.as_secs());
}

// === nonsense ===

#[tokio::test(start_paused = true)]
async fn what_is_not_the_protocol_is_closed_at_once() {
    let hello: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    let preface: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    for (protocol, bytes) in [
        (Protocol::Admin, hello),
        (Protocol::Admin, preface),
        (Protocol::Grpc, REQUEST),
        (Protocol::Grpc, hello),
        (Protocol::Rest, hello),
        (Protocol::Rest, b"\0\0\0\0\r\n\r\n"),
    ] {
        let (mut io, served) = serve_one(protocol);
        io.write_all(bytes).await.unwrap();
        let (text, took) = read_to_end(&mut io).await;
        assert!(took < Duration::from_millis(1), "{protocol:?} {bytes:?}: {took:?}");
        assert!(!text.contains("200 OK"), "{protocol:?} {bytes:?}: {text}");
        drop(io);
        let end = served.end().await;
        assert!(matches!(end, End::Failed(_)), "{protocol:?} {bytes:?}: {end:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_is_too_large_is_refused() {
    let (mut io, _served) = serve_one(Protocol::Rest);
    io.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nx-long: ").await.unwrap();
    let _ = io.write_all(&vec![b'x'; limits::MAX_HEADER_BYTES]).await;
    assert!(read_some(&mut io).await.starts_with("HTTP/1.1 431 "));
}

#[tokio::test(start_paused = true)]
async fn a_rapid_reset_is_calmed() {
    let (io, served) = serve_one(Protocol::Grpc);
    let peer = Peer::connect(io, &[]).await;
    let flood: Vec<u8> = (0..2_000)
        .flat_map(|n| [http2::get(2 * n + 1, "/slow"), http2::reset(2 * n + 1)].concat())
        .collect();
    let (mut reader, mut writer) = tokio::io::split(peer.io);
    let flooding = tokio::spawn(async move { writer.write_all(&flood).await });
    let mut received = Vec::new();
    reader.read_to_end(&mut received).await.unwrap();
    assert!(flooding.await.unwrap().is_err(), "the flood must not get through");
    let goaway = frames(&received)
        .into_iter()
        .find(|(kind, _)| *kind == http2::GOAWAY)
        .expect("a GOAWAY");
    assert_eq!(u32::from_be_bytes(goaway.1[4..8].try_into().unwrap()), http2::CALM);
    let running = served.running.clone();
    served.end().await;
    tokio::task::yield_now().await;
    assert_eq!(running.load(Ordering::SeqCst), 0);
}

fn frames(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut frames = Vec::new();
    while bytes.len() >= 9 {
        let end = 9 + u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]]) as usize;
        frames.push((bytes[3], bytes[9..end].to_vec()));
        bytes = &bytes[end..];
    }
    frames
}

// === what a request knows ===

#[tokio::test(start_paused = true)]
async fn a_request_knows_its_peer() {
    let (mut io, _served) = serve_one(Protocol::Admin);
    io.write_all(b"GET /peer HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert!(read_some(&mut io).await.ends_with("192.0.2.7:4711"));
}
