use super::*;
use crate::config::tests::{careful, list, text};

const FAIL: Refusal = Refusal::Fail(ErrorKind::Protocol);

#[test]
fn states() {
    use State::{Locked, Proved, ProvedExpired, ProvedOwesFactor, ProvesNothing};
    let table = [
        ("SUCCESS", Proved),
        ("PASSWORD_WARN", Proved),
        ("PASSWORD_EXPIRED", ProvedExpired),
        ("MFA_REQUIRED", ProvedOwesFactor),
        ("MFA_ENROLL", ProvedOwesFactor),
        ("LOCKED_OUT", Locked),
        ("MFA_ENROLL_ACTIVATE", ProvesNothing),
        ("MFA_CHALLENGE", ProvesNothing),
        ("PASSWORD_RESET", ProvesNothing),
        ("RECOVERY", ProvesNothing),
        ("RECOVERY_CHALLENGE", ProvesNothing),
        ("UNAUTHENTICATED", ProvesNothing),
        ("FACTOR_REQUIRED", ProvesNothing),
        ("FACTOR_ENROLL", ProvesNothing),
        ("FACTOR_CHALLENGE", ProvesNothing),
        ("PROFILE_REQUIRED", ProvesNothing),
        ("CONSENT_REQUIRED", ProvesNothing),
        ("ADMIN_CONSENT_REQUIRED", ProvesNothing),
        ("DEVICE_ACTIVATE", ProvesNothing),
    ];
    for (status, expected) in table {
        assert_eq!(state(status), expected, "{status}");
    }
    assert_eq!(table.len(), STATES.len(), "every row is tested");
    for unknown in ["", "success", "SUCCESS ", "SOME_STATUS"] {
        assert_eq!(state(unknown), ProvesNothing, "{unknown:?}");
    }
}

#[test]
fn authn_errors() {
    use Rejection::{AccountLocked, DeniedByPolicy, InvalidCredentials, PasswordExpired};
    let no = Refusal::Reject;
    let table = [
        (400, "E0000001", FAIL),
        (400, "E0000003", FAIL),
        (401, "E0000004", no(InvalidCredentials)),
        (401, "E0000011", Refusal::Fail(ErrorKind::CredentialRefused)),
        (401, "E0000015", FAIL),
        (401, "E0000064", no(PasswordExpired)),
        (401, "E0000207", no(InvalidCredentials)),
        (403, "E0000006", no(DeniedByPolicy)),
        (403, "E0000014", FAIL),
        (403, "E0000068", FAIL),
        (403, "E0000069", no(AccountLocked)),
        (403, "E0000079", FAIL),
        (403, "E0000080", FAIL),
        (403, "E0000085", no(DeniedByPolicy)),
        (403, "E0000087", FAIL),
        (403, "E0000095", FAIL),
        (403, "E0000119", no(AccountLocked)),
        (403, "E0000259", no(DeniedByPolicy)),
        (403, "E0000260", Refusal::Fail(UNAVAILABLE)),
        (409, "E0000145", FAIL),
        (423, "E0000239", FAIL),
        (429, "E0000047", Refusal::Fail(THROTTLED)),
        (429, "E0000109", Refusal::Fail(THROTTLED)),
        (429, "E0000133", Refusal::Fail(THROTTLED)),
        (500, "E0000009", Refusal::Fail(UNAVAILABLE)),
        (502, "E0000240", Refusal::Fail(UNAVAILABLE)),
        (503, "E0000010", Refusal::Fail(UNAVAILABLE)),
        (503, "E0000100", Refusal::Fail(UNAVAILABLE)),
        (504, "E0000241", Refusal::Fail(UNAVAILABLE)),
    ];
    for (http, code, expected) in table {
        assert_eq!(authn_refusal(http, Some(code)), expected, "{http} {code}");
    }
    assert_eq!(table.len(), AUTHN_ERRORS.len(), "every row is tested");
}

#[test]
fn a_no_needs_its_status_and_its_code() {
    for (http, code, _) in AUTHN_ERRORS {
        for other in [
            200, 201, 204, 302, 400, 401, 403, 404, 405, 407, 409, 418, 423, 429, 500, 502, 503, 504, 599,
        ] {
            for code in [Some(*code), Some("E0000999"), Some(""), None] {
                let row = AUTHN_ERRORS.iter().any(|row| (row.0, Some(row.1)) == (other, code));
                let is_no = matches!(authn_refusal(other, code), Refusal::Reject(_));
                assert!(row || !is_no, "{other} {code:?} is a no ({http})");
            }
        }
    }
}

#[test]
fn what_has_no_row_goes_by_http_status() {
    for (http, kind) in [
        (400, ErrorKind::Protocol),
        (401, ErrorKind::Protocol),
        (403, ErrorKind::Protocol),
        (404, ErrorKind::Protocol),
        (405, ErrorKind::Protocol),
        (408, ErrorKind::TimedOut),
        (409, ErrorKind::Protocol),
        (423, ErrorKind::Protocol),
        (429, THROTTLED),
        (500, UNAVAILABLE),
        (502, UNAVAILABLE),
        (503, UNAVAILABLE),
        (504, UNAVAILABLE),
    ] {
        assert_eq!(authn_refusal(http, None), Refusal::Fail(kind), "{http}");
        assert_eq!(authn_refusal(http, Some("E0000999")), Refusal::Fail(kind), "{http}");
        assert_eq!(token_refusal(http, None), kind, "{http}");
    }
}

