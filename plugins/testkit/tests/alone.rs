//! The suite on a source whose upstream nobody holds, and on one that is told wrongly.

#![expect(clippy::expect_used, reason = "a case that isn't there fails the test")]

#[cfg(test)] // where clippy lets a mistake end it
#[path = "../../memory/tests/behaviour/subject.rs"]
mod subject;

use std::convert::Infallible;

use idbridge_testkit::cast::Cast;
use idbridge_testkit::world::{INACTIVE, NAMELESS, NOBODY, PEOPLE, Person, SECOND_FACTOR};
use idbridge_testkit::{CASES, Case, Ended, Fault, Subject as _, check_alone};

fn case(name: &str) -> &'static Case {
    CASES.iter().find(|case| case.name == name).expect("a case")
}

fn ended(name: &str, settings: &str) -> Ended {
    alone(case(name), &Cast::suite(), settings)
}

fn alone(case: &Case, cast: &Cast, settings: &str) -> Ended {
    let build = || Ok::<_, Infallible>(subject::MemorySubject::new(settings).source());
    match check_alone(case, cast, build) {
        Ok(ended) => ended,
        Err(never) => match never {},
    }
}

#[test]
fn a_sound_source_breaks_nothing_and_what_was_not_run_says_why() {
    let (mut held, mut not_run) = (0, 0);
    for case in CASES {
        match alone(case, &Cast::suite(), "") {
            Ended::Broken(violation) => panic!("{}: {violation}", case.name),
            Ended::Held => held += 1,
            Ended::Throttled => panic!("{}: throttled", case.name),
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
fn a_part_that_nobody_plays_never_counts_as_held() {
    let missing = [INACTIVE, NAMELESS, SECOND_FACTOR];
    let people: Vec<Person> = PEOPLE
        .into_iter()
        .filter(|person| missing.iter().all(|one| one.login != person.login))
        .collect();
    let cast = Cast::of(&people, NOBODY).expect("Ada is there");
    let check = |name, settings| alone(case(name), &cast, settings);
    for (name, whom) in [
        ("user_by_email::nothing_is_invented", "nameless"),
        ("authenticate::second_factor_is_rejected", "second_factor"),
        ("authenticate::ineligible_user_is_rejected", "inactive"),
    ] {
        let not_run = Ended::NotRun(format!("nobody plays {whom}"));
        assert_eq!(check(name, ""), not_run, "{name}");
    }
    assert_eq!(check("user_by_email::known_address_is_found", ""), Ended::Held);
    let Ended::NotRun(whom) = check("list::everybody_is_listed_once", "") else {
        panic!("not everybody is there")
    };
    assert!(whom.contains("nameless") && whom.contains("inactive"), "{whom}");
    // What those who are there show counts against the source.
    let expired = check(
        "authenticate::expired_password_is_rejected",
        "on_password_expired = 'accept'",
    );
    assert!(matches!(expired, Ended::Broken(_)), "{expired:?}");
}

/// A directory that limits how often it is asked is no broken one, and isn't a sound one either.
#[test]
fn a_source_that_asks_for_patience_is_neither_held_nor_broken() {
    for name in [
        "authenticate::wrong_password_is_rejected_not_an_error",
        "user_by_email::unknown_address_is_absent",
        "faults::undeclared_operation_is_unsupported",
    ] {
        let subject = subject::MemorySubject::new("");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        runtime.block_on(subject.inflict(Fault::Throttled));
        let Ok(ended) = check_alone(case(name), &Cast::suite(), || Ok::<_, Infallible>(subject.source()));
        assert_eq!(ended, Ended::Throttled, "{name}");
    }
}
