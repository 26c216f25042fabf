//! Answers that are none. Each is an error, at every operation, and each password went out once.

use idbridge_source::{Authentication, ErrorKind, Lookup};
use idbridge_testkit::upstreams::grpc::{Question, Upstream};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::reply::{End, Reply, Said as _, accepted, ada, found, framed, headers, ineligible, rejected};

use crate::wire::{GetUserByEmailRequest, RejectionReason, User};
use crate::{by_email, by_login, kind, log_in, source, source_at, text};

/// Every operation meets the reply, and finds it to be no answer.
async fn is_no_answer(what: &str, reply: Reply) {
    let upstream = Upstream::saying(reply).await;
    let source = source_at(&upstream.url);
    assert_eq!(
        kind(&by_email(&source).await),
        Some(ErrorKind::Protocol),
        "{what}: by e-mail"
    );
    assert_eq!(
        kind(&by_login(&source).await),
        Some(ErrorKind::Protocol),
        "{what}: by login"
    );
    assert_eq!(
        kind(&log_in(&source).await),
        Some(ErrorKind::Protocol),
        "{what}: log-in"
    );
    assert_eq!(upstream.seen().passwords.len(), 1, "{what}: passwords");
}

/// Of an encoded question.
fn email(asked: &[u8]) -> String {
    let asked: GetUserByEmailRequest = prost::Message::decode(asked).expect("a question");
    asked.email
}

fn good() -> Vec<u8> {
    // Field 1 of both answers is the user: one message is good for both.
    prost::Message::encode_to_vec(&found(ada()))
}

#[tokio::test]
async fn what_they_differ_from_is_an_answer() {
    let upstream = Upstream::saying(Reply::bytes(framed(&good()))).await;
    let source = source_at(&upstream.url);
    assert!(matches!(log_in(&source).await, Ok(Authentication::Accept(user)) if user.login == "ada"));
    assert!(matches!(by_email(&source).await, Ok(Lookup::Found(user)) if user.login == "ada"));
    assert!(matches!(by_login(&source).await, Ok(Lookup::Found(user)) if user.login == "ada"));
}

#[tokio::test]
async fn what_is_no_grpc() {
    let good = || Reply::bytes(framed(&good()));
    let ok = headers(&[("grpc-status", "0")]);
    let twice = headers(&[("grpc-status", "0"), ("grpc-status", "0")]);
    for (what, reply) in [
        (
            "another type",
            good().with_headers(&[("content-type", "application/grpc-web")]),
        ),
        (
            "a page",
            Reply::bytes("<html>ok</html>").with_headers(&[("content-type", "text/html")]),
        ),
        ("no type", good().with_headers(&[])),
        ("no trailers", good().ending(End::Nothing)),
        (
            "trailers without a status",
            good().ending(End::Trailers(headers(&[("x", "y")]))),
        ),
        (
            "a status in words",
            good().ending(End::Trailers(headers(&[("grpc-status", "OK")]))),
        ),
        ("two statuses", good().ending(End::Trailers(twice))),
        (
            "a status before the body alone",
            good()
                .with_headers(&[("content-type", "application/grpc"), ("grpc-status", "0")])
                .ending(End::Nothing),
        ),
        (
            "OK and nothing",
            Reply {
                body: Vec::new(),
                ..good()
            }
            .with_headers(&[("content-type", "application/grpc"), ("grpc-status", "0")])
            .ending(End::Nothing),
        ),
        (
            "OK in trailers alone",
            Reply {
                body: Vec::new(),
                ..good()
            }
            .ending(End::Trailers(ok)),
        ),
        ("another HTTP status", good().http(201)),
        ("a redirect", good().http(307)),
        ("a wrong address", good().http(404)),
        ("a proxy's own illness", good().http(500)),
    ] {
        is_no_answer(what, reply).await;
    }
}

#[tokio::test]
async fn what_is_no_message() {
    let good = good();
    let compressed = [&[1], &framed(&good)[1..]].concat();
    let longer = [&framed(&good)[..], b"x"].concat();
    let shorter = framed(&good).slice(..good.len());
    let twice = [framed(&good), framed(&good)].concat();
    let endless = [&[0, 255, 255, 255, 255], &good[..]].concat();
    for (what, body) in [
        ("compressed", compressed),
        ("longer than it says", longer),
        ("shorter than it says", shorter.to_vec()),
        ("two", twice),
        ("four gigabytes by its word", endless),
        ("a part of the length", vec![0, 0]),
        ("no protobuf", framed(b"all is well").to_vec()),
        ("no outcome", framed(b"").to_vec()),
        ("a source and no outcome", framed(&[0x1a, 1, b'p']).to_vec()),
        ("larger than any user", framed(&vec![0; 300 * 1024]).to_vec()),
    ] {
        is_no_answer(what, Reply::bytes(body)).await;
    }
}

