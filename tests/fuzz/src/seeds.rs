//! Inputs to begin with: what the project's own cases and tests hold.
#![expect(clippy::expect_used, reason = "files of the project are there")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use idbridge::pb::{
    AuthenticateRequest, AuthenticateResponse, GetUserByEmailRequest, GetUserByEmailResponse, Rejection, User,
    authenticate_response, get_user_by_email_response,
};
use prost::Message;
use prost_types::value::Kind;

pub(crate) fn grpc_frames() -> Vec<Vec<u8>> {
    let logins = texts_of_cases().into_iter().take(200).map(|text| {
        framed(&AuthenticateRequest {
            login: text.clone(),
            password: text,
            source: None,
        })
    });
    let look_up = GetUserByEmailRequest {
        email: "ada@example.com".to_owned(),
        source: Some("okta".to_owned()),
    };
    let doubled = framed(&look_up).repeat(2);
    logins.chain([framed(&look_up), doubled, vec![1, 0, 0, 0, 0]]).collect()
}

pub(crate) fn hashes() -> Vec<Vec<u8>> {
    let mut found: Vec<Vec<u8>> = Vec::new();
    for path in files("plugins/passwords/tests/vectors", "tsv") {
        let lines = read(&path);
        let hash = |line: &str| line.split('\t').next_back().map(|hash| hash.as_bytes().to_vec());
        found.extend(lines.lines().filter_map(hash));
    }
    found.extend(literals("plugins/passwords/tests/passwords"));
    found
}

pub(crate) fn http_conditions() -> Vec<Vec<u8>> {
    let body = br#"{"id": 1, "a": [{"k": "x", "v": true}, {"k": "y"}], "mail_state": "confirmed", "factors": []}"#;
    let mut found = literals("plugins/http/src");
    found.extend(texts_of("plugins/http/examples"));
    found.retain(|text| text.starts_with(b"/"));
    for text in &mut found {
        text.push(0);
        text.extend_from_slice(body);
    }
    found
}

pub(crate) fn http_templates() -> Vec<Vec<u8>> {
    let mut found = literals("plugins/http/src");
    found.extend(texts_of("plugins/http/examples"));
    found.retain(|text| text.windows(2).any(|pair| pair == b"{{" || pair == b"{%"));
    for (text, typed) in found.iter_mut().zip(texts_of_cases().iter().cycle()) {
        text.push(0);
        text.extend_from_slice(typed.as_bytes());
    }
    found
}

pub(crate) fn identifiers() -> Vec<Vec<u8>> {
    texts_of_cases().into_iter().map(String::into_bytes).collect()
}

pub(crate) fn okta_answers() -> Vec<Vec<u8>> {
    let mut found = literals("plugins/okta/src");
    found.extend(literals("plugins/okta/tests"));
    found.retain(|text| text.first().is_some_and(|byte| b"{[".contains(byte)));
    let whole = br#"{"status": "SUCCESS", "sessionToken": "t", "_embedded": {"user": {"id": "00u1", "profile":
        {"login": "ada@example.com", "firstName": "Ada", "lastName": "Lovelace", "locale": "en_GB"}}}}"#;
    found.push(whole.to_vec());
    found
}

pub(crate) fn plugin_answers() -> Vec<Vec<u8>> {
    let number = |number| prost_types::Value {
        kind: Some(Kind::NumberValue(number)),
    };
    let mut nested = number(1.5);
    for _ in 0..20 {
        let values = vec![nested, number(f64::NAN)];
        nested = prost_types::Value {
            kind: Some(Kind::ListValue(prost_types::ListValue { values })),
        };
    }
    let user = User {
        id: "1".to_owned(),
        login: "ada".to_owned(),
        email: "ada@example.com".to_owned(),
        email_verified: Some(true),
        groups: vec!["Everyone".to_owned()],
        attributes: Some(prost_types::Struct {
            fields: BTreeMap::from([("deep".to_owned(), nested)]),
        }),
        ..User::default()
    };
    let mut found = vec![
        framed(&AuthenticateResponse {
            outcome: Some(authenticate_response::Outcome::User(user.clone())),
            ..AuthenticateResponse::default()
        }),
        framed(&GetUserByEmailResponse {
            outcome: Some(get_user_by_email_response::Outcome::User(user)),
            ..GetUserByEmailResponse::default()
        }),
        // A status with the details of one, as a header has them.
        b"CAUSK2dvb2dsZS5ycGMuU3RhdHVz".to_vec(),
    ];
    for reason in 0..14 {
        let outcome = Some(authenticate_response::Outcome::Rejection(Rejection { reason }));
        found.push(framed(&AuthenticateResponse {
            outcome,
            ..AuthenticateResponse::default()
        }));
    }
    found
}

pub(crate) fn rest_bodies() -> Vec<Vec<u8>> {
    let mut found = literals("src/rest");
    found.extend(texts_of("tests/cases/input"));
    found.retain(|text| text.contains(&b'{'));
    found
}

pub(crate) fn settings() -> Vec<Vec<u8>> {
    let mut paths = files("tests/config", "toml");
    paths.extend(files("examples", "toml"));
    paths.extend(files("plugins/http/examples", "toml"));
    paths.iter().map(|path| read(path).into_bytes()).collect()
}

fn framed(message: &impl Message) -> Vec<u8> {
    let length = u32::try_from(message.encoded_len()).expect("a short message");
    [&[0], &length.to_be_bytes()[..], &message.encode_to_vec()].concat()
}

/// Every text in every case.
fn texts_of_cases() -> Vec<String> {
    let found = texts_of("tests/cases").into_iter();
    found.filter_map(|text| String::from_utf8(text).ok()).collect()
}

/// Every text of the TOML files below a folder.
fn texts_of(folder: &str) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for path in files(folder, "toml") {
        let table: toml::Table = read(&path).parse().expect("TOML");
        collect(&toml::Value::Table(table), &mut found);
    }
    found.sort();
    found.dedup();
    found
}

fn collect(value: &toml::Value, found: &mut Vec<Vec<u8>>) {
    match value {
        toml::Value::String(text) => found.push(text.clone().into_bytes()),
        toml::Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        toml::Value::Table(table) => table.values().for_each(|item| collect(item, found)),
        _ => {}
    }
}

/// The texts in Rust files, `"…"` and `r#"…"#`, as they stand.
fn literals(folder: &str) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for path in files(folder, "rs") {
        let code = read(&path);
        let raw = code.split("r#\"").skip(1).filter_map(|rest| rest.split("\"#").next());
        let lines = code.lines().flat_map(|line| line.split('"').skip(1).step_by(2));
        found.extend(raw.chain(lines).map(|text| text.as_bytes().to_vec()));
    }
    found.sort();
    found.dedup();
    found
}

/// The files below a folder of the project, in order.
fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let (mut found, mut folders) = (Vec::new(), vec![root.join(folder)]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).expect("text")
}
