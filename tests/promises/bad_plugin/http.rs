//! `kind = "http"`: an API that the settings describe.

use idbridge_okta_simulator::PASSWORD;
use idbridge_testkit::upstreams::http::{Double, Reply, Request};
use idbridge_testkit::upstreams::raw::{Ill, Protocol, Server};
use serde_json::{Value, json};

use super::{Asked, BOTH, Beside, source};

fn api(url: &str) -> String {
    source(
        "http",
        &format!(
            r#"
            base_url = "{url}"
            addresses = ["127.0.0.0/8"]
            [log_in]
            path = "/log-in"
            json = '{{"login": {{{{ login }}}}, "password": {{{{ password }}}}}}'
            record = "/user"
            answers = [
              {{ status = 200, when = ['/ok = true'], outcome = "yes" }},
              {{ status = 200, when = ['/ok = false'], outcome = "wrong_password" }},
            ]
            [user_by_email]
            path = "/users"
            query = ["email={{{{ email }}}}"]
            records = "/users"
            canary = "canary@bad.example"
            answers = [
              {{ status = 200, when = ['/count = 0'], outcome = "absent" }},
              {{ status = 200, when = ['/ok = true'], outcome = "found" }},
            ]
            [person]
            id = "/id"
            login = "/email"
            email = "/email"
            states = [{{ when = ['/state = "active"'], outcome = "admit" }}]
            "#
        ),
    )
}

/// Good for both questions.
fn says(user: &Value) -> Value {
    json!({"ok": true, "count": 1, "user": user, "users": [user]})
}

fn user(email: &str) -> Value {
    json!({"id": "1", "email": email, "state": "active"})
}

fn well(request: &Request) -> Reply {
    let asked = request
        .query("email")
        .or_else(|| Some(request.json()["login"].as_str()?.to_owned()));
    Reply::json(200, says(&user(&asked.expect("an identifier"))))
}

/// What an API lies with, to whom, and what that is.
fn lies() -> Vec<(&'static str, Reply, &'static [Asked], &'static str)> {
    let protocol = "SOURCE_PROTOCOL";
    let good = says(&user("user-0a@bad.example")).to_string();
    let mut stateless = user("user-0a@bad.example");
    stateless["state"] = "moved".into();
    vec![
        ("nothing", Reply::empty(200), &BOTH, protocol),
        ("a page", Reply::typed(200, "text/html", &good), &BOTH, protocol),
        (
            "half a body",
            Reply::json(200, &good[..good.len() - 1]),
            &BOTH,
            protocol,
        ),
        (
            "a key twice",
            Reply::json(200, good.replacen('{', "{\"ok\": false,", 1)),
            &BOTH,
            protocol,
        ),
        ("deep", Reply::json(200, "[".repeat(100_000)), &BOTH, protocol),
        (
            "another's",
            Reply::json(200, says(&user("mallory@bad.example"))),
            &BOTH,
            protocol,
        ),
        (
            "a state that isn't described",
            Reply::json(200, says(&stateless)),
            &BOTH,
            protocol,
        ),
        (
            "a proxy's 404",
            Reply::typed(404, "text/html", "not found"),
            &BOTH,
            protocol,
        ),
        (
            "a no to a look-up",
            Reply::json(200, json!({"ok": false})),
            &[Asked::LookUp],
            protocol,
        ),
        (
            "absent, and the canary too",
            Reply::json(200, json!({"count": 0})),
            &[Asked::LookUp],
            "SOURCE_CREDENTIAL_REFUSED",
        ),
        (
            "a bad gateway",
            Reply::typed(502, "text/html", "ill"),
            &BOTH,
            "SOURCE_UNAVAILABLE",
        ),
        ("cut", Reply::Cut, &BOTH, "SOURCE_UNAVAILABLE"),
        ("a gigabyte", Reply::Endless, &BOTH, protocol),
    ]
}

#[tokio::test]
async fn an_api_that_lies_hangs_breaks_off_or_floods() {
    let double = Double::start(well).await;
    let beside = Beside::start(&api(&double.url())).await;
    beside.is_well("user@bad.example").await;
    let passwords = || {
        double
            .received()
            .iter()
            .filter(|request| request.method == "POST")
            .count()
    };
    let hang = ("hangs", Reply::Hang, &BOTH[..], "DEADLINE_EXCEEDED");
    for (case, reply, asked, reason) in lies().into_iter().chain([hang]) {
        double.answer(reply);
        let before = passwords();
        let log_ins = beside.fails(case, asked, reason).await;
        assert_eq!(passwords() - before, log_ins, "{case}: passwords");
    }
    double.heal();
    beside.is_well("user@bad.example").await;
    drop(double);
    beside.stop().await;
}

/// HTTP itself is broken. What ends no trailers has said a whole body, which counts for nothing.
#[tokio::test]
async fn an_api_whose_http_has_no_end_or_no_sense() {
    for (ill, reason) in [
        (Ill::Garbage, "SOURCE_PROTOCOL"),
        (Ill::Headers, "SOURCE_PROTOCOL"),
        (Ill::Silence, "DEADLINE_EXCEEDED"),
        (Ill::Trailers, "SOURCE_UNAVAILABLE"),
    ] {
        let good = says(&user("user-0a@bad.example")).to_string().into_bytes();
        let server = Server::start(Protocol::Http1, ill, good).await;
        let beside = Beside::start(&api(&format!("http://{}", server.address))).await;
        let log_ins = beside.fails(&format!("{ill:?}"), &BOTH, reason).await;
        assert!(server.heard(PASSWORD.as_bytes()) <= log_ins, "{ill:?}: passwords");
        // What the sockets hold, and a little more.
        let most = 2 * log_ins * (4 << 20);
        assert!(server.sent() < most, "{ill:?}: {} bytes were taken", server.sent());
        drop(server);
        beside.stop().await;
    }
}
