use serde_json::json;

use super::*;
use crate::config::tests::reading;

fn answers(rows: &str, question: Question) -> Answers {
    let (answers, mistakes) = reading(&format!("answers = [{rows}]"), |table| Answers::read(table, question));
    assert_eq!(mistakes, [""; 0]);
    answers
}

#[test]
fn the_first_row_that_fits_counts() {
    let answers = answers(
        "{ status = 200, when = ['/ok = true', '/locked = true'], outcome = 'account_locked' },
         { status = 200, when = ['/ok = true'], outcome = 'yes' },
         { status = 403, when = ['/code = 1'], outcome = 'unknown_user' },
         { status = 403, outcome = 'wrong_password', status_suffices = true },
         { status = 503, outcome = 'throttled' }",
        Question::LogIn,
    );
    let no = |rejection| Some(Ok(Outcome::No(rejection)));
    for (status, body, meaning) in [
        (
            200,
            Some(json!({"ok": true, "locked": true})),
            no(Rejection::AccountLocked),
        ),
        (200, Some(json!({"ok": true, "locked": false})), Some(Ok(Outcome::Yes))),
        (200, Some(json!({"ok": false})), Some(Err(Failure::Protocol))),
        (200, None, Some(Err(Failure::Protocol))),
        (201, Some(json!({"ok": true})), Some(Err(Failure::Protocol))),
        (403, Some(json!({"code": 1})), no(Rejection::UnknownUser)),
        (403, Some(json!({"code": 2})), no(Rejection::WrongPassword)),
        (403, None, no(Rejection::WrongPassword)),
        (503, None, Some(Err(Failure::Throttled))),
        (500, None, Some(Err(Failure::Unavailable))),
        (429, None, Some(Err(Failure::Throttled))),
        (401, None, Some(Err(Failure::Protocol))),
        (404, None, Some(Err(Failure::Protocol))),
    ] {
        assert_eq!(answers.meaning(status, body.as_ref()), meaning, "{status}, {body:?}");
    }
}

#[test]
fn a_refusal_of_ours_is_told_from_a_users_only_where_no_user_is_checked() {
    let look_up = answers("{ status = 200, outcome = 'found' }", Question::LookUp);
    let probe = answers(
        "{ status = 200, outcome = 'well', status_suffices = true }",
        Question::Probe,
    );
    for status in [401, 403] {
        assert_eq!(look_up.meaning(status, None), Some(Err(Failure::CredentialRefused)));
        assert_eq!(probe.meaning(status, None), Some(Err(Failure::CredentialRefused)));
    }
}

#[test]
fn what_means_two_things_means_nothing() {
    let answers = answers(
        "{ status = 200, when = ['/list/[a=1]/b = 1'], outcome = 'yes' },
         { status = 200, when = ['/list is filled'], outcome = 'wrong_password' }",
        Question::LogIn,
    );
    let body = json!({"list": [{"a": 1, "b": 1}, {"a": 1, "b": 2}]});
    assert_eq!(answers.meaning(200, Some(&body)), None);
}
