use std::fs;
use std::path::Path;

use idbridge_source::RequestId;

use super::*;
use crate::pb;
use crate::rest::{EmailFrom, Outcome, Profile, Settings};

fn schema<'a>(document: &'a Value, name: &str) -> &'a Value {
    &document["components"]["schemas"][name]
}

fn names(of: &Value) -> BTreeSet<&str> {
    match of {
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        Value::Object(members) => members.keys().map(String::as_str).collect(),
        _ => BTreeSet::new(),
    }
}

fn profile(full: bool) -> Value {
    let text = |text: &str| full.then(|| text.to_owned());
    let user = pb::User {
        id: "okta|1".to_owned(),
        login: "ada".to_owned(),
        email: "ada@example.com".to_owned(),
        email_verified: full.then_some(true),
        name: text("Ada Lovelace"),
        given_name: text("Ada"),
        family_name: text("Lovelace"),
        nickname: text("ada"),
        picture: text("https://example.com/ada.png"),
        phone_number: text("+15550100"),
        locale: text("en-GB"),
        ..Default::default()
    };
    let settings = Settings {
        email_from: EmailFrom::Email,
        send_username: full,
        ..Default::default()
    };
    let profile = Profile::new(user, "okta".to_owned(), "ada@example.com", &settings).expect("a profile");
    serde_json::to_value(profile).expect("serialisable")
}

#[test]
fn the_file_in_docs_is_this_document() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json");
    let written = fs::read_to_string(path).expect("the file");
    let written: Value = serde_json::from_str(&written).expect("JSON");
    assert_eq!(
        written,
        document(),
        "write it anew: idbridge openapi > docs/openapi.json"
    );
}

#[test]
fn a_profile_has_the_described_members() {
    let document = document();
    for (path, of) in [("", "Profile"), ("/app_metadata/idbridge", "Facts")] {
        let (full, bare) = (profile(true), profile(false));
        let described = schema(&document, of);
        let at = |profile: &Value| profile.pointer(path).cloned().expect("an object");
        assert_eq!(names(&at(&full)), names(&described["properties"]), "{of}");
        assert_eq!(names(&at(&bare)), names(&described["required"]), "{of}");
    }
}

#[test]
fn every_outcome_is_described() {
    let document = document();
    let rejected = rejected(Operation::Login);
    let profile = || {
        let user = pb::User {
            id: "okta|1".to_owned(),
            email: "ada@example.com".to_owned(),
            ..Default::default()
        };
        Box::new(Profile::new(user, String::new(), "ada@example.com", &Settings::default()).expect("a profile"))
    };
    for (outcome, described) in [
        (
            Outcome::Authenticated { profile: profile() },
            schema(&document, "Authenticated"),
        ),
        (Outcome::Found { profile: profile() }, schema(&document, "Found")),
        (Outcome::NotFound, schema(&document, "NotFound")),
        (Outcome::Rejected { reason: String::new() }, &rejected),
    ] {
        let said = serde_json::to_value(outcome).expect("serialisable");
        assert_eq!(said["outcome"], described["properties"]["outcome"]["const"]);
        assert_eq!(names(&said), names(&described["required"]));
    }
}

#[test]
fn a_problem_has_the_described_members() {
    let document = document();
    let request_id = RequestId::parse("x").expect("an id");
    let result = Err(Problem::NOT_FOUND);
    let said: Value = serde_json::from_str(&Answer { request_id, result }.to_json()).expect("JSON");
    assert_eq!(names(&said), names(&schema(&document, "Problem")["required"]));
}

#[test]
fn reasons_and_codes_are_those_of_each_operation() {
    let reasons = |operation| -> BTreeSet<String> { reasons(operation).collect() };
    let (login, get_user) = (reasons(Operation::Login), reasons(Operation::GetUser));
    let only_login: Vec<&String> = login.difference(&get_user).collect();
    assert_eq!(only_login, ["password_not_accepted_by_target", "unknown_user"]);
    assert!(get_user.is_subset(&login) && get_user.contains("no_password"));
    assert!(!login.contains("unspecified"));

    let codes = problems(Operation::Login);
    assert_eq!(
        codes[&503],
        BTreeSet::from(["overloaded", "shutting_down", "source_unavailable"])
    );
    assert!(!codes.contains_key(&404) && !codes.contains_key(&405));
    assert!(codes[&400].contains("invalid_password"));
    assert!(!problems(Operation::GetUser)[&400].contains("invalid_password"));
}
