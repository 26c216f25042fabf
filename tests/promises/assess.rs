//! `idbridge assess`: what it tells of an org, what it leaves on disk, and that it goes on where it was killed.

mod broken_off;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use idbridge_okta_simulator::{Endpoint, Org, PASSWORD, Simulator};
use jiff::Timestamp;
use serde_json::Value;
use tempfile::TempDir;

use super::chain::{Chain, org, write};
use super::clients::{request_id, with_id};
use super::process::bounded;
use super::secrecy::Secrets;
use super::settings;

/// An org, settings for it, and a folder for reports.
struct Assessment {
    okta: Simulator,
    folder: TempDir,
}

impl Assessment {
    async fn of(org: Org) -> Assessment {
        let okta = Simulator::start(org).await.expect("the org starts");
        let folder = tempfile::tempdir().expect("a folder");
        let assessment = Assessment { okta, folder };
        assessment.settings("");
        assessment
    }

    /// The usual settings with these over them.
    fn settings(&self, over: &str) {
        let mut table = settings::broker(&self.okta.url());
        settings::merge(&mut table, &settings::parse(over));
        write(&self.folder, "settings", &table);
    }

    fn start(&self, out: &str, arguments: &[&str]) -> Child {
        let path = |name: &str| self.folder.path().join(name);
        Command::new(env!("CARGO_BIN_EXE_idbridge"))
            .args(["assess", "--config"])
            .arg(path("settings.toml"))
            .arg("--out")
            .arg(path(out))
            .args(arguments)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts")
    }

    async fn run(&self, out: &str, arguments: &[&str]) -> Output {
        end(self.start(out, arguments)).await
    }

    fn read(&self, out: &str, name: &str) -> String {
        let path = self.folder.path().join(out).join(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    fn json(&self, out: &str) -> Value {
        serde_json::from_str(&self.read(out, "report.json")).expect("JSON")
    }
}

async fn end(child: Child) -> Output {
    let ended = tokio::task::spawn_blocking(move || child.wait_with_output().expect("it can be waited for"));
    bounded("the end of the command", ended).await.expect("no panic")
}

fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn crowd(people: usize) -> Org {
    org().crowd(people, Timestamp::now())
}

/// The files below this folder, each with what it holds.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.display().to_string(), fs::read(&path).expect("a file")));
        }
    }
    found
}

fn search(secrets: &Secrets, folder: &Path) {
    for (path, bytes) in files(folder) {
        // Numbers: any two letters around an `@` are chance there.
        if path.ends_with("unfinished/addresses") {
            let holds = |word: &[u8]| bytes.windows(word.len()).any(|part| part == word);
            assert!(
                bytes.len() >= 32 && !holds(b"crowd") && !holds(b"example") && !holds(b"person"),
                "{path}"
            );
            continue;
        }
        secrets.search(&path, &String::from_utf8_lossy(&bytes));
    }
}

fn reasons(report: &Value) -> Vec<(&str, u64)> {
    let reasons = report["cannot_move"]["reasons"].as_array().expect("a list").iter();
    let mut told: Vec<_> = reasons
        .map(|reason| {
            (
                reason["reason"].as_str().expect("text"),
                reason["people"].as_u64().expect("a number"),
            )
        })
        .collect();
    told.sort_unstable();
    told
}

