//! `why`: what support is told of everybody in the demo org, and that it is what callers are told.

mod audit;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use idbridge_okta_simulator::{Endpoint, Fault, PASSWORD, Simulator};
use serde_json::Value;
use tempfile::TempDir;

use super::chain::{self, Chain};
use super::clients::{request_id, with_id};
use super::settings;

async fn why(arguments: &[&str], config: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_idbridge"));
    command.arg("why").args(arguments).arg("--config").arg(config);
    command.env_clear().env("RUST_LOG", "trace").stdin(Stdio::null());
    let ran = tokio::task::spawn_blocking(move || command.output()).await;
    ran.expect("no panic").expect("the binary runs")
}

fn said(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).expect("text")
}

async fn report(who: &str, config: &Path) -> (Option<i32>, Value) {
    let ran = why(&[who, "--json"], config).await;
    let json = serde_json::from_str(said(&ran)).unwrap_or_else(|_| panic!("{who}: {ran:?}"));
    (ran.status.code(), json)
}

struct Org {
    okta: Simulator,
    folder: TempDir,
}

impl Org {
    async fn start() -> Org {
        Org {
            okta: Simulator::start(chain::org()).await.expect("the org starts"),
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    fn settings(&self, name: &str, over: &str) -> PathBuf {
        let mut table = settings::broker(&self.okta.url());
        settings::merge(&mut table, &settings::parse(over));
        chain::write(&self.folder, name, &table)
    }

    fn id(&self, login: &str) -> String {
        let person = |org: &mut idbridge_okta_simulator::Org| org.find(login).map(|person| person.id.clone());
        self.okta.control().change(person).expect("a person")
    }

    /// The end of every test here: no password was submitted.
    async fn stop(self) {
        assert_eq!(self.okta.received().passwords(), 0, "a password was submitted");
        self.okta.shutdown().await;
    }
}

/// Who, the exit code, and for log-in and get_user: outcome, HTTP status, and a part of what decides.
type Row<'a> = (&'a str, i32, (&'a str, u16, &'a str), (&'a str, u16, &'a str));

async fn check(rows: &[Row<'_>], config: &Path) {
    for (who, code, log_in, get_user) in rows {
        let (exit, report) = report(who, config).await;
        for (name, (outcome, status, decider)) in [("log_in", log_in), ("get_user", get_user)] {
            let verdict = &report[name];
            assert_eq!(verdict["outcome"], *outcome, "{who}: {report:#}");
            assert_eq!(verdict["status"], *status, "{who}: {verdict:#}");
            let decided = verdict["decided_by"].as_str().expect("text");
            assert!(decided.contains(decider), "{who}, {name}: {decided}");
            let script = verdict["auth0"].as_str().expect("text");
            assert!(
                script.starts_with(script_says(name, outcome, *status)),
                "{who}, {name}: {script}"
            );
        }
        assert_eq!(exit, Some(*code), "{who}");
    }
}

/// The contract's table of the scripts.
fn script_says(call: &str, outcome: &str, status: u16) -> &'static str {
    match (call, outcome, status) {
        (_, "authenticated" | "found", _) => "callback(null, profile)",
        (_, "not_found", _) => "callback(null)",
        (_, "unknown_user", _) => "WrongUsernameOrPasswordError(null",
        (_, "wrong_password" | "invalid_credentials", _) => "WrongUsernameOrPasswordError(identifier",
        (_, _, 200) => "UnauthorizedError",
        ("log_in", "invalid_identifier" | "invalid_password", _) => "WrongUsernameOrPasswordError(null",
        _ => "Error",
    }
}

#[rustfmt::skip] // a row a line
const DEMO: [Row<'_>; 15] = [
    ("ada@example.com", 0, ("authenticated", 200, "nothing"), ("found", 200, "nothing")),
    ("ADA@example.com", 0, ("authenticated", 200, "nothing"), ("found", 200, "nothing")),
    ("sam@example.com", 1, ("account_disabled", 200, "the source"), ("account_disabled", 200, "the source")),
    ("mia@example.com", 1, ("second_factor_required", 200, "the source"), ("second_factor_required", 200, "the source")),
    ("lou@example.com", 1, ("account_locked", 200, "the source"), ("account_locked", 200, "the source")),
    ("eve@example.com", 1, ("password_expired", 200, "the source"), ("found", 200, "nothing")),
    ("fred@example.com", 1, ("no_password", 200, "the source"), ("no_password", 200, "the source")),
    ("adam@example.com", 1, ("authenticated", 200, "nothing"), ("no_password", 200, "the source")),
    ("nobody@example.com", 1, ("invalid_credentials", 200, "the source"), ("not_found", 200, "the source")),
    ("twins@example.com", 3, ("invalid_credentials", 200, "the source"), ("ambiguous_user", 502, "the source")),
    ("rhea@example.com", 1, ("account_disabled", 200, "the source"), ("found", 200, "nothing")),
    ("grace@example.com", 1, ("invalid_credentials", 200, "the source"), ("found", 200, "nothing")),
    ("grace", 3, ("identifier_not_portable", 200, "the gateway"), ("invalid_identifier", 400, "typed")),
    // One's login is another's address: a log-in and a reset are about two people.
    ("hugo@example.com", 1, ("identifier_not_portable", 200, "the gateway"), ("found", 200, "nothing")),
    ("../me", 3, ("invalid_credentials", 200, "the source"), ("invalid_identifier", 400, "typed")),
];

#[tokio::test]
async fn everybody_in_the_demo_org() {
    let org = Org::start().await;
    check(&DEMO, &org.settings("demo", "")).await;
    org.stop().await;
}

/// Whom a sign-on policy stops, which no look-up shows.
const BY_POLICY: [&str; 3] = ["enno@example.com", "polly@example.com", "seq@example.com"];

/// What is told is what callers get, wherever the source doesn't hide its reason from a log-in: by every login and every
/// address of the org.
#[tokio::test]
async fn it_is_what_callers_are_told() {
    let chain = Chain::start("").await;
    let org = Org::start().await;
    let config = org.settings("same", "");
    let grpc = chain.grpc().await;
    let mut everybody: BTreeSet<String> = DEMO.iter().map(|row| row.0.to_owned()).collect();
    for person in chain::org().people() {
        everybody.extend([person.login.clone(), person.email.clone()]);
    }
    assert!(everybody.len() > 35);
    for who in &everybody {
        let (_, report) = report(who, &config).await;
        let asked = grpc.get_user_by_email(&with_id(&request_id()), who).await;
        let told = match asked.code {
            tonic::Code::Ok => asked.outcome().replace("yes", "found"),
            _ if asked.reason() == "USER_NOT_FOUND" => "not_found".to_owned(),
            _ => asked.reason().to_lowercase(),
        };
        let expected = report["get_user"]["outcome"].as_str().expect("text");
        // The gateway's own reason: gRPC doesn't know it.
        let refused_later = told == "found" && expected == "identifier_not_portable";
        assert!(told == expected || refused_later, "{who}: {told}, not {expected}");

        let asked = grpc.authenticate(&with_id(&request_id()), who, PASSWORD).await;
        let expected = report["log_in"]["outcome"].as_str().expect("text");
        if BY_POLICY.contains(&who.as_str()) {
            assert_eq!(expected, "authenticated", "{who}");
            assert!(
                asked.code != tonic::Code::Ok || asked.outcome() != "yes",
                "{who} is stopped"
            );
            continue;
        }
        let told = asked.outcome().replace("yes", "authenticated");
        let notes = report["log_in"]["notes"].to_string();
        let hidden = told == "invalid_credentials" && notes.contains("may say no more than `invalid_credentials`");
        let refused_later = told == "authenticated" && expected == "identifier_not_portable";
        assert!(
            told == expected || hidden || refused_later,
            "{who}: {told}, not {expected}"
        );
    }
    org.stop().await;
    drop(grpc);
    chain.stop().await;
}

#[tokio::test]
async fn the_rules_of_who_may_move() {
    let org = Org::start().await;
    let gone = org.folder.path().join("gone.txt");
    std::fs::write(&gone, org.id("ada@example.com")).expect("written");
    let tombstones = format!("[sources.okta]\ntombstones_file = {:?}", gone.to_str().expect("text"));
    let off = ("source_unavailable", 503, "mode = \"off\"");
    let no_cohort = ("not_in_cohort", 200, "cohort");
    let groups = "[sources.okta]\nsettings = { groups = true }\n[[sources.okta.cohort]]\ngroups = [\"Engineering\"]";
    let words = format!("{groups}\n[sources.okta.mapping.groups]\nallow = []");
    let chain = "[[routes]]\nchain = [\"okta\", \"people\"]\nlocate = \"lookup_first\"\n[sources.people]\nkind = \"memory\"\n\
                 [[sources.people.settings.people]]\nid = \"1\"\nlogin = \"mel@memory.example\"\n\
                 email = \"mel@memory.example\"\npassword = \"one\"\n\
                 [[sources.people.settings.people]]\nid = \"2\"\nlogin = \"bob@example.com\"\n\
                 email = \"bob@example.com\"\npassword = \"two\"";
    let twice = ("ambiguous_user", 502, "the chain");
    #[rustfmt::skip] // a row a line
    let cases: [(&str, &str, &[Row<'_>]); 8] = [
        ("chain", chain, &[
            ("mel@memory.example", 0, ("authenticated", 200, "nothing"), ("found", 200, "nothing")),
            ("ada@example.com", 0, ("authenticated", 200, "nothing"), ("found", 200, "nothing")),
            ("sam@example.com", 1, ("account_disabled", 200, "the source"), ("account_disabled", 200, "the source")),
            ("bob@example.com", 3, twice, twice),
        ]),
        ("words", &words, &[
            ("ada@example.com", 0, ("authenticated", 200, "nothing"), ("found", 200, "nothing")),
            ("bob@example.com", 1, no_cohort, no_cohort),
        ]),
        ("tombstones", &tombstones, &[
            ("ada@example.com", 1, ("unknown_user", 200, "tombstones_file"), ("not_found", 200, "tombstones_file")),
            ("bob@example.com", 0, ("authenticated", 200, "nothing"), ("found", 200, "nothing")),
        ]),
        ("cohort", "[[sources.okta.cohort]]\ndomains = [\"acme.example\"]", &[
            ("ada@example.com", 1, no_cohort, no_cohort),
            ("sam@example.com", 1, ("account_disabled", 200, "the source"), ("account_disabled", 200, "the source")),
        ]),
        ("groups", groups, &[
            ("ada@example.com", 0, ("authenticated", 200, "nothing"), ("found", 200, "nothing")),
            ("bob@example.com", 1, no_cohort, no_cohort),
        ]),
        ("off", "[sources.okta]\nmode = \"off\"", &[("ada@example.com", 3, off, off), ("nobody@example.com", 3, off, off)]),
        ("lookups", "[sources.okta]\nmode = \"lookup_only\"", &[
            ("ada@example.com", 3, ("operation_unsupported", 501, "lookup_only"), ("found", 200, "nothing")),
        ]),
        ("caller", "[callers.tester]\nallow = [\"authenticate\"]", &[
            ("ada@example.com", 3, ("authenticated", 200, "nothing"), ("caller_not_allowed", 403, "allow")),
        ]),
    ];
    for (name, over, rows) in cases {
        check(rows, &org.settings(name, over)).await;
    }
    let person = async |name: &str| {
        let (_, report) = report("ada@example.com", &org.folder.path().join(format!("{name}.toml"))).await;
        let person = &report["sources"][0]["people"][0];
        (person["tombstone"].clone(), person["in_cohort"].clone())
    };
    assert_eq!(person("tombstones").await, (true.into(), true.into()));
    assert_eq!(person("cohort").await, (false.into(), false.into()));
    assert_eq!(person("groups").await, (false.into(), true.into()));
    // A list doesn't tell the groups of somebody whom no look-up finds.
    let (exit, report) = report("adam@example.com", &org.settings("unknown", groups)).await;
    assert_eq!(
        (exit, &report["log_in"]["answer"]),
        (Some(3), &"could_not_find_out".into())
    );
    org.stop().await;
}

#[tokio::test]
async fn what_only_a_log_in_tells_is_said() {
    let org = Org::start().await;
    let ran = why(
        &["ada@example.com"],
        &org.settings("policy", "rest.auth0.password.min_length = 8"),
    )
    .await;
    let text = said(&ran);
    assert!(text.contains("72 bytes at most, 8 characters at least"), "{text}");
    assert!(
        text.contains("whether it is right") && text.contains("sign-on policies"),
        "{text}"
    );

    // Without a token, nobody but the user's own log-in shows who it is.
    let mut table = settings::broker(&org.okta.url());
    for key in [
        "rest",
        "sources.okta.settings.api_token",
        "sources.okta.settings.canary",
    ] {
        settings::remove(&mut table, key);
    }
    let over = "[sources.okta.settings]\nlogin_is_email = true\non_second_factor = \"ignore\"";
    settings::merge(&mut table, &settings::parse(over));
    let (exit, report) = report("ada@example.com", &chain::write(&org.folder, "token", &table)).await;
    assert_eq!(exit, Some(3));
    assert_eq!(report["log_in"]["auth0"], "only a log-in tells", "{report:#}");
    assert_eq!(report["get_user"]["outcome"], "operation_unsupported");
    org.stop().await;
}

#[tokio::test]
async fn a_source_that_the_routes_do_not_choose_is_shown_and_does_not_count() {
    let org = Org::start().await;
    let over = format!(
        "[callers.other]\nkey_sha256 = \"{}\"\nallow = [\"authenticate\"]\n\
         [[routes]]\ndomains = [\"acme.example\"]\nsource = \"gone\"\n[[routes]]\nsource = \"okta\"\n\
         [sources.gone]\nkind = \"okta\"\n[sources.gone.settings]\norg_url = \"http://127.0.0.1:1\"\n\
         api_token = \"a-token\"\ncanary = \"canary@acme.example\"",
        settings::sha256("another key")
    );
    let config = org.settings("routes", &over);
    let (exit, report) = report("ada@example.com", &config).await;
    assert_eq!((exit, &report["source"]), (Some(0), &"okta".into()), "{report:#}");
    let [gone, okta] = [&report["sources"][0], &report["sources"][1]];
    assert_eq!(
        (&gone["asked_by_auth0"], &okta["asked_by_auth0"]),
        (&false.into(), &true.into())
    );
    assert_eq!(gone["problems"][0]["kind"], "unavailable");
    assert!(report["notes"][0].as_str().expect("text").contains("several callers"));
    let unavailable = ("source_unavailable", 503, "the source");
    check(&[("ada@acme.example", 3, unavailable, unavailable)], &config).await;
    org.stop().await;
}

#[tokio::test]
async fn it_asks_no_more_than_three_look_ups_do() {
    let org = Org::start().await;
    let config = org.settings(
        "asked",
        "[sources.okta.settings]\ngroups = true\nlookup_by_login = true",
    );
    let binary = env!("CARGO_BIN_EXE_idbridge");
    let mut look_up = Command::new(binary);
    look_up
        .args(["try", "get-user", "ada@example.com", "--config"])
        .arg(&config)
        .env_clear();
    let ran = tokio::task::spawn_blocking(move || look_up.output())
        .await
        .expect("no panic");
    assert_eq!(ran.expect("it runs").status.code(), Some(0));
    let one = org.okta.received().total();
    assert_eq!(why(&["ada@example.com"], &config).await.status.code(), Some(0));
    let asked = org.okta.received().total() - one;
    assert!(asked <= 3 * one, "{asked} requests, and {one} for a look-up");
    org.stop().await;
}

/// Whatever breaks, nobody is said to be absent or wrong.
#[tokio::test]
async fn an_outage_is_no_answer() {
    let org = Org::start().await;
    let config = org.settings("outage", "[rest]\ndeadline = \"2s\"");
    for endpoint in [Endpoint::User, Endpoint::Search, Endpoint::Factors] {
        let status = |http, code: &str| Fault::Status(http, code.to_owned());
        for fault in [
            status(503, "E0000010"),
            status(401, "E0000011"),
            Fault::ConcurrencyLimit,
            Fault::Garbage,
            Fault::Html(404),
        ] {
            org.okta.control().fault(endpoint, fault);
            // Factors aren't asked for whom the account's state decides on.
            let (ada, others) = ("ada@example.com", ["sam@example.com", "nobody@example.com"]);
            let others = others.into_iter().filter(|_| endpoint != Endpoint::Factors);
            for who in std::iter::once(ada).chain(others) {
                let (exit, report) = report(who, &config).await;
                for call in ["log_in", "get_user"] {
                    assert_eq!(report[call]["answer"], "could_not_find_out", "{who}: {report:#}");
                }
                assert_eq!(exit, Some(3), "{who}");
                let problem = &report["sources"][0]["problems"][0];
                assert!(!problem["what_to_do"].as_str().expect("text").is_empty());
            }
            org.okta.control().clear_faults();
        }
    }
    org.stop().await;
}

#[tokio::test]
async fn nothing_of_the_profile_is_printed_unless_it_is_asked_for() {
    let org = Org::start().await;
    let config = org.settings(
        "shown",
        "[sources.okta.settings]\ngroups = true\nattributes = [\"department\"]",
    );
    let words = [
        "ada",
        "lovelace",
        "engineering",
        "analytical",
        "en-gb",
        settings::AUDIT_KEY,
    ];
    for json in [&["ada@example.com"][..], &["ada@example.com", "--json"]] {
        let ran = why(json, &config).await;
        let text = format!("{}{}", said(&ran), String::from_utf8_lossy(&ran.stderr)).to_lowercase();
        let words = words.iter().filter(|word| text.contains(**word)).collect::<Vec<_>>();
        assert!(words.is_empty(), "{words:?} in {text}");
        assert!(text.contains(&org.id("ada@example.com").to_lowercase()) && text.contains("active"));
    }
    let ran = why(&["grace@example.com", "--show"], &config).await;
    assert!(
        said(&ran).contains("login grace; e-mail grace@example.com"),
        "{}",
        said(&ran)
    );
    assert!(!said(&ran).contains("Hopper"));
    org.stop().await;
}
