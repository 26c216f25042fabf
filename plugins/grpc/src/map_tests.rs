use idbridge_source::UserId;

use super::*;
use crate::wire::User;

const EMAIL: Operation = Operation::UserByEmail;
const LOGIN: Operation = Operation::UserByLogin;
const CHECK: Operation = Operation::Authenticate;

/// Every reason of docs/errors.md, and two that aren't there.
const REASONS: [&str; 22] = [
    "AMBIGUOUS_USER",
    "CALLER_NOT_ALLOWED",
    "CALLER_THROTTLED",
    "CALLER_UNAUTHENTICATED",
    "DEADLINE_EXCEEDED",
    "ENCODING_UNSUPPORTED",
    "INTERNAL",
    "INVALID_IDENTIFIER",
    "INVALID_PASSWORD",
    "INVALID_REQUEST",
    "NO_SUCH_REASON",
    "OPERATION_UNSUPPORTED",
    "OVERLOADED",
    "SHUTTING_DOWN",
    "SOURCE_CREDENTIAL_REFUSED",
    "SOURCE_PROTOCOL",
    "SOURCE_THROTTLED",
    "SOURCE_UNAVAILABLE",
    "UNKNOWN_METHOD",
    "UNKNOWN_SOURCE",
    "USER_NOT_FOUND",
    "user_not_found",
];

/// The table, written down a second time: code, reason, what a password check and the two look-ups make of it.
#[rustfmt::skip]
const WANTED: [(u32, &str, Meaning, Meaning, Meaning); 23] = {
    use Meaning::{Absent, AbsentIfPlain, Ambiguous, CredentialRefused, Protocol, Throttled, TimedOut, Unavailable, Unsupported};
    [
        (3, "INVALID_IDENTIFIER", Protocol, Protocol, Unsupported),
        (4, "DEADLINE_EXCEEDED", TimedOut, TimedOut, TimedOut),
        (4, "", TimedOut, TimedOut, TimedOut),
        (5, "USER_NOT_FOUND", Protocol, Absent, Absent),
        (5, "", Protocol, AbsentIfPlain, AbsentIfPlain),
        (7, "CALLER_NOT_ALLOWED", CredentialRefused, CredentialRefused, CredentialRefused),
        (7, "", CredentialRefused, CredentialRefused, CredentialRefused),
        (8, "CALLER_THROTTLED", Throttled, Throttled, Throttled),
        (8, "SOURCE_THROTTLED", Throttled, Throttled, Throttled),
        (8, "", Throttled, Throttled, Throttled),
        (9, "OPERATION_UNSUPPORTED", Unsupported, Unsupported, Unsupported),
        (12, "UNKNOWN_METHOD", Unsupported, Unsupported, Unsupported),
        (12, "", Unsupported, Unsupported, Unsupported),
        (13, "AMBIGUOUS_USER", Ambiguous, Ambiguous, Ambiguous),
        (13, "INTERNAL", Protocol, Protocol, Protocol),
        (13, "SOURCE_CREDENTIAL_REFUSED", CredentialRefused, CredentialRefused, CredentialRefused),
        (13, "SOURCE_PROTOCOL", Protocol, Protocol, Protocol),
        (14, "OVERLOADED", Unavailable, Unavailable, Unavailable),
        (14, "SHUTTING_DOWN", Unavailable, Unavailable, Unavailable),
        (14, "SOURCE_UNAVAILABLE", Unavailable, Unavailable, Unavailable),
        (14, "", Unavailable, Unavailable, Unavailable),
        (16, "CALLER_UNAUTHENTICATED", CredentialRefused, CredentialRefused, CredentialRefused),
        (16, "", CredentialRefused, CredentialRefused, CredentialRefused),
    ]
};

fn means(code: u32, reason: Reason, operation: Operation) -> Meaning {
    let retry_after = None;
    meaning(
        &Refusal {
            code,
            reason,
            retry_after,
        },
        operation,
    )
}

fn reason(name: &str) -> Reason {
    if name.is_empty() {
        Reason::None
    } else {
        Reason::Ours(name.to_owned())
    }
}

