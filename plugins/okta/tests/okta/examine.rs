//! What an examination says of an org, well and otherwise.

use std::time::Duration;

use idbridge_okta_simulator::{
    CANARY, Denial, Endpoint, Fault, Limits, Lockout, Mfa, Org, Person, Pipeline, Rights, Status,
};
use idbridge_source::{Password, Value, Verdict};

use crate::world::{PASSWORD, World, call, text, yes};

const ENGINE: &str = "engine";
const CLOCK: &str = "clock";
const CREDENTIAL: &str = "credential and canary";
const RIGHT: &str = "right canary log-in";
const WRONG: &str = "wrong canary log-in";
const LIMITS: &str = "rate limits";
const VERIFIED: &str = "verified addresses";

/// The demo org whose canary has a password.
fn org() -> Org {
    let mut org = Org::demo();
    canary(&mut org, |canary| canary.password = Some(PASSWORD.to_owned()));
    org
}

fn canary(org: &mut Org, change: impl FnOnce(&mut Person)) {
    let canary = org.people.iter_mut().find(|person| person.login == CANARY);
    change(canary.expect("the canary"));
}

async fn world(change: impl FnOnce(&mut Org)) -> World {
    let mut org = org();
    change(&mut org);
    World::new(org, &[]).await
}

/// Each check with the kind of its verdict and the words.
async fn examined(world: &World, password: Option<&str>) -> Vec<(String, &'static str, String)> {
    let password = password.map(|text| Password::parse(text.to_owned()).expect("a password"));
    let findings = world
        .source
        .examine(&call(Duration::from_secs(10)), password.as_ref())
        .await;
    let told = |verdict| match verdict {
        Verdict::Failed(error) => ("failed", error.chain()),
        Verdict::Fine(text) => ("fine", text),
        Verdict::NotChecked(text) => ("not checked", text),
        Verdict::Unknown(text) => ("unknown", text),
        Verdict::Wrong(text) => ("wrong", text),
    };
    let findings = findings.into_iter().map(|finding| {
        let (kind, words) = told(finding.verdict);
        for secret in [PASSWORD, CANARY, idbridge_okta_simulator::TOKEN, "wrong-req-1"] {
            assert!(!words.contains(secret), "{}: {words}", finding.check);
        }
        assert!(!words.contains('\n'), "{words}");
        (finding.check.into_owned(), kind, words)
    });
    findings.collect()
}

