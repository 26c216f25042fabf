use idbridge_source::UserId;

use super::*;

fn row(status: Option<&str>) -> Row {
    Row {
        user: User::new(UserId::parse("1").expect("an id"), "ada", "ada@example.com"),
        status: status.map(str::to_owned),
        hash: Kept::Hash(Secret::from("{SHA}…")),
        salt: None,
    }
}

/// Each status is called by its own name.
fn rules() -> Rules {
    Rules {
        on_password_expired: Expired::Reject,
        on_second_factor: SecondFactor::Reject,
        statuses: Status::WORDS.map(|(word, status)| (word.to_owned(), status)).to_vec(),
    }
}

#[test]
fn each_status_has_one_answer_in_both_methods_and_the_list() {
    let table = [
        ("denied", Rejection::DeniedByPolicy),
        ("disabled", Rejection::AccountDisabled),
        ("inactive", Rejection::AccountInactive),
        ("locked", Rejection::AccountLocked),
        ("no_password", Rejection::NoPassword),
    ];
    assert_eq!(table.len() + 1, Status::WORDS.len(), "a status is missing here");
    for (word, rejection) in table {
        let row = row(Some(word));
        let no = Authentication::Reject(rejection);
        assert_eq!(authentication(&row, &rules()).expect("an answer"), no, "{word}");
        assert_eq!(
            lookup(&row, &rules()).expect("an answer"),
            Lookup::Ineligible(rejection),
            "{word}"
        );
        assert_eq!(listed(&row, &rules()).log_in, Admission::Rejected(rejection), "{word}");
        assert_eq!(listed(&row, &rules()).look_up, Admission::Rejected(rejection), "{word}");
    }
    for status in [Some("active"), None] {
        let answer = authentication(&row(status), &rules()).expect("an answer");
        assert!(matches!(answer, Authentication::Accept(_)), "{status:?}");
    }
}

#[test]
fn an_unknown_status_and_a_missing_hash_are_errors_everywhere() {
    let missing = Row {
        hash: Kept::Missing,
        ..row(Some("active"))
    };
    for row in [row(Some("Active")), row(Some("")), missing.clone()] {
        for error in [authentication(&row, &rules()).err(), lookup(&row, &rules()).err()] {
            assert_eq!(error.expect("an error").kind(), ErrorKind::Protocol);
        }
        let listed = listed(&row, &rules());
        assert_eq!(
            (listed.log_in, listed.look_up),
            (Admission::Unknown, Admission::Unknown)
        );
    }
    assert!(hash(&missing, &rules()).is_err());
    // Of somebody who has none by the settings' own word, none is missed.
    let federated = Row {
        hash: Kept::Missing,
        ..row(Some("no_password"))
    };
    assert!(matches!(hash(&federated, &rules()), Ok(None)));
    assert_eq!(
        lookup(&federated, &rules()).expect("an answer"),
        Lookup::Ineligible(Rejection::NoPassword)
    );
}

#[test]
fn an_unusable_hash_is_no_password_and_hides_no_status() {
    let row = |word| Row {
        hash: Kept::Unusable,
        ..row(Some(word))
    };
    assert!(matches!(hash(&row("active"), &rules()), Ok(None)));
    for word in ["active", "disabled"] {
        assert_eq!(
            lookup(&row(word), &rules()).expect("an answer"),
            Lookup::Ineligible(Rejection::NoPassword),
            "{word}"
        );
    }
}

