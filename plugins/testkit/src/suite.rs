use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::cast::Cast;
use crate::trial::Trial;
use crate::{Log, Operation, Subject, Verdict, Violation, cases};

/// No case takes this long on a source that answers.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// One behaviour.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// `authenticate::wrong_password_is_rejected_not_an_error`
    pub name: &'static str,
    /// The laws that it holds.
    pub laws: &'static [u8],
    /// What the source must declare; if it doesn't, the case is that it answers `Unsupported`.
    pub needs: &'static [Operation],
    run: for<'a> fn(&'a Trial) -> Pin<Box<dyn Future<Output = Verdict> + 'a>>,
}

/// A case that can't hold on this upstream, and why.
pub type Exception = (&'static str, &'static str);

/// The one list of cases. Hands it to a macro, after that macro's own arguments.
#[doc(hidden)]
#[macro_export]
macro_rules! __each_case {
    ($with:path, $arguments:tt) => {
        $with! { $arguments
            authenticate {
                right_password_is_accepted laws [] needs [Authenticate];
                wrong_password_is_rejected_not_an_error laws [1] needs [Authenticate];
                unknown_user_is_rejected_not_an_error laws [1] needs [Authenticate];
                password_of_another_user_is_rejected laws [2] needs [Authenticate];
                ineligible_user_is_rejected laws [2, 3] needs [Authenticate];
                second_factor_is_rejected laws [2, 10] needs [Authenticate];
                expired_password_is_rejected laws [2] needs [Authenticate];
                hostile_login_is_just_unknown laws [2] needs [Authenticate];
                identifier_ignores_ascii_case_but_not_accents laws [10] needs [Authenticate];
                user_is_the_sources_own_never_the_login_echoed laws [7] needs [Authenticate];
                password_reaches_the_upstream_byte_for_byte laws [4] needs [Authenticate];
                login_reaches_the_upstream_byte_for_byte laws [10] needs [Authenticate];
                password_is_submitted_once laws [4] needs [Authenticate];
                caller_hanging_up_does_not_cut_the_check laws [4] needs [Authenticate];
                nothing_is_submitted_after_begin_by laws [1] needs [Authenticate];
                calls_at_once_keep_apart laws [2] needs [Authenticate];
            }
            user_by_email {
                known_address_is_found laws [] needs [UserByEmail];
                unknown_address_is_absent laws [1] needs [UserByEmail];
                hostile_address_is_just_absent laws [2] needs [UserByEmail];
                identifier_ignores_ascii_case_but_not_accents laws [10] needs [UserByEmail];
                address_is_compared_after_nfc laws [10] needs [UserByEmail];
                login_hit_is_not_an_email_hit laws [2] needs [UserByEmail];
                ambiguous_address_is_an_error laws [2] needs [UserByEmail];
                ineligible_is_neither_found_nor_absent laws [3] needs [UserByEmail];
                what_a_log_in_is_refused_for_is_ineligible laws [10] needs [UserByEmail];
                expired_password_is_found_and_marked laws [] needs [UserByEmail];
                both_methods_return_the_same_user laws [5] needs [Authenticate, UserByEmail];
                nothing_is_invented laws [7] needs [UserByEmail];
                id_is_stable_and_ones_own laws [6] needs [UserByEmail];
                look_up_submits_no_password laws [4] needs [UserByEmail];
            }
            user_by_login {
                known_login_is_found laws [5] needs [UserByEmail, UserByLogin];
                unknown_login_is_absent laws [1] needs [UserByLogin];
                email_hit_is_not_a_login_hit laws [2] needs [UserByLogin];
                ineligible_is_neither_found_nor_absent laws [3] needs [UserByLogin];
                what_a_log_in_is_refused_for_is_ineligible laws [10] needs [UserByLogin];
            }
            list {
                everybody_is_listed_once laws [] needs [List];
                admission_is_what_a_call_answers laws [5] needs [List];
                nothing_is_invented laws [7] needs [List];
                a_cursor_is_all_that_it_takes_to_go_on laws [] needs [List];
                a_foreign_cursor_is_an_error laws [] needs [List];
                outage_is_never_a_short_list laws [1] needs [List];
                listing_submits_no_password laws [4] needs [List];
                cursors_show_no_personal_data laws [4] needs [List];
                claimants_are_as_listed laws [5] needs [List];
                outage_is_never_no_claimant laws [1] needs [List];
            }
            faults {
                undeclared_operation_is_unsupported laws [] needs [];
                outage_is_never_a_rejection laws [1] needs [Authenticate];
                outage_is_never_absent laws [1] needs [UserByEmail];
                outage_is_never_absent_by_login laws [1] needs [UserByLogin];
                down_is_unavailable laws [1] needs [];
                garbage_is_a_protocol_error laws [2] needs [];
                throttling_is_throttled laws [1] needs [];
                refused_credential_is_ours_not_the_users laws [1] needs [];
                hung_upstream_ends_at_the_deadline laws [1] needs [];
                password_is_submitted_at_most_once_under_each_fault laws [4] needs [Authenticate];
                answers_again_once_healed laws [] needs [];
                probe_answers_when_well laws [] needs [];
                probe_fails_when_down laws [1] needs [];
                probe_submits_no_password laws [4] needs [];
            }
            examine {
                something_is_fine_when_well laws [] needs [];
                an_outage_is_never_fine laws [1] needs [];
                a_hung_upstream_ends_at_the_deadline laws [1] needs [];
                no_password_is_submitted_unasked laws [4] needs [];
            }
            secrecy {
                debug_shows_no_secret laws [4] needs [];
                errors_show_no_personal_data laws [4] needs [];
                findings_show_no_secret laws [4] needs [];
                logs_show_no_secret laws [4] needs [];
            }
        }
    };
}

