//! One user in every form that she has on her way from Okta to Auth0.

use idbridge::pb;
use idbridge_source::{User, UserId};
use prost_types::value::Kind;
use prost_types::{Struct, Value};
use serde_json::json;

use crate::Error;

/// The answer of `GET /api/v1/users/{id}`.
pub(super) const RECORD: &[u8] = include_bytes!("user.json");
/// The answer of `POST /api/v1/authn`.
pub(super) const AUTHN: &[u8] = include_bytes!("authn.json");
/// Keys of her profile that are passed on.
pub(super) const ATTRIBUTES: [&str; 3] = ["costCenter", "department", "employeeNumber"];
pub(super) const EMAIL: &str = "ada@acme.com";
/// What the gateway says of her.
pub(super) const BODY: &str = concat!(
    r#"{"outcome":"authenticated","profile":{"user_id":"okta|00u1ada0000000000001","email":"ada@acme.com","#,
    r#""email_verified":true,"name":"Ada Lovelace","given_name":"Ada","family_name":"Lovelace","nickname":"Countess","#,
    r#""phone_number":"+442079460000","app_metadata":{"idbridge":{"source":"okta","source_id":"00u1ada0000000000001","#,
    r#""login":"ada@acme.com","groups":[],"attributes":{"costCenter":"1842","department":"Analytics","#,
    r#""employeeNumber":1815},"second_factor":false,"password_expired":false}}}}"#,
);

const ID: &str = "00u1ada0000000000001";

pub(super) fn as_told_by_a_record() -> Result<User, Error> {
    let attributes = [
        ("costCenter", json!("1842")),
        ("department", json!("Analytics")),
        ("employeeNumber", json!(1815)),
    ];
    Ok(User {
        email_verified: Some(true),
        nickname: Some("Countess".to_owned()),
        phone_number: Some("+442079460000".to_owned()),
        attributes: attributes
            .map(|(key, value)| (key.to_owned(), value))
            .into_iter()
            .collect(),
        ..as_told_by_authn()?
    })
}

pub(super) fn as_told_by_authn() -> Result<User, Error> {
    Ok(User {
        name: Some("Ada Lovelace".to_owned()),
        given_name: Some("Ada".to_owned()),
        family_name: Some("Lovelace".to_owned()),
        locale: Some("en-GB".to_owned()),
        ..User::new(UserId::parse(ID)?, EMAIL, EMAIL)
    })
}

/// Of the record.
pub(super) fn on_the_wire() -> pb::User {
    let text = |text: &str| Kind::StringValue(text.to_owned());
    let attributes = [
        ("costCenter", text("1842")),
        ("department", text("Analytics")),
        ("employeeNumber", Kind::NumberValue(1815.0)),
    ];
    let field = |(key, kind): (&str, Kind)| (key.to_owned(), Value { kind: Some(kind) });
    pb::User {
        id: format!("okta|{ID}"),
        login: EMAIL.to_owned(),
        email: EMAIL.to_owned(),
        email_verified: Some(true),
        name: Some("Ada Lovelace".to_owned()),
        given_name: Some("Ada".to_owned()),
        family_name: Some("Lovelace".to_owned()),
        nickname: Some("Countess".to_owned()),
        phone_number: Some("+442079460000".to_owned()),
        locale: Some("en-GB".to_owned()),
        attributes: Some(Struct {
            fields: attributes.map(field).into(),
        }),
        ..pb::User::default()
    }
}
