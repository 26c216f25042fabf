//! The readers, and what must hold of whatever they make of bytes.
#![expect(clippy::expect_used, reason = "what fails here is what is looked for")]

use std::path::Path;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use idbridge::sources::registry;
use idbridge_okta::measured::Mapping;
use idbridge_passwords::{Declared, Encoding, Function, Hash, Layout, LongPasswords, Reading, SaltedBy};
use idbridge_source::{
    Authentication, Email, Login, Node, Origin, Password, Reader, RequestId, SecretFiles, TraceContext, UserId,
    UserName, Value, folded, same_identifier,
};

/// What Okta calls a proof of the password (`plugins/okta/src/map.rs`); factors are ignored here.
const PROOFS: [&str; 6] = [
    "SUCCESS",
    "PASSWORD_WARN",
    "MFA_REQUIRED",
    "MFA_CHALLENGE",
    "MFA_ENROLL",
    "MFA_ENROLL_ACTIVATE",
];

thread_local! {
    static MAPPING: Mapping = mapping();
}

pub(crate) fn grpc_frames(data: &[u8]) {
    idbridge::grpc::fuzzing::frames(&[data]);
    let (first, second) = halves(data);
    idbridge::grpc::fuzzing::frames(&[first, second]);
}

pub(crate) fn hashes(data: &[u8]) {
    let (hash, salt) = texts(data);
    let declared = |function, layout, encoding| {
        Some(Declared {
            encoding,
            function,
            layout,
        })
    };
    let readings = [
        (None, None, LongPasswords::Truncate),
        (None, Some(SaltedBy::Django), LongPasswords::Reject),
        (
            declared(Function::Sha256, Layout::HmacKeyedBySalt, Encoding::Hex),
            Some(SaltedBy::Werkzeug),
            LongPasswords::Reject,
        ),
        (
            declared(Function::Md5, Layout::SaltPassword, Encoding::Base64),
            None,
            LongPasswords::Truncate,
        ),
    ];
    for (declared, salted_by, long_passwords) in readings {
        let reading = Reading {
            declared,
            long_passwords,
            salted_by,
        };
        for salt in [None, Some(salt.as_str())] {
            let read = Hash::parse(&hash, salt, &reading);
            // The only one that costs nothing to compute.
            if let Ok(hash) = read
                && hash.scheme() == "digest"
            {
                let _ = hash.is_of("guess");
            }
        }
    }
}

pub(crate) fn http_conditions(data: &[u8]) {
    let (condition, _) = texts(data);
    idbridge_http::fuzzing::condition(&condition, halves(data).1);
}

pub(crate) fn http_templates(data: &[u8]) {
    let (source, typed) = texts(data);
    idbridge_http::fuzzing::template(&source, &typed);
    idbridge_http::fuzzing::typed(&typed);
}

pub(crate) fn identifiers(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(email) = Email::parse(&text) {
        let again = Email::parse(email.as_str()).expect("an address is one still");
        assert_eq!(again.as_str(), email.as_str());
        assert!(!email.domain().is_empty() && email.as_str().ends_with(email.domain()));
        assert!(same_identifier(email.as_str(), &folded(email.as_str())));
        assert!(!email.as_str().contains(char::is_control));
    }
    if let Ok(login) = Login::parse(&text) {
        let again = Login::parse(login.as_str()).expect("a login is one still");
        assert_eq!(again.as_str(), login.as_str());
        assert!(!login.as_str().contains(char::is_control));
    }
    if let Ok(name) = UserName::parse(&text) {
        assert!(!name.as_str().contains(['/', '?', '#', '\\']) && !name.as_str().is_empty());
    }
    if let Ok(password) = Password::parse(text.clone().into_owned()) {
        assert_eq!(password.expose(), text, "a password is what was typed");
    }
    if let Ok(id) = UserId::parse(&text) {
        assert_eq!(id.as_str(), text);
    }
    if let Some(id) = RequestId::parse(&text) {
        assert!(id.as_str().is_ascii() && !id.as_str().contains(char::is_control));
    }
    let (parent, state) = texts(data);
    let context = TraceContext::parse(Some(&parent), Some(&state));
    assert!(context.traceparent().is_none_or(|parent| parent.is_ascii()));
}

pub(crate) fn okta_answers(data: &[u8]) {
    idbridge_okta::fuzzing::answer(data);
    if let Ok(value) = HeaderValue::from_bytes(data) {
        let name = |name| HeaderName::from_static(name);
        let headers = HeaderMap::from_iter([
            (name("x-rate-limit-limit"), value.clone()),
            (name("x-rate-limit-remaining"), value.clone()),
            (name("x-rate-limit-reset"), value.clone()),
            (name("date"), value),
        ]);
        idbridge_okta::fuzzing::limits(StatusCode::TOO_MANY_REQUESTS, &headers);
    }
    MAPPING.with(|mapping| {
        drop(mapping.look_up(data));
        if let Ok(Authentication::Accept(_)) = mapping.log_in(data) {
            let told: serde_json::Value = serde_json::from_slice(data).expect("a yes is read from JSON");
            let status = told["status"].as_str().expect("a yes has a status");
            assert!(PROOFS.contains(&status), "{status} is no proof");
        }
    });
}

pub(crate) fn plugin_answers(data: &[u8]) {
    let asked = Email::parse("ada@example.com").expect("an address");
    let typed = Login::parse("ada@example.com").expect("a login");
    idbridge_grpc::fuzzing::answer(data, &asked, &typed);
    if let (Some(code), Ok(details)) = (data.first(), HeaderValue::from_bytes(data)) {
        idbridge_grpc::fuzzing::refusal(u32::from(*code) % 18, details);
    }
}

pub(crate) fn rest_bodies(data: &[u8]) {
    idbridge::rest::fuzzing::body(data);
}

pub(crate) fn settings(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let read = idbridge::config::parse(Path::new("s.toml"), &text, [], &registry(), SecretFiles::Skip);
    if let Err(mistakes) = read {
        assert!(!mistakes.is_empty(), "refused for no reason");
    }
}

/// What stands before the first NUL and after it; the rest is the whole again if there is none.
fn halves(data: &[u8]) -> (&[u8], &[u8]) {
    let at = data.iter().position(|byte| *byte == 0);
    at.map_or((data, data), |at| (&data[..at], &data[at + 1..]))
}

fn texts(data: &[u8]) -> (String, String) {
    let (first, second) = halves(data);
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    (text(first), text(second))
}

/// Okta's mapping by settings of which nothing is asked.
fn mapping() -> Mapping {
    let text = |text: &str| Value::Text(text.to_owned());
    let settings = [
        ("org_url", text("https://acme.okta.com")),
        ("api_token", text("00token")),
        ("canary", text("canary@example.com")),
        ("login_is_email", Value::Bool(true)),
        ("on_second_factor", text("ignore")),
    ];
    let file = Path::new("s.toml");
    let node = |value| Node {
        origin: Origin::File(file.into(), 1),
        value,
    };
    let tree = Node::table(file, settings.map(|(key, value)| (key.to_owned(), node(value))));
    let reader = Reader::new(SecretFiles::Skip);
    let mapping = Mapping::new(&reader.root(&tree));
    let mistakes = reader.into_mistakes();
    mapping.unwrap_or_else(|| panic!("{mistakes:?}"))
}
