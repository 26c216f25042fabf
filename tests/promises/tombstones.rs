//! A list of tombstones that changes while the broker runs.

use std::fs;

use idbridge_okta_simulator::PASSWORD;

use super::chain::Chain;
use super::clients::{request_id, with_id};

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";

const READ: &str = "The tombstones were read.";
const UNREADABLE: &str = "The tombstones can't be read; the last good list stands.";

#[tokio::test]
async fn the_list_is_read_again_and_the_last_good_one_stands() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("gone.txt");
    fs::write(&path, "# nobody yet\n").expect("it is written");
    let file = path.to_str().expect("text");
    // What is remembered goes with the list by which it was judged.
    let chain = Chain::start(&format!(
        "[sources.okta]\ntombstones_file = \"{file}\"\nlookup_ttl = \"60s\""
    ))
    .await;
    let grpc = chain.grpc().await;
    let id = |login: &str| {
        let person = |org: &mut idbridge_okta_simulator::Org| org.find(login).map(|person| person.id.clone());
        chain.okta.control().change(person).expect("a person")
    };
    // Written beside it and renamed, as the documents say.
    let replace = |text: &str| {
        let beside = folder.path().join("new.txt");
        fs::write(&beside, text).expect("it is written");
        fs::rename(beside, &path).expect("it is renamed");
    };
    // By log-in and by look-up.
    let known = async |who: &str| {
        let log_in = grpc.authenticate(&with_id(&request_id()), who, PASSWORD).await;
        let look_up = grpc.get_user_by_email(&with_id(&request_id()), who).await;
        match (log_in.outcome().as_str(), look_up.code) {
            ("yes", tonic::Code::Ok) => true,
            ("unknown_user", tonic::Code::NotFound) => {
                assert_eq!(look_up.reason(), "USER_NOT_FOUND");
                false
            }
            other => panic!("{who}: {other:?}"),
        }
    };
    let metric = async |name: &str, value: &str| {
        let sample = format!("{name}{{source=\"okta\"}} {value}");
        let metrics = chain.metrics().await;
        assert!(metrics.lines().any(|line| line == sample), "{sample}");
    };
    assert!(known(ADA).await && known(BOB).await);

    replace(&format!("{}\n", id(ADA)));
    chain.broker.recorded(READ, 1, |_| true).await;
    assert!(!known(ADA).await && known(BOB).await);
    metric("idbridge_tombstones", "1").await;
    metric("idbridge_tombstones_current", "1").await;
    metric("idbridge_source_up", "1").await;
    let audits = chain.broker.records("attempt");
    assert!(audits.iter().any(|record| record["outcome"] == "unknown_user"));
    assert_eq!(chain.broker.records("A tombstone was met.").len(), 2);

    // An id with its prefix would match nobody.
    replace(&format!("okta|{}\n{}\n", id(ADA), id(BOB)));
    chain.broker.recorded(UNREADABLE, 1, |_| true).await;
    assert!(!known(ADA).await && known(BOB).await);
    metric("idbridge_tombstones_current", "0").await;

    fs::remove_file(&path).expect("it is removed");
    chain.broker.recorded(UNREADABLE, 2, |_| true).await;
    assert!(!known(ADA).await && known(BOB).await);

    replace(&format!("{}\n", id(BOB)));
    chain.broker.recorded(READ, 2, |_| true).await;
    assert!(known(ADA).await && !known(BOB).await);
    metric("idbridge_tombstones_current", "1").await;
    drop(grpc);
    chain.stop().await;
}
