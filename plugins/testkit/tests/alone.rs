//! The suite on a source whose upstream nobody holds, and on one that is told wrongly.

#![expect(clippy::expect_used, reason = "a case that isn't there fails the test")]

#[cfg(test)] // where clippy lets a mistake end it
#[path = "../../memory/tests/behaviour/subject.rs"]
mod subject;

use std::convert::Infallible;

use idbridge_testkit::world::{NAMELESS, Person, SECOND_FACTOR};
use idbridge_testkit::{CASES, Case, Ended, Subject as _, check_alone};

fn case(name: &str) -> &'static Case {
    CASES.iter().find(|case| case.name == name).expect("a case")
}

fn ended(name: &str, settings: &str) -> Ended {
    alone(case(name), &[], settings)
}

fn alone(case: &Case, missing: &[Person], settings: &str) -> Ended {
    let build = || Ok::<_, Infallible>(subject::MemorySubject::new(settings).source());
    match check_alone(case, missing, build) {
        Ok(ended) => ended,
        Err(never) => match never {},
    }
}

#[test]
fn a_sound_source_breaks_nothing_and_what_was_not_run_says_why() {
    let (mut held, mut not_run) = (0, 0);
    for case in CASES {
        match alone(case, &[], "") {
            Ended::Broken(violation) => panic!("{}: {violation}", case.name),
            Ended::Held => held += 1,
            Ended::NotRun(because) => {
                assert!(!because.is_empty(), "{}", case.name);
                not_run += 1;
            }
        }
    }
    assert!(held >= 25 && not_run >= 15, "{held} held, {not_run} not run");
}

#[test]
fn a_broken_law_is_found() {
    let second_factor = ended("authenticate::second_factor_is_rejected", "on_second_factor = 'accept'");
    assert!(matches!(second_factor, Ended::Broken(_)), "{second_factor:?}");
}

#[test]
fn what_needs_the_upstream_is_not_run() {
    for name in [
        "authenticate::password_is_submitted_once",
        "authenticate::caller_hanging_up_does_not_cut_the_check",
        "faults::outage_is_never_absent",
        "secrecy::logs_show_no_secret",
    ] {
        assert!(matches!(ended(name, ""), Ended::NotRun(_)), "{name}");
    }
    let undeclared = ended("user_by_login::known_login_is_found", "");
    assert_eq!(
        undeclared,
        Ended::NotRun("the source doesn't declare UserByLogin".to_owned())
    );
}

#[test]
fn who_is_missing_is_not_asked_for() {
    let missing = [NAMELESS, SECOND_FACTOR];
    let check = |name| alone(case(name), &missing, "");
    let without = Ended::NotRun("the plugin doesn't hold nameless@example.com".to_owned());
    assert_eq!(check("user_by_email::nothing_is_invented"), without);
    assert_eq!(check("user_by_email::known_address_is_found"), Ended::Held);
    // Of the others it isn't known whether they are all who were meant.
    assert_eq!(check("list::everybody_is_listed_once"), without);
}
