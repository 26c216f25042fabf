//! The last audit records of somebody, in the log that a broker wrote.

use serde_json::Value;

use super::super::chain::{self, Chain};
use super::super::clients::{request_id, with_id};
use super::super::settings;
use super::{Org, said, why};

#[tokio::test]
async fn audit_records_are_found_by_their_hash() {
    let chain = Chain::start("").await;
    let grpc = chain.grpc().await;
    let ids: Vec<_> = (0..22).map(|_| request_id()).collect();
    for id in &ids {
        let _answer = grpc.get_user_by_email(&with_id(id), "sam@example.com").await;
    }
    let other = request_id();
    let _answer = grpc.get_user_by_email(&with_id(&other), "bob@example.com").await;
    chain.broker.recorded("attempt", 23, |_| true).await;

    let org = Org::start().await;
    let config = org.settings("audit", "");
    let log = org.folder.path().join("log");
    // Ten gigabytes, and no more on disk than what the broker wrote.
    let file = std::fs::File::create(&log).expect("a file");
    file.set_len(10 << 30).expect("a sparse file");
    let text = format!("\n\u{fffd} no JSON\n{}\n{{\"half", chain.broker.lines().join("\n"));
    std::os::unix::fs::FileExt::write_all_at(&file, text.as_bytes(), 10 << 30).expect("written");
    let path = log.to_str().expect("text");

    let ran = why(&["Sam@Example.com", "--json", "--audit-file", path], &config).await;
    let report: Value = serde_json::from_str(said(&ran)).expect("JSON");
    let audit = &report["audit"];
    let told = audit["records"].as_array().expect("records");
    let told: Vec<_> = told
        .iter()
        .map(|record| record["request_id"].as_str().expect("text"))
        .collect();
    let newest: Vec<_> = ids.iter().rev().take(20).collect();
    assert_eq!(told, newest);
    assert_eq!(audit["records"][0]["outcome"], "account_disabled");
    assert_eq!(audit["records"][0]["caller"], "tester");

    let ran = why(
        &["nobody@example.com", "--request-id", &other, "--audit-file", path],
        &config,
    )
    .await;
    let text = said(&ran);
    assert!(text.contains("audit file: 1 records, the newest first\n  "), "{text}");
    assert!(
        text.contains(&other) && text.contains("only the last 1 GiB") && text.contains("can't be read"),
        "{text}"
    );

    // A key that lives in the process alone.
    let mut table = settings::broker(&org.okta.url());
    settings::remove(&mut table, "audit");
    let keyless = chain::write(&org.folder, "keyless", &table);
    let ran = why(&["sam@example.com", "--audit-file", path], &keyless).await;
    assert!(
        said(&ran).contains("audit.hash_key_file") && !said(&ran).contains(ids[0].as_str()),
        "{}",
        said(&ran)
    );
    let ran = why(
        &["sam@example.com", "--request-id", &other, "--audit-file", path],
        &keyless,
    )
    .await;
    assert!(said(&ran).contains(&other), "{}", said(&ran));

    for wrong in [
        &["", "--json"][..],
        &["a\nb"],
        &["sam@example.com", "--audit-file", "/nowhere"],
    ] {
        let ran = why(wrong, &config).await;
        assert_eq!((ran.status.code(), said(&ran)), (Some(2), ""), "{wrong:?}");
    }
    org.stop().await;
    drop(grpc);
    chain.stop().await;
}
