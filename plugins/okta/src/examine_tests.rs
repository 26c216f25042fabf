use super::*;

fn described(pipeline: &str, date: Option<i64>) -> Described {
    let org: Organization = serde_json::from_str(&format!("{{\"id\": \"00o1\"{pipeline}}}")).expect("an org");
    Ok((org, date))
}

#[test]
fn an_engine_without_a_name_is_no_engine() {
    for (pipeline, fine) in [
        (", \"pipeline\": \"idx\"", true),
        (", \"pipeline\": \"v1\"", true),
        (", \"pipeline\": \"v2\"", false),
        (", \"pipeline\": 1", false),
        ("", false),
    ] {
        let verdict = engine(&described(pipeline, None));
        assert_eq!(matches!(verdict, Verdict::Fine(_)), fine, "{pipeline}: {verdict:?}");
        assert_eq!(matches!(verdict, Verdict::Unknown(_)), !fine, "{pipeline}: {verdict:?}");
    }
}

#[test]
fn a_clock_is_fine_within_half_a_minute() {
    for (now, fine) in [
        (100, true),
        (129, true),
        (71, true),
        (130, false),
        (70, false),
        (0, false),
    ] {
        let verdict = clock(&described("", Some(100)), now);
        assert_eq!(matches!(verdict, Verdict::Fine(_)), fine, "{now}: {verdict:?}");
        assert_eq!(matches!(verdict, Verdict::Wrong(_)), !fine, "{now}: {verdict:?}");
    }
    assert!(matches!(clock(&described("", None), 100), Verdict::Unknown(_)));
}

#[test]
fn a_share_is_fine_unless_nothing_shows_and_nothing_else_says_so() {
    let kind = |proved, active, setting| match share(proved, active, setting) {
        Verdict::Fine(_) => "fine",
        Verdict::Wrong(_) => "wrong",
        _ => "unknown",
    };
    assert_eq!(kind(0, 0, EmailVerified::FromOkta), "unknown");
    assert_eq!(kind(0, 9, EmailVerified::FromOkta), "wrong");
    assert_eq!(kind(1, 9, EmailVerified::FromOkta), "fine");
    assert_eq!(kind(0, 9, EmailVerified::Always), "fine");
    assert_eq!(kind(0, 9, EmailVerified::Never), "fine");
}

#[test]
fn a_right_password_is_fine_only_where_the_log_in_is_whole() {
    let user = r#""user": {"id": "00u1"}"#;
    for (status, embedded, fine) in [
        ("SUCCESS", user, true),
        ("SUCCESS", "", false),
        ("PASSWORD_WARN", user, false),
        ("PASSWORD_EXPIRED", user, false),
        ("MFA_REQUIRED", user, false),
        (
            "MFA_REQUIRED",
            r#""user": {"id": "00u1"}, "factors": [{"factorType": "password"}]"#,
            false,
        ),
        ("LOCKED_OUT", user, false),
        ("UNAUTHENTICATED", user, false),
        ("NEW", user, false),
    ] {
        let text = format!("{{\"status\": \"{status}\", \"_embedded\": {{{embedded}}}}}");
        let transaction: Transaction = serde_json::from_str(&text).expect("a transaction");
        let verdict = judge_right(Ok(Ok(transaction)), "rule");
        assert_eq!(matches!(verdict, Verdict::Fine(_)), fine, "{status}: {verdict:?}");
        assert!(fine || matches!(verdict, Verdict::Wrong(_)), "{status}: {verdict:?}");
    }
}

#[test]
fn a_wrong_password_is_fine_only_where_the_password_was_refused() {
    let said = |status: &str| {
        let text = format!("{{\"status\": \"{status}\"}}");
        judge_wrong(Ok(Ok(serde_json::from_str(&text).expect("a transaction"))), "rule")
    };
    for status in [
        "SUCCESS",
        "PASSWORD_WARN",
        "PASSWORD_EXPIRED",
        "MFA_REQUIRED",
        "LOCKED_OUT",
        "UNAUTHENTICATED",
        "NEW",
    ] {
        assert!(matches!(said(status), Verdict::Wrong(_)), "{status}");
    }
    let refused = |rejection| judge_wrong(Ok(Err(rejection)), "rule");
    assert!(matches!(refused(Rejection::InvalidCredentials), Verdict::Fine(_)));
    assert!(matches!(refused(Rejection::AccountLocked), Verdict::Wrong(_)));
    assert!(matches!(refused(Rejection::DeniedByPolicy), Verdict::Unknown(_)));
}