/// Each code that there is and some that there aren't, with each reason, for each operation.
#[test]
fn each_status_means_what_its_row_says_and_all_others_are_refused() {
    assert_eq!(WANTED.len(), STATUSES.len());
    for code in (0..=20).chain([99, u32::MAX]) {
        for name in REASONS.into_iter().chain([""]) {
            let row = WANTED.iter().find(|row| (row.0, row.1) == (code, name));
            let refused = (code, name, Meaning::Protocol, Meaning::Protocol, Meaning::Protocol);
            let wanted = row.unwrap_or(&refused);
            let found = [CHECK, EMAIL, LOGIN].map(|operation| means(code, reason(name), operation));
            assert_eq!(found, [wanted.2, wanted.3, wanted.4], "{code} {name}");
        }
    }
}

#[test]
fn nothing_but_its_own_words_makes_an_absence() {
    for operation in [CHECK, EMAIL, LOGIN] {
        for code in 0..=20 {
            for reason in [Reason::Foreign, Reason::Unreadable, Reason::Ours(String::new())] {
                let meaning = means(code, reason.clone(), operation);
                assert!(
                    !matches!(meaning, Meaning::Absent | Meaning::AbsentIfPlain),
                    "{code} {reason:?}"
                );
                if reason != Reason::Foreign {
                    assert_eq!(meaning, Meaning::Protocol, "{code} {reason:?}");
                }
            }
        }
    }
    assert_eq!(
        means(14, Reason::Foreign, CHECK),
        Meaning::Unavailable,
        "a proxy's word"
    );
}

#[test]
fn only_patience_and_illness_carry_a_wait() {
    let wait = Some(Duration::from_secs(7));
    for (code, name, ..) in WANTED {
        let refusal = Refusal {
            code,
            reason: reason(name),
            retry_after: wait,
        };
        let told = match refused(&refusal, EMAIL).kind() {
            ErrorKind::Throttled { retry_after } | ErrorKind::Unavailable { retry_after } => Some(retry_after),
            _ => None,
        };
        let wanted = matches!(code, 8 | 14).then_some(wait);
        assert_eq!(told, wanted, "{code} {name}");
    }
}

#[test]
fn http_without_grpc() {
    let kind = |status: u16| http_error(StatusCode::from_u16(status).expect("a status"), CHECK).kind();
    for status in [401, 403] {
        assert_eq!(kind(status), ErrorKind::CredentialRefused, "{status}");
    }
    assert_eq!(kind(429), ErrorKind::Throttled { retry_after: None });
    for status in [502, 503, 504] {
        assert_eq!(kind(status), ErrorKind::Unavailable { retry_after: None }, "{status}");
    }
    for status in [201, 204, 400, 404, 405, 415, 418, 500, 501] {
        assert_eq!(kind(status), ErrorKind::Protocol, "{status}");
    }
}

fn rejected(reason: i32) -> wire::Rejection {
    wire::Rejection { reason }
}

fn checked(rejection: wire::Rejection) -> Result<Authentication, Unfit> {
    answered(Some(wire::authenticate_response::Outcome::Rejection(rejection)))
}

/// To a log-in as `ada`.
fn answered(outcome: Option<wire::authenticate_response::Outcome>) -> Result<Authentication, Unfit> {
    let (typed, aliases) = (Login::parse("ada").expect("a login"), false);
    let source = String::new();
    authentication(AuthenticateResponse { outcome, source }, &typed, aliases)
}

fn looked_up(outcome: wire::get_user_by_email_response::Outcome, asked: Asked<'_>) -> Result<Lookup, Unfit> {
    let outcome = Some(outcome);
    lookup(
        GetUserByEmailResponse {
            outcome,
            source: String::new(),
        },
        asked,
    )
}

