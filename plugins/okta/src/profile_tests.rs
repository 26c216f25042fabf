use serde_json::{Value, json};

use super::*;
use crate::config::tests::{careful, list, text as said};

fn mapped(profile: Value, emails: Value, settings: &Rules) -> Result<User, SourceError> {
    let (Value::Object(profile), Ok(emails)) = (profile, serde_json::from_value::<Vec<EmailClaim>>(emails)) else {
        panic!("a profile and claims are wanted");
    };
    let facts = Facts {
        id: &Id::try_from("00u1".to_owned()).expect("an id"),
        profile: &profile,
        emails: &emails,
        second_factor: false,
        groups: Vec::new(),
        password_expired: false,
    };
    user(facts, settings)
}

fn plain(profile: Value) -> User {
    mapped(profile, json!([]), &careful(&[])).expect("a user")
}

#[test]
fn a_whole_profile() {
    let user = plain(json!({
        "login": "ada", "email": "Ada@Example.com", "firstName": "Ada", "lastName": "Lovelace", "displayName": "Countess",
        "nickName": "A.", "mobilePhone": "+1 555 1", "primaryPhone": "+1 555 2", "preferredLanguage": "en_GB",
        "locale": "fr_FR", "profileUrl": "https://example.com/ada", "department": "Engines",
    }));
    let expected = User {
        name: Some("Countess".to_owned()),
        given_name: Some("Ada".to_owned()),
        family_name: Some("Lovelace".to_owned()),
        nickname: Some("A.".to_owned()),
        phone_number: Some("+1 555 1".to_owned()),
        locale: Some("en-GB".to_owned()),
        ..User::new(UserId::parse("00u1").expect("an id"), "ada", "Ada@Example.com")
    };
    assert!(
        user == expected,
        "a picture, an attribute or a name too many or too few"
    );
}

#[test]
fn nothing_is_invented() {
    for empty in [json!(null), json!(""), json!(" "), json!(7), json!(["x"])] {
        let user = plain(json!({
            "login": "ada", "email": empty, "firstName": empty, "lastName": empty, "displayName": empty,
            "nickName": empty, "mobilePhone": empty, "locale": empty,
        }));
        let bare = User::new(UserId::parse("00u1").expect("an id"), "ada", "");
        assert!(user == bare, "{empty}");
    }
    let no_claims = json!([]);
    assert!(
        mapped(json!({"email": "a@b.c"}), no_claims, &careful(&[])).is_err(),
        "no login"
    );
}

#[test]
fn a_name_is_what_there_is_of_it() {
    let name = |first: Value, last: Value| plain(json!({"login": "a", "firstName": first, "lastName": last})).name;
    assert_eq!(name(json!("Ada"), json!("Lovelace")).as_deref(), Some("Ada Lovelace"));
    assert_eq!(name(json!("Ada"), json!(null)).as_deref(), Some("Ada"));
    assert_eq!(name(json!(""), json!("Lovelace")).as_deref(), Some("Lovelace"));
    assert_eq!(name(json!(null), json!(null)), None);
}

#[test]
fn locales_are_bcp_47() {
    for (locale, tag) in [
        ("en", Some("en")),
        ("en_US", Some("en-US")),
        ("zh_Hant_TW", Some("zh-Hant-TW")),
        ("en-US,en;q=0.8", None),
        ("e", None),
        ("english language", None),
        ("_US", None),
        ("en_", None),
    ] {
        let user = plain(json!({"login": "a", "locale": locale}));
        assert_eq!(user.locale.as_deref(), tag, "{locale}");
    }
    let user = plain(json!({"login": "a", "preferredLanguage": "en;q=1", "locale": "fr"}));
    assert_eq!(
        user.locale.as_deref(),
        Some("fr"),
        "the next one where the first is no tag"
    );
}

#[test]
fn attributes_are_those_listed() {
    let settings = careful(&[("attributes", list(&["department", "tags", "level", "gone", "nothing"]))]);
    let profile =
        json!({"login": "a", "department": "E", "tags": ["x", 1], "level": 3, "nothing": null, "secret": "s"});
    let user = mapped(profile, json!([]), &settings).expect("a user");
    assert_eq!(
        Value::Object(user.attributes),
        json!({"department": "E", "tags": ["x", 1], "level": 3})
    );
}

