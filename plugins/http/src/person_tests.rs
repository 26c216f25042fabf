use serde_json::json;

use super::*;
use crate::config::tests::reading;
use crate::map::{Expired, Rules, SecondFactor};

const PERSON: &str = r#"
id = "/id"
login = "/login"
email = "/mail"
email_verified_when = ['/mail_state = "confirmed"', '/active = true']
given_name = "/given"
groups = "/teams"
group_name = "/title"
attributes = ["city=/address/city", "raw=/raw"]
second_factor = ['/factors is filled']
password_expired = ['/actions has "CHANGE"']
states = [
  { when = ['/active = true'], outcome = "admit" },
  { when = ['/active = false', '/since is empty'], outcome = "account_inactive" },
  { when = ['/active = false'], outcome = "account_disabled" },
]
"#;

fn known(record: Value) -> Result<Known, String> {
    let (person, mistakes) = reading(PERSON, Person::read);
    assert_eq!(mistakes, [""; 0]);
    let person = person.expect("a person");
    person.known(&record).map_err(|problem| problem.to_string())
}

#[test]
fn a_record_is_read_as_the_settings_say() {
    let record = json!({
        "id": 42, "login": "ada", "mail": "Ada@example.com", "mail_state": "confirmed", "active": true,
        "given": " ", "teams": [{"title": "b"}, {"title": "a"}, {"title": "b"}],
        "address": {"city": "London"}, "raw": {"n": [1]}, "factors": ["sms"], "actions": ["CHANGE"],
    });
    let Known { user, refused } = known(record).map_err(|_| "unreadable").expect("a person");
    assert_eq!(refused, None);
    assert_eq!(
        (user.id.as_str(), user.login.as_str(), user.email.as_str()),
        ("42", "ada", "Ada@example.com")
    );
    assert_eq!(user.email_verified, Some(true));
    assert_eq!((user.given_name, user.name), (None, None));
    assert_eq!(user.groups, ["a", "b"]);
    assert_eq!(
        Value::Object(user.attributes),
        json!({"city": "London", "raw": {"n": [1]}})
    );
    assert!(user.second_factor && user.password_expired);
}

#[test]
fn nothing_is_invented() {
    let Ok(Known { user, .. }) = known(json!({"id": "x", "login": "ada", "mail": null, "active": true})) else {
        panic!("a person");
    };
    assert_eq!(user, User::new(UserId::parse("x").expect("an id"), "ada", ""));
    let Ok(Known { user, .. }) = known(json!({"id": "x", "login": "ada", "mail": "a@b.c", "active": true})) else {
        panic!("a person");
    };
    assert_eq!(user.email_verified, Some(false));
}

#[test]
fn the_first_state_that_fits_counts_and_none_is_an_error() {
    let with = |active: Value, since: Value| {
        known(json!({"id": "x", "login": "ada", "active": active, "since": since})).map(|known| known.refused)
    };
    assert_eq!(with(json!(true), json!(null)), Ok(None));
    assert_eq!(with(json!(false), json!("")), Ok(Some(Rejection::AccountInactive)));
    assert_eq!(with(json!(false), json!("2020")), Ok(Some(Rejection::AccountDisabled)));
    let none = "the record can't be read: person.states has no row that fits";
    assert_eq!(with(json!("true"), json!("2020")), Err(none.to_owned()));
    assert_eq!(with(json!(null), json!("2020")), Err(none.to_owned()));
}

#[test]
fn the_rules_are_the_same_for_both() {
    use idbridge_source::{Authentication, Lookup};
    let rules = |on_second_factor, on_password_expired| Rules {
        on_second_factor,
        on_password_expired,
    };
    let told = |record: &Value, rules| {
        let known = || known(record.clone()).map_err(|_| "unreadable").expect("a person");
        (
            crate::map::authentication(known(), rules),
            crate::map::lookup(known(), rules),
        )
    };
    let factor = json!({"id": "x", "login": "ada", "active": true, "factors": ["sms"]});
    for (second_factor, marked) in [(SecondFactor::Accept, true), (SecondFactor::Ignore, false)] {
        let (Authentication::Accept(proved), Lookup::Found(found)) =
            told(&factor, rules(second_factor, Expired::Reject))
        else {
            panic!("{second_factor:?}");
        };
        assert_eq!(proved, found);
        assert_eq!(proved.second_factor, marked);
    }
    let owed = Rejection::SecondFactorRequired;
    let refused = told(&factor, rules(SecondFactor::Reject, Expired::Accept));
    assert_eq!(refused, (Authentication::Reject(owed), Lookup::Ineligible(owed)));
    let expired = json!({"id": "x", "login": "ada", "active": true, "actions": ["CHANGE"]});
    let (Authentication::Reject(Rejection::PasswordExpired), Lookup::Found(user)) =
        told(&expired, rules(SecondFactor::Reject, Expired::Reject))
    else {
        panic!("expired");
    };
    assert!(user.password_expired);
    let (accepted, found) = told(&expired, rules(SecondFactor::Reject, Expired::Accept));
    assert_eq!(
        (accepted, found),
        (Authentication::Accept(user.clone()), Lookup::Found(user))
    );
}