#[tokio::test]
async fn the_demo_org_is_counted() {
    let assessment = Assessment::of(org()).await;
    let (code, stdout, stderr) = said(&assessment.run("out", &["--factors", "--peak", "20000"]).await);
    assert_eq!(code, Some(0), "{stderr}");
    let report = assessment.json("out");
    let people = org().people().len() as u64;
    assert_eq!(report["people"], people);
    let rows = report["rows"].as_array().expect("rows").iter();
    assert_eq!(
        rows.map(|row| row["people"].as_u64().expect("a number")).sum::<u64>(),
        people
    );
    let of = |status: &str| {
        let rows = report["rows"].as_array().expect("rows").iter();
        let rows = rows.filter(|row| row["status"] == status);
        rows.map(|row| row["people"].as_u64().expect("a number")).sum::<u64>()
    };
    let counted = |status: &str| {
        org()
            .people()
            .iter()
            .filter(|person| person.status.as_str() == status)
            .count() as u64
    };
    for status in [
        "ACTIVE",
        "DEPROVISIONED",
        "LOCKED_OUT",
        "PROVISIONED",
        "STAGED",
        "SUSPENDED",
    ] {
        assert_eq!(of(status), counted(status), "{status}");
        assert!(of(status) > 0, "{status}");
    }
    let why: BTreeSet<&str> = reasons(&report).into_iter().map(|(reason, _)| reason).collect();
    for reason in [
        "account_disabled",
        "account_inactive",
        "account_locked",
        "identifier_not_portable",
        "no_password",
        "second_factor_required",
    ] {
        assert!(why.contains(reason), "{reason}: {why:?}");
    }
    assert_eq!(
        report["addresses"]["duplicates"]["addresses"], 2,
        "the twins, and the rehire"
    );
    assert_eq!(
        report["cannot_move"]["contested"], 0,
        "a twin's login isn't the address, so neither can move"
    );
    let storm = &report["storm"];
    assert_eq!(
        (&storm["peak_an_hour"], &storm["peak_from"]),
        (&20000.into(), &"given".into())
    );
    assert!(storm["first_log_ins_an_hour"].as_u64().expect("a number") > 0);
    assert!(
        stdout.contains("people:") && stdout.contains("your peak is 20,000"),
        "{stdout}"
    );
    assert_eq!(assessment.read("out", "report.txt").trim_end(), stdout.trim_end());
    assert!(assessment.read("out", "last-login.json").contains("\"never\""));
    assert!(
        !assessment.folder.path().join("out/unfinished").exists(),
        "the work is gone"
    );
    assert_eq!(
        assessment.okta.received().count(Endpoint::Authn),
        0,
        "no password is tried"
    );

    // A second report leaves the times that the first one saved.
    let saved = assessment.read("out", "last-login.json");
    assessment.okta.control().person("ada@example.com", |ada| {
        ada.last_login = Some("2026-01-15T09:00:00.000Z".into())
    });
    let (code, stdout, _) = said(&assessment.run("out", &["--json"]).await);
    assert_eq!(code, Some(0));
    assert_eq!(
        serde_json::from_str::<Value>(&stdout).expect("JSON"),
        assessment.json("out")
    );
    assert_eq!(assessment.json("out")["last_login"]["days"][0]["at"], "2026-01-15");
    assert_eq!(assessment.read("out", "last-login.json"), saved);

    // Another source's times would be lost behind these.
    let others = saved.replace("\"okta\"", "\"other\"");
    fs::write(assessment.folder.path().join("out/last-login.json"), others).expect("it is written");
    let (code, _, stderr) = said(&assessment.run("out", &[]).await);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("choose another folder"), "{stderr}");
}

/// What the report says of each person, against what becomes of them at the gateway.
#[tokio::test]
async fn who_can_move_does_and_who_cannot_does_not() {
    let chain = Chain::start("").await;
    let rest = chain.rest();
    let (mut refused, mut come_by_reset) = (BTreeSet::new(), BTreeSet::new());
    for person in org().people() {
        let login = &person.login;
        let password = person.password.as_deref().unwrap_or(PASSWORD);
        let said = rest.login(&with_id(&request_id()), login, password).await;
        if said.json()["outcome"] != "authenticated" {
            refused.insert(login.clone());
            let email = &person.email;
            let said = rest.get_user(&with_id(&request_id()), email).await;
            if said.json()["outcome"] == "found"
                && said.json()["profile"]["app_metadata"]["idbridge"]["login"] == **login
            {
                come_by_reset.insert(login.clone());
            }
        }
    }
    chain.stop().await;

    let assessment = Assessment::of(org()).await;
    assessment.run("out", &["--factors", "--show"]).await;
    let report = assessment.json("out");
    let reasons = report["cannot_move"]["reasons"].as_array().expect("a list").iter();
    let named = reasons.flat_map(|reason| {
        let examples = reason["examples"].as_array().expect("a list");
        assert_eq!(reason["people"], examples.len(), "all are named");
        examples.iter().map(|login| login.as_str().expect("text").to_owned())
    });
    let named: BTreeSet<String> = named.collect();
    // Policies can't be seen in a list.
    let policies = ["enno@example.com", "polly@example.com", "seq@example.com"].map(str::to_owned);
    let unseen: BTreeSet<String> = refused.difference(&named).cloned().collect();
    assert_eq!(unseen, BTreeSet::from(policies));
    assert_eq!(named.difference(&refused).next(), None);
    // Of two with one address the report counts neither, though one was deactivated: the rehire.
    come_by_reset.retain(|login| !unseen.contains(login) && login != "rhea2@example.com");
    assert!(come_by_reset.contains("grace"), "found by the address");
    assert_eq!(report["cannot_move"]["come_by_reset"], come_by_reset.len());
}

