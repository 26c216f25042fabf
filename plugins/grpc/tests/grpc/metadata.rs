//! What goes down with a call.

use std::time::Duration;

use idbridge_source::{Email, RequestId, TraceContext};
use idbridge_testkit::upstreams::grpc::Upstream;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::reply::{Reply, Said as _, ada, found};

use crate::{CANARY, PATIENCE, call_within, kind, source, source_at, text};

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[tokio::test]
async fn deadline_request_id_trace_key_and_address_go_down() {
    let upstream = Upstream::saying(Reply::message(&found(ada()))).await;
    let source = source(&[
        ("url", text(&upstream.url)),
        ("canary", text(CANARY)),
        ("key", text("plugin-key")),
    ]);
    let mut call = call_within(Duration::from_secs(7));
    call.request_id = RequestId::parse("req-42").expect("a request id");
    call.trace = TraceContext::parse(Some(TRACE), Some("a=b"));
    call.client_address = Some([192, 0, 2, 1].into());
    let email = Email::parse("ada@example.com").expect("an address");
    let _ = source.user_by_email(&call, &email).await.expect("an answer");

    let heads = upstream.seen().heads;
    let head = |name: &str| heads[0].get(name).and_then(|value| value.to_str().ok());
    assert_eq!(head("x-request-id"), Some("req-42"));
    assert_eq!(head("traceparent"), Some(TRACE));
    assert_eq!(head("tracestate"), Some("a=b"));
    assert_eq!(head("authorization"), Some("Bearer plugin-key"));
    assert_eq!(head("x-idbridge-client-address"), Some("192.0.2.1"));
    assert_eq!(head("te"), Some("trailers"));
    assert_eq!(head("content-type"), Some("application/grpc"));
    let left = head("grpc-timeout").and_then(|value| value.strip_suffix('m')?.parse::<u64>().ok());
    assert!(left.is_some_and(|left| (1_000..=7_000).contains(&left)), "{left:?}");
}

#[tokio::test]
async fn who_tells_nothing_is_told_nothing() {
    let upstream = Upstream::saying(Reply::message(&found(ada()))).await;
    let email = Email::parse("ada@example.com").expect("an address");
    let source = source_at(&upstream.url);
    let _ = source
        .user_by_email(&call_within(PATIENCE), &email)
        .await
        .expect("an answer");
    for name in [
        "authorization",
        "traceparent",
        "tracestate",
        "x-idbridge-client-address",
    ] {
        assert_eq!(upstream.seen().heads[0].get(name), None, "{name}");
    }
}

/// A probe asks for the canary, or, of a plugin without look-ups, for nobody.
#[tokio::test]
async fn a_probe_needs_an_answer() {
    use idbridge_source::{ErrorKind, Value};
    let canary = || {
        Reply::message(&found(crate::wire::User {
            email: CANARY.to_owned(),
            ..ada()
        }))
    };
    let info = |reason: &str| ErrorDetails::with_error_info(reason, "idbridge", [] as [(String, String); 0]);
    let nobody = || Status::with_error_details(Code::NotFound, "", info("USER_NOT_FOUND"));
    for (reply, with_look_ups, without) in [
        (canary(), None, Some(ErrorKind::Protocol)),
        (Reply::status(nobody()), Some(ErrorKind::CredentialRefused), None),
        (
            Reply::status(Status::unimplemented("")),
            Some(ErrorKind::Unsupported),
            None,
        ),
        (
            Reply::status(Status::unauthenticated("")),
            Some(ErrorKind::CredentialRefused),
            Some(ErrorKind::CredentialRefused),
        ),
    ] {
        let upstream = Upstream::saying(reply).await;
        let url = ("url", text(&upstream.url));
        let looking = source(&[url.clone(), ("canary", text(CANARY))]);
        let checking = source(&[url, ("look_ups", Value::Bool(false))]);
        assert_eq!(kind(&looking.probe(&call_within(PATIENCE)).await), with_look_ups);
        assert_eq!(kind(&checking.probe(&call_within(PATIENCE)).await), without);
        let email = Email::parse(CANARY).expect("an address");
        let undeclared = checking.user_by_email(&call_within(PATIENCE), &email).await;
        assert_eq!(kind(&undeclared), Some(ErrorKind::Unsupported));
    }
}
