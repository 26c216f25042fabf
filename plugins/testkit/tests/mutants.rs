//! The suite itself is tested: for each case there is a source that is wrong in one way, and the case catches it.

#![expect(clippy::expect_used, reason = "a mistake in a test may end it")]

#[path = "mutants/defect.rs"]
mod defect;
#[cfg(test)] // where clippy lets a mistake end it
#[path = "../../memory/tests/behaviour/subject.rs"]
mod subject;

use std::collections::BTreeSet;
use std::convert::Infallible;

use defect::{Defect, Habit, SOUND, amend, forget, reject, unlike};
use idbridge_source::{
    Admission, Authentication, Cursor, ErrorKind, Finding, Lookup, Page, Rejection, SourceError, User, UserId, Verdict,
};
use idbridge_testkit::cast::Cast;
use idbridge_testkit::world::{PEOPLE, Person};
use idbridge_testkit::{CASES, Case, Ended, Subject, check, check_alone};
use subject::MemorySubject;

const DOWN: ErrorKind = ErrorKind::Unavailable { retry_after: None };

fn err<T>(kind: ErrorKind) -> Result<T, SourceError> {
    Err(SourceError::new(kind, "be wrong"))
}

fn someone() -> User {
    User::new(UserId::parse("1").expect("an id"), "ada@example.com", "ada@example.com")
}