#[tokio::test]
async fn nobody_is_named_unless_asked_for() {
    let assessment = Assessment::of(org()).await;
    let secrets = Secrets::of(&org());
    for arguments in [&["--factors"][..], &["--factors-sample", "5", "--json"], &[]] {
        let (code, stdout, stderr) = said(&assessment.run("out", arguments).await);
        assert_eq!(code, Some(0), "{stderr}");
        secrets.search("what it printed", &stdout);
        secrets.search("what it said", &stderr);
        search(&secrets, &assessment.folder.path().join("out"));
    }
    assessment.run("shown", &["--show"]).await;
    let report = assessment.read("shown", "report.json");
    assert!(
        report.contains("sam@example.com") && report.contains("twins@example.com"),
        "{report}"
    );
    assert!(!report.contains("Lovelace"), "identifiers are shown, and names are not");
}

/// The hash of a login is the one that audit records have, where the settings name the key.
#[tokio::test]
async fn hashes_join_with_the_audit() {
    let assessment = Assessment::of(org()).await;
    assessment.run("out", &[]).await;
    let hash = idbridge::telemetry::audit::Hasher::keyed(settings::AUDIT_KEY.as_bytes());
    let report = assessment.read("out", "report.json");
    assert!(
        report.contains(&format!("\"{}\"", hash.hash("sam@example.com"))),
        "{report}"
    );
    assert!(
        report.contains(&format!("\"{}\"", &hash.hash("twins@example.com")[..16])),
        "{report}"
    );
}

#[tokio::test]
async fn the_page_is_whole_in_itself() {
    let assessment = Assessment::of(crowd(1000)).await;
    assessment.run("out", &[]).await;
    let page = assessment.read("out", "report.html");
    let options = roxmltree::ParsingOptions {
        allow_dtd: true,
        ..roxmltree::ParsingOptions::default()
    };
    let document = roxmltree::Document::parse_with_options(&page, options).expect("well-formed");
    let tags: BTreeSet<&str> = document.descendants().map(|node| node.tag_name().name()).collect();
    assert!(tags.contains("svg") && tags.contains("table"), "{tags:?}");
    for tag in ["script", "link", "img", "iframe", "object", "embed", "base", "form"] {
        assert!(!tags.contains(tag), "{tag}");
    }
    for attribute in document
        .descendants()
        .flat_map(|node| node.attributes().collect::<Vec<_>>())
    {
        assert!(
            !matches!(attribute.name(), "src" | "href") && !attribute.name().starts_with("on"),
            "{attribute:?}"
        );
    }
    assert!(!page.contains("url(") && !page.contains("@import"));
}

/// The shape in the document is the shape of the report: the same keys, the same types.
#[tokio::test]
async fn the_document_describes_the_json() {
    let assessment = Assessment::of(crowd(1000)).await;
    assessment.run("out", &["--factors"]).await;
    let document = include_str!("../../docs/assess.md");
    let text = assessment.read("out", "report.json");
    assert_eq!(text.matches("\"asked\"").count(), 1, "no key is doubled");
    let (_, block) = document.split_once("```json\n").expect("a block of JSON");
    let (block, _) = block.split_once("```").expect("its end");
    same_shape(
        "report",
        &serde_json::from_str(block).expect("JSON"),
        &assessment.json("out"),
    );
}

fn same_shape(place: &str, told: &Value, given: &Value) {
    match (told, given) {
        // Kinds of factors are the source's words.
        (Value::Object(_), Value::Object(_)) if place.ends_with("kinds") => {}
        (Value::Object(told), Value::Object(given)) => {
            assert_eq!(
                told.keys().collect::<Vec<_>>(),
                given.keys().collect::<Vec<_>>(),
                "{place}"
            );
            for (key, value) in told {
                same_shape(&format!("{place}.{key}"), value, &given[key]);
            }
        }
        (Value::Array(told), Value::Array(given)) => {
            for item in given {
                same_shape(&format!("{place}[]"), &told[0], item);
            }
        }
        (Value::Bool(_), Value::Bool(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::String(_), Value::String(_)) => {}
        other => panic!("{place}: {other:?}"),
    }
}

/// A token that sees nobody gets empty lists, which would read as an org without people.
#[tokio::test]
async fn a_token_that_sees_nobody_is_no_empty_org() {
    let assessment = Assessment::of(org()).await;
    assessment.okta.control().change(|org| {
        for token in &mut org.tokens {
            token.rights = idbridge_okta_simulator::Rights::Nobody;
        }
    });
    let (code, _, stderr) = said(&assessment.run("out", &[]).await);
    assert_eq!(code, Some(3), "{stderr}");
    assert!(stderr.contains("credential_refused"), "{stderr}");
}
