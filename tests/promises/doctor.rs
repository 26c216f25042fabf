//! `doctor`, run as an operator runs it, before an org that is well and one that isn't.

use std::io::Write as _;
use std::process::{Command, Stdio};

use idbridge_okta_simulator::{CANARY, Endpoint, Fault, PASSWORD, Simulator, TOKEN};
use serde_json::Value;

use super::{chain, settings};

/// Exit code and both streams together; this on standard input.
fn doctor(config: &str, arguments: &[&str], environment: &[(&str, &str)], input: &str) -> (Option<i32>, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_idbridge"))
        .args(["doctor", "--config", config])
        .args(arguments)
        .env_clear()
        .envs(environment.iter().copied())
        .env("RUST_LOG", "trace")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    // One that asks nothing of it may be gone already.
    let _closed = child.stdin.take().expect("stdin is piped").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("it ends");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).expect("text"))
}

/// The same, beside the org that this runtime runs.
async fn examined(config: &str, arguments: &'static [&'static str], input: &'static str) -> (Option<i32>, String) {
    let config = config.to_owned();
    let ran = tokio::task::spawn_blocking(move || doctor(&config, arguments, &[], input)).await;
    let (code, said) = ran.expect("no panic");
    for secret in [PASSWORD, TOKEN, CANARY, settings::KEY, "wrong-"] {
        assert!(!said.contains(secret), "it shows {secret}: {said}");
    }
    (code, said)
}

async fn org() -> Simulator {
    let mut org = chain::org();
    let canary = org.people.iter_mut().find(|person| person.login == CANARY);
    canary.expect("the canary").password = Some(PASSWORD.to_owned());
    Simulator::start(org).await.expect("the org starts")
}

fn config(folder: &tempfile::TempDir, name: &str, okta: &Simulator, over: &str) -> String {
    let mut table = settings::broker(&okta.url());
    settings::merge(&mut table, &settings::parse(over));
    chain::write(folder, name, &table).to_str().expect("a path").to_owned()
}

#[tokio::test]
async fn a_canary_with_its_password_logs_in_once_and_fails_once() {
    let (okta, folder) = (org().await, tempfile::tempdir().expect("a folder"));
    let config = config(&folder, "one", &okta, "");
    let (code, said) = examined(
        &config,
        &["--canary-password-stdin", "--json"],
        "correct horse battery staple\n",
    )
    .await;
    assert_eq!(code, Some(0), "{said}");
    let answer: Value = serde_json::from_str(&said).expect("one JSON object and nothing else");
    let findings = answer["sources"][0]["findings"].as_array().expect("findings");
    assert!(
        answer["ok"] == true && findings.iter().all(|finding| finding["result"] == "fine"),
        "{said}"
    );
    assert_eq!(okta.received().passwords_for(CANARY), 2);

    let (code, said) = examined(&config, &[], "").await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("okta: right canary log-in: not checked;"), "{said}");
    assert_eq!(okta.received().passwords_for(CANARY), 2, "none without being asked");

    let (code, said) = examined(&config, &["--canary-password-stdin"], "another\n").await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("wrong canary log-in: not checked;"), "{said}");
    assert_eq!(
        okta.received().passwords_for(CANARY),
        3,
        "and no wrong one behind a wrong one"
    );
    okta.shutdown().await;
}

/// A password goes to the source that it is meant for.
#[tokio::test]
async fn of_several_sources_the_canarys_is_named() {
    let (okta, folder) = (org().await, tempfile::tempdir().expect("a folder"));
    let two = "routes = [{ source = \"okta\" }]\n[sources.other]\nkind = \"memory\"\n";
    let config = config(&folder, "two", &okta, two);
    let (code, said) = examined(&config, &["--canary-password-stdin"], "correct horse battery staple").await;
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("whose canary"), "{said}");
    let (code, said) = examined(&config, &["--source", "nobody"], "").await;
    assert_eq!((code, okta.received().total()), (Some(2), 0), "{said}");
    let (code, said) = examined(&config, &["--source", "other"], "").await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("other: probe: fine;"), "{said}");
    okta.shutdown().await;
}

/// An answer that leaves a question open isn't fine, and isn't wrong either.
#[tokio::test]
async fn what_could_not_be_found_out_is_exit_code_3() {
    let (okta, folder) = (org().await, tempfile::tempdir().expect("a folder"));
    let config = config(&folder, "one", &okta, "");
    okta.control().fault(Endpoint::Users, Fault::json(200, "[]"));
    let (code, said) = examined(&config, &[], "").await;
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("verified addresses: could not find out;"), "{said}");
    okta.shutdown().await;
}

#[tokio::test]
async fn a_tenant_is_not_asked_without_a_token_and_nothing_listening_is_no_fine() {
    let (okta, folder) = (org().await, tempfile::tempdir().expect("a folder"));
    let config = config(&folder, "one", &okta, "");
    const TENANT: [&str; 3] = ["--auth0", "--domain", "http://127.0.0.1:1"];
    let (code, said) = doctor(&config, &TENANT, &[], "");
    assert_eq!(code, Some(2), "{said}");
    let (code, said) = doctor(&config, &TENANT, &[("AUTH0_MANAGEMENT_TOKEN", "hunter2-token")], "");
    assert_eq!(code, Some(3), "{said}");
    assert!(
        said.contains("auth0: connection: could not find out; unavailable"),
        "{said}"
    );
    let fine: Vec<&str> = said.lines().filter(|line| line.contains(": fine;")).collect();
    assert!(fine.len() == 1 && fine[0].starts_with("auth0: settings:"), "{said}");
    for bad in ["hunter2\u{e9}\ntoken", "hunter2\u{1}"] {
        let (code, said) = doctor(&config, &[&TENANT[..], &["--token-stdin"]].concat(), &[], bad);
        assert_eq!(code, Some(2), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
    for bad in [
        "http://acme.eu.auth0.com",
        "https://user:hunter2@acme.eu.auth0.com",
        "acme/../x",
        "",
    ] {
        let token = [("AUTH0_MANAGEMENT_TOKEN", "hunter2-token")];
        let (code, said) = doctor(&config, &["--auth0", "--domain", bad], &token, "");
        assert_eq!(code, Some(2), "{bad}: {said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
    okta.shutdown().await;
}
