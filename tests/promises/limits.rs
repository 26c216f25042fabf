//! Limits of a call: its time, how many there may be at a time; and its id.

use std::time::Duration;

use idbridge_okta_simulator::{Endpoint, PASSWORD};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tonic::Code;

use super::chain::Chain;
use super::clients::{AUTHENTICATE, HEALTH, Headers, exchange, head, request_id, with_id};
use super::process::bounded;
use super::settings::{self, KEY};

const ADA: &str = "ada@example.com";
/// Asked for by nobody else, so that the look-up is a call of its own.
const NOBODY: &str = "nobody@example.com";

fn timed(timeout: &str) -> Headers {
    let mut headers = with_id(&request_id());
    headers.push(("grpc-timeout".to_owned(), timeout.to_owned()));
    headers
}

/// It took as long as it had to, and not much longer.
fn took(began: Instant, least: u64) {
    let took = began.elapsed();
    let range = Duration::from_millis(least - 5)..Duration::from_secs(5);
    assert!(range.contains(&took), "{took:?} instead of {least} ms");
}

#[tokio::test]
async fn a_call_ends_at_its_deadline() {
    let chain = Chain::start("grpc = { max_deadline = \"400ms\" }\nrest = { deadline = \"250ms\" }").await;
    let grpc = chain.grpc().await;
    let control = chain.okta.control();
    for endpoint in [Endpoint::Authn, Endpoint::Search] {
        let hold = control.hold(endpoint);
        let ask = async |headers: Headers| match endpoint {
            Endpoint::Authn => grpc.authenticate(&headers, ADA, PASSWORD).await,
            _ => grpc.get_user_by_email(&headers, ADA).await,
        };
        for (timeout, least) in [("50m", 50), ("60000u", 60), ("99999999H", 400), ("9S", 400), ("", 400)] {
            let began = Instant::now();
            let headers = if timeout.is_empty() {
                with_id(&request_id())
            } else {
                timed(timeout)
            };
            let said = ask(headers).await;
            assert_eq!(
                (said.code, said.reason()),
                (Code::DeadlineExceeded, "DEADLINE_EXCEEDED"),
                "{timeout}"
            );
            took(began, least);
        }
        for rest in [chain.rest(), chain.lone_gateway()] {
            let began = Instant::now();
            let headers = with_id(&request_id());
            let answer = match endpoint {
                Endpoint::Authn => rest.login(&headers, ADA, PASSWORD).await,
                _ => rest.get_user(&headers, ADA).await,
            };
            assert_eq!((answer.status, &*answer.code()), (504, "deadline_exceeded"));
            took(began, 250);
        }
        hold.release();
    }
    drop(grpc);
    chain.stop().await;
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let chain = Chain::start("grpc = { max_deadline = \"300ms\" }\nrest = { deadline = \"250ms\" }").await;
    for rest in [chain.rest(), chain.lone_gateway()] {
        let began = Instant::now();
        let stream = TcpStream::connect(rest.address).await.expect("a connection");
        let headers = with_id(&request_id());
        let answer = exchange(
            stream,
            &head("POST", "/auth0/v1/login", &headers, 100),
            b"{\"identifier\"",
        )
        .await;
        assert_eq!((answer.status, &*answer.code()), (504, "deadline_exceeded"));
        took(began, 250);
    }
    let grpc = chain.grpc().await;
    // Health needs no key, and waits no longer for that.
    for path in [AUTHENTICATE, "/grpc.health.v1.Health/Check"] {
        let began = Instant::now();
        let said = grpc.never_ask(path, &with_id(&request_id())).await;
        assert_eq!(said.reason(), "DEADLINE_EXCEEDED", "{path}");
        took(began, 300);
    }
    assert_eq!(chain.okta.received().passwords(), 0);
    drop(grpc);
    chain.stop().await;
}

