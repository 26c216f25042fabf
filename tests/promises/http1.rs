//! HTTP/1 that two readers could read in two ways is refused, or its connection ends (RFC 9112 §11.2).

use idbridge_okta_simulator::PASSWORD;
use serde_json::json;
use tokio::net::TcpStream;

use super::chain::Chain;
use super::clients::{exchange, request_id};
use super::settings::KEY;

#[tokio::test]
async fn what_can_be_read_in_two_ways_smuggles_nothing() {
    let chain = Chain::start("").await;
    let body = json!({"identifier": "ada@example.com", "password": PASSWORD}).to_string();
    let length = body.len();
    let chunked = format!("{length:x}\r\n{body}\r\n0\r\n\r\n");
    for rest in [chain.rest(), chain.lone_gateway()] {
        for (what, fields, body) in [
            (
                "nothing",
                format!("content-length: {length}\r\nconnection: close\r\n"),
                &body,
            ),
            (
                "a length and chunks",
                format!("content-length: {length}\r\ntransfer-encoding: chunked\r\n"),
                &chunked,
            ),
            (
                "two lengths",
                format!("content-length: {length}\r\ncontent-length: 1\r\n"),
                &body,
            ),
            ("a list of lengths", format!("content-length: {length}, 1\r\n"), &body),
            ("a signed length", format!("content-length: +{length}\r\n"), &body),
            (
                "a folded header",
                format!("x-a: 1\r\n 2\r\ncontent-length: {length}\r\n"),
                &body,
            ),
            ("a bare CR", format!("x-a: 1\r2\r\ncontent-length: {length}\r\n"), &body),
            ("a NUL", format!("x-a: 1\x002\r\ncontent-length: {length}\r\n"), &body),
            (
                "a space before the colon",
                format!("content-length : {length}\r\n"),
                &body,
            ),
            (
                "an unknown coding",
                "transfer-encoding: identity\r\n".to_owned(),
                &chunked,
            ),
            (
                "chunked that isn't last",
                "transfer-encoding: chunked, gzip\r\n".to_owned(),
                &chunked,
            ),
        ] {
            let stream = TcpStream::connect(rest.address).await.expect("a connection");
            let head = format!(
                "POST /auth0/v1/login HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {KEY}\r\nx-request-id: {}\r\n\
                 content-type: application/json\r\n{fields}\r\n",
                request_id()
            );
            // It reads to the end of the connection: there is one answer, and nothing behind it.
            let answer = exchange(stream, &head, body.as_bytes()).await;
            // RFC 9112 §6.1: with a length and chunks, the chunks count if the connection ends after the answer.
            let fine = ["nothing", "a length and chunks"].contains(&what);
            let wanted = if fine { 200 } else { 400 };
            assert_eq!(answer.status, wanted, "{what} is wrong: {answer:?}");
        }
    }
    assert_eq!(
        chain.okta.received().passwords(),
        4,
        "of each gateway's two that are fine"
    );
    chain.stop().await;
}
