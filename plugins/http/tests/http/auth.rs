//! How the upstream is shown who asks, and how often a token is fetched and a password sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use idbridge_source::{Authentication, ErrorKind, Lookup};
use idbridge_testkit::upstreams::http::{Double, Reply, Request};
use idbridge_testkit::world::ADA;
use serde_json::json;

use crate::legacy;
use crate::world::{by_email, example, log_in, source};

const README: &str = include_str!("../../README.md");

/// The README's example with another `auth`.
fn settings(url: &str, auth: &str) -> String {
    let settings = example(README, url);
    let (before, rest) = settings.split_once("[auth]\n").expect("a table");
    let (_, after) = rest.split_once("\n[").expect("the next");
    format!("{before}\n[auth]\n{}\n[{after}", auth.replace("{url}", url))
}

fn record() -> Reply {
    let user = legacy::record(1, &ADA);
    Reply::json(200, json!({"result": "ok", "count": 1, "user": user, "users": [user]}))
}

/// What is sent with both questions.
async fn sent(auth: &str) -> [Request; 2] {
    let double = Double::start(|_| record()).await;
    let source = source(&settings(&double.url(), auth));
    assert!(matches!(
        log_in(&source, ADA.login, "hunter2").await,
        Ok(Authentication::Accept(_))
    ));
    assert!(matches!(by_email(&source, ADA.email).await, Ok(Lookup::Found(_))));
    double.received().try_into().expect("two requests")
}

#[tokio::test]
async fn fixed_credentials_go_with_every_request() {
    for (auth, name, value) in [
        ("kind = 'bearer'\ntoken = 'abc'", "authorization", "Bearer abc"),
        (
            "kind = 'basic'\nuser = 'Aladdin'\npassword = 'opensesame'",
            "authorization",
            "Basic QWxhZGRpbjpvcGVuc2VzYW1l",
        ),
        ("kind = 'header'\nvalue = 'abc'", "authorization", "abc"),
        ("kind = 'header'\nname = 'X-API-Key'\nvalue = 'abc'", "x-api-key", "abc"),
    ] {
        for request in sent(auth).await {
            assert_eq!(request.header(name), Some(value), "{auth}");
        }
    }
}

/// `printf '1700000000\nPOST\n/api/login\n{"login": "ada@example.com", "password": "hunter2"}' | openssl dgst -sha256
/// -hmac s3cret-token`; and of the body alone, of `GET./api/users?email=ada%40example.com`, of nothing.
#[tokio::test]
async fn signatures_are_those_that_openssl_makes() {
    let [log_in, look_up] = sent(
        "kind = 'hmac'\nkey = 's3cret-token'\nname = 'X-Signature'\nprefix = 'v1='\nseparator = \"\\n\"\n\
         signed = ['timestamp', 'method', 'path', 'body']\ntimestamp_header = 'X-Timestamp'",
    )
    .await;
    assert_eq!(
        log_in.header("x-signature"),
        Some("v1=267adb333ecb807c7406bc17f68e0fc570cb2e2541846e6fffb0862943ac18cd")
    );
    assert_eq!(log_in.header("x-timestamp"), Some("1700000000"));
    assert_eq!(look_up.header("x-timestamp"), Some("1700000000"));
    let [log_in, look_up] =
        sent("kind = 'hmac'\nkey = 's3cret-token'\nname = 'X-Hub-Signature-256'\nencoding = 'base64'").await;
    assert_eq!(
        log_in.header("x-hub-signature-256"),
        Some("yGjU4H6NEWKera5WWGO6ulfDwRfFl4Iv5M8SHqQKvL4=")
    );
    assert_eq!(
        look_up.header("x-hub-signature-256"),
        Some("aZkDjHT0RY+1Ug6Yl1deZWl+ccZcpXZqJc+ea69UD0c=")
    );
    let [_, look_up] =
        sent("kind = 'hmac'\nkey = 's3cret-token'\nname = 'X-Signature'\nsigned = ['method', 'path']").await;
    assert_eq!(
        look_up.header("x-signature"),
        Some("09c943a1d578f736c7db5fcf75c18dc54dc7587bc629cd48c35e7d269fa74c98")
    );
}

const OAUTH: &str = "kind = 'oauth'\ntoken_url = '{url}/oauth/token?v=2'\nclient_id = 'id:/é'\nclient_secret = 's+/='\nclient_auth = 'post'\naudience = 'users'";

/// An upstream with a token endpoint that numbers its tokens, and takes those from `first` on.
async fn upstream(first: usize, expires_in: u64, token_type: &'static str) -> Double {
    let fetched = Arc::new(AtomicUsize::new(0));
    Double::start(move |request| {
        if request.path() == "/oauth/token" {
            let number = fetched.fetch_add(1, Ordering::SeqCst) + 1;
            let token = format!("token-{number}");
            return Reply::json(
                200,
                json!({"access_token": token, "token_type": token_type, "expires_in": expires_in}),
            );
        }
        let token = request
            .header("authorization")
            .and_then(|value| value.strip_prefix("Bearer token-"));
        match token.and_then(|number| number.parse::<usize>().ok()) {
            Some(number) if number >= first => record(),
            _ => Reply::json(401, json!({"error": "unauthorized"})),
        }
    })
    .await
}