#[test]
fn a_refused_token_is_ours() {
    for (http, code) in [
        (401, "E0000011"),
        (401, "E0000015"),
        (401, "E0000004"),
        (403, "E0000006"),
        (403, "E0000999"),
    ] {
        assert_eq!(
            token_refusal(http, Some(code)),
            ErrorKind::CredentialRefused,
            "{http} {code}"
        );
    }
    assert_eq!(token_refusal(403, Some("E0000260")), UNAVAILABLE);
    assert_eq!(token_refusal(500, Some("E0000011")), UNAVAILABLE);
}

#[test]
fn only_oktas_own_not_found_is_absence() {
    assert!(is_absence(404, Some("E0000007")));
    assert!(!is_absence(404, None));
    assert!(!is_absence(404, Some("E0000008")));
    assert!(!is_absence(200, Some("E0000007")));
}

#[test]
fn statuses() {
    use Rejection::{AccountDisabled, AccountInactive, AccountLocked, DeniedByPolicy, PasswordExpired};
    let careful_settings = careful(&[]);
    let lenient = careful(&[("on_password_expired", text("accept"))]);
    let none_listed = careful(&[("lookup_statuses", list(&[]))]);
    // status; log-in; log-in with on_password_expired = "accept"; look-up; look-up with nothing listed
    let table = [
        ("ACTIVE", None, None, None, Some(DeniedByPolicy)),
        (
            "DEPROVISIONED",
            Some(AccountDisabled),
            Some(AccountDisabled),
            Some(AccountDisabled),
            Some(AccountDisabled),
        ),
        (
            "LOCKED_OUT",
            Some(AccountLocked),
            Some(AccountLocked),
            Some(AccountLocked),
            Some(AccountLocked),
        ),
        (
            "PASSWORD_EXPIRED",
            Some(PasswordExpired),
            None,
            None,
            Some(PasswordExpired),
        ),
        (
            "PROVISIONED",
            Some(AccountInactive),
            Some(AccountInactive),
            None,
            Some(AccountInactive),
        ),
        (
            "RECOVERY",
            Some(DeniedByPolicy),
            Some(DeniedByPolicy),
            None,
            Some(DeniedByPolicy),
        ),
        (
            "STAGED",
            Some(AccountInactive),
            Some(AccountInactive),
            Some(AccountInactive),
            Some(AccountInactive),
        ),
        (
            "SUSPENDED",
            Some(AccountDisabled),
            Some(AccountDisabled),
            Some(AccountDisabled),
            Some(AccountDisabled),
        ),
    ];
    for (name, at_login, at_lenient_login, at_lookup, at_bare_lookup) in table {
        let status = Status::parse(name).expect("a known status");
        assert_eq!(rejected_at_login(status, &careful_settings), at_login, "{name}");
        assert_eq!(rejected_at_login(status, &lenient), at_lenient_login, "{name}");
        assert_eq!(rejected_at_lookup(status, &careful_settings), at_lookup, "{name}");
        assert_eq!(rejected_at_lookup(status, &none_listed), at_bare_lookup, "{name}");
    }
    assert_eq!(table.len(), STATUSES.len(), "every row is tested");
    for unknown in ["", "active", "PENDING"] {
        assert_eq!(Status::parse(unknown), None, "{unknown:?}");
    }
}

#[test]
fn providers() {
    let careful_settings = careful(&[]);
    let accepting = careful(&[("directory_users", text("accept"))]);
    let no = Some(Rejection::NoPassword);
    // provider; log-in; look-up; look-up with directory_users = "accept"
    let table = [
        ("ACTIVE_DIRECTORY", None, no, None),
        ("FEDERATION", no, no, no),
        ("IMPORT", None, None, None),
        ("LDAP", None, no, None),
        ("OKTA", None, None, None),
        ("SOCIAL", no, no, no),
    ];
    for (name, at_login, at_lookup, accepted) in table {
        let owner = Owner::parse(name).expect("a known provider");
        assert_eq!(owner.rejected(false, &careful_settings), at_login, "{name}");
        assert_eq!(owner.rejected(true, &careful_settings), at_lookup, "{name}");
        assert_eq!(owner.rejected(true, &accepting), accepted, "{name}");
    }
    assert_eq!(table.len(), OWNERS.len(), "every row is tested");
    assert_eq!(Owner::parse("NEW"), None);
}

#[test]
fn factors() {
    for (kind, status, counts) in [
        ("email", "ACTIVE", false),
        ("question", "ACTIVE", false),
        ("sms", "ACTIVE", true),
        ("push", "ACTIVE", true),
        ("token:software:totp", "ACTIVE", true),
        ("token:software:totp", "PENDING_ACTIVATION", false),
        ("webauthn", "INACTIVE", false),
        ("sms", "NOT_SETUP", false),
        ("sms", "DISABLED", false),
        ("sms", "EXPIRED", false),
        ("sms", "ENROLLED", true),
        ("sms", "SOMETHING_NEW", true),
        ("sms", "active", true),
        ("something:new", "ACTIVE", true),
    ] {
        let factor = wire::Factor {
            factor_type: kind.to_owned(),
            status: status.to_owned(),
        };
        assert_eq!(is_second_factor(&factor), counts, "{kind} {status}");
    }
}

#[test]
fn listed_statuses_are_found_at_look_up_and_change_no_log_in() {
    let rules = careful(&[("lookup_statuses", list(&["LOCKED_OUT", "STAGED"]))]);
    for status in [Status::LockedOut, Status::Staged] {
        assert_eq!(rejected_at_lookup(status, &rules), None, "{status:?}");
        assert!(rejected_at_login(status, &rules).is_some(), "{status:?}");
    }
}
