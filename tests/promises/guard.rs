//! A source that is down is left alone: that is no yes and no no, and the source beside it isn't touched.

use std::time::Duration;

use idbridge_okta_simulator::{Fault, PASSWORD};
use tokio::time::{Instant, sleep};
use tonic::Code;

use super::chain::Chain;
use super::clients::{Grpc, request_id, with_id};

const ADA: &str = "ada@example.com";
const NOBODY: &str = "nobody@example.com";
const MEM: &str = "mem@people.example.com";

/// The breaker as it is by default, and a source in memory beside Okta.
const BESIDE: &str = r#"
    [sources.okta.guard]
    open_after = 5
    retry_percent = 20
    [sources.people]
    kind = "memory"
    attempts = { burst = 1000, per_second = 1000 }
    [[sources.people.settings.people]]
    id = "1"
    login = "mem@people.example.com"
    email = "mem@people.example.com"
    password = "kept in the settings"
    [[routes]]
    domains = ["people.example.com"]
    source = "people"
    [[routes]]
    source = "okta"
"#;

/// Longer than the test takes: nobody probes.
const FOR_LONG: &str = "[sources.okta.guard]\nprobation = \"60s\"\n";

async fn log_in_five_times(grpc: &Grpc) {
    for _ in 0..5 {
        let said = grpc.authenticate(&with_id(&request_id()), ADA, PASSWORD).await;
        assert_eq!(said.reason(), "SOURCE_UNAVAILABLE");
    }
}

/// U-04, U-09: five failures and no more, then refusals at once.
#[tokio::test]
async fn an_open_breaker_reads_as_unavailable_and_touches_nobody_else() {
    let chain = Chain::start(&BESIDE.replace("[sources.okta.guard]\n", FOR_LONG)).await;
    let (grpc, control) = (chain.grpc().await, chain.okta.control());
    control.fault("/api", Fault::Reset);
    log_in_five_times(&grpc).await;
    let (total, passwords) = (control.received().total(), control.received().passwords_for(ADA));
    assert_eq!(passwords, 5);

    for _ in 0..10 {
        for said in [
            grpc.authenticate(&with_id(&request_id()), ADA, PASSWORD).await,
            grpc.authenticate(&with_id(&request_id()), ADA, "wrong password").await,
            grpc.get_user_by_email(&with_id(&request_id()), ADA).await,
            grpc.get_user_by_email(&with_id(&request_id()), NOBODY).await,
        ] {
            assert_eq!((said.code, said.reason()), (Code::Unavailable, "SOURCE_UNAVAILABLE"));
            assert_eq!(said.metadata.get("source").map(String::as_str), Some("okta"));
            let wait = said.retry.expect("a time to come back").as_secs();
            assert!((25..=60).contains(&wait), "{wait} s of a probation of 30 to 60");
        }
        for rest in [chain.rest(), chain.lone_gateway()] {
            for answer in [
                rest.login(&with_id(&request_id()), ADA, PASSWORD).await,
                rest.get_user(&with_id(&request_id()), NOBODY).await,
            ] {
                assert_eq!((answer.status, &*answer.code()), (503, "source_unavailable"));
                let wait: u64 = answer.header("retry-after").expect("a time").parse().expect("seconds");
                assert!((25..=60).contains(&wait), "{wait} s");
            }
        }
        let yes = grpc
            .authenticate(&with_id(&request_id()), MEM, "kept in the settings")
            .await;
        assert_eq!(yes.outcome(), "yes");
        let no = chain.rest().login(&with_id(&request_id()), MEM, "wrong password").await;
        assert_eq!(no.json()["reason"], "wrong_password");
    }
    assert_eq!(control.received().total(), total, "Okta is left alone");

    let metrics = chain.metrics().await;
    for sample in [
        "idbridge_source_breaker_state{source=\"okta\"} 2",
        "idbridge_source_breaker_state{source=\"people\"} 0",
        "idbridge_source_breaker_opens_total{source=\"okta\"} 1",
        "idbridge_source_refused_total{source=\"people\"} 0",
        "idbridge_source_up{source=\"okta\"} 0",
        "idbridge_source_up{source=\"people\"} 1",
    ] {
        assert!(metrics.lines().any(|line| line == sample), "{sample}: {metrics}");
    }
    let refused = "idbridge_source_refused_total{source=\"okta\"} ";
    let refused = metrics
        .lines()
        .find_map(|line| line.strip_prefix(refused))
        .expect("a sample");
    assert!(
        refused.parse::<u32>().expect("a number") >= 80,
        "{refused}: those of this test, and perhaps a probe"
    );
    // By the broker's own clock: what the network and a busy machine add isn't in it.
    let is_quick = |line: &&str| {
        line.starts_with("rpc_server_call_duration_seconds_bucket")
            && line.contains("\"UNAVAILABLE\"")
            && line.contains("le=\"0.005\"")
    };
    let count = |line: &str| line.rsplit(' ').next().and_then(|count| count.parse::<u32>().ok());
    let quick: u32 = metrics.lines().filter(is_quick).filter_map(count).sum();
    assert!(quick > 40, "{quick} of 80 refusals within 5 ms: {metrics}");
    assert_eq!(chain.get("/readyz").await.status, 200, "whatever the sources");
    drop(grpc);
    chain.stop().await;
}

/// U-09: within ten seconds, though nobody looks anybody up, and with no password but those that are answered.
#[tokio::test]
async fn a_healed_source_is_back_by_log_ins_alone() {
    let chain = Chain::start(BESIDE).await;
    let (grpc, control) = (chain.grpc().await, chain.okta.control());
    control.fault("/api", Fault::Reset);
    log_in_five_times(&grpc).await;
    control.clear_faults();
    let healed = Instant::now();
    loop {
        let said = grpc.authenticate(&with_id(&request_id()), ADA, PASSWORD).await;
        if said.code == Code::Ok {
            assert_eq!(said.outcome(), "yes");
            break;
        }
        assert_eq!(said.reason(), "SOURCE_UNAVAILABLE");
        assert!(healed.elapsed() < Duration::from_secs(10), "it isn't back");
        sleep(said.retry.expect("a time to come back")).await;
    }
    assert!(healed.elapsed() < Duration::from_secs(10), "{:?}", healed.elapsed());
    assert_eq!(control.received().passwords_for(ADA), 6, "no password probes");
    drop(grpc);
    chain.stop().await;
}