fn paths(double: &Double) -> Vec<String> {
    double
        .received()
        .iter()
        .map(|request| request.path().to_owned())
        .collect()
}

#[tokio::test]
async fn a_token_is_fetched_once_and_kept() {
    let double = upstream(1, 3600, "bearer").await;
    let source = source(&settings(&double.url(), OAUTH));
    for _ in 0..2 {
        assert!(by_email(&source, ADA.email).await.is_ok());
        assert!(log_in(&source, ADA.login, "hunter2").await.is_ok());
    }
    let expected = ["/oauth/token", "/api/users", "/api/login", "/api/users", "/api/login"];
    assert_eq!(paths(&double), expected);
    let fetch = &double.received()[0];
    assert_eq!(
        (fetch.method.as_str(), fetch.target.as_str()),
        ("POST", "/oauth/token?v=2")
    );
    assert_eq!(
        fetch.text(),
        "grant_type=client_credentials&audience=users&client_id=id%3A%2F%C3%A9&client_secret=s%2B%2F%3D"
    );
}

#[tokio::test]
async fn calls_at_once_fetch_one_token() {
    let double = upstream(1, 3600, "Bearer").await;
    let source = source(&settings(&double.url(), OAUTH));
    let calls = tokio::join!(
        by_email(&source, ADA.email),
        by_email(&source, ADA.email),
        by_email(&source, ADA.email)
    );
    assert!(calls.0.is_ok() && calls.1.is_ok() && calls.2.is_ok());
    assert_eq!(paths(&double).iter().filter(|path| *path == "/oauth/token").count(), 1);
}

#[tokio::test]
async fn a_token_that_has_expired_is_fetched_anew() {
    let double = upstream(1, 0, "Bearer").await;
    let source = source(&settings(&double.url(), OAUTH));
    for _ in 0..2 {
        assert!(by_email(&source, ADA.email).await.is_ok());
    }
    assert_eq!(
        paths(&double),
        ["/oauth/token", "/api/users", "/oauth/token", "/api/users"]
    );
}

#[tokio::test]
async fn a_refused_token_is_fetched_anew_for_a_look_up_once() {
    let double = upstream(2, 3600, "Bearer").await;
    let source = source(&settings(&double.url(), OAUTH));
    assert!(by_email(&source, ADA.email).await.is_ok());
    assert_eq!(
        paths(&double),
        ["/oauth/token", "/api/users", "/oauth/token", "/api/users"]
    );

    let double = upstream(9, 3600, "Bearer").await;
    let source = crate::world::source(&settings(&double.url(), OAUTH));
    let error = by_email(&source, ADA.email).await.expect_err("refused twice");
    assert_eq!(error.kind(), ErrorKind::CredentialRefused);
    assert_eq!(
        paths(&double),
        ["/oauth/token", "/api/users", "/oauth/token", "/api/users"]
    );
}

#[tokio::test]
async fn a_password_is_sent_once_whatever_becomes_of_the_token() {
    let double = upstream(2, 3600, "Bearer").await;
    let source = source(&settings(&double.url(), OAUTH));
    let error = log_in(&source, ADA.login, "hunter2").await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::CredentialRefused);
    assert_eq!(paths(&double), ["/oauth/token", "/api/login"]);
    // The next call doesn't use it again.
    assert!(log_in(&source, ADA.login, "hunter2").await.is_ok());
    assert_eq!(paths(&double)[2..], ["/oauth/token", "/api/login"]);
}

#[tokio::test]
async fn without_a_token_nothing_is_asked() {
    for (status, body, kind) in [
        (400, json!({"error": "invalid_client"}), ErrorKind::CredentialRefused),
        (401, json!({"error": "invalid_client"}), ErrorKind::CredentialRefused),
        (
            200,
            json!({"access_token": "x", "token_type": "mac"}),
            ErrorKind::Protocol,
        ),
        (
            200,
            json!({"access_token": "", "token_type": "Bearer"}),
            ErrorKind::Protocol,
        ),
        (
            200,
            json!({"access_token": "a b\n", "token_type": "Bearer"}),
            ErrorKind::Protocol,
        ),
        (
            200,
            json!({"access_token": "x", "token_type": "Bearer", "expires_in": "1h"}),
            ErrorKind::Protocol,
        ),
        (200, json!({"token_type": "Bearer"}), ErrorKind::Protocol),
        (404, json!({}), ErrorKind::Protocol),
        (429, json!({}), ErrorKind::Throttled { retry_after: None }),
        (503, json!({}), ErrorKind::Unavailable { retry_after: None }),
    ] {
        let double = Double::start(move |_| Reply::json(status, &body)).await;
        let source = source(&settings(&double.url(), OAUTH));
        let error = log_in(&source, ADA.login, "hunter2").await.expect_err("no token");
        assert_eq!(error.kind(), kind, "{status}");
        let error = by_email(&source, ADA.email).await.expect_err("no token");
        assert_eq!(error.kind(), kind, "{status}");
        assert!(
            paths(&double).iter().all(|path| path == "/oauth/token"),
            "{:?}",
            paths(&double)
        );
    }
}
