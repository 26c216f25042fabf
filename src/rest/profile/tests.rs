use std::time::Duration;

use serde_json::json;

use super::*;

const SETTINGS: Settings = Settings {
    deadline: Duration::from_secs(5),
    email_from: EmailFrom::Email,
    send_username: false,
    username_length: crate::rest::USERNAME_LENGTH,
    password: crate::rest::PasswordPolicy::ANY,
};
const BY_LOGIN: Settings = Settings {
    email_from: EmailFrom::Login,
    ..SETTINGS
};
const WITH_USERNAME: Settings = Settings {
    send_username: true,
    ..SETTINGS
};

fn ada() -> pb::User {
    pb::User {
        id: "okta|00u1".to_owned(),
        login: "Ada.L".to_owned(),
        email: "Ada@Example.com".to_owned(),
        ..Default::default()
    }
}

fn profile(user: pb::User, typed: &str, settings: &Settings) -> Result<Value, Unfit> {
    let profile = Profile::new(user, "okta".to_owned(), typed, settings)?;
    Ok(serde_json::to_value(profile).expect("serialisable"))
}

/// The profile of Ada with one thing changed.
fn with(change: impl FnOnce(&mut pb::User)) -> Value {
    let mut user = ada();
    change(&mut user);
    profile(user, "ada@example.com", &SETTINGS).expect("portable")
}

#[test]
fn the_least_profile() {
    let expected = json!({
        "user_id": "okta|00u1",
        "email": "ada@example.com",
        "email_verified": false,
        "app_metadata": {"idbridge": {
            "source": "okta",
            "source_id": "00u1",
            "login": "Ada.L",
            "groups": [],
            "attributes": {},
            "second_factor": false,
            "password_expired": false,
        }},
    });
    assert_eq!(with(|_| ()), expected);
}

#[test]
fn the_whole_profile() {
    let text = |text: &str| Some(text.to_owned());
    let user = pb::User {
        email_verified: Some(true),
        name: text("Ada Lovelace"),
        given_name: text("Ada"),
        family_name: text("Lovelace"),
        nickname: text("ada"),
        picture: text("https://example.com/ada.png"),
        phone_number: text("+15550100"),
        locale: text("en-GB"),
        groups: (0..60).map(|n| format!("group {n}")).collect(),
        second_factor: true,
        password_expired: true,
        ..ada()
    };
    let groups: Vec<String> = (0..50).map(|n| format!("group {n}")).collect();
    let expected = json!({
        "user_id": "okta|00u1",
        "email": "ada@example.com",
        "email_verified": true,
        "name": "Ada Lovelace",
        "given_name": "Ada",
        "family_name": "Lovelace",
        "nickname": "ada",
        "picture": "https://example.com/ada.png",
        "phone_number": "+15550100",
        "username": "ada.l",
        "app_metadata": {"idbridge": {
            "source": "okta",
            "source_id": "00u1",
            "login": "Ada.L",
            "groups": groups,
            "attributes": {},
            "second_factor": true,
            "password_expired": true,
        }},
    });
    assert_eq!(profile(user, "ada@example.com", &WITH_USERNAME), Ok(expected));
}