macro_rules! table {
    (() $($module:ident { $($case:ident laws [$($law:literal),*] needs [$($need:ident),*];)* })*) => {
        /// Every case there is.
        pub const CASES: &[Case] = &[$($(
            Case {
                name: concat!(stringify!($module), "::", stringify!($case)),
                laws: &[$($law),*],
                needs: &[$(Operation::$need),*],
                run: |trial| Box::pin(cases::$module::$case(trial)),
            },
        )*)*];
    };
}
__each_case!(table, ());

/// Makes a test of each case, in modules named as the cases' are.
///
/// The expression yields a [`Subject`]; it may await, and is evaluated afresh for each case. Two calls in one file stand
/// in modules of their own.
#[macro_export]
macro_rules! behaviour {
    ($subject:expr $(,)?) => {
        $crate::behaviour!($subject, except: []);
    };
    ($subject:expr, except: [$($module:ident :: $case:ident => $reason:expr),* $(,)?] $(,)?) => {
        const EXCEPTIONS: &[$crate::Exception] =
            &[$((concat!(stringify!($module), "::", stringify!($case)), $reason)),*];
        const _: () = $crate::check_exceptions(EXCEPTIONS);
        $crate::__each_case!($crate::__tests, ($subject));
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __tests {
    (($subject:expr) $($module:ident { $($case:ident laws $laws:tt needs $needs:tt;)* })*) => {
        $(
            mod $module {
                use super::*;
                $(
                    #[test]
                    fn $case() {
                        let name = concat!(stringify!($module), "::", stringify!($case));
                        $crate::run(name, async { $subject }, EXCEPTIONS);
                    }
                )*
            }
        )*
    };
}

/// Runs one case as a test: it panics unless the case holds, or fails where an exception says that it must.
pub fn run<S: Subject>(name: &str, subject: impl Future<Output = S>, exceptions: &[Exception]) {
    let exception = exceptions.iter().find(|(case, _)| *case == name);
    match (check(name, subject), exception) {
        (Ok(()), None) | (Err(_), Some(_)) => {}
        (Ok(()), Some(_)) => panic!("{name} holds: its exception is stale, remove it"),
        (Err(violation), None) => panic!("{name}: {violation}"),
    }
}

/// Runs one case, in a runtime of its own.
pub fn check<S: Subject>(name: &str, subject: impl Future<Output = S>) -> Verdict {
    let Some(case) = CASES.iter().find(|case| case.name == name) else {
        panic!("there is no case {name}");
    };
    let log = Log::default();
    tracing::subscriber::with_default(log.subscriber(), || {
        runtime().block_on(async {
            let subject = subject.await;
            #[cfg(feature = "paused-time")]
            if subject.may_pause_time() {
                tokio::time::pause();
            }
            let trial = Trial::new(Box::new(subject), log.clone(), Cast::suite());
            let verdict = tokio::time::timeout(LIMIT, case.verdict(&trial)).await;
            verdict.unwrap_or_else(|_| Err(Violation::new("it never ends")))
        })
    })
}

impl Case {
    pub(crate) async fn verdict(&self, trial: &Trial) -> Verdict {
        let declared = trial.operations();
        let missing: Vec<_> = self.needs.iter().filter(|need| !declared.contains(need)).collect();
        if missing.is_empty() {
            return (self.run)(trial).await;
        }
        for operation in missing {
            trial.unsupported(*operation).await?;
        }
        Ok(())
    }
}

#[expect(clippy::expect_used, reason = "without a runtime there is no test")]
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().expect("a runtime")
}

/// Refuses to compile an exception that can't be.
pub const fn check_exceptions(exceptions: &[Exception]) {
    let mut index = 0;
    while index < exceptions.len() {
        let (name, reason) = exceptions[index];
        if let Some(problem) = exception_problem(name, reason) {
            panic!("{}", problem);
        }
        index += 1;
    }
}

/// Why there can be no such exception, if there can't.
pub const fn exception_problem(name: &str, reason: &str) -> Option<&'static str> {
    let mut index = 0;
    while index < CASES.len() {
        let case = &CASES[index];
        if same(case.name.as_bytes(), name.as_bytes()) {
            let mut law = 0;
            while law < case.laws.len() {
                if case.laws[law] <= 4 {
                    return Some("laws 1 to 4 have no exceptions");
                }
                law += 1;
            }
            return if names_a_page(reason.as_bytes()) {
                None
            } else {
                Some("an exception names the upstream's page (https://…) or RFC that makes the case impossible")
            };
        }
        index += 1;
    }
    Some("an exception names a case that doesn't exist")
}

const fn names_a_page(reason: &[u8]) -> bool {
    let mut start = 0;
    while start < reason.len() {
        let (_, rest) = reason.split_at(start);
        if starts_with(rest, b"https://") || starts_with(rest, b"RFC ") {
            return true;
        }
        start += 1;
    }
    false
}

const fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && starts_with(one, other)
}

const fn starts_with(text: &[u8], start: &[u8]) -> bool {
    if text.len() < start.len() {
        return false;
    }
    let mut index = 0;
    while index < start.len() {
        if text[index] != start[index] {
            return false;
        }
        index += 1;
    }
    true
}
