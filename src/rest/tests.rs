//! The gateway from outside, before a broker that says what a test wants: in memory, and over a socket.

mod asking;
mod double;
mod failing;

use std::time::Duration;

use double::{Double, SETTINGS, Says, ada, get_user, login, post, send};
use http::StatusCode;
use idbridge_source::Rejection;
use serde_json::json;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};
use zeroize::Zeroizing;

use super::{Call, Gateway, Outcome, Problem};
use crate::pb::RejectionReason;

fn refusal(code: Code, reason: &str) -> Status {
    let mut details = ErrorDetails::with_error_info(reason, "idbridge", [("request_id".to_owned(), "x".to_owned())]);
    details.set_retry_info(Some(Duration::from_millis(6500)));
    Status::with_error_details(code, "never shown", details)
}

#[tokio::test]
async fn yes() {
    let double = Double::new(Says::Yes(ada()));
    for (name, gateway) in double.gateways(SETTINGS).await {
        let profile = json!({
            "user_id": "okta|00u1",
            "email": "ada@example.com",
            "email_verified": false,
            "app_metadata": {"idbridge": {
                "source": "okta",
                "source_id": "00u1",
                "login": "ada",
                "groups": [],
                "attributes": {},
                "second_factor": false,
                "password_expired": false,
            }},
        });
        for (request, outcome) in [(login(), "authenticated"), (get_user(), "found")] {
            let seen = send(&gateway, request).await;
            assert_eq!(seen.status, StatusCode::OK, "{name}");
            assert_eq!(seen.header("content-type"), Some("application/json"));
            assert_eq!(
                seen.json(),
                json!({"outcome": outcome, "profile": profile.clone()}),
                "{name}"
            );
        }
    }
}

#[tokio::test]
async fn no_is_200_with_the_reason() {
    for rejection in Rejection::ALL {
        let name = rejection.name();
        let wire = format!("REJECTION_REASON_{}", name.to_ascii_uppercase());
        let reason = RejectionReason::from_str_name(&wire).expect("the wire has it") as i32;
        for (transport, gateway) in Double::new(Says::No(reason)).gateways(SETTINGS).await {
            let expected = json!({"outcome": "rejected", "reason": name});
            let seen = send(&gateway, login()).await;
            assert_eq!(
                (seen.status, seen.json()),
                (StatusCode::OK, expected.clone()),
                "{transport}"
            );
            let seen = send(&gateway, get_user()).await;
            if rejection == Rejection::UnknownUser {
                assert_eq!(seen.problem(), (502, "source_protocol".to_owned()), "{transport}");
            } else {
                assert_eq!((seen.status, seen.json()), (StatusCode::OK, expected), "{transport}");
            }
        }
    }
}