/// That this check ended so, in words that have these.
fn says(findings: &[(String, &'static str, String)], check: &str, kind: &str, words: &str) {
    let finding = findings.iter().find(|(name, _, _)| name == check);
    let (_, found, told) = finding.unwrap_or_else(|| panic!("no {check}"));
    assert!(
        *found == kind && told.contains(words),
        "{check}: {found}: {told}; not {kind}: {words}"
    );
}

#[tokio::test]
async fn a_good_org_is_fine_in_everything() {
    let world = world(|_| {}).await;
    let findings = examined(&world, Some(PASSWORD)).await;
    let checks: Vec<&str> = findings.iter().map(|(check, _, _)| check.as_str()).collect();
    assert_eq!(checks, [ENGINE, CLOCK, CREDENTIAL, RIGHT, WRONG, VERIFIED, LIMITS]);
    for (check, kind, words) in &findings {
        assert_eq!(*kind, "fine", "{check}: {words}");
    }
    says(&findings, LIMITS, "fine", "500 log-ins a minute");
    assert_eq!(world.org.received().passwords_for(CANARY), 2, "one right, one wrong");
}

#[tokio::test]
async fn the_readme_names_every_check_in_order() {
    let readme = include_str!("../../README.md");
    let (_, section) = readme.split_once("# What the doctor looks at").expect("the section");
    let (section, _) = section.split_once("\n# ").expect("the next");
    let rows = section
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    let named: Vec<&str> = rows.filter(|name| *name != "check" && !name.starts_with('-')).collect();
    let found = examined(&world(|_| {}).await, None).await;
    let checks: Vec<&str> = found.iter().map(|(check, _, _)| check.as_str()).collect();
    assert_eq!(named, checks);
}

#[tokio::test]
async fn without_a_password_log_ins_are_said_to_be_left_out() {
    let world = world(|_| {}).await;
    let findings = examined(&world, None).await;
    says(&findings, RIGHT, "not checked", "wasn't given");
    says(&findings, WRONG, "not checked", "wasn't given");
    assert_eq!(world.count(Endpoint::Authn), 0);
}

#[tokio::test]
async fn without_a_token_what_takes_one_is_said_to_be_left_out() {
    let world = World::bare(
        org(),
        &[("login_is_email", yes()), ("on_second_factor", text("ignore"))],
    )
    .await;
    let findings = examined(&world, Some(PASSWORD)).await;
    for check in [CREDENTIAL, RIGHT, WRONG, VERIFIED] {
        says(&findings, check, "not checked", "token");
    }
    says(&findings, ENGINE, "fine", "");
    says(&findings, LIMITS, "unknown", "X-Rate-Limit");
    assert_eq!(world.count(Endpoint::Authn), 0);
}

#[tokio::test]
async fn the_engine_is_told_with_the_policy_that_it_obeys() {
    for (pipeline, words) in [
        (Pipeline::Classic, "Classic Engine"),
        (Pipeline::IdentityEngine, "global session policy"),
    ] {
        let world = world(|org| org.pipeline = pipeline).await;
        says(&examined(&world, None).await, ENGINE, "fine", words);
    }
    let world = world(|_| {}).await;
    world
        .control()
        .fault(Endpoint::Organization, Fault::json(200, r#"{"id": "00o1"}"#));
    says(&examined(&world, None).await, ENGINE, "unknown", "org_url");
}

/// What a right log-in may end with, and what is said then. One password was sent: no wrong one follows.
#[tokio::test]
async fn a_canary_that_does_not_come_in_is_told_what_to_do() {
    type Change = fn(&mut Org);
    let cases: [(&str, Change, &str, &str, &str, u64); 7] = [
        (
            "factor",
            |org| canary(org, |one| one.mfa = Mfa::Enroll),
            "wrong",
            "MFA_ENROLL: add a rule",
            "not checked",
            1,
        ),
        (
            "classic factor",
            |org| {
                org.pipeline = Pipeline::Classic;
                canary(org, |one| one.mfa = Mfa::Enroll);
            },
            "wrong",
            "sign-on policy",
            "not checked",
            1,
        ),
        (
            "factor first",
            |org| canary(org, |one| one.mfa = Mfa::PasswordOpen),
            "wrong",
            "before the password",
            "not checked",
            1,
        ),
        (
            "expired",
            |org| canary(org, |one| one.status = Status::PasswordExpired),
            "wrong",
            "PASSWORD_EXPIRED",
            "not checked",
            1,
        ),
        (
            "hidden lock",
            |org| canary(org, |one| one.status = Status::LockedOut),
            "wrong",
            "Okta hides",
            "not checked",
            1,
        ),
        (
            "shown lock",
            |org| {
                org.lockout = Lockout::Shown;
                canary(org, |one| one.status = Status::LockedOut);
            },
            "wrong",
            "LOCKED_OUT",
            "not checked",
            1,
        ),
        (
            "denied",
            |org| canary(org, |one| *one = one.clone().denied(Denial::SignOnPolicy)),
            "wrong",
            "",
            "not checked",
            1,
        ),
    ];
    for (name, change, kind, words, after, sent) in cases {
        let world = world(change).await;
        let findings = examined(&world, Some(PASSWORD)).await;
        println!("{name}");
        says(&findings, RIGHT, kind, words);
        says(&findings, WRONG, after, "");
        assert_eq!(world.org.received().passwords_for(CANARY), sent, "{name}");
    }
}

#[tokio::test]
async fn a_canary_is_not_locked_however_often_it_is_examined() {
    let world = world(|org| *org = org.clone().limits(Limits::none()).lockout(2, Lockout::Shown)).await;
    for _ in 0..5 {
        let findings = examined(&world, Some(PASSWORD)).await;
        says(&findings, RIGHT, "fine", "SUCCESS");
        says(&findings, WRONG, "fine", "refused");
    }
}

#[tokio::test]
async fn a_mistyped_password_is_sent_once_and_no_other_after_it() {
    let world = world(|_| {}).await;
    let findings = examined(&world, Some("not the canary's")).await;
    says(&findings, RIGHT, "wrong", "counts towards a lock");
    says(&findings, WRONG, "not checked", "nearer to a lock");
    assert_eq!(world.count(Endpoint::Authn), 1);
}

#[tokio::test]
async fn an_org_that_takes_any_password_is_not_for_use() {
    let world = world(|_| {}).await;
    let yes = r#"{"status": "SUCCESS", "_embedded": {"user": {"id": "00u1"}}}"#;
    world.control().fault(Endpoint::Authn, Fault::json(200, yes));
    let findings = examined(&world, Some(PASSWORD)).await;
    says(&findings, RIGHT, "fine", "SUCCESS");
    says(&findings, WRONG, "wrong", "don't go live");
}

#[tokio::test]
async fn an_org_that_locks_at_once_is_told_so() {
    let world = world(|org| *org = org.clone().lockout(1, Lockout::Shown)).await;
    says(
        &examined(&world, Some(PASSWORD)).await,
        WRONG,
        "wrong",
        "one wrong password locked",
    );
}

#[tokio::test]
async fn a_credential_that_sees_nothing_is_never_fine() {
    let world = world(|_| {}).await;
    world.control().hide(CANARY);
    says(
        &examined(&world, None).await,
        CREDENTIAL,
        "failed",
        "the canary isn't visible",
    );
    world.control().show_all();
    world.control().revoke_tokens();
    let findings = examined(&world, None).await;
    says(&findings, CREDENTIAL, "failed", "credential_refused");
    says(&findings, VERIFIED, "failed", "credential_refused");
    says(&findings, ENGINE, "fine", "");
}

/// A forbidden list, an empty one, one without evidence, and one for settings that ask for none.
#[tokio::test]
async fn evidence_is_counted_in_one_page() {
    let world = world(|_| {}).await;
    world.control().fault(Endpoint::Users, Fault::status(403, "E0000006"));
    says(&examined(&world, None).await, VERIFIED, "failed", "credential_refused");
    world.control().clear_faults();
    world.control().fault(Endpoint::Users, Fault::json(200, "[]"));
    says(&examined(&world, None).await, VERIFIED, "unknown", "role");
    world.control().clear_faults();
    says(&examined(&world, None).await, VERIFIED, "fine", "of the first");
    assert_eq!(world.count(Endpoint::Users), 3, "one page each");

    let unproved = |org: &mut Org| org.people.iter_mut().for_each(|one| one.email_verified = None);
    let world = self::world(unproved).await;
    says(&examined(&world, None).await, VERIFIED, "wrong", "evidence for 0 of");
    let mut org = org();
    unproved(&mut org);
    let world = World::new(org, &[("email_verified", Value::Text("always".into()))]).await;
    says(&examined(&world, None).await, VERIFIED, "fine", "\"always\"");
}

#[tokio::test]
async fn a_clock_that_is_off_is_told() {
    let world = world(|_| {}).await;
    world.control().advance(Duration::from_secs(90));
    says(&examined(&world, None).await, CLOCK, "wrong", "behind Okta's");
}

#[tokio::test]
async fn few_log_ins_a_minute_are_told() {
    let few = Limits {
        user: 100,
        ..Limits::workforce()
    };
    let world = world(|org| org.limits = few).await;
    let findings = examined(&world, Some(PASSWORD)).await;
    says(&findings, LIMITS, "wrong", "50 log-ins a minute at the most, for users");
}

/// Every answer is an error: nothing is fine.
#[tokio::test]
async fn an_outage_is_fine_in_nothing() {
    for fault in [
        Fault::status(503, "E0000010"),
        Fault::Html(200),
        Fault::Close,
        Fault::Html(403),
        Fault::Html(404),
    ] {
        let world = world(|_| {}).await;
        world.control().fault(idbridge_okta_simulator::On::All, fault.clone());
        for (check, kind, words) in examined(&world, Some(PASSWORD)).await {
            assert_ne!(kind, "fine", "{fault:?}: {check}: {words}");
        }
        assert_eq!(world.org.received().passwords_for(CANARY), 1, "{fault:?}");
    }
}

/// A token that may read some: the list is empty, the canary hidden.
#[tokio::test]
async fn a_token_without_rights_is_never_fine() {
    for rights in [Rights::Forbidden, Rights::Nobody] {
        let world = world(|org| org.tokens.iter_mut().for_each(|token| token.rights = rights)).await;
        let findings = examined(&world, None).await;
        says(&findings, CREDENTIAL, "failed", "credential_refused");
        let verified = if rights == Rights::Nobody { "unknown" } else { "failed" };
        says(&findings, VERIFIED, verified, "");
    }
}
