//! What users type that means something elsewhere, and upstreams that lie, flood or hang.

use std::time::Duration;

use idbridge_source::{Authentication, Email, ErrorKind, Login, Lookup, Password, Rejection, SourceError};
use idbridge_testkit::upstreams::http::{Double, Reply};
use serde_json::json;
use tokio::time::Instant;

use crate::legacy;
use crate::world::{PASSWORD, by_email, call_within, example, log_in, mistakes, source};

const README: &str = include_str!("../../README.md");

const HOSTILE: [&str; 10] = [
    "\"}, \"password\": {\"x\": \"",
    "ada\", \"admin\": true, \"x\": \"",
    "{{ password }}",
    "{% for x in login %}{{ x }}{% endfor %}",
    "\\\" \\u0022",
    "../../admin?x=1#y",
    "a&password=b+c",
    "x%22%0d%0aX-Admin: 1",
    "\u{202e}\u{feff}é",
    "' OR 1=1 --",
];

/// The settings of one request that carries a login in every place there is.
fn everywhere(url: &str) -> String {
    format!(
        r#"
base_url = "{url}"
addresses = ["127.0.0.1"]
[log_in]
path = "/log-in/{{{{ login }}}}/check"
query = ["alone={{{{ login }}}}", "within=name eq {{{{ login }}}} and active"]
form = ["login={{{{ login }}}}", "password={{{{ password }}}}", "fixed=a b"]
answers = [
  {{ status = 200, when = ['/ok = true'], outcome = "yes" }},
  {{ status = 403, when = ['/ok = false'], outcome = "invalid_credentials" }},
]
[probe]
path = "/"
answers = [{{ status = 200, when = ['/ok = true'], outcome = "well" }}]
[person]
id = "/id"
login = "/login"
states = [{{ when = ['/ok = true'], outcome = "admit" }}]
"#
    )
}

#[tokio::test]
async fn a_value_stays_one_value_wherever_it_stands() {
    let double = Double::start(|_| Reply::json(403, json!({"ok": false}))).await;
    let source = source(&everywhere(&double.url()));
    for login in HOSTILE {
        let answer = log_in(&source, login, "p&a=s\"s+ %20").await.expect("an answer");
        assert_eq!(answer, Authentication::Reject(Rejection::InvalidCredentials));
        let sent = double.received().pop().expect("a request");
        assert_eq!(sent.path().matches('/').count(), 3, "{}", sent.target);
        assert_eq!(sent.segment(1).as_deref(), Some(login));
        assert_eq!(sent.query("alone").as_deref(), Some(login));
        let within = sent.query("within").expect("an item");
        let quoted = within
            .strip_prefix("name eq ")
            .and_then(|rest| rest.strip_suffix(" and active"));
        assert_eq!(
            serde_json::from_str::<String>(quoted.expect("its frame")).expect("one string"),
            login
        );
        let form: Vec<(String, String)> = url::form_urlencoded::parse(&sent.body).into_owned().collect();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            form,
            [
                pair("login", login),
                pair("password", "p&a=s\"s+ %20"),
                pair("fixed", "a b")
            ]
        );
    }
}

#[tokio::test]
async fn a_json_body_holds_the_login_as_it_was_typed_and_nothing_else() {
    let double = legacy::start().await;
    let source = source(&example(README, &double.url()));
    for login in HOSTILE {
        let answer = log_in(&source, login, PASSWORD).await.expect("an answer");
        assert_eq!(answer, Authentication::Reject(Rejection::UnknownUser));
        let sent = double.received().pop().expect("a request");
        assert_eq!(sent.json(), json!({"login": login, "password": PASSWORD}));
    }
}

#[tokio::test]
async fn a_login_that_would_climb_is_not_sent() {
    let double = Double::start(|_| Reply::json(200, json!({"ok": true}))).await;
    let source = source(&everywhere(&double.url()));
    for login in [".", ".."] {
        let error = log_in(&source, login, PASSWORD).await.expect_err("no path");
        assert_eq!(error.kind(), ErrorKind::Protocol);
    }
    assert!(double.received().is_empty());
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = legacy::start().await;
    let location = format!("{}/api/login", elsewhere.url());
    for status in [301, 302, 303, 307, 308] {
        let location = location.clone();
        let double = Double::start(move |_| Reply::empty(status).with("Location", &location)).await;
        let source = source(&example(README, &double.url()));
        let error = log_in(&source, "ada@example.com", PASSWORD)
            .await
            .expect_err("a redirect");
        assert_eq!(error.kind(), ErrorKind::Protocol, "{status}");
    }
    assert!(elsewhere.received().is_empty());
}

/// What both questions come to when the upstream answers so.
async fn both(reply: Reply) -> [Result<String, SourceError>; 2] {
    let double = Double::start(move |_| reply.clone()).await;
    let source = source(&example(README, &double.url()));
    let log_in = log_in(&source, "ada@example.com", PASSWORD).await;
    let look_up = by_email(&source, "ada@example.com").await;
    [
        log_in.map(|answer| format!("{answer:?}")),
        look_up.map(|answer| format!("{answer:?}")),
    ]
}