#[tokio::test]
async fn one_call_too_many_is_shed_at_once() {
    let chain = Chain::start("sources = { okta = { max_in_flight = 2 } }").await;
    let (grpc, control) = (chain.grpc().await, chain.okta.control());
    let before = control.received().count(Endpoint::Search);
    let hold = control.hold(Endpoint::Search);
    let mut held = JoinSet::new();
    for who in [ADA, "bob@example.com"] {
        let grpc = grpc.clone();
        held.spawn(async move { grpc.get_user_by_email(&with_id(&request_id()), who).await });
    }
    bounded("two searches", control.arrived(Endpoint::Search, before + 2)).await;
    for _ in 0..3 {
        shed(&chain, &grpc).await;
    }
    let metrics = chain.metrics().await;
    assert!(
        metrics.contains("idbridge_source_in_flight{source=\"okta\"} 2"),
        "{metrics}"
    );
    hold.release();
    while let Some(said) = held.join_next().await {
        assert_eq!(said.expect("no panic").outcome(), "yes", "who was in, is answered");
    }
    let said = grpc.get_user_by_email(&with_id(&request_id()), ADA).await;
    assert_eq!(said.outcome(), "yes", "permits are given back");

    // A password check that nobody waits for any more still is one in flight.
    let before = control.received().count(Endpoint::Authn);
    let hold = control.hold(Endpoint::Authn);
    for _ in 0..2 {
        let said = grpc.authenticate(&timed("500m"), ADA, PASSWORD).await;
        assert_eq!(said.reason(), "DEADLINE_EXCEEDED");
    }
    bounded("two log-ins", control.arrived(Endpoint::Authn, before + 2)).await;
    shed(&chain, &grpc).await;
    hold.release();
    bounded("their answers", control.answered(Endpoint::Authn, before + 2)).await;
    drop(grpc);
    chain.stop().await;
}

