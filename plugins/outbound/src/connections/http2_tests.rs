use std::task::Poll;

use h2::RecvStream;
use h2::server::{self, Connection as Server, SendResponse};
use http::uri::PathAndQuery;
use http::{HeaderMap, Method, Response, StatusCode};
use tokio::io::{DuplexStream, duplex};
use tokio::sync::oneshot;

use super::*;
use crate::Origin;

const LIMIT: usize = 1024;

fn target() -> Target {
    Origin::parse("https://acme.okta.com")
        .expect("an origin")
        .target()
        .expect("a target")
}

fn log_in(body: &'static str) -> Box<Message> {
    Box::new(Message {
        method: Method::POST,
        path: PathAndQuery::from_static("/api/v1/authn"),
        headers: HeaderMap::new(),
        body: Bytes::from_static(body.as_bytes()),
    })
}

/// A connection, and its other end, which takes so many streams at a time.
async fn connected(streams: u32) -> (Arc<Connection>, Server<DuplexStream, Bytes>) {
    let (ours, theirs) = duplex(64 * 1024);
    let mut upstream = server::Builder::new();
    upstream.max_concurrent_streams(streams);
    let (connection, server) = tokio::join!(open(Box::new(ours)), upstream.handshake(theirs));
    let connection = connection.unwrap_or_else(|_| panic!("no connection"));
    (connection, server.expect("a handshake"))
}

async fn exchange(connection: &Connection, body: &'static str) -> Result<Answer, Failure> {
    let turn = connection.turn().await.expect("an open connection");
    turn.send(&target(), log_in(body)).await?.read(LIMIT).await
}

async fn body(mut incoming: RecvStream) -> Result<Vec<u8>, h2::Error> {
    let mut body = Vec::new();
    while let Some(piece) = incoming.data().await {
        body.extend_from_slice(&piece?);
    }
    Ok(body)
}

fn answer(mut respond: SendResponse<Bytes>, pieces: &[&'static str]) {
    let mut stream = respond.send_response(Response::new(()), false).expect("a head");
    for piece in pieces {
        stream
            .send_data(Bytes::from_static(piece.as_bytes()), false)
            .expect("a piece");
    }
    stream.send_data(Bytes::new(), true).expect("an end");
}

#[tokio::test]
async fn an_exchange() {
    let (connection, mut server) = connected(100).await;
    let upstream = tokio::spawn(async move {
        let (request, respond) = server.accept().await.expect("a request").expect("a stream");
        assert_eq!(request.uri(), "https://acme.okta.com/api/v1/authn");
        assert_eq!(request.headers()["content-length"], "7");
        let arrived = body_of(&mut server, request.into_body()).await.expect("a body");
        assert_eq!(arrived, b"hunter2");
        answer(respond, &["{\"ok\"", ": ", "true}"]);
        while server.accept().await.is_some() {}
    });
    let answer = exchange(&connection, "hunter2")
        .await
        .unwrap_or_else(|_| panic!("no answer"));
    assert_eq!((answer.status, &*answer.body), (StatusCode::OK, &b"{\"ok\": true}"[..]));
    drop(connection);
    upstream.await.expect("the connection ends when nobody has it");
}

/// Reads a body while the connection goes on.
async fn body_of(server: &mut Server<DuplexStream, Bytes>, incoming: RecvStream) -> Result<Vec<u8>, h2::Error> {
    tokio::select! {
        body = body(incoming) => body,
        next = server.accept() => panic!("another request, or the end: {}", next.is_some()),
    }
}

#[tokio::test]
async fn a_body_has_an_end() {
    let (connection, mut server) = connected(100).await;
    tokio::spawn(async move {
        let (_, mut respond) = server.accept().await.expect("a request").expect("a stream");
        let mut stream = respond.send_response(Response::new(()), false).expect("a head");
        for _ in 0..3 {
            stream
                .send_data(Bytes::from_static(&[b'x'; LIMIT / 2]), false)
                .expect("a piece");
        }
        while server.accept().await.is_some() {}
    });
    let ended = exchange(&connection, "").await;
    assert!(matches!(ended, Err(Failure::Refused(crate::error::Refused::Oversize))));
}

#[tokio::test]
async fn who_leaves_before_the_upstream_takes_the_stream_has_sent_no_password() {
    let (connection, mut server) = connected(1).await;
    let (began, first) = oneshot::channel();
    let (leave, mut left) = oneshot::channel::<()>();
    let upstream = tokio::spawn(async move {
        let (_, respond) = server.accept().await.expect("a request").expect("a stream");
        began.send(()).expect("somebody waits");
        // Only the end of the first exchange makes room for another.
        tokio::select! {
            _ = &mut left => answer(respond, &["{}"]),
            _ = server.accept() => panic!("more than the upstream takes"),
        }
        let mut arrived = Vec::new();
        while let Some(Ok((request, respond))) = server.accept().await {
            if let Ok(body) = body_of(&mut server, request.into_body()).await {
                arrived.push(body);
                answer(respond, &["{}"]);
            }
        }
        arrived
    });
    let waiting = tokio::spawn({
        let connection = Arc::clone(&connection);
        async move { exchange(&connection, "").await.is_ok() }
    });
    first.await.expect("the first has begun");
    let mut gone = Box::pin(exchange(&connection, "gone"));
    let is_pending = poll_fn(|context| Poll::Ready(gone.as_mut().poll(context).is_pending())).await;
    assert!(is_pending, "there is no room for it");
    drop(gone);
    leave.send(()).expect("the upstream waits");
    assert!(waiting.await.expect("no panic"));
    assert!(exchange(&connection, "third").await.is_ok());
    drop(connection);
    assert_eq!(upstream.await.expect("no panic"), [b"third"]);
}

#[tokio::test]
async fn a_connection_that_was_closed_takes_nothing() {
    let (connection, mut server) = connected(100).await;
    let upstream = tokio::spawn(async move {
        let (_, respond) = server.accept().await.expect("a request").expect("a stream");
        answer(respond, &["{}"]);
        server.graceful_shutdown();
        let next = server.accept().await;
        assert!(!matches!(next, Some(Ok(_))), "a request after the end");
    });
    assert!(exchange(&connection, "").await.is_ok());
    let mut looks = 0;
    while connection.turn().await.is_some() {
        looks += 1;
        assert!(looks < 1000, "it says that it takes requests");
        tokio::task::yield_now().await;
    }
    drop(connection);
    upstream.await.expect("no panic");
}
