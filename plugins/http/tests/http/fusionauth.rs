//! `examples/fusionauth.toml` before a double that answers as FusionAuth's pages on the login and the user API say.

use std::sync::Arc;

use idbridge_source::{Admission, Authentication, ErrorKind, IdentitySource, Lookup, Rejection};
use idbridge_testkit::upstreams::http::{Double, Reply, Request};
use serde_json::{Value, json};

use crate::listing::everybody;
use crate::world::{PASSWORD, by_email, example, log_in, probe, source};

fn user(email: &str) -> Option<Value> {
    let name = email.strip_suffix("@acme.com")?;
    let known = ["ada", "bob", "off", "factor", "old", "new", "idbridge-canary"];
    known.contains(&name).then(|| {
        json!({
            "id": format!("00000000-0000-0001-0000-{:012}", name.len()),
            "email": email,
            "active": name != "off",
            "verified": name != "new",
            "firstName": "Ada",
            "lastName": "Lovelace",
            "preferredLanguages": ["en", "fr"],
            "passwordChangeRequired": name == "old",
            "twoFactor": {"methods": if name == "factor" { json!([{"method": "sms"}]) } else { json!([]) }},
            "registrations": [],
        })
    })
}

fn answer(request: &Request) -> Reply {
    if request.header("authorization") != Some("s3cret-token") {
        return Reply::empty(401);
    }
    match (request.method.as_str(), request.path()) {
        ("POST", "/api/login") => {
            let body = request.json();
            assert_eq!(body["noJWT"], json!(true));
            let login = body["loginId"].as_str().expect("a login");
            let user = user(login).filter(|_| body["password"] == json!(PASSWORD));
            match (user, login) {
                (None, "moved@acme.com") => Reply::empty(302).with("Location", "https://evil.example.com/"),
                (None, _) => Reply::empty(404),
                (Some(_), "off@acme.com") => Reply::empty(423),
                (Some(_), "factor@acme.com") => Reply::json(242, json!({"twoFactorId": "abc", "methods": []})),
                (Some(_), "old@acme.com") => Reply::json(
                    203,
                    json!({"changePasswordId": "abc", "changePasswordReason": "Expired"}),
                ),
                (Some(_), "bob@acme.com") => Reply::json(409, json!({"actions": [{"name": "Banned"}]})),
                (Some(user), "new@acme.com") => Reply::json(212, json!({"user": user})),
                (Some(user), _) => Reply::json(200, json!({"user": user})),
            }
        }
        ("GET", "/api/user") => match user(&request.query("email").expect("an address")) {
            Some(user) => Reply::json(200, json!({"user": user})),
            None => Reply::empty(404),
        },
        ("POST", "/api/user/search") => search(&request.json()["search"]),
        _ => Reply::empty(405),
    }
}

/// A full page has a `nextResults` even if nobody comes after it.
fn search(asked: &Value) -> Reply {
    let people = ["ada@acme.com", "off@acme.com", "idbridge-canary@acme.com"];
    assert_eq!(asked["numberOfResults"], json!(100));
    let begin = match asked["nextResults"].as_str() {
        Some(after) => after.parse().expect("what was given"),
        None => {
            assert_eq!(
                (&asked["queryString"], &asked["sortFields"]),
                (&json!("*"), &json!([{"name": "id"}]))
            );
            0
        }
    };
    let found: Vec<Value> = people.into_iter().skip(begin).take(1).filter_map(user).collect();
    let mut body = json!({"total": people.len(), "users": found});
    if begin < people.len() {
        body["nextResults"] = (begin + 1).to_string().into();
    }
    Reply::json(200, body)
}

async fn start() -> (Double, Arc<dyn IdentitySource>) {
    let double = Double::start(answer).await;
    let settings = example(include_str!("../../examples/fusionauth.toml"), &double.url());
    let source = source(&settings);
    (double, source)
}

#[tokio::test]
async fn each_documented_code_has_its_answer() {
    let (_double, source) = start().await;
    for (login, password, wanted) in [
        ("ada@acme.com", PASSWORD, None),
        ("new@acme.com", PASSWORD, None),
        ("ada@acme.com", "wrong", Some(Rejection::InvalidCredentials)),
        ("nobody@acme.com", PASSWORD, Some(Rejection::InvalidCredentials)),
        ("off@acme.com", PASSWORD, Some(Rejection::AccountDisabled)),
        ("factor@acme.com", PASSWORD, Some(Rejection::SecondFactorRequired)),
        ("old@acme.com", PASSWORD, Some(Rejection::PasswordExpired)),
        ("bob@acme.com", PASSWORD, Some(Rejection::DeniedByPolicy)),
    ] {
        match (log_in(&source, login, password).await.expect("an answer"), wanted) {
            (Authentication::Accept(user), None) => {
                assert_eq!(user.email_verified, Some(login != "new@acme.com"));
                assert_eq!(user.locale.as_deref(), Some("en"));
            }
            (Authentication::Reject(rejection), Some(wanted)) => assert_eq!(rejection, wanted, "{login}"),
            (other, wanted) => panic!("{login}: {other:?}, not {wanted:?}"),
        }
    }
    let moved = log_in(&source, "moved@acme.com", "wrong")
        .await
        .expect_err("a redirect");
    assert_eq!(moved.kind(), ErrorKind::Protocol);
}

#[tokio::test]
async fn everybody_is_listed_by_cursor() {
    let (_double, source) = start().await;
    let people = everybody(&source).await;
    let emails: Vec<&str> = people.iter().map(|one| one.user.email.as_str()).collect();
    assert_eq!(emails, ["ada@acme.com", "off@acme.com", "idbridge-canary@acme.com"]);
    assert_eq!(people[1].log_in, Admission::Rejected(Rejection::AccountDisabled));
}

#[tokio::test]
async fn look_ups_agree_with_log_ins() {
    let (_double, source) = start().await;
    let Ok(Lookup::Found(found)) = by_email(&source, "ada@acme.com").await else {
        panic!("she is there");
    };
    let Ok(Authentication::Accept(proved)) = log_in(&source, "ada@acme.com", PASSWORD).await else {
        panic!("the right password");
    };
    assert_eq!(found, proved);
    for (email, wanted) in [
        ("off@acme.com", Lookup::Ineligible(Rejection::AccountDisabled)),
        ("factor@acme.com", Lookup::Ineligible(Rejection::SecondFactorRequired)),
        ("nobody@acme.com", Lookup::Absent),
    ] {
        assert_eq!(by_email(&source, email).await.expect("an answer"), wanted, "{email}");
    }
    assert!(matches!(by_email(&source, "old@acme.com").await, Ok(Lookup::Found(user)) if user.password_expired));
    assert!(probe(&source).await.is_ok());
}

#[tokio::test]
async fn a_404_of_somebody_else_is_not_absence() {
    let (double, source) = start().await;
    double.answer(Reply::empty(404));
    let error = by_email(&source, "nobody@acme.com")
        .await
        .expect_err("the canary is gone as well");
    assert_eq!(error.kind(), ErrorKind::CredentialRefused);
    assert!(probe(&source).await.is_err());
}