#[tokio::test]
async fn what_names_nobody_or_another() {
    let nobody = |id: &str| User {
        id: id.to_owned(),
        ..ada()
    };
    for id in ["", "a\nb", &"x".repeat(256)] {
        is_no_answer("no id", Reply::message(&found(nobody(id)))).await;
    }
    let broken = prost_types::Struct {
        fields: [("a".to_owned(), prost_types::Value { kind: None })].into(),
    };
    let attributes = User {
        attributes: Some(broken),
        ..ada()
    };
    is_no_answer("attributes that are no JSON", Reply::message(&accepted(attributes))).await;

    let other = User {
        login: "mallory".to_owned(),
        email: "mallory@example.com".to_owned(),
        ..ada()
    };
    let upstream = Upstream::saying(Reply::message(&found(other))).await;
    let source = source_at(&upstream.url);
    assert_eq!(kind(&by_email(&source).await), Some(ErrorKind::Protocol));
    assert_eq!(kind(&by_login(&source).await), Some(ErrorKind::Protocol));
}

#[tokio::test]
async fn no_for_no_reason() {
    for reason in [0, 12, 99, -1] {
        is_no_answer("a reason that is none", Reply::message(&rejected(reason))).await;
    }
    for reason in [
        RejectionReason::InvalidCredentials,
        RejectionReason::UnknownUser,
        RejectionReason::WrongPassword,
    ] {
        let upstream = Upstream::saying(Reply::message(&ineligible(reason.into()))).await;
        let source = source_at(&upstream.url);
        assert_eq!(
            kind(&by_email(&source).await),
            Some(ErrorKind::Protocol),
            "{}",
            reason.as_str_name()
        );
        assert_eq!(
            kind(&by_login(&source).await),
            Some(ErrorKind::Protocol),
            "{}",
            reason.as_str_name()
        );
        assert!(
            matches!(log_in(&source).await, Ok(Authentication::Reject(_))),
            "{}",
            reason.as_str_name()
        );
    }
}

#[tokio::test]
async fn codes_without_a_row() {
    for code in [1, 2, 3, 6, 9, 10, 11, 13, 15, 17, 99] {
        let end = End::Trailers(headers(&[("grpc-status", &code.to_string())]));
        is_no_answer(&format!("code {code}"), Reply::bytes("").ending(end)).await;
    }
    let info = |reason: &str, domain: &str| ErrorDetails::with_error_info(reason, domain, [] as [(String, String); 0]);
    for (what, code, details) in [
        (
            "a reason of another code",
            Code::Unavailable,
            info("USER_NOT_FOUND", "idbridge"),
        ),
        (
            "another code for its reason",
            Code::NotFound,
            info("SOURCE_UNAVAILABLE", "idbridge"),
        ),
        (
            "a reason that is none",
            Code::Unavailable,
            info("NO_SUCH_REASON", "idbridge"),
        ),
        (
            "an absence in another's words",
            Code::NotFound,
            info("USER_NOT_FOUND", "example.com"),
        ),
    ] {
        is_no_answer(what, Reply::status(Status::with_error_details(code, "", details))).await;
    }
    for details in ["!", "CAg=", "/w=="] {
        // No Base64; of another code; no protobuf.
        let trailers = headers(&[("grpc-status", "14"), ("grpc-status-details-bin", details)]);
        is_no_answer(
            "details that can't be read",
            Reply::bytes("").ending(End::Trailers(trailers)),
        )
        .await;
    }
}

/// Of a plugin that has no words, "not found" is what a wrong address says too.
#[tokio::test]
async fn a_bare_not_found_counts_where_the_settings_say_so() {
    let silent = async |plain: bool, sees_canary: bool| {
        let upstream = Upstream::start(move |question| async move {
            match question {
                Question::LookUp(asked) if sees_canary && email(&asked) == crate::CANARY => {
                    let email = crate::CANARY.to_owned();
                    Reply::message(&found(User { email, ..ada() }))
                }
                _ => Reply::status(Status::not_found("nobody")),
            }
        })
        .await;
        let source = source(&[
            ("url", text(&upstream.url)),
            ("canary", text(crate::CANARY)),
            ("plain_not_found", idbridge_source::Value::Bool(plain)),
        ]);
        assert_eq!(
            kind(&log_in(&source).await),
            Some(ErrorKind::Protocol),
            "never of a log-in"
        );
        by_email(&source).await
    };
    assert_eq!(kind(&silent(false, true).await), Some(ErrorKind::Protocol));
    assert_eq!(silent(true, true).await.ok(), Some(Lookup::Absent));
    // A plugin that finds nobody at all has lost its users.
    assert_eq!(kind(&silent(true, false).await), Some(ErrorKind::CredentialRefused));
}

#[tokio::test]
async fn a_head_without_end_is_no_answer() {
    let long = "x".repeat(32 * 1024);
    let head = headers(&[("content-type", "application/grpc"), ("x", &long)]);
    let upstream = Upstream::saying(Reply {
        headers: head,
        ..Reply::bytes(framed(&good()))
    })
    .await;
    let source = source_at(&upstream.url);
    assert!(log_in(&source).await.is_err());
    assert!(by_email(&source).await.is_err());
    assert_eq!(upstream.seen().passwords.len(), 1);
}