/// Case, and what is wrong with the source that it catches.
#[rustfmt::skip]
fn mutants() -> Vec<(&'static str, Defect)> {
    use Authentication::{Accept, Reject};
    use Lookup::{Absent, Found, Ineligible};
    vec![
        ("authenticate::right_password_is_accepted", Defect { log_in: |_, _| Ok(Reject(Rejection::InvalidCredentials)), ..SOUND }),
        ("authenticate::wrong_password_is_rejected_not_an_error", Defect { log_in: |answer, _| if reject(&answer) { err(DOWN) } else { answer }, ..SOUND }),
        ("authenticate::wrong_password_is_rejected_not_an_error", Defect { log_in: |answer, _| if reject(&answer) { Ok(Reject(Rejection::UnknownUser)) } else { answer }, ..SOUND }),
        ("authenticate::unknown_user_is_rejected_not_an_error", Defect { log_in: |answer, _| if reject(&answer) { err(ErrorKind::Protocol) } else { answer }, ..SOUND }),
        ("authenticate::password_of_another_user_is_rejected", Defect { log_in: |answer, _| if reject(&answer) { Ok(Accept(someone())) } else { answer }, ..SOUND }),
        ("authenticate::ineligible_user_is_rejected", Defect { log_in: |answer, _| match answer { Ok(Reject(Rejection::AccountDisabled)) => Ok(Accept(someone())), other => other }, ..SOUND }),
        ("authenticate::ineligible_user_is_rejected", Defect { log_in: |answer, _| match answer { Ok(Reject(Rejection::AccountLocked)) => Ok(Reject(Rejection::UnknownUser)), other => other }, ..SOUND }),
        ("authenticate::second_factor_is_rejected", Defect { log_in: |answer, _| match answer { Ok(Reject(Rejection::SecondFactorRequired)) => Ok(Accept(someone())), other => other }, ..SOUND }),
        ("authenticate::expired_password_is_rejected", Defect { log_in: |answer, _| match answer { Ok(Reject(Rejection::PasswordExpired)) => Ok(Accept(someone())), other => other }, ..SOUND }),
        ("authenticate::hostile_login_is_just_unknown", Defect { log_in: |answer, login| if login.contains('/') { err(ErrorKind::Protocol) } else { answer }, ..SOUND }),
        ("authenticate::hostile_login_is_just_unknown", Defect { login: |login| if login == "*" { "ada@example.com".into() } else { login.into() }, ..SOUND }),
        ("authenticate::identifier_ignores_ascii_case_but_not_accents", Defect { login: |login| login.replace("zoe", "zo\u{eb}"), ..SOUND }),
        ("authenticate::identifier_ignores_ascii_case_but_not_accents", Defect { login: |login| login.replace("ADA", "nobody"), ..SOUND }),
        ("authenticate::user_is_the_sources_own_never_the_login_echoed", Defect { log_in: |answer, login| match answer { Ok(Accept(user)) => Ok(Accept(User { login: login.into(), ..user })), other => other }, ..SOUND }),
        ("authenticate::password_reaches_the_upstream_byte_for_byte", Defect { password: |password| password.trim().into(), ..SOUND }),
        ("authenticate::password_reaches_the_upstream_byte_for_byte", Defect { password: |password| password.to_ascii_lowercase(), ..SOUND }),
        ("authenticate::login_reaches_the_upstream_byte_for_byte", Defect { login: |login| login.replace('\\', "/"), ..SOUND }),
        ("authenticate::password_is_submitted_once", Defect { habit: Habit::SubmitTwice, ..SOUND }),
        ("authenticate::caller_hanging_up_does_not_cut_the_check", Defect { habit: Habit::CutTheCheck, ..SOUND }),
        ("authenticate::nothing_is_submitted_after_begin_by", Defect { habit: Habit::BeginLate, ..SOUND }),
        ("authenticate::nothing_is_submitted_after_begin_by", Defect { log_in: |answer, _| answer.or(Ok(Reject(Rejection::InvalidCredentials))), ..SOUND }),
        ("authenticate::calls_at_once_keep_apart", Defect { habit: Habit::ShareSession, ..SOUND }),
        ("user_by_email::known_address_is_found", Defect { look_up: |_, _| Ok(Absent), ..SOUND }),
        ("user_by_email::known_address_is_found", Defect { look_up: |answer, _| forget(answer, |user| user.given_name = None), ..SOUND }),
        ("user_by_email::unknown_address_is_absent", Defect { look_up: |answer, _| match answer { Ok(Absent) => err(DOWN), other => other }, ..SOUND }),
        ("user_by_email::hostile_address_is_just_absent", Defect { look_up: |answer, asked| if asked.contains('*') { Ok(Found(someone())) } else { answer }, ..SOUND }),
        ("user_by_email::identifier_ignores_ascii_case_but_not_accents", Defect { look_up: |answer, asked| if unlike(&answer, asked) { Ok(Absent) } else { answer }, ..SOUND }),
        ("user_by_email::identifier_ignores_ascii_case_but_not_accents", Defect { address: |address| address.replace("zoe", "zo\u{eb}"), ..SOUND }),
        ("user_by_email::address_is_compared_after_nfc", Defect { look_up: |answer, asked| if unlike(&answer, asked) { Ok(Absent) } else { answer }, ..SOUND }),
        ("user_by_email::login_hit_is_not_an_email_hit", Defect { address: |address| address.replace("kay.before", "kay"), ..SOUND }),
        ("user_by_email::login_hit_is_not_an_email_hit", Defect { address: |address| address.replace("vera@", "mallory@"), ..SOUND }),
        ("user_by_email::ambiguous_address_is_an_error", Defect { look_up: |answer, _| match answer { Err(_) => Ok(Found(someone())), other => other }, ..SOUND }),
        ("user_by_email::ineligible_is_neither_found_nor_absent", Defect { look_up: |answer, _| match answer { Ok(Ineligible(Rejection::AccountDisabled)) => Ok(Absent), other => other }, ..SOUND }),
        ("user_by_email::ineligible_is_neither_found_nor_absent", Defect { look_up: |answer, _| match answer { Ok(Ineligible(Rejection::AccountLocked)) => Ok(Found(someone())), other => other }, ..SOUND }),
        ("user_by_email::what_a_log_in_is_refused_for_is_ineligible", Defect { look_up: |answer, _| match answer { Ok(Ineligible(Rejection::SecondFactorRequired)) => Ok(Found(someone())), other => other }, ..SOUND }),
        ("user_by_email::what_a_log_in_is_refused_for_is_ineligible", Defect { look_up: |answer, _| match answer { Ok(Ineligible(Rejection::NoPassword)) => Ok(Found(someone())), other => other }, ..SOUND }),
        ("user_by_email::expired_password_is_found_and_marked", Defect { look_up: |answer, _| forget(answer, |user| user.password_expired = false), ..SOUND }),
        ("user_by_email::both_methods_return_the_same_user", Defect { look_up: |answer, _| forget(answer, |user| user.locale = Some("en".into())), ..SOUND }),
        ("user_by_email::nothing_is_invented", Defect { look_up: |answer, _| forget(answer, |user| user.name = Some("null null".into())), ..SOUND }),
        ("user_by_email::nothing_is_invented", Defect { look_up: |answer, _| forget(answer, |user| user.email_verified = user.email_verified.or(Some(true))), ..SOUND }),
        ("user_by_email::id_is_stable_and_ones_own", Defect { look_up: |answer, asked| forget(answer, |user| user.id = UserId::parse(asked).expect("an id")), ..SOUND }),
        ("user_by_email::id_is_stable_and_ones_own", Defect { look_up: |answer, _| forget(answer, |user| user.id = someone().id), ..SOUND }),
        ("user_by_email::look_up_submits_no_password", Defect { habit: Habit::LookUpByLoggingIn, ..SOUND }),
        ("user_by_login::known_login_is_found", Defect { look_up: |_, _| Ok(Absent), ..SOUND }),
        ("user_by_login::unknown_login_is_absent", Defect { look_up: |answer, _| match answer { Ok(Absent) => err(DOWN), other => other }, ..SOUND }),
        ("user_by_login::email_hit_is_not_a_login_hit", Defect { address: |login| login.replace("kay@", "kay.before@"), ..SOUND }),
        ("user_by_login::ineligible_is_neither_found_nor_absent", Defect { look_up: |answer, _| match answer { Ok(Ineligible(_)) => Ok(Absent), other => other }, ..SOUND }),
        ("user_by_login::what_a_log_in_is_refused_for_is_ineligible", Defect { look_up: |answer, _| match answer { Ok(Ineligible(_)) => Ok(Found(someone())), other => other }, ..SOUND }),
        ("list::everybody_is_listed_once", Defect { list: |answer, _| amend(answer, |page| page.people.truncate(3)), ..SOUND }),
        ("list::everybody_is_listed_once", Defect { list: |answer, _| amend(answer, |page| page.people.extend(page.people.clone())), ..SOUND }),
        ("list::admission_is_what_a_call_answers", Defect { list: |answer, _| amend(answer, |page| page.people.iter_mut().for_each(|person| person.look_up = Admission::Admitted)), ..SOUND }),
        ("list::admission_is_what_a_call_answers", Defect { list: |answer, _| amend(answer, |page| page.people.iter_mut().for_each(|person| person.log_in = Admission::Unknown)), ..SOUND }),
        ("list::nothing_is_invented", Defect { list: |answer, _| amend(answer, |page| page.people.iter_mut().for_each(|person| person.address_verified = Some(true))), ..SOUND }),
        ("list::a_cursor_is_all_that_it_takes_to_go_on", Defect { list: |answer, after| amend(answer, |page| page.next = Cursor::parse(after.unwrap_or("0"))), ..SOUND }),
        ("list::a_foreign_cursor_is_an_error", Defect { list: |answer, _| answer.or_else(|_| Ok(Page::default())), ..SOUND }),
        ("list::outage_is_never_a_short_list", Defect { list: |answer, _| answer.or_else(|_| Ok(Page::default())), ..SOUND }),
        ("list::listing_submits_no_password", Defect { habit: Habit::ListByLoggingIn, ..SOUND }),
        ("list::cursors_show_no_personal_data", Defect { list: |answer, _| amend(answer, |page| page.next = Cursor::parse("after:ada@example.com")), ..SOUND }),
        ("list::claimants_are_as_listed", Defect { claimants: |answer| answer.map(|_| Vec::new()), ..SOUND }),
        ("list::claimants_are_as_listed", Defect { claimants: |answer| answer.map(|mut people| { people.iter_mut().for_each(|person| person.look_up = Admission::Unknown); people }), ..SOUND }),
        ("list::outage_is_never_no_claimant", Defect { claimants: |answer| answer.or_else(|_| Ok(Vec::new())), ..SOUND }),
        ("faults::undeclared_operation_is_unsupported", Defect { habit: Habit::DeclareLess, ..SOUND }),
        ("faults::undeclared_operation_is_unsupported", Defect { habit: Habit::DeclareNothing, ..SOUND }),
        ("faults::outage_is_never_a_rejection", Defect { log_in: |answer, _| answer.or(Ok(Reject(Rejection::InvalidCredentials))), ..SOUND }),
        ("faults::outage_is_never_a_rejection", Defect { log_in: |answer, _| answer.or_else(|_| Ok(Accept(someone()))), ..SOUND }),
        ("faults::outage_is_never_absent", Defect { look_up: |answer, _| answer.or(Ok(Absent)), ..SOUND }),
        ("faults::outage_is_never_absent_by_login", Defect { look_up: |answer, _| answer.or(Ok(Absent)), ..SOUND }),
        ("faults::down_is_unavailable", Defect { look_up: |answer, _| answer.or_else(|_| err(ErrorKind::Protocol)), ..SOUND }),
        ("faults::garbage_is_a_protocol_error", Defect { log_in: |answer, _| answer.or_else(|_| err(DOWN)), ..SOUND }),
        ("faults::throttling_is_throttled", Defect { log_in: |answer, _| answer.or_else(|_| err(DOWN)), ..SOUND }),
        ("faults::refused_credential_is_ours_not_the_users", Defect { look_up: |answer, _| answer.or(Ok(Absent)), ..SOUND }),
        ("faults::refused_credential_is_ours_not_the_users", Defect { log_in: |answer, _| answer.or(Ok(Reject(Rejection::WrongPassword))), ..SOUND }),
        ("faults::hung_upstream_ends_at_the_deadline", Defect { habit: Habit::IgnoreDeadline, ..SOUND }),
        ("faults::password_is_submitted_at_most_once_under_each_fault", Defect { habit: Habit::Retry, ..SOUND }),
        ("faults::answers_again_once_healed", Defect { habit: Habit::StayBroken, ..SOUND }),
        ("faults::probe_answers_when_well", Defect { probe: |_| err(DOWN), ..SOUND }),
        ("faults::probe_fails_when_down", Defect { probe: |_| Ok(()), ..SOUND }),
        ("faults::probe_submits_no_password", Defect { habit: Habit::ProbeByLoggingIn, ..SOUND }),
        ("examine::something_is_fine_when_well", Defect { examine: |_| Vec::new(), ..SOUND }),
        ("examine::something_is_fine_when_well", Defect { probe: |_| err(DOWN), ..SOUND }),
        ("examine::an_outage_is_never_fine", Defect { examine: |_| vec![Finding::of_probe(Ok(()))], ..SOUND }),
        ("examine::an_outage_is_never_fine", Defect { examine: |findings| [findings, vec![Finding::of_probe(Ok(()))]].concat(), ..SOUND }),
        ("examine::a_hung_upstream_ends_at_the_deadline", Defect { habit: Habit::IgnoreDeadline, ..SOUND }),
        ("examine::no_password_is_submitted_unasked", Defect { habit: Habit::ProbeByLoggingIn, ..SOUND }),
        ("secrecy::debug_shows_no_secret", Defect { habit: Habit::ShowPassword, ..SOUND }),
        ("secrecy::errors_show_no_personal_data", Defect { look_up: |answer, asked| answer.map_err(|error| SourceError::new(error.kind(), format!("find {asked}"))), ..SOUND }),
        ("secrecy::errors_show_no_personal_data", Defect { look_up: |answer, asked| answer.map_err(|error| error.with_source(asked.replace('@', "%40"))), ..SOUND }),
        ("secrecy::findings_show_no_secret", Defect { examine: |_| vec![Finding::new("canary", Verdict::Wrong("ada@example.com".into()))], ..SOUND }),
        ("secrecy::logs_show_no_secret", Defect { habit: Habit::LogPassword, ..SOUND }),
        ("secrecy::logs_show_no_secret", Defect { habit: Habit::LogAddressInSpan, ..SOUND }),
    ]
}