#[test]
fn a_field_beyond_its_limit_is_left_out_and_the_user_comes_in() {
    type Field = (&'static str, fn(&mut pb::User) -> &mut Option<String>, usize);
    let fields: [Field; 4] = [
        ("name", |user| &mut user.name, 150),
        ("given_name", |user| &mut user.given_name, 150),
        ("family_name", |user| &mut user.family_name, 150),
        ("nickname", |user| &mut user.nickname, 350),
    ];
    for (key, field, limit) in fields {
        for (text, fits) in [
            (String::new(), false),
            ("é".repeat(limit), true),
            ("é".repeat(limit + 1), false),
            ("🦀".repeat(limit), false),
        ] {
            let profile = with(|user| *field(user) = Some(text.clone()));
            assert_eq!(profile.get(key).is_some(), fits, "{key}, {} bytes", text.len());
        }
    }
}

#[test]
fn phone_numbers() {
    for (text, fits) in [
        ("+1", true),
        ("+123456789012345", true),
        ("+1234567890123456", false),
        ("+", false),
        ("", false),
        ("15550100", false),
        ("+1 555 0100", false),
        ("++1", false),
        ("+١٢٣", false),
    ] {
        let profile = with(|user| user.phone_number = Some(text.to_owned()));
        assert_eq!(profile.get("phone_number").is_some(), fits, "{text}");
    }
}

#[test]
fn pictures() {
    for (text, fits) in [
        ("https://example.com/a.png?x=1", true),
        ("http://example.com", true),
        ("javascript:alert(1)", false),
        ("data:image/png;base64,AA", false),
        ("//example.com/a.png", false),
        ("/a.png", false),
        ("https://", false),
        ("", false),
    ] {
        let profile = with(|user| user.picture = Some(text.to_owned()));
        assert_eq!(profile.get("picture").is_some(), fits, "{text}");
    }
}

#[test]
fn user_names() {
    for (login, sent) in [
        ("Ada.L", Some("ada.l")),
        ("a@^$.!`-#+'~_9", Some("a@^$.!`-#+'~_9")),
        (&"x".repeat(128), Some(&*"x".repeat(128))),
        (&"x".repeat(129), None),
        ("ada@example.com", None),
        ("ACME\\ada", None),
        ("ada lovelace", None),
        ("adé", None),
        ("", None),
    ] {
        let user = pb::User {
            login: login.to_owned(),
            ..ada()
        };
        let profile = profile(user, "ada@example.com", &WITH_USERNAME).expect("portable");
        assert_eq!(profile.get("username").and_then(Value::as_str), sent, "{login}");
    }
    assert!(
        with(|_| ()).get("username").is_none(),
        "only if the settings ask for it"
    );
}

#[test]
fn email_verified_is_a_strict_boolean() {
    for (said, sent) in [(None, false), (Some(false), false), (Some(true), true)] {
        assert_eq!(with(|user| user.email_verified = said)["email_verified"], json!(sent));
    }
}

#[test]
fn ids_are_kept() {
    for (id, source_id) in [
        ("okta|00u1", "00u1"),
        ("ldap|a|b", "a|b"),
        ("plain", "plain"),
        ("Auth0x|1", "1"),
    ] {
        let profile = with(|user| user.id = id.to_owned());
        assert_eq!(profile["user_id"], id);
        assert_eq!(profile["app_metadata"]["idbridge"]["source_id"], source_id);
    }
    for id in ["", "auth0|1"] {
        let user = pb::User {
            id: id.to_owned(),
            ..ada()
        };
        let unfit = profile(user, "ada@example.com", &SETTINGS);
        assert!(matches!(unfit, Err(Unfit::Malformed(_))), "{id:?}");
    }
}

#[test]
fn portable_is_who_the_identifier_finds_again() {
    let e_mail_login = pb::User {
        login: "Ada@Corp.Example".to_owned(),
        ..ada()
    };
    for (user, typed, settings, portable) in [
        (ada(), "ada@example.com", SETTINGS, true),
        (ada(), "ADA@EXAMPLE.COM", SETTINGS, true),
        (ada(), "Ada.L", SETTINGS, false),
        (ada(), "Ada.L", WITH_USERNAME, true),
        (ada(), "ADA.l", WITH_USERNAME, true),
        (ada(), "ada@example.com", WITH_USERNAME, true),
        (ada(), "ada", WITH_USERNAME, false),
        (ada(), " ada@example.com", SETTINGS, false),
        (ada(), "", SETTINGS, false),
        // From the login, the login is the address.
        (e_mail_login.clone(), "ada@corp.example", BY_LOGIN, true),
        (e_mail_login.clone(), "ada@example.com", BY_LOGIN, false),
        (e_mail_login.clone(), "ada@corp.example", SETTINGS, false),
        // A login that can't be sent as a user name finds nobody.
        (e_mail_login, "ada@corp.example", WITH_USERNAME, false),
        // No address that Auth0 would take.
        (ada(), "Ada.L", BY_LOGIN, false),
        (
            pb::User {
                email: String::new(),
                ..ada()
            },
            "",
            SETTINGS,
            false,
        ),
        (
            pb::User {
                email: String::new(),
                ..ada()
            },
            "ada.l",
            WITH_USERNAME,
            false,
        ),
        (
            pb::User {
                email: format!("{}@x.y", "a".repeat(65)),
                ..ada()
            },
            &format!("{}@x.y", "a".repeat(65)),
            SETTINGS,
            false,
        ),
    ] {
        let result = profile(user, typed, &settings);
        assert_eq!(result.as_ref().is_err(), !portable, "{typed}, {settings:?}");
        if !portable {
            assert_eq!(result, Err(Unfit::NotPortable));
        }
    }
}

#[test]
fn an_address_is_compared_after_nfc_and_lower_case_makes_no_other_of_it() {
    let user = |email: &str| pb::User {
        email: email.to_owned(),
        ..ada()
    };
    for (typed, portable) in [
        ("JOS\u{e9}@example.com", true),
        ("josE\u{301}@example.com", false),
        ("jose\u{301}@example.com", true),
        ("jose@example.com", false),
    ] {
        assert_eq!(
            profile(user("Jos\u{e9}@Example.com"), typed, &SETTINGS).is_ok(),
            portable,
            "{typed}"
        );
    }
    let sent = profile(user("Jos\u{e9}@Example.com"), "jos\u{e9}@example.com", &SETTINGS).expect("portable");
    assert_eq!(sent["email"], "jos\u{e9}@example.com");
    // Auth0 would store "josé@…", which is somebody else's address where accents and their case are told apart.
    for spelled in ["JOS\u{c9}@example.com", "\u{130}d@example.com"] {
        assert!(profile(user(spelled), spelled, &SETTINGS).is_err(), "{spelled}");
    }
}

#[test]
fn a_name_is_something_to_be_seen() {
    let user = pb::User {
        name: Some("   ".to_owned()),
        given_name: Some("A\0da".to_owned()),
        picture: Some(format!("https://example.com/{}", "x".repeat(2048))),
        ..ada()
    };
    let sent = profile(user, "ada@example.com", &SETTINGS).expect("portable");
    for left_out in ["name", "given_name", "picture"] {
        assert_eq!(sent.get(left_out), None, "{left_out}");
    }
}

#[test]
fn debug_shows_the_id_alone() {
    let profile = Profile::new(ada(), "okta".to_owned(), "ada@example.com", &SETTINGS).expect("portable");
    assert_eq!(format!("{profile:?}"), "Profile { user_id: \"okta|00u1\", .. }");
}

#[test]
fn a_profile_of_more_than_ten_kilobytes_is_no_profile() {
    let with_groups = |size: usize| {
        let user = pb::User {
            groups: vec!["g".repeat(size)],
            ..ada()
        };
        profile(user, "ada@example.com", &SETTINGS)
    };
    let least = serde_json::to_string(&with_groups(0).expect("small"))
        .expect("JSON")
        .len();
    assert!(with_groups(PROFILE_BYTES - least).is_ok());
    let too_large = Err(Unfit::Malformed("a profile that is larger than Auth0 takes"));
    assert_eq!(with_groups(PROFILE_BYTES - least + 1), too_large);
}

#[test]
fn user_names_are_as_long_as_the_connection_lets_them_be() {
    for (length, fits) in [((1, 15), true), ((5, 5), true), ((1, 4), false), ((6, 15), false)] {
        let settings = Settings {
            username_length: length,
            ..WITH_USERNAME
        };
        let sent = profile(ada(), "ada.l", &settings);
        assert_eq!(sent.is_ok(), fits, "{length:?}");
        let by_address = profile(ada(), "ada@example.com", &settings).expect("portable");
        assert_eq!(by_address.get("username").is_some(), fits, "{length:?}");
    }
}