#[test]
fn a_second_factor_is_refused_shown_or_ignored_in_both_methods() {
    let mut ada = row(None);
    ada.user.second_factor = true;
    let with = |on_second_factor| Rules {
        on_second_factor,
        ..rules()
    };
    let refused = Rejection::SecondFactorRequired;
    let reject = with(SecondFactor::Reject);
    assert_eq!(
        authentication(&ada, &reject).expect("an answer"),
        Authentication::Reject(refused)
    );
    assert_eq!(lookup(&ada, &reject).expect("an answer"), Lookup::Ineligible(refused));
    for (rule, shown) in [(SecondFactor::Accept, true), (SecondFactor::Ignore, false)] {
        let Ok(Lookup::Found(user)) = lookup(&ada, &with(rule)) else {
            panic!("{rule:?}: not found")
        };
        assert_eq!(user.second_factor, shown, "{rule:?}");
        assert_eq!(
            authentication(&ada, &with(rule)).expect("an answer"),
            Authentication::Accept(user),
            "{rule:?}"
        );
    }
}

#[test]
fn an_expired_password_stops_a_log_in_and_no_look_up() {
    let mut ada = row(None);
    ada.user.password_expired = true;
    let no = Authentication::Reject(Rejection::PasswordExpired);
    assert_eq!(authentication(&ada, &rules()).expect("an answer"), no);
    assert!(matches!(lookup(&ada, &rules()), Ok(Lookup::Found(user)) if user.password_expired));
    let accept = Rules {
        on_password_expired: Expired::Accept,
        ..rules()
    };
    assert!(matches!(authentication(&ada, &accept), Ok(Authentication::Accept(_))));
}

/// PostgreSQL's documentation, appendix A.
#[test]
fn each_sqlstate_is_somebodys_turn() {
    let unavailable = ErrorKind::Unavailable { retry_after: None };
    let table = [
        ("08006", unavailable),                                // connection_failure
        ("22021", ErrorKind::Protocol),                        // character_not_in_repertoire
        ("25006", ErrorKind::Protocol),                        // read_only_sql_transaction
        ("28000", ErrorKind::CredentialRefused),               // invalid_authorization_specification
        ("28P01", ErrorKind::CredentialRefused),               // invalid_password
        ("3D000", ErrorKind::Protocol),                        // invalid_catalog_name
        ("40001", unavailable),                                // serialization_failure, of a standby
        ("42501", ErrorKind::CredentialRefused),               // insufficient_privilege
        ("42703", ErrorKind::Protocol),                        // undefined_column
        ("53200", unavailable),                                // out_of_memory
        ("53300", ErrorKind::Throttled { retry_after: None }), // too_many_connections
        ("55P03", ErrorKind::TimedOut),                        // lock_not_available
        ("57014", ErrorKind::TimedOut),                        // query_canceled
        ("57P01", unavailable),                                // admin_shutdown
        ("57P03", unavailable),                                // cannot_connect_now
        ("58030", unavailable),                                // io_error
        ("XX000", unavailable),                                // internal_error
        ("", ErrorKind::Protocol),
        ("\u{e9}\u{e9}", ErrorKind::Protocol),
    ];
    for (code, kind) in table {
        assert_eq!(postgres(code), kind, "{code}");
    }
}

/// <https://www.sqlite.org/rescode.html>
#[test]
fn each_result_code_is_somebodys_turn() {
    let unavailable = ErrorKind::Unavailable { retry_after: None };
    let table = [
        ("1", ErrorKind::Protocol),          // SQLITE_ERROR
        ("3", ErrorKind::CredentialRefused), // SQLITE_PERM
        ("5", ErrorKind::TimedOut),          // SQLITE_BUSY
        ("261", ErrorKind::TimedOut),        // SQLITE_BUSY_RECOVERY
        ("8", ErrorKind::Protocol),          // SQLITE_READONLY
        ("9", ErrorKind::TimedOut),          // SQLITE_INTERRUPT
        ("266", unavailable),                // SQLITE_IOERR_READ
        ("11", ErrorKind::Protocol),         // SQLITE_CORRUPT
        ("14", unavailable),                 // SQLITE_CANTOPEN
        ("26", ErrorKind::Protocol),         // SQLITE_NOTADB
        ("", ErrorKind::Protocol),
    ];
    for (code, kind) in table {
        assert_eq!(sqlite(code), kind, "{code}");
    }
}
