//! More log-ins than the org takes: as many get in as it admits, the others are told to come back, nobody is told no.

use std::collections::BTreeSet;

use idbridge_okta_simulator::{Endpoint, PASSWORD, Person};
use tokio::task::JoinSet;

use super::chain::Chain;
use super::clients::{Answer, Rest, request_id, with_id};

/// Log-ins that the org takes in a minute.
const ADMITTED: usize = 6;
const USERS: usize = 30;

/// With the seconds to wait, where there are any.
fn told(answer: &Answer) -> (u16, String, Option<u64>) {
    let body = answer.json();
    let word = body["outcome"].as_str().or(body["code"].as_str()).unwrap_or_default();
    let wait = answer.header("retry-after").map(|wait| wait.parse().expect("seconds"));
    (answer.status, word.to_owned(), wait)
}

#[tokio::test]
async fn a_storm_goes_through_at_the_orgs_own_pace() {
    let chain = Chain::start("rest = { deadline = \"5s\" }").await;
    let control = chain.okta.control();
    control.change(|org| org.limits.authn = 6);
    let user = |number: usize| format!("user-{number}@storm.example.com");
    let nobody = |number: usize| format!("nobody-{number}@storm.example.com");
    for number in 0..USERS {
        chain.secrets.keep(&user(number));
        chain.secrets.keep(&nobody(number));
        control.add(Person::new(&user(number)).password(PASSWORD));
    }
    let gateway = |number: usize| -> Rest {
        if number.is_multiple_of(2) {
            chain.rest()
        } else {
            chain.lone_gateway()
        }
    };

    let (mut log_ins, mut look_ups) = (JoinSet::new(), JoinSet::new());
    for number in 0..USERS {
        let (rest, who) = (gateway(number), user(number));
        log_ins.spawn(async move { (rest.login(&with_id(&request_id()), &who, PASSWORD).await, who) });
        let (rest, who) = (gateway(number), nobody(number));
        look_ups.spawn(async move { rest.get_user(&with_id(&request_id()), &who).await });
    }
    let mut admitted = BTreeSet::new();
    for (answer, who) in log_ins.join_all().await {
        match told(&answer) {
            (200, outcome, None) if outcome == "authenticated" => {
                assert_eq!(answer.json()["profile"]["email"], *who);
                assert!(admitted.insert(who), "each user asked once");
            }
            (429, code, Some(wait)) if code == "source_throttled" => {
                assert!((50..=60).contains(&wait), "the org's minute has just begun: {wait} s");
            }
            other => panic!("neither in nor to come back: {other:?}"),
        }
    }
    assert_eq!(admitted.len(), ADMITTED, "all that the org admits");
    for answer in look_ups.join_all().await {
        assert_eq!(told(&answer), (200, "not_found".to_owned(), None));
    }

    // Each is told so at once until the minute is over, on each transport, and the source is well.
    let grpc = chain.grpc().await;
    let said = grpc
        .authenticate(&with_id(&request_id()), &user(0), "wrong password")
        .await;
    assert_eq!(said.reason(), "SOURCE_THROTTLED");
    for rest in [chain.rest(), chain.lone_gateway()] {
        let answer = rest.login(&with_id(&request_id()), &user(0), "wrong password").await;
        assert_eq!(told(&answer).1, "source_throttled");
    }
    let received = control.received();
    assert_eq!(
        received.count(Endpoint::Authn),
        ADMITTED as u64,
        "the org wasn't asked in vain"
    );
    for number in 0..USERS {
        let expected = u64::from(admitted.contains(&user(number)));
        assert_eq!(received.passwords_for(&user(number)), expected, "{}", user(number));
    }
    let metrics = chain.metrics().await;
    for line in [
        "idbridge_source_up{source=\"okta\"} 1",
        "idbridge_source_errors_total{source=\"okta\",kind=\"throttled\"} 27",
    ] {
        assert!(metrics.contains(&format!("{line}\n")), "{line}: {metrics}");
    }
    drop(grpc);
    chain.stop().await;
}