fn everything() -> MemorySubject {
    MemorySubject::new("lookup_by_login = true")
}

#[test]
fn each_case_catches_its_mutants() {
    for (case, defect) in mutants() {
        let mutant = async { defect.subject(everything()) };
        assert!(check(case, mutant).is_err(), "{case} lets a mutant pass: {defect:?}");
    }
}

#[test]
fn each_case_has_a_mutant_and_passes_the_sound_source() {
    let caught: BTreeSet<&str> = mutants().iter().map(|(case, _)| *case).collect();
    let cases: BTreeSet<&str> = CASES.iter().map(|case| case.name).collect();
    assert_eq!(caught, cases);
    for case in cases {
        check(case, async { SOUND.subject(everything()) }).expect("a mutant without a defect passes");
    }
}

/// People of an upstream's own, each fit for one part.
fn own_people() -> Vec<Person> {
    let moved = |text: &'static str| {
        let text = text.replace("@example.com", "@corp.example");
        &*text.replace("@Example.COM", "@Corp.Example").leak()
    };
    let own = |person: Person| Person {
        login: moved(person.login),
        email: moved(person.email),
        given_name: person.given_name.map(|_| "Test"),
        password: person.password.replace("hunter2", "Pa55 word").leak(),
        ..person
    };
    PEOPLE.into_iter().map(own).collect()
}