#[tokio::test]
async fn nobody_is_200_at_a_look_up_and_nonsense_at_a_log_in() {
    let double = Double::new(Says::Status(refusal(Code::NotFound, "USER_NOT_FOUND")));
    for (name, gateway) in double.gateways(SETTINGS).await {
        let seen = send(&gateway, get_user()).await;
        assert_eq!(
            (seen.status, &*seen.body),
            (StatusCode::OK, r#"{"outcome":"not_found"}"#),
            "{name}"
        );
        let seen = send(&gateway, login()).await;
        assert_eq!(seen.problem(), (500, "internal".to_owned()), "{name}");
    }
}

#[tokio::test]
async fn an_identifier_that_would_not_find_the_user_again_is_a_no() {
    for (name, gateway) in Double::new(Says::Yes(ada())).gateways(SETTINGS).await {
        for request in [
            post("/auth0/v1/login", r#"{"identifier":"ada","password":"x"}"#),
            post("/auth0/v1/get-user", r#"{"identifier":"ada"}"#),
        ] {
            let seen = send(&gateway, request).await;
            let expected = json!({"outcome": "rejected", "reason": "identifier_not_portable"});
            assert_eq!((seen.status, seen.json()), (StatusCode::OK, expected), "{name}");
        }
    }
}

#[tokio::test]
async fn a_malformed_success_is_neither_yes_nor_no() {
    let mut without_id = ada();
    without_id.id.clear();
    let mut auth0s_own = ada();
    auth0s_own.id = "auth0|1".to_owned();
    for says in [
        Says::Nothing,
        Says::No(0),
        Says::No(99),
        Says::No(-1),
        Says::Yes(Box::default()),
        Says::Yes(without_id),
        Says::Yes(auth0s_own),
    ] {
        for (name, gateway) in Double::new(says).gateways(SETTINGS).await {
            for request in [login(), get_user()] {
                let seen = send(&gateway, request).await;
                assert_eq!(seen.problem(), (502, "source_protocol".to_owned()), "{name}");
            }
        }
    }
}

#[tokio::test]
#[rustfmt::skip] // a row a line
async fn a_status_is_a_problem_with_the_contracts_members_and_headers() {
    for (code, reason, status, problem) in [
        (Code::InvalidArgument, "INVALID_IDENTIFIER", 400, "invalid_identifier"),
        (Code::Unauthenticated, "CALLER_UNAUTHENTICATED", 401, "caller_unauthenticated"),
        (Code::PermissionDenied, "CALLER_NOT_ALLOWED", 403, "caller_not_allowed"),
        (Code::ResourceExhausted, "SOURCE_THROTTLED", 429, "source_throttled"),
        (Code::Unavailable, "SHUTTING_DOWN", 503, "shutting_down"),
        (Code::DeadlineExceeded, "DEADLINE_EXCEEDED", 504, "deadline_exceeded"),
        (Code::Internal, "AMBIGUOUS_USER", 502, "ambiguous_user"),
        (Code::FailedPrecondition, "OPERATION_UNSUPPORTED", 501, "operation_unsupported"),
    ] {
        let double = Double::new(Says::Status(refusal(code, reason)));
        for (name, gateway) in double.gateways(SETTINGS).await {
            for request in [login(), get_user()] {
                let seen = send(&gateway, request).await;
                let title = seen.status.canonical_reason();
                let expected = json!({
                    "type": "about:blank", "title": title, "status": status, "code": problem, "request_id": "req-1",
                });
                assert_eq!((seen.status.as_u16(), seen.json()), (status, expected), "{name}");
                assert_eq!(seen.header("content-type"), Some("application/problem+json"));
                assert_eq!(
                    seen.header("retry-after"),
                    [429, 503].contains(&status).then_some("7"),
                    "{reason}"
                );
                assert_eq!(seen.header("www-authenticate"), (status == 401).then_some("Bearer"));
            }
        }
    }
}

#[tokio::test]
async fn both_transports_give_the_same_bytes() {
    let mut whole = ada();
    whole.name = Some("Ada Lovelace".to_owned());
    whole.email_verified = Some(true);
    whole.groups = vec!["b".to_owned(), "a".to_owned()];
    let status = |code, reason| Says::Status(refusal(code, reason));
    for says in [
        Says::Yes(whole),
        Says::No(10),
        Says::No(0),
        Says::Nothing,
        status(Code::NotFound, "USER_NOT_FOUND"),
        status(Code::ResourceExhausted, "CALLER_THROTTLED"),
        status(Code::Internal, "SOURCE_CREDENTIAL_REFUSED"),
        Says::Status(Status::not_found("a proxy's")),
        Says::Status(Status::unavailable("a proxy's")),
        Says::Status(Status::cancelled("")),
        Says::Status(Status::unknown("")),
    ] {
        let [(_, in_memory), (_, over_a_socket)] = Double::new(says).gateways(SETTINGS).await;
        for request in [login, get_user] {
            assert_eq!(send(&in_memory, request()).await, send(&over_a_socket, request()).await);
        }
    }
}

#[tokio::test]
async fn the_gateway_without_http() {
    let double = Double::new(Says::Yes(ada()));
    let gateway = Gateway::new(double.in_memory(), SETTINGS);
    let call = || Call::with_key("the-key").expect("a key");

    let answer = gateway
        .login(call(), "ada@example.com".to_owned(), Zeroizing::new("x".to_owned()))
        .await;
    assert!(matches!(answer.result, Ok(Outcome::Authenticated { .. })));
    assert_eq!(answer.status(), StatusCode::OK);
    let asked = double.asked().pop().expect("asked");
    assert_eq!(asked.metadata["authorization"], "Bearer the-key");
    assert_eq!(asked.metadata["x-request-id"], answer.request_id.as_str());

    let answer = gateway.get_user(call(), "ada".to_owned()).await;
    assert_eq!(
        answer.to_json(),
        r#"{"outcome":"rejected","reason":"identifier_not_portable"}"#
    );

    let answer = Gateway::new(Double::new(Says::Nothing).in_memory(), SETTINGS)
        .get_user(call(), "ada@example.com".to_owned())
        .await;
    assert_eq!(answer.result, Err(Problem::SOURCE_PROTOCOL));
    assert!(!format!("{gateway:?}").contains("key"));
}
