//! A drain, and a cut, as one connection sees them.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_drain_lets_an_http1_request_finish_and_closes() {
    let (mut io, served) = serve_one(Protocol::Rest);
    io.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    served.drain.begin();
    let (text, _) = read_to_end(&mut io).await;
    assert!(text.contains("connection: close") && text.ends_with("done"), "{text}");
    drop(io);
    assert!(matches!(served.end().await, End::Closed));
}

#[tokio::test(start_paused = true)]
async fn a_drain_lets_an_http2_call_finish_and_refuses_the_next() {
    let (io, served) = serve_one(Protocol::Grpc);
    let mut peer = Peer::connect(io, &[]).await;
    peer.send(&http2::get(1, "/slow")).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    served.drain.begin();
    assert_eq!(peer.until(http2::GOAWAY).await.goaway_code(), 0);
    // The second one names the last stream that is served.
    peer.until(http2::GOAWAY).await;
    peer.send(&http2::get(3, "/")).await;
    let data = peer.until(http2::DATA).await;
    assert_eq!((data.stream, data.payload.as_slice()), (1, b"done".as_slice()));
    peer.closed().await;
    assert!(matches!(served.end().await, End::Closed));
}

#[tokio::test(start_paused = true)]
async fn a_drain_closes_idle_connections_at_once() {
    let (mut io, served) = serve_one(Protocol::Rest);
    io.write_all(REQUEST).await.unwrap();
    read_some(&mut io).await;
    served.drain.begin();
    let (text, took) = read_to_end(&mut io).await;
    assert_eq!((text.as_str(), took.as_secs()), ("", 0));
    drop(io);
    served.end().await;

    let (io, served) = serve_one(Protocol::Grpc);
    let mut peer = Peer::connect(io, &[]).await;
    peer.send(&http2::get(1, "/")).await;
    peer.until(http2::DATA).await;
    served.drain.begin();
    assert_eq!(peer.closed().await.as_secs(), 0);
    served.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_drain_does_not_wait_for_a_peer_that_is_dead() {
    let (io, served) = serve_one(Protocol::Grpc);
    let mut peer = Peer::connect(io, &[]).await;
    peer.alive = false;
    peer.send(&http2::get(1, "/")).await;
    peer.until(http2::DATA).await;
    served.drain.begin();
    assert_eq!(peer.closed().await.as_secs(), limits::CLOSE.as_secs());
    ended_by(served, Limit::Close).await;
}

#[tokio::test(start_paused = true)]
async fn a_cut_ends_a_call_at_once() {
    let (io, served) = serve_one(Protocol::Grpc);
    let mut peer = Peer::connect(io, &[]).await;
    peer.send(&http2::get(1, "/slow")).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(served.running.load(Ordering::SeqCst), 1);
    served.drain.cut();
    assert_eq!(peer.closed().await, Duration::ZERO);
    let running = served.running.clone();
    assert!(matches!(served.end().await, End::Cut));
    tokio::task::yield_now().await;
    assert_eq!(running.load(Ordering::SeqCst), 0);
}
