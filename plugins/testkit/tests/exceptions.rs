//! An exception is asserted, has a reason, and never touches laws 1 to 4.

#[cfg(test)] // where clippy lets a mistake end it
#[path = "../../memory/tests/behaviour/subject.rs"]
mod subject;

use std::panic::{AssertUnwindSafe, catch_unwind};

use idbridge_source::{Call, Capabilities, Email, IdentitySource, Login, Lookup, Password, SourceError};
use idbridge_testkit::{CASES, Subject, exception_problem, run};
use subject::MemorySubject;

const CASE: &str = "user_by_email::address_is_compared_after_nfc";
const REASON: &str = "It compares bytes: https://example.com/docs/search";

/// A source whose upstream compares bytes.
#[derive(Debug)]
struct Bytewise<S>(S);

#[async_trait::async_trait]
impl<S: IdentitySource> IdentitySource for Bytewise<S> {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            list: false,
            ..self.0.capabilities()
        }
    }

    async fn authenticate(
        &self,
        call: &Call,
        login: &Login,
        password: &Password,
    ) -> Result<idbridge_source::Authentication, SourceError> {
        self.0.authenticate(call, login, password).await
    }

    async fn user_by_email(&self, call: &Call, email: &Email) -> Result<Lookup, SourceError> {
        if email.as_str().contains('\u{308}') {
            return Ok(Lookup::Absent);
        }
        self.0.user_by_email(call, email).await
    }

    async fn probe(&self, call: &Call) -> Result<(), SourceError> {
        self.0.probe(call).await
    }
}

mod with_an_exception {
    use super::{Bytewise, MemorySubject, Subject as _};

    idbridge_testkit::behaviour!(MemorySubject::new("").wrap(Bytewise), except: [
        user_by_email::address_is_compared_after_nfc => super::REASON,
    ]);
}

#[test]
fn a_violation_without_an_exception_fails() {
    let bytewise = async { MemorySubject::new("").wrap(Bytewise) };
    let failed = catch_unwind(AssertUnwindSafe(|| run(CASE, bytewise, &[])));
    assert!(failed.is_err());
}

#[test]
fn a_stale_exception_fails() {
    let sound = async { MemorySubject::new("") };
    let failed = catch_unwind(AssertUnwindSafe(|| run(CASE, sound, &[(CASE, REASON)])));
    let message = failed.expect_err("a stale exception must fail");
    let message = message.downcast::<String>().expect("a text");
    assert_eq!(*message, format!("{CASE} holds: its exception is stale, remove it"));
}

#[test]
fn an_exception_has_a_case_and_a_page() {
    assert_eq!(exception_problem(CASE, REASON), None);
    assert_eq!(exception_problem(CASE, "RFC 4511 §4.2 has no such thing"), None);
    assert!(exception_problem(CASE, "because").is_some());
    assert!(exception_problem("user_by_email::no_such_case", REASON).is_some());
}

#[test]
fn laws_1_to_4_have_no_exceptions() {
    for case in CASES {
        let bound = case.laws.iter().any(|law| *law <= 4);
        assert_eq!(exception_problem(case.name, REASON).is_some(), bound, "{}", case.name);
    }
    for law in 1..=7 {
        assert!(
            CASES.iter().any(|case| case.laws.contains(&law)),
            "no case holds law {law}"
        );
    }
}
