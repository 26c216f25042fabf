//! Equal look-ups are one call to Okta, for as long as the answer is remembered.

use idbridge_okta_simulator::{Endpoint, Fault};
use tokio::task::JoinSet;
use tonic::Code;

use super::chain::Chain;
use super::clients::{Grpc, Headers, request_id, with_id};
use super::process::bounded;
use super::settings;

const ADA: &str = "ada@example.com";
const NOBODY: &str = "nobody@example.com";

/// Longer than any test takes.
const REMEMBER: &str = "[sources.okta]\nlookup_ttl = \"60s\"\n";

/// Several channels, so that several workers are asked.
async fn channels(chain: &Chain) -> Vec<Grpc> {
    let mut channels = Vec::new();
    for _ in 0..5 {
        channels.push(chain.grpc().await);
    }
    channels
}

fn shared(metrics: &str) -> Option<&str> {
    let line = |line: &'_ str| line.starts_with("idbridge_lookups_shared_total{source=\"okta\"}");
    metrics.lines().find(|text| line(text))?.rsplit(' ').next()
}

#[tokio::test]
async fn equal_look_ups_are_one_call() {
    // Who shares takes no permit.
    let chain = Chain::start(&format!("{REMEMBER}max_in_flight = 1")).await;
    let (channels, control) = (channels(&chain).await, chain.okta.control());
    let mut told = 0;
    for (who, outcome) in [
        (ADA, "yes"),
        ("sam@example.com", "account_disabled"),
        (NOBODY, "USER_NOT_FOUND"),
    ] {
        let before = control.received().count(Endpoint::Search);
        let hold = control.hold(Endpoint::Search);
        let ids: Vec<String> = (0..50).map(|_| request_id()).collect();
        let mut asking = JoinSet::new();
        for (grpc, id) in channels.iter().cycle().cloned().zip(ids.clone()) {
            asking.spawn(async move { grpc.get_user_by_email(&with_id(&id), who).await });
        }
        bounded("the search", control.arrived(Endpoint::Search, before + 1)).await;
        hold.release();
        for said in asking.join_all().await {
            let came = match said.code {
                Code::Ok => said.outcome(),
                _ => said.reason().to_owned(),
            };
            assert_eq!(came, outcome, "{who}");
        }
        let askers = ids.iter().filter(|id| !chain.asked(id).is_empty());
        assert_eq!(askers.count(), 1, "{who}: Okta sees one id");
        assert_eq!(control.received().count(Endpoint::Search), before + 1, "{who}");

        // Remembered: over either transport, and by its own request id.
        let id = request_id();
        let said = channels[0].get_user_by_email(&with_id(&id), who).await;
        assert_eq!(said.header("x-request-id"), Some(&*id));
        for rest in [chain.rest(), chain.lone_gateway()] {
            let answer = rest.get_user(&with_id(&request_id()), who).await;
            assert_eq!(answer.status, 200, "{who}");
        }
        assert_eq!(control.received().count(Endpoint::Search), before + 1, "{who}");
        told += 49 + 3;
        let metrics = chain.metrics().await;
        assert_eq!(shared(&metrics), Some(&*told.to_string()), "{metrics}");
    }
    let metrics = chain.metrics().await;
    assert!(
        metrics.contains("idbridge_lookups_total{source=\"okta\",outcome=\"found\"} 1\n"),
        "calls are counted once: {metrics}"
    );
    drop(channels);
    chain.stop().await;
}

#[tokio::test]
async fn errors_are_not_remembered_and_memory_says_nothing_of_health() {
    let chain = Chain::start(REMEMBER).await;
    let (grpc, control) = (chain.grpc().await, chain.okta.control());
    let look_up = async |who: &str| grpc.get_user_by_email(&with_id(&request_id()), who).await;
    let up = async || chain.metrics().await.contains("idbridge_source_up{source=\"okta\"} 1");
    assert_eq!(look_up(ADA).await.outcome(), "yes");
    assert!(up().await);

    control.fault("/api", Fault::Reset);
    for _ in 0..2 {
        let before = control.received().total();
        assert_eq!(look_up(NOBODY).await.reason(), "SOURCE_UNAVAILABLE");
        assert!(control.received().total() > before, "asked again");
        assert_eq!(look_up(ADA).await.outcome(), "yes", "remembered");
        assert!(!up().await, "the source hasn't said so");
    }
    control.clear_faults();
    assert_eq!(look_up(NOBODY).await.reason(), "USER_NOT_FOUND");
    assert!(up().await);
    drop(grpc);
    chain.stop().await;
}

/// Who may ask is decided before anybody is told.
#[tokio::test]
async fn an_answer_is_for_those_who_may_ask() {
    let others = [
        ("logger", "[\"authenticate\"]", ""),
        ("away", "[\"get_user_by_email\"]", "sources = [\"people\"]"),
    ];
    let mut over = format!(
        "{REMEMBER}[sources.people]\nkind = \"memory\"\n[[sources.people.settings.people]]\nid = \"1\"\n\
         login = \"mem@example.com\"\nemail = \"mem@example.com\"\npassword = \"kept in the settings\"\n\
         [[routes]]\nsource = \"okta\"\n"
    );
    for (name, allow, sources) in others {
        let hash = settings::sha256(&format!("key-of-{name}"));
        over.push_str(&format!(
            "[callers.{name}]\nkey_sha256 = \"{hash}\"\nallow = {allow}\n{sources}\n"
        ));
    }
    let chain = Chain::start(&over).await;
    let grpc = chain.grpc().await;
    let said = grpc.get_user_by_email(&with_id(&request_id()), ADA).await;
    assert_eq!(said.outcome(), "yes");
    for (name, ..) in others {
        let mut headers: Headers = with_id(&request_id());
        headers[0].1 = format!("Bearer key-of-{name}");
        let said = grpc.get_user_by_email(&headers, ADA).await;
        assert_eq!(
            (said.code, said.reason()),
            (Code::PermissionDenied, "CALLER_NOT_ALLOWED"),
            "{name}"
        );
    }
    assert_eq!(shared(&chain.metrics().await), Some("0"));
    drop(grpc);
    chain.stop().await;
}
