//! The table of answers, from outside: what each row of the settings and each status without one come to.

use std::time::Duration;

use idbridge_source::{Authentication, ErrorKind, Lookup, Rejection};
use idbridge_testkit::upstreams::http::{Double, Reply};
use idbridge_testkit::world::ADA;
use serde_json::json;

use crate::world::{by_login, log_in, probe, source};

/// A row for each outcome: the status is its place in the list, from 400 on.
fn settings(url: &str) -> String {
    let rows = |words: &[&str]| -> String {
        let row = |(index, word): (usize, &&str)| {
            format!(
                "{{ status = {}, when = ['/said = true'], outcome = \"{word}\" }},\n",
                400 + index
            )
        };
        words.iter().enumerate().map(row).collect()
    };
    format!(
        r#"
base_url = "{url}"
addresses = ["127.0.0.1"]
headers = ["X-Tenant: acme"]
[log_in]
method = "PUT"
path = "/log-in"
json = '[{{{{ login }}}}, {{{{ password|upper }}}}]'
answers = [
  {{ status = 200, when = ['/said = true', '/again is empty'], outcome = "yes" }},
  {}]
[user_by_login]
path = "/{{{{ login|lower }}}}"
canary = "canary"
answers = [
  {{ status = 200, outcome = "found" }},
  {}]
[person]
id = "/id"
login = "/login"
states = [{{ when = ['/said = true'], outcome = "admit" }}]
"#,
        rows(&LOG_IN),
        rows(&LOOK_UP)
    )
}

const FAILURES: [&str; 5] = [
    "ambiguous",
    "credential_refused",
    "protocol",
    "throttled",
    "unavailable",
];
const LOG_IN: [&str; 15] = [
    "account_disabled",
    "account_inactive",
    "account_locked",
    "denied_by_policy",
    "no_password",
    "second_factor_required",
    "invalid_credentials",
    "password_expired",
    "unknown_user",
    "wrong_password",
    FAILURES[0],
    FAILURES[1],
    FAILURES[2],
    FAILURES[3],
    FAILURES[4],
];
const LOOK_UP: [&str; 11] = [
    "account_disabled",
    "account_inactive",
    "account_locked",
    "denied_by_policy",
    "no_password",
    "second_factor_required",
    FAILURES[0],
    FAILURES[1],
    FAILURES[2],
    FAILURES[3],
    FAILURES[4],
];

const WAIT: Option<Duration> = Some(Duration::from_secs(17));

fn failure(word: &str) -> ErrorKind {
    match word {
        "ambiguous" => ErrorKind::Ambiguous,
        "credential_refused" => ErrorKind::CredentialRefused,
        "protocol" => ErrorKind::Protocol,
        "throttled" => ErrorKind::Throttled { retry_after: WAIT },
        _ => ErrorKind::Unavailable { retry_after: WAIT },
    }
}

fn rejection(word: &str) -> Option<Rejection> {
    Rejection::ALL.into_iter().find(|rejection| rejection.name() == word)
}

fn reply(status: u16, body: serde_json::Value) -> Reply {
    Reply::json(status, body).with("Retry-After", "17")
}

#[tokio::test]
async fn every_row_says_what_its_outcome_says() {
    let double = Double::start(|_| Reply::Cut).await;
    let source = source(&settings(&double.url()));
    for (index, word) in LOG_IN.iter().enumerate() {
        let status = 400 + u16::try_from(index).expect("a few");
        double.answer(reply(status, json!({"said": true})));
        let answer = log_in(&source, ADA.login, "x").await;
        match rejection(word) {
            Some(rejection) => assert_eq!(answer.expect("an answer"), Authentication::Reject(rejection)),
            None => assert_eq!(answer.expect_err(word).kind(), failure(word), "{word}"),
        }
        // The same status without what the row wants.
        double.answer(reply(status, json!({"said": false})));
        assert!(log_in(&source, ADA.login, "x").await.is_err(), "{word}");
    }
    for (index, word) in LOOK_UP.iter().enumerate() {
        let status = 400 + u16::try_from(index).expect("a few");
        double.answer(reply(status, json!({"said": true})));
        let answer = by_login(&source, "Ada").await;
        match rejection(word) {
            Some(rejection) => assert_eq!(answer.expect("an answer"), Lookup::Ineligible(rejection)),
            None => assert_eq!(answer.expect_err(word).kind(), failure(word), "{word}"),
        }
    }
    let sent = double.received();
    assert_eq!((sent[0].method.as_str(), sent[0].target.as_str()), ("PUT", "/log-in"));
    assert_eq!(sent[0].json(), json!([ADA.login, "X"]));
    assert!(sent.iter().all(|sent| sent.header("x-tenant") == Some("acme")));
    assert_eq!(sent.last().map(|sent| sent.target.as_str()), Some("/ada"));
}

#[tokio::test]
async fn a_status_without_a_row_is_an_error() {
    let double = Double::start(|_| Reply::Cut).await;
    let source = source(&settings(&double.url()));
    let (throttled, unavailable) = (
        ErrorKind::Throttled { retry_after: WAIT },
        ErrorKind::Unavailable { retry_after: WAIT },
    );
    let (refused, protocol) = (ErrorKind::CredentialRefused, ErrorKind::Protocol);
    for (status, of_log_in, of_look_up) in [
        (200, protocol, protocol),
        (201, protocol, protocol),
        (204, protocol, protocol),
        (302, protocol, protocol),
        (400, protocol, protocol),
        (401, protocol, refused),
        (403, protocol, refused),
        (404, protocol, protocol),
        (418, protocol, protocol),
        (429, throttled, throttled),
        (500, unavailable, unavailable),
        (502, unavailable, unavailable),
        (503, unavailable, unavailable),
        (599, unavailable, unavailable),
    ] {
        double.answer(Reply::typed(status, "text/html", "<h1>Proxy</h1>").with("Retry-After", "17"));
        let error = log_in(&source, ADA.login, "x").await.expect_err("a log-in");
        assert_eq!(error.kind(), of_log_in, "log-in, {status}");
        let error = by_login(&source, "ada").await.expect_err("a look-up");
        assert_eq!(error.kind(), of_look_up, "look-up, {status}");
        assert!(probe(&source).await.is_err(), "probe, {status}");
    }
}

#[tokio::test]
async fn a_yes_needs_all_its_conditions_and_the_right_person() {
    let double = Double::start(|_| Reply::Cut).await;
    let source = source(&settings(&double.url()));
    let whole = json!({"said": true, "id": "1", "login": ADA.login});
    double.answer(Reply::json(200, &whole));
    assert!(matches!(
        log_in(&source, ADA.login, "x").await,
        Ok(Authentication::Accept(_))
    ));
    for (key, value) in [
        ("said", json!("true")),
        ("again", json!(1)),
        ("login", json!("eve")),
        ("id", json!(null)),
    ] {
        let mut body = whole.clone();
        body[key] = value;
        double.answer(Reply::json(200, body));
        let error = log_in(&source, ADA.login, "x").await.expect_err(key);
        assert_eq!(error.kind(), ErrorKind::Protocol, "{key}");
    }
}
