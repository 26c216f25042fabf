//! What reaches Okta.

use std::net::IpAddr;
use std::time::Duration;

use idbridge_okta_simulator::{Endpoint, TOKEN};
use idbridge_source::{Login, Password};
use serde_json::json;

use crate::world::{PASSWORD, World, call, org, person, yes};

#[tokio::test]
async fn a_log_in() {
    let world = World::demo().await;
    world.accepted("ada@example.com").await;
    let received = world.org.received();
    let authn = received.at(Endpoint::Authn).next().expect("a log-in");
    assert_eq!(
        authn.json(),
        Some(json!({"username": "ada@example.com", "password": PASSWORD}))
    );
    assert_eq!(authn.header("content-type"), Some("application/json"));
    for absent in ["authorization", "x-forwarded-for", "cookie"] {
        assert_eq!(authn.header(absent), None, "{absent}");
    }
    for request in received.requests() {
        assert_eq!(request.header("accept"), Some("application/json"));
        assert_eq!(request.header("x-request-id"), Some("req-1"));
        assert!(
            request
                .header("user-agent")
                .is_some_and(|agent| agent.starts_with("idbridge/"))
        );
        assert_eq!(request.header("cookie"), None, "Okta set one");
    }
    let user = received.at(Endpoint::User).next().expect("a user");
    assert_eq!(user.header("authorization"), Some(format!("SSWS {TOKEN}").as_str()));
    assert_eq!(received.total(), 3, "the log-in, the user, the factors");
}

#[tokio::test]
async fn the_token_goes_with_a_log_in_where_the_settings_say_so() {
    let world = World::new(org([person("ada@example.com")]), &[("send_token_with_authn", yes())]).await;
    world.accepted("ada@example.com").await;
    let received = world.org.received();
    let authn = received.at(Endpoint::Authn).next().expect("a log-in");
    assert_eq!(authn.header("authorization"), Some(format!("SSWS {TOKEN}").as_str()));
}

#[tokio::test]
async fn the_users_address_is_told_where_it_is_known() {
    let world = World::demo().await;
    for address in ["192.0.2.7", "2001:db8::7"] {
        let mut call = call(Duration::from_secs(10));
        call.client_address = Some(address.parse::<IpAddr>().expect("an address"));
        let login = Login::parse("ada@example.com").expect("a login");
        let password = Password::parse(PASSWORD.to_owned()).expect("a password");
        let answer = world.source.authenticate(&call, &login, &password).await;
        assert!(answer.is_ok(), "{answer:?}");
        let received = world.org.received();
        let authn = received.at(Endpoint::Authn).next_back().expect("a log-in");
        assert_eq!(authn.header("x-forwarded-for"), Some(address));
    }
}

#[tokio::test]
async fn passwords_and_logins_byte_for_byte() {
    let long = "x".repeat(80);
    let passwords = [
        " a ", "\"'\\", "🦀", "e\u{301}", "\u{e9}", "\u{202e}", "\t\n", "<&>", "null", "%20+", &long,
    ];
    for password in passwords {
        let login = format!(" {password}@x\u{301} ").replace(['\t', '\n'], "");
        let world = World::new(org([person(&login).email("a@example.com").password(password)]), &[]).await;
        let answer = world.log_in(&login, password).await;
        assert!(answer.is_ok(), "{password:?}: {answer:?}");
        let received = world.org.received();
        let body = received.at(Endpoint::Authn).next().and_then(|request| request.json());
        assert_eq!(body, Some(json!({"username": login, "password": password})));
    }
}

#[tokio::test]
async fn a_look_up_costs_few_calls() {
    let world = World::demo().await;
    world.found("ada@example.com").await;
    assert_eq!(world.org.received().total(), 3, "login, search, factors");
    world.found("grace@example.com").await;
    assert_eq!(
        world.org.received().total(),
        7,
        "login, search, the user afresh, factors"
    );
    world.absent("nobody@example.com").await;
    assert_eq!(world.org.received().total(), 10, "login, search, the canary");
}