#[test]
fn verified_by_okta() {
    let claim = |kind: &str, status: &str, value: &str| json!({"type": kind, "status": status, "value": value});
    let address = "ada@example.com";
    for (claims, expected) in [
        (json!([]), None),
        (json!([claim("PRIMARY", "VERIFIED", address)]), Some(true)),
        (json!([claim("PRIMARY", "VERIFIED", "ADA@example.com")]), Some(true)),
        (json!([claim("PRIMARY", "UNVERIFIED", address)]), Some(false)),
        (json!([claim("PRIMARY", "VERIFIED", "other@example.com")]), None),
        (json!([claim("PRIMARY", "VERIFIED", "")]), None),
        (json!([claim("SECONDARY", "VERIFIED", address)]), None),
        (json!([claim("PRIMARY", "PERHAPS", address)]), None),
        (json!([{"type": "PRIMARY", "status": "VERIFIED"}]), None),
        (
            json!([
                claim("PRIMARY", "VERIFIED", address),
                claim("PRIMARY", "UNVERIFIED", address)
            ]),
            Some(false),
        ),
    ] {
        let user = mapped(json!({"login": "a", "email": address}), claims.clone(), &careful(&[])).expect("a user");
        assert_eq!(user.email_verified, expected, "{claims}");
    }
}

#[test]
fn verified_by_settings() {
    let claims = json!([{"type": "PRIMARY", "status": "VERIFIED", "value": "ada@example.com"}]);
    let domains = |items: &[&str]| ("verified_domains", list(items));
    for (settings, expected) in [
        (careful(&[("email_verified", said("always"))]), Some(true)),
        (careful(&[("email_verified", said("never"))]), Some(false)),
        (careful(&[domains(&["example.com"])]), Some(true)),
        (careful(&[domains(&["EXAMPLE.com", "other.com"])]), Some(true)),
        (careful(&[domains(&["other.com"])]), Some(false)),
        (careful(&[domains(&["com"])]), Some(false)),
        (
            careful(&[("email_verified", said("always")), domains(&["example.com"])]),
            Some(true),
        ),
        (
            careful(&[("email_verified", said("always")), domains(&["other.com"])]),
            Some(false),
        ),
        (
            careful(&[("email_verified", said("never")), domains(&["example.com"])]),
            Some(false),
        ),
    ] {
        let user = mapped(
            json!({"login": "a", "email": "ada@example.com"}),
            claims.clone(),
            &settings,
        )
        .expect("a user");
        assert_eq!(user.email_verified, expected, "{settings:?}");
    }
    let nobody = mapped(
        json!({"login": "a"}),
        json!([]),
        &careful(&[("email_verified", said("always"))]),
    );
    assert_eq!(
        nobody.expect("a user").email_verified,
        Some(false),
        "no address, nothing to verify"
    );
}

#[test]
fn login_is_email_takes_what_authn_tells() {
    let settings = careful(&[("login_is_email", idbridge_source::Value::Bool(true))]);
    let claims = json!([{"type": "PRIMARY", "status": "VERIFIED", "value": "ada@example.com"}]);
    let five =
        json!({"login": "ada@example.com", "firstName": "Ada", "lastName": "L", "locale": "en_GB", "timeZone": "x"});
    let mut all = five.clone();
    for (key, value) in [
        ("email", "other@example.com"),
        ("displayName", "D"),
        ("nickName", "N"),
        ("mobilePhone", "1"),
    ] {
        all[key] = json!(value);
    }
    all["preferredLanguage"] = json!("fr");
    let from_authn = mapped(five, json!([]), &settings).expect("a user");
    let from_look_up = mapped(all, claims, &settings).expect("a user");
    assert!(from_authn == from_look_up, "one mapping");
    assert_eq!(from_authn.email, "ada@example.com");
    assert_eq!(from_authn.name.as_deref(), Some("Ada L"));

    assert_eq!(from_authn.locale.as_deref(), Some("en-GB"));
    for filled_in in ["en", "en_US"] {
        let user = mapped(json!({"login": "a", "locale": filled_in}), json!([]), &settings).expect("a user");
        assert_eq!(user.locale, None, "{filled_in}: users without a locale have it too");
    }

    let short = mapped(json!({"login": "ada"}), json!([]), &settings).expect("a user");
    assert_eq!(short.email, "", "a login that is no address is not made one");
}