#[test]
fn with_people_of_ones_own_each_case_that_is_run_catches_a_mutant() {
    let people = own_people();
    let cast = Cast::of(&people, "nobody@corp.example").expect("Ada is there");
    assert_eq!(cast.unplayed().count(), 0);
    let ended = |case: &Case, defect: Defect| {
        let subject = || defect.subject(MemorySubject::holding(&people, "lookup_by_login = true"));
        match check_alone(case, &cast, || Ok::<_, Infallible>(subject().source())) {
            Ok(ended) => ended,
            Err(never) => match never {},
        }
    };
    let mut laws = BTreeSet::new();
    let mut run = 0;
    for case in CASES
        .iter()
        .filter(|case| !matches!(ended(case, SOUND), Ended::NotRun(_)))
    {
        assert_eq!(ended(case, SOUND), Ended::Held, "{}", case.name);
        let mut own = mutants().into_iter().filter(|(name, _)| *name == case.name);
        let broken = own.any(|(_, defect)| matches!(ended(case, defect), Ended::Broken(_)));
        assert!(broken, "{} lets every mutant pass", case.name);
        laws.extend(case.laws);
        run += 1;
    }
    assert!(
        run > 30 && laws == BTreeSet::from([1, 2, 3, 4, 5, 6, 7, 10]),
        "{run}: {laws:?}"
    );
}

mod inside_a_decorator {
    use super::{MemorySubject, Subject as _};

    idbridge_testkit::behaviour!(MemorySubject::new("").wrap(|source| source));
}