#[tokio::test]
async fn answers_that_prove_nothing_are_errors() {
    let user = legacy::record(1, &idbridge_testkit::world::ADA);
    let log_in = json!({"result": "ok", "count": 1, "user": user, "users": [user]}).to_string();
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let table = [
        ("nothing", Reply::empty(200)),
        ("no content", Reply::empty(204)),
        ("HTML", Reply::typed(200, "text/html", &log_in)),
        ("plain text", Reply::typed(200, "text/plain", &log_in)),
        ("two values", Reply::json(200, format!("{log_in}{log_in}"))),
        ("half a value", Reply::json(200, &log_in[..log_in.len() - 1])),
        (
            "a key twice",
            Reply::json(200, log_in.replacen('{', "{\"result\": \"no\", \"count\": 0, ", 1)),
        ),
        (
            "a key twice, deep",
            Reply::json(200, log_in.replace("\"id\":", "\"id\": 7, \"id\":")),
        ),
        ("deep JSON", Reply::json(200, deep)),
        ("a list", Reply::json(200, format!("[{log_in}]"))),
        (
            "a 200 that says no",
            Reply::json(200, json!({"result": "no", "users": []})),
        ),
        (
            "a yes without anybody",
            Reply::json(200, json!({"result": "ok", "count": 1, "users": []})),
        ),
        (
            "a yes as a text",
            Reply::json(200, json!({"result": "ok", "user": "ada", "users": ["ada"]})),
        ),
        ("a yes with another status", Reply::json(201, &log_in)),
        ("an unknown error", Reply::json(403, json!({"error": "mystery"}))),
        ("a 1 GB answer", Reply::Endless),
    ];
    for (name, reply) in table {
        for answer in both(reply).await {
            let kind = answer.as_ref().map_err(SourceError::kind);
            let is_error = matches!(kind, Err(ErrorKind::Protocol | ErrorKind::CredentialRefused));
            assert!(is_error, "{name}: {answer:?}");
        }
    }
    // The same body, whole, is a yes: the table above isn't refused for something else.
    for answer in both(Reply::json(200, &log_in)).await {
        assert!(answer.is_ok(), "{answer:?}");
    }
}

#[tokio::test]
async fn another_persons_record_is_an_error() {
    let other = legacy::record(2, &idbridge_testkit::world::MIXED_CASE);
    for answer in both(Reply::json(
        200,
        json!({"result": "ok", "count": 1, "user": other, "users": [other]}),
    ))
    .await
    {
        assert_eq!(answer.expect_err("somebody else").kind(), ErrorKind::Protocol);
    }
}

#[tokio::test]
async fn a_value_of_another_type_is_an_error_and_not_a_guess() {
    let ada = legacy::record(1, &idbridge_testkit::world::ADA);
    for (key, value) in [
        ("id", json!(null)),
        ("id", json!(1.5)),
        ("id", json!(true)),
        ("id", json!("")),
        ("login", json!(["ada@example.com"])),
        ("email_verified", json!("true")),
        ("email_verified", json!(1)),
        ("first_name", json!({"en": "Ada"})),
        ("groups", json!("staff")),
        ("groups", json!([1])),
        ("status", json!("ACTIVE")),
        ("status", json!(null)),
        ("status", json!("moved")),
    ] {
        let mut user = ada.clone();
        user[key] = value.clone();
        let body = json!({"result": "ok", "count": 1, "user": user, "users": [user]});
        for answer in both(Reply::json(200, body)).await {
            let error = answer.expect_err(key);
            assert_eq!(error.kind(), ErrorKind::Protocol, "{key} = {value}");
            assert!(!error.chain().contains("ada"), "{}", error.chain());
        }
    }
}

#[tokio::test]
async fn a_hang_ends_with_the_call_and_the_password_was_sent_once() {
    let double = Double::start(|_| Reply::Hang).await;
    let source = source(&example(README, &double.url()));
    let began = Instant::now();
    let (login, password) = (Login::parse("ada@example.com"), Password::parse(PASSWORD.to_owned()));
    let call = call_within(Duration::from_millis(100));
    let answer = source
        .authenticate(&call, &login.expect("a login"), &password.expect("a password"))
        .await;
    assert_eq!(answer.expect_err("no answer").kind(), ErrorKind::TimedOut);
    let email = Email::parse("ada@example.com").expect("an address");
    let answer = source
        .user_by_email(&call_within(Duration::from_millis(100)), &email)
        .await;
    assert_eq!(answer.expect_err("no answer").kind(), ErrorKind::TimedOut);
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!(double.received().len(), 2);
}

#[tokio::test]
async fn an_address_that_is_not_listed_is_not_dialled() {
    let double = legacy::start().await;
    let settings = example(README, &double.url());
    let port = double.url().rsplit(':').next().expect("a port").to_owned();
    let at = |host: &str, networks: &str| {
        let settings = settings.replace(&double.url(), &format!("http://{host}:{port}"));
        settings.replace("[\"127.0.0.0/8\"]", networks)
    };
    let problem = "base_url: is an address that isn't public; list its network in `addresses` if that is meant";
    for host in ["127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "[::1]"] {
        assert_eq!(mistakes(&at(host, "[]")), [problem], "{host}");
        assert_eq!(mistakes(&at(host, "[\"10.0.0.0/8\"]")), [problem], "{host}");
    }
    for host in [
        "10.0.0.1",
        "169.254.169.254",
        "0.0.0.0",
        "[fd00::1]",
        "[::ffff:10.0.0.1]",
        "[64:ff9b::7f00:1]",
    ] {
        let https = at(host, "[]").replace("http://", "https://");
        assert_eq!(mistakes(&https), [problem], "{host}");
    }
    // A name is judged when it is resolved.
    let named = source(&at("localhost", "[]"));
    let error = by_email(&named, "ada@example.com").await.expect_err("out of reach");
    assert!(matches!(error.kind(), ErrorKind::Unavailable { .. }), "{error:?}");
    assert!(double.received().is_empty());
    let listed = source(&at("localhost", "[\"127.0.0.0/8\", \"::1\"]"));
    assert!(matches!(
        by_email(&listed, "ada@example.com").await,
        Ok(Lookup::Found(_))
    ));
}
