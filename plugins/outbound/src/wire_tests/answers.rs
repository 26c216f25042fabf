//! One call meets something, and what the next one finds.

mod http1;
mod http1_framing;
mod http2;

use std::time::Duration;

use idbridge_source::ErrorKind;

use super::upstream::{Protocol, Reply, Then, Upstream, good};
use super::{UNAVAILABLE, client, ended, send, send_within};

const PROTOCOL: ErrorKind = ErrorKind::Protocol;

/// Whether the next call takes the same connection.
#[derive(Clone, Copy, Debug)]
enum Next {
    New,
    Same,
}

type Case = (&'static str, Reply, Result<u16, ErrorKind>, Next);

async fn run(protocol: Protocol, cases: Vec<Case>) {
    for (name, reply, expected, next) in cases {
        let case = format!("{name} over {protocol:?}");
        let upstream = Upstream::start(protocol, vec![reply.clone()]).await;
        let client = client(&upstream, protocol);
        let is_silence = expected == Err(ErrorKind::TimedOut);
        let within = if is_silence {
            Duration::from_secs(1)
        } else {
            super::LIMITS.total
        };
        assert_eq!(ended(send_within(&client, "hunter2", within).await), expected, "{case}");
        assert_eq!(upstream.seen().bodies, ["\"hunter2\""], "{case}");

        assert_eq!(ended(send(&client, "next").await), Ok(200), "{case}: the next call");
        let seen = upstream.seen();
        assert_eq!(seen.bodies, ["\"hunter2\"", "\"next\""], "{case}");
        let connections = match next {
            Next::New => 2,
            Next::Same => 1,
        };
        assert_eq!(seen.connections, connections, "{case}");
    }
}

#[tokio::test]
async fn http1_in_plain_text() {
    run(Protocol::Http1, http1::cases()).await;
    run(Protocol::Http1, http1_framing::cases()).await;
}

#[tokio::test]
async fn http1_over_tls() {
    run(Protocol::Http1Tls, http1::cases()).await;
    run(Protocol::Http1Tls, http1_framing::cases()).await;
    run(Protocol::NoAlpn, http1::cases().drain(..1).collect()).await;
    // Without a length, TLS's own end is what tells a whole body from one that was cut.
    let until_the_end: fn(u32) -> Vec<u8> = |_| b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}".to_vec();
    let whole = ("a whole body", Reply(until_the_end, Then::Close), Ok(200), Next::New);
    let cut = ("no end", Reply(until_the_end, Then::Cut), Err(UNAVAILABLE), Next::New);
    // With a length it doesn't matter how the connection ends.
    let counted: fn(u32) -> Vec<u8> = |_| good(Protocol::Http1, 0);
    let cut_after = ("no end after a length", Reply(counted, Then::Cut), Ok(200), Next::New);
    run(Protocol::Http1Tls, vec![whole, cut, cut_after]).await;
}

#[tokio::test]
async fn http2_over_tls() {
    run(Protocol::Http2, http2::cases()).await;
}

#[tokio::test]
async fn a_connection_that_ended_while_idle_costs_no_call() {
    for protocol in [Protocol::Http1, Protocol::Http1Tls, Protocol::Http2] {
        let answer: fn(u32) -> Vec<u8> = match protocol {
            Protocol::Http2 => |stream| good(Protocol::Http2, stream),
            _ => |_| good(Protocol::Http1, 0),
        };
        let upstream = Upstream::start(protocol, vec![Reply(answer, Then::Close)]).await;
        let client = client(&upstream, protocol);
        assert_eq!(ended(send(&client, "one").await), Ok(200), "{protocol:?}");
        // The client has closed its side too.
        upstream.until(|seen| seen.closed == 1).await;
        assert_eq!(ended(send(&client, "two").await), Ok(200), "{protocol:?}");
        assert_eq!(upstream.seen().bodies, ["\"one\"", "\"two\""], "{protocol:?}");
    }
}
