//! Many calls at once, and callers that leave.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use h2::server;
use http::Response;
use idbridge_source::ErrorKind;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::upstream::{Protocol, Reply, Seen, Then, Upstream, converse};
use super::{client, ended, send, send_within};
use crate::connector::Io;

const ALL: [Protocol; 3] = [Protocol::Http1, Protocol::Http1Tls, Protocol::Http2];

/// Takes so many streams at a time, answers each with its own body, and refuses none.
async fn echo(io: Box<dyn Io>, streams: u32, log: watch::Sender<Seen>) {
    let mut server = server::Builder::new();
    server.max_concurrent_streams(streams);
    let mut server = server.handshake::<_, Bytes>(io).await.expect("HTTP/2");
    while let Some(Ok((request, mut respond))) = server.accept().await {
        let log = log.clone();
        tokio::spawn(async move {
            let mut body = Vec::new();
            let mut incoming = request.into_body();
            while let Some(Ok(piece)) = incoming.data().await {
                body.extend_from_slice(&piece);
            }
            let body = String::from_utf8(body).expect("text");
            log.send_modify(|seen| seen.bodies.push(body.clone()));
            let answer = Response::builder().header("content-type", "application/json").body(());
            let mut stream = respond.send_response(answer.expect("an answer"), false).expect("sent");
            stream.send_data(Bytes::from(body), true).expect("sent");
        });
    }
}

#[tokio::test]
async fn a_cold_burst_over_http2_takes_one_connection_and_as_many_streams_as_there_are() {
    for (streams, calls) in [(1, 20), (100, 50)] {
        let serve = move |io, log| echo(io, streams, log);
        let upstream = Upstream::serve(Protocol::Http2, &["localhost"], serve).await;
        let client = Arc::new(client(&upstream, Protocol::Http2));
        let mut running = JoinSet::new();
        for number in 0..calls {
            let client = Arc::clone(&client);
            running.spawn(async move {
                let password = format!("password {number}");
                let answer = send(&client, &password).await.expect("an answer");
                // Everybody's own.
                assert_eq!(answer.json::<String>().expect("JSON"), password);
            });
        }
        while let Some(ended) = running.join_next().await {
            ended.expect("no panic");
        }
        let seen = upstream.seen();
        assert_eq!((seen.connections, seen.bodies.len()), (1, calls), "{streams} streams");
    }
}

#[tokio::test]
async fn after_a_burst_over_http1_idle_connections_end() {
    for protocol in [Protocol::Http1, Protocol::Http1Tls] {
        let upstream = Upstream::start(protocol, Vec::new()).await;
        let client = Arc::new(client(&upstream, protocol));
        let mut running = JoinSet::new();
        for _ in 0..50 {
            let client = Arc::clone(&client);
            running.spawn(async move { ended(send(&client, "hunter2").await) });
        }
        while let Some(ended) = running.join_next().await {
            assert_eq!(ended.expect("no panic"), Ok(200));
        }
        let before = upstream.seen();
        assert_eq!(before.bodies.len(), 50);
        assert!(before.connections <= 50, "{}", before.connections);
        pass(Duration::from_secs(31)).await;
        assert_eq!(ended(send(&client, "hunter2").await), Ok(200));
        upstream.until(|seen| seen.closed == before.connections).await;
        assert_eq!(upstream.seen().connections, before.connections + 1);
    }
}

#[tokio::test]
async fn a_burst_over_http1_leaves_so_many_connections_and_no_more() {
    const CALLS: usize = 150;
    let serve = |io, log: watch::Sender<Seen>| async move {
        // No call finds a connection that another has left.
        let all = log.subscribe().wait_for(|seen| seen.connections == CALLS).await.is_ok();
        assert!(all, "the upstream runs");
        converse(io, Protocol::Http1, &[], &log).await.unwrap_or_default();
    };
    let upstream = Upstream::serve(Protocol::Http1, &["localhost"], serve).await;
    let client = Arc::new(client(&upstream, Protocol::Http1));
    let mut running = JoinSet::new();
    for _ in 0..CALLS {
        let client = Arc::clone(&client);
        running.spawn(async move { ended(send(&client, "hunter2").await) });
    }
    while let Some(ended) = running.join_next().await {
        assert_eq!(ended.expect("no panic"), Ok(200));
    }
    upstream.until(|seen| seen.closed == CALLS - 100).await;
    assert_eq!(ended(send(&client, "hunter2").await), Ok(200));
    let seen = upstream.seen();
    assert_eq!(
        (seen.connections, seen.bodies.len(), seen.closed),
        (CALLS, CALLS + 1, CALLS - 100)
    );
}

/// Between every two of the steps that a call takes, as far as this machine has them.
#[tokio::test]
async fn who_leaves_leaves_the_client_well_and_sends_once_at_the_most() {
    for protocol in ALL {
        let upstream = Upstream::start(protocol, Vec::new()).await;
        let client = client(&upstream, protocol);
        for steps in 0..40 {
            let mut call = Box::pin(send(&client, "gone"));
            for _ in 0..steps {
                tokio::select! {
                    biased;
                    _ = &mut call => break,
                    () = tokio::task::yield_now() => {}
                }
            }
            drop(call);
            let password = format!("{steps}");
            assert_eq!(
                ended(send(&client, &password).await),
                Ok(200),
                "{protocol:?} after {steps}"
            );
        }
        let seen = upstream.seen();
        let stayed = seen.bodies.iter().filter(|body| *body != "\"gone\"").count();
        assert!(
            stayed == 40 && seen.bodies.len() <= 80,
            "{protocol:?}: {:?}",
            seen.bodies
        );
    }
}

/// An upstream, or what stands before it, that takes bytes for ever and answers nothing.
#[tokio::test]
async fn a_connection_that_is_silent_is_replaced() {
    for protocol in ALL {
        let silent = vec![Reply(|_| Vec::new(), Then::Keep); 2];
        let upstream = Upstream::start(protocol, silent).await;
        let client = client(&upstream, protocol);
        let within = Duration::from_millis(900);
        for _ in 0..2 {
            assert_eq!(
                ended(send_within(&client, "hunter2", within).await),
                Err(ErrorKind::TimedOut)
            );
        }
        let before = upstream.seen().connections;
        // Over HTTP/2 a little silence is no reason: the upstream may be slow.
        assert_eq!(before, if protocol == Protocol::Http2 { 1 } else { 2 });
        pass(Duration::from_secs(4)).await;
        for _ in 0..2 {
            assert_eq!(ended(send(&client, "hunter2").await), Ok(200), "{protocol:?}");
        }
        assert_eq!(upstream.seen().connections, before + 1, "{protocol:?}");
    }
}

#[tokio::test]
async fn who_stops_reading_costs_one_deadline() {
    for protocol in ALL {
        let serve = move |io: Box<dyn Io>, log: watch::Sender<Seen>| async move {
            if log.borrow().connections == 1 {
                return std::future::pending().await;
            }
            converse(io, protocol, &[], &log).await.unwrap_or_default();
        };
        let upstream = Upstream::serve(protocol, &["localhost"], serve).await;
        let client = client(&upstream, protocol);
        // More than the buffers between the two hold.
        let large = "x".repeat(16 * 1024 * 1024);
        assert_eq!(
            ended(send_within(&client, &large, Duration::from_secs(1)).await),
            Err(ErrorKind::TimedOut)
        );
        pass(Duration::from_secs(4)).await;
        assert_eq!(ended(send(&client, "next").await), Ok(200), "{protocol:?}");
        assert_eq!(upstream.seen().bodies, ["\"next\""], "{protocol:?}");
    }
}

async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}
