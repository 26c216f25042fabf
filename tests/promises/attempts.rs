//! Equal password checks are submitted to Okta once, and nobody's password more often than their budget.

use idbridge_okta_simulator::{Endpoint, PASSWORD};
use tokio::task::JoinSet;
use tonic::Code;

use super::chain::Chain;
use super::clients::{Grpc, Headers, request_id, with_id};
use super::settings;

const ADA: &str = "ada@example.com";
const WRONG: &str = "not her password";

/// Longer than any test takes.
const REMEMBER: &str = "[sources.okta.attempts]\nreplay = \"60s\"\n";

/// Several channels, so that several workers are asked.
async fn channels(chain: &Chain) -> Vec<Grpc> {
    let mut channels = Vec::new();
    for _ in 0..5 {
        channels.push(chain.grpc().await);
    }
    channels
}

/// What this counter of the source's says.
async fn counted(chain: &Chain, name: &str) -> u64 {
    let (metrics, start) = (
        chain.metrics().await,
        format!("idbridge_{name}_total{{source=\"okta\"}} "),
    );
    let value = metrics.lines().find_map(|line| line.strip_prefix(&start));
    value.expect("a counter").parse().expect("a number")
}

#[tokio::test]
async fn equal_log_ins_at_one_time_are_one_submission() {
    const AT_ONCE: usize = 64;
    // Who shares takes no permit.
    let chain = Chain::start(&format!("sources.okta.max_in_flight = 1\n{REMEMBER}")).await;
    let (channels, control) = (channels(&chain).await, chain.okta.control());
    for (round, (password, outcome)) in (1..).zip([(PASSWORD, "yes"), (WRONG, "invalid_credentials")]) {
        let before = control.received().passwords();
        let hold = control.hold(Endpoint::Authn);
        let mut asking = JoinSet::new();
        for grpc in channels.iter().cycle().take(AT_ONCE).cloned() {
            asking.spawn(async move { grpc.authenticate(&with_id(&request_id()), ADA, password).await });
        }
        let waiting = "An equal password check is waited for.";
        chain.broker.recorded(waiting, round * (AT_ONCE - 1), |_| true).await;
        hold.release();
        for said in asking.join_all().await {
            assert_eq!(said.outcome(), outcome);
        }
        assert_eq!(control.received().passwords(), before + 1, "{outcome}");
    }
    assert_eq!(counted(&chain, "authentications_shared").await, 2 * 63);

    // Over either transport: the no again and again, the yes once.
    let before = control.received().passwords();
    for rest in [chain.rest(), chain.lone_gateway()] {
        let said = rest.login(&with_id(&request_id()), ADA, WRONG).await;
        assert_eq!(said.json()["reason"], "invalid_credentials");
    }
    for submitted in [0, 1, 1, 2] {
        let said = chain.rest().login(&with_id(&request_id()), ADA, PASSWORD).await;
        assert_eq!(said.json()["outcome"], "authenticated");
        assert_eq!(control.received().passwords(), before + submitted);
    }
    drop(channels);
    chain.stop().await;
}

/// Who asks is part of what is equal.
#[tokio::test]
async fn a_verdict_is_for_the_caller_that_asked() {
    let hash = settings::sha256("key-of-another");
    let over = format!("{REMEMBER}[callers.another]\nkey_sha256 = \"{hash}\"\nallow = [\"authenticate\"]\n");
    let chain = Chain::start(&over).await;
    let grpc = chain.grpc().await;
    let mut another: Headers = with_id(&request_id());
    another[0].1 = "Bearer key-of-another".to_owned();
    for (headers, submitted) in [(&with_id(&request_id()), 1), (&another, 2), (&another, 2)] {
        let said = grpc.authenticate(headers, ADA, WRONG).await;
        assert_eq!(said.outcome(), "invalid_credentials");
        assert_eq!(chain.okta.received().passwords(), submitted);
    }
    drop(grpc);
    chain.stop().await;
}

/// Nobody at a target's door locks people out of Okta.
#[tokio::test]
async fn over_the_budget_nobody_is_asked_and_nobody_locked_out() {
    let chain = Chain::start("sources.okta.attempts = { replay = \"60s\", burst = 5 }").await;
    let (grpc, control) = (chain.grpc().await, chain.okta.control());
    control.change(|org| org.lockout_after = 6);
    for number in 0..5 {
        let said = grpc
            .authenticate(&with_id(&request_id()), ADA, &format!("wrong {number}"))
            .await;
        assert_eq!(said.outcome(), "invalid_credentials");
    }
    for login in [ADA, "ADA@example.com"] {
        for password in [PASSWORD, WRONG] {
            let said = grpc.authenticate(&with_id(&request_id()), login, password).await;
            assert_eq!(
                (said.code, said.reason()),
                (Code::ResourceExhausted, "SOURCE_THROTTLED"),
                "{login}"
            );
            let answer = chain.rest().login(&with_id(&request_id()), login, password).await;
            assert_eq!((answer.status, &*answer.code()), (429, "source_throttled"));
            assert_eq!(answer.header("retry-after"), Some("60"));
        }
    }
    assert_eq!(control.received().passwords(), 5, "wrong or right, Okta isn't asked");
    assert_eq!(counted(&chain, "authentications_over_budget").await, 8);
    let again = grpc.authenticate(&with_id(&request_id()), ADA, "wrong 0").await;
    assert_eq!(again.outcome(), "invalid_credentials", "told again");

    // Neither the others nor the source's health have anything to do with it, and look-ups go on.
    let said = grpc
        .authenticate(&with_id(&request_id()), "bob@example.com", PASSWORD)
        .await;
    assert_eq!(said.outcome(), "yes");
    assert_eq!(
        grpc.get_user_by_email(&with_id(&request_id()), ADA).await.outcome(),
        "yes"
    );
    assert!(chain.metrics().await.contains("idbridge_source_up{source=\"okta\"} 1"));
    drop(grpc);
    chain.stop().await;
}

/// As it is without a word in the settings: within a second three attempts of one user are submitted at the most.
#[tokio::test]
async fn by_default_a_burst_of_guesses_is_cut_to_what_okta_takes() {
    let chain = Chain::start_with(&settings::parse(""), &["sources.okta.attempts".to_owned()]).await;
    let grpc = chain.grpc().await;
    let mut asking = JoinSet::new();
    for number in 0..64 {
        let grpc = grpc.clone();
        asking.spawn(async move {
            grpc.authenticate(&with_id(&request_id()), ADA, &format!("guess {number}"))
                .await
        });
    }
    let mut told = 0;
    for said in asking.join_all().await {
        match said.code {
            Code::Ok => {
                assert_eq!(said.outcome(), "invalid_credentials");
                told += 1;
            }
            _ => assert_eq!(said.reason(), "SOURCE_THROTTLED"),
        }
    }
    let submitted = chain.okta.received().passwords();
    assert_eq!(submitted, told);
    // However slow the machine: never more than the whole budget.
    assert!((1..=5).contains(&submitted), "{submitted}");
    drop(grpc);
    chain.stop().await;
}