#[test]
fn each_rejection_comes_back_as_itself() {
    let email = Email::parse("ada@example.com").expect("an address");
    for wanted in Rejection::ALL {
        let name = format!("REJECTION_REASON_{}", wanted.name().to_uppercase());
        let number = RejectionReason::from_str_name(&name).expect("a reason").into();
        assert_eq!(checked(rejected(number)), Ok(Authentication::Reject(wanted)));
        let told = wire::get_user_by_email_response::Outcome::Rejection(rejected(number));
        let found = looked_up(told, Asked::Email(&email));
        let of_a_password = ["INVALID_CREDENTIALS", "UNKNOWN_USER", "WRONG_PASSWORD"];
        if of_a_password.iter().any(|reason| name.ends_with(reason)) {
            assert_eq!(found, Err(Unfit::Rejection), "{name}");
        } else {
            assert_eq!(found, Ok(Lookup::Ineligible(wanted)));
        }
    }
}

#[test]
fn no_for_no_reason_is_no_answer() {
    for number in [0, -1, 12, 99, i32::MAX] {
        assert_eq!(checked(rejected(number)), Err(Unfit::Rejection), "{number}");
    }
}

#[test]
fn an_answer_without_an_outcome_is_no_answer() {
    let email = Email::parse("ada@example.com").expect("an address");
    assert_eq!(answered(None), Err(Unfit::NoOutcome));
    let empty = lookup(GetUserByEmailResponse::default(), Asked::Email(&email));
    assert_eq!(empty, Err(Unfit::NoOutcome));
}

#[test]
fn a_user_is_the_asked_one_and_has_an_id() {
    let told = |id: &str, login: &str, email: &str| {
        wire::get_user_by_email_response::Outcome::User(User {
            id: id.to_owned(),
            login: login.to_owned(),
            email: email.to_owned(),
            ..User::default()
        })
    };
    let email = Email::parse("ada@example.com").expect("an address");
    let login = UserName::parse("ada").expect("a login");
    let (by_email, by_login) = (Asked::Email(&email), Asked::Login(&login));
    let id = UserId::parse("okta|1").expect("an id");

    let ada = told("okta|1", "ada", "Ada@example.com");
    for asked in [by_email, by_login] {
        let found = looked_up(ada.clone(), asked);
        assert!(matches!(found, Ok(Lookup::Found(user)) if user.id == id));
    }
    for (id, asked, wanted) in [("", by_email, Unfit::User), ("a\nb", by_email, Unfit::User)] {
        assert_eq!(looked_up(told(id, "ada", "ada@example.com"), asked), Err(wanted));
    }
    for (told, asked) in [
        (told("1", "ada@example.com", "mallory@example.com"), by_email),
        (told("1", "ada@example.com", ""), by_email),
        (told("1", "mallory", "ada@example.com"), by_login),
    ] {
        assert_eq!(looked_up(told, asked), Err(Unfit::AnotherUser));
    }
    let nameless = wire::authenticate_response::Outcome::User(User::default());
    assert_eq!(answered(Some(nameless)), Err(Unfit::User));
}

#[test]
fn a_log_in_is_answered_with_who_was_typed() {
    let told = |login: &str, email: &str| AuthenticateResponse {
        outcome: Some(wire::authenticate_response::Outcome::User(User {
            id: "1".to_owned(),
            login: login.to_owned(),
            email: email.to_owned(),
            ..User::default()
        })),
        source: String::new(),
    };
    for (typed, login, email, is_theirs) in [
        ("ada", "ADA", "", true),
        ("ada@example.com", "ada", "Ada@example.com", true),
        ("Zo\u{eb}", "Zoe\u{308}", "", true), // one spelling composed, one not
        ("ada", "ada@example.com", "ada@example.com", false),
        ("ada", "mallory", "mallory@example.com", false),
        ("ada", "", "", false),
    ] {
        let parsed = Login::parse(typed).expect("a login");
        let told = told(login, email);
        let believed = authentication(told.clone(), &parsed, true);
        assert!(matches!(believed, Ok(Authentication::Accept(_))), "{typed}: {login}");
        let said = authentication(told, &parsed, false);
        if is_theirs {
            assert_eq!(said, believed, "{typed}: {login}");
        } else {
            assert_eq!(said, Err(Unfit::AnotherUser), "{typed}: {login}");
        }
    }
}