/// At once, on both transports, for both questions, and not sent.
async fn shed(chain: &Chain, grpc: &super::clients::Grpc) {
    let began = Instant::now();
    let ids: Vec<String> = (0..4).map(|_| request_id()).collect();
    for said in [
        grpc.authenticate(&with_id(&ids[0]), ADA, PASSWORD).await,
        grpc.get_user_by_email(&with_id(&ids[1]), NOBODY).await,
    ] {
        assert_eq!((said.code, said.reason()), (Code::Unavailable, "OVERLOADED"));
        assert_eq!(said.retry, Some(Duration::from_secs(1)));
        assert_eq!(said.metadata["source"], "okta");
    }
    for answer in [
        chain.rest().login(&with_id(&ids[2]), ADA, PASSWORD).await,
        chain.lone_gateway().get_user(&with_id(&ids[3]), NOBODY).await,
    ] {
        assert_eq!((answer.status, &*answer.code()), (503, "overloaded"));
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    took(began, 5);
    assert!(
        ids.iter().all(|id| chain.asked(id).is_empty()),
        "what is shed is not sent"
    );
}

#[tokio::test]
async fn one_caller_can_not_take_all() {
    let chain = Chain::start(&format!(
        "[sources.okta]\nmax_in_flight = 200\n[callers.other]\nkey_sha256 = \"{}\"\nallow = [\"authenticate\"]",
        settings::sha256("key-of-another-caller")
    ))
    .await;
    let (grpc, control) = (chain.grpc().await, chain.okta.control());
    control.change(|org| org.lockout_after = 1000);
    // Before the org's limit is known, few are sent at a time.
    let said = grpc.authenticate(&with_id(&request_id()), ADA, PASSWORD).await;
    assert_eq!(said.outcome(), "yes");
    let hold = control.hold(Endpoint::Authn);
    let before = control.received().count(Endpoint::Authn);
    let mut held = JoinSet::new();
    for _ in 0..100 {
        let grpc = grpc.clone();
        held.spawn(async move { grpc.authenticate(&with_id(&request_id()), ADA, "wrong password").await });
    }
    bounded("a hundred log-ins", control.arrived(Endpoint::Authn, before + 100)).await;
    let id = request_id();
    let said = grpc.authenticate(&with_id(&id), ADA, PASSWORD).await;
    assert_eq!(
        (said.code, said.reason()),
        (Code::ResourceExhausted, "CALLER_THROTTLED")
    );
    assert_eq!(
        (said.retry, said.metadata.get("source")),
        (Some(Duration::from_secs(1)), None)
    );
    let answer = chain.rest().login(&with_id(&id), ADA, PASSWORD).await;
    assert_eq!((answer.status, &*answer.code()), (429, "caller_throttled"));
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert!(chain.asked(&id).is_empty());

    let mut headers = with_id(&request_id());
    headers[0].1 = "Bearer key-of-another-caller".to_owned();
    let other = grpc.clone();
    held.spawn(async move { other.authenticate(&headers, "bob@example.com", "wrong password").await });
    bounded("another caller's", control.arrived(Endpoint::Authn, before + 101)).await;
    hold.release();
    while let Some(said) = held.join_next().await {
        assert_eq!(said.expect("no panic").outcome(), "invalid_credentials");
    }
    drop(grpc);
    chain.stop().await;
}

#[tokio::test]
async fn request_ids_are_taken_or_made() {
    let chain = Chain::start("").await;
    let grpc = chain.grpc().await;
    let fit = ["a", "A.b_C-9", &"x".repeat(64)].map(str::to_owned);
    for id in fit {
        let said = grpc.authenticate(&with_id(&id), ADA, PASSWORD).await;
        assert_eq!(said.header("x-request-id"), Some(&*id));
        assert_eq!(chain.asked(&id).len(), 3, "sent upstream with each question");
        for rest in [chain.rest(), chain.lone_gateway()] {
            assert_eq!(
                rest.login(&with_id(&id), ADA, PASSWORD).await.header("x-request-id"),
                Some(&*id)
            );
        }
        assert_eq!(chain.asked(&id).len(), 9, "through the gateways too");
    }
    let made = |id: Option<&str>| {
        let id = id.expect("an id").to_owned();
        assert!(
            id.len() == 32 && id.bytes().all(|digit| digit.is_ascii_hexdigit()),
            "{id}"
        );
        id
    };
    for unfit in ["a b", "a\"b", "a/b", "ä", "{}", &"x".repeat(65)] {
        let said = grpc.authenticate(&with_id(unfit), ADA, PASSWORD).await;
        let id = made(said.header("x-request-id"));
        assert_eq!(chain.asked(&id).len(), 3);
        let answer = chain.lone_gateway().login(&with_id(unfit), ADA, PASSWORD).await;
        assert_eq!(chain.asked(&made(answer.header("x-request-id"))).len(), 3);
    }
    // On every answer, and never the same.
    let key = vec![("authorization".to_owned(), format!("Bearer {KEY}"))];
    let mut ids = vec![
        made(grpc.authenticate(&key, ADA, PASSWORD).await.header("x-request-id")),
        made(
            grpc.authenticate(&Vec::new(), ADA, PASSWORD)
                .await
                .header("x-request-id"),
        ),
        made(grpc.unary("/x/y", &Vec::new(), Vec::new()).await.header("x-request-id")),
        made(grpc.unary(HEALTH, &Vec::new(), Vec::new()).await.header("x-request-id")),
    ];
    for rest in [chain.rest(), chain.lone_gateway()] {
        for (method, path) in [("POST", "/auth0/v1/login"), ("GET", "/auth0/v1/login"), ("GET", "/")] {
            let answer = rest.ask(method, path, &Vec::new(), b"{}").await;
            ids.push(made(answer.header("x-request-id")));
            assert_eq!(answer.json()["request_id"], **ids.last().expect("one"));
        }
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count);
    drop(grpc);
    chain.stop().await;
}
