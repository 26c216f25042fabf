//! `examples/keycloak-user-migration.toml` before a double of that plugin's legacy REST API.

use std::sync::Arc;

use idbridge_source::{Authentication, ErrorKind, IdentitySource, Lookup, Rejection};
use idbridge_testkit::upstreams::http::{Double, Reply, Request};
use serde_json::{Value, json};

use crate::world::{PASSWORD, by_email, by_login, example, log_in, source};

fn user(asked: &str) -> Option<Value> {
    let people = [
        ("1", "bob", "bob@company.com"),
        ("2", "idbridge-canary", "idbridge-canary@acme.com"),
        ("3", "gone", "gone@company.com"),
        ("4", "totp", "totp@company.com"),
        ("5", "old", "old@company.com"),
        // A user name that is another's address.
        ("6", "bob@other.com", "mallory@company.com"),
        ("7", "a/b c", "slash@company.com"),
    ];
    let (id, username, email) = people
        .into_iter()
        .find(|(_, name, email)| *name == asked || *email == asked)?;
    Some(json!({
        "id": id,
        "username": username,
        "email": email,
        "firstName": "Bob",
        "lastName": "Smith",
        "enabled": username != "gone",
        "emailVerified": true,
        "attributes": {"position": ["rockstar-developer"]},
        "roles": ["admin"],
        "groups": ["migrated_users"],
        "requiredActions": if username == "old" { json!(["UPDATE_PASSWORD"]) } else { json!([]) },
        "totps": if username == "totp" { json!([{"name": "phone", "secret": "x"}]) } else { json!([]) },
    }))
}

fn answer(request: &Request) -> Reply {
    // base64 of idbridge:s3cret-token
    if request.header("authorization") != Some("Basic aWRicmlkZ2U6czNjcmV0LXRva2Vu") {
        return Reply::empty(401);
    }
    let asked = request.segment(1).expect("a user");
    match (request.method.as_str(), user(&asked)) {
        ("GET", Some(user)) => Reply::json(200, user),
        ("GET", None) => Reply::empty(404),
        ("POST", Some(_)) if request.json() == json!({"password": PASSWORD}) => Reply::empty(200),
        ("POST", _) => Reply::empty(400),
        _ => Reply::empty(405),
    }
}

async fn start() -> (Double, Arc<dyn IdentitySource>) {
    let double = Double::start(answer).await;
    let document = include_str!("../../examples/keycloak-user-migration.toml");
    let source = source(&example(document, &double.url()));
    (double, source)
}

#[tokio::test]
async fn a_password_is_posted_once_and_then_the_user_is_read() {
    let (double, source) = start().await;
    for (login, id, name) in [
        ("bob", "1", "bob"),
        ("bob@company.com", "1", "bob"),
        ("a/b c", "7", "a/b c"),
    ] {
        let before = double.received().len();
        let Ok(Authentication::Accept(user)) = log_in(&source, login, PASSWORD).await else {
            panic!("{login} with the right password");
        };
        assert_eq!((user.id.as_str(), user.login.as_str()), (id, name));
        assert_eq!(user.attributes["position"], json!("rockstar-developer"));
        let sent = double.received().split_off(before).into_iter();
        let methods: Vec<String> = sent.map(|sent| sent.method).collect();
        assert_eq!(methods, ["POST", "GET"]);
    }
}

#[tokio::test]
async fn a_no_is_a_no_in_both() {
    let (_double, source) = start().await;
    for (login, password, wanted) in [
        ("bob", "wrong", Rejection::InvalidCredentials),
        ("nobody", PASSWORD, Rejection::InvalidCredentials),
        ("gone", PASSWORD, Rejection::AccountDisabled),
        ("totp", PASSWORD, Rejection::SecondFactorRequired),
        ("old", PASSWORD, Rejection::PasswordExpired),
    ] {
        let answer = log_in(&source, login, password).await.expect("an answer");
        assert_eq!(answer, Authentication::Reject(wanted), "{login}");
    }
    assert_eq!(by_login(&source, "nobody").await.expect("an answer"), Lookup::Absent);
    assert_eq!(
        by_email(&source, "nobody@company.com").await.expect("an answer"),
        Lookup::Absent
    );
    let gone = by_email(&source, "gone@company.com").await.expect("an answer");
    assert_eq!(gone, Lookup::Ineligible(Rejection::AccountDisabled));
}

#[tokio::test]
async fn one_path_for_names_and_addresses_takes_nobody_for_another() {
    let (_double, source) = start().await;
    // The path finds the user whose name it is; whose address it is, it can't tell.
    let error = by_email(&source, "bob@other.com")
        .await
        .expect_err("somebody else's record");
    assert_eq!(error.kind(), ErrorKind::Protocol);
    let error = by_login(&source, "bob@company.com")
        .await
        .expect_err("found by the address");
    assert_eq!(error.kind(), ErrorKind::Protocol);
}
