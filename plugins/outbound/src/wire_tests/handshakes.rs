//! Before the request: name, TCP, TLS.

use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::Instant;

use super::upstream::{Protocol, Upstream};
use super::{LIMITS, UNAVAILABLE, client, client_at, client_with, ended, send};
use crate::Limits;

#[tokio::test]
async fn only_the_right_certificate_is_shown_a_password() {
    for protocol in [Protocol::Http1Tls, Protocol::Http2] {
        for (case, certified) in [("another name", "elsewhere.example"), ("expired", "expired")] {
            let upstream = Upstream::serve(protocol, &[certified], |_, _| async {}).await;
            let client = client(&upstream, protocol);
            assert_eq!(ended(send(&client, "hunter2").await), Err(UNAVAILABLE), "{case}");
            assert_eq!(upstream.seen().connections, 0, "{case}");
        }
        let upstream = Upstream::start(protocol, Vec::new()).await;
        let mut stranger = client(&upstream, protocol);
        stranger.trust(Upstream::start(protocol, Vec::new()).await.authority);
        assert_eq!(ended(send(&stranger, "hunter2").await), Err(UNAVAILABLE));
        assert_eq!(upstream.seen().connections, 0);
        assert_eq!(ended(send(&client(&upstream, protocol), "hunter2").await), Ok(200));
    }
}

#[tokio::test]
async fn an_address_in_place_of_a_name() {
    for host in ["127.0.0.1", "[::1]"] {
        let name = host.trim_matches(['[', ']']);
        let upstream = Upstream::serve(Protocol::Http2, &[name], |io, _| async {
            let mut server = h2::server::handshake(io).await.expect("HTTP/2");
            while let Some(Ok((request, mut respond))) = server.accept().await {
                let host = request.uri().host().expect("an authority").to_owned();
                let answer = http::Response::builder().header("host", host).body(());
                respond.send_response(answer.expect("an answer"), true).expect("sent");
            }
        })
        .await;
        let client = client_at(&upstream, Protocol::Http2, host);
        let response = send(&client, "hunter2").await.expect("an answer");
        assert_eq!(response.headers()["host"], host);
    }
}

#[tokio::test]
async fn nobody_there_and_nobody_who_speaks() {
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    for protocol in [Protocol::Http1, Protocol::Http1Tls, Protocol::Http2] {
        let mut upstream = Upstream::start(protocol, Vec::new()).await;
        let free = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        upstream.port = free.local_addr().expect("an address").port();
        drop(free);
        assert_eq!(
            ended(send(&client(&upstream, protocol), "hunter2").await),
            Err(UNAVAILABLE)
        );
        if protocol.is_tls() {
            upstream.port = silent.local_addr().expect("an address").port();
            let limits = Limits {
                connect: Duration::from_millis(300),
                ..LIMITS
            };
            let client = client_with(&upstream, protocol, "localhost", limits);
            let began = Instant::now();
            // Who waits for a connection of another's waits no longer than for one's own.
            let (one, other) = tokio::join!(send(&client, "hunter2"), send(&client, "hunter2"));
            assert_eq!((ended(one), ended(other)), (Err(UNAVAILABLE), Err(UNAVAILABLE)));
            assert!(began.elapsed() >= limits.connect && began.elapsed() < LIMITS.total / 2);
        }
    }
}
