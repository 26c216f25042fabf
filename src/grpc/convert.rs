//! Domain to wire, exhaustively.

use std::collections::BTreeMap;
use std::sync::Arc;

use idbridge_source::{Authentication, Lookup, Rejection, User};
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};
use serde_json::Value as Json;

use crate::directory::Answer;
use crate::disclosure;
use crate::pb;

pub fn authenticate_response(answer: Answer<Authentication>) -> pb::AuthenticateResponse {
    use pb::authenticate_response::Outcome;
    let outcome = match answer.outcome {
        Authentication::Accept(found) => Outcome::User(user(found, &answer.id_prefix)),
        Authentication::Reject(because) => Outcome::Rejection(rejection(because)),
    };
    pb::AuthenticateResponse {
        outcome: Some(outcome),
        source: answer.source.to_string(),
    }
}

/// `Err` with the source's name where nobody was found: that outcome is a status.
pub fn get_user_by_email_response(answer: Answer<Lookup>) -> Result<pb::GetUserByEmailResponse, Arc<str>> {
    use pb::get_user_by_email_response::Outcome;
    let outcome = match answer.outcome {
        Lookup::Absent => return Err(answer.source),
        Lookup::Found(found) => Outcome::User(user(found, &answer.id_prefix)),
        Lookup::Ineligible(because) => Outcome::Rejection(rejection(because)),
    };
    Ok(pb::GetUserByEmailResponse {
        outcome: Some(outcome),
        source: answer.source.to_string(),
    })
}

fn rejection(because: Rejection) -> pb::Rejection {
    pb::Rejection {
        reason: reason(disclosure::rejection(because)).into(),
    }
}

fn reason(rejection: Rejection) -> pb::RejectionReason {
    match rejection {
        Rejection::AccountDisabled => pb::RejectionReason::AccountDisabled,
        Rejection::AccountInactive => pb::RejectionReason::AccountInactive,
        Rejection::AccountLocked => pb::RejectionReason::AccountLocked,
        Rejection::DeniedByPolicy => pb::RejectionReason::DeniedByPolicy,
        Rejection::InvalidCredentials => pb::RejectionReason::InvalidCredentials,
        Rejection::NoPassword => pb::RejectionReason::NoPassword,
        Rejection::NotInCohort => pb::RejectionReason::NotInCohort,
        Rejection::PasswordExpired => pb::RejectionReason::PasswordExpired,
        Rejection::SecondFactorRequired => pb::RejectionReason::SecondFactorRequired,
        Rejection::UnknownUser => pb::RejectionReason::UnknownUser,
        Rejection::WrongPassword => pb::RejectionReason::WrongPassword,
    }
}

/// A user as callers get them.
pub fn user(user: User, id_prefix: &str) -> pb::User {
    let User {
        id,
        login,
        email,
        email_verified,
        name,
        given_name,
        family_name,
        nickname,
        picture,
        phone_number,
        locale,
        groups,
        attributes,
        second_factor,
        password_expired,
    } = user;
    let id = if id_prefix.is_empty() {
        id.to_string()
    } else {
        format!("{id_prefix}|{id}")
    };
    pb::User {
        id,
        login,
        email,
        email_verified,
        name,
        given_name,
        family_name,
        nickname,
        picture,
        phone_number,
        locale,
        groups,
        attributes: (!attributes.is_empty()).then(|| structure(attributes)),
        second_factor,
        password_expired,
    }
}

fn structure(map: serde_json::Map<String, Json>) -> Struct {
    Struct {
        fields: map
            .into_iter()
            .map(|(key, json)| (key, value(json)))
            .collect::<BTreeMap<_, _>>(),
    }
}

fn value(json: Json) -> Value {
    let kind = match json {
        Json::Null => Kind::NullValue(0),
        Json::Bool(value) => Kind::BoolValue(value),
        Json::Number(number) => exact_number(&number),
        Json::String(text) => Kind::StringValue(text),
        Json::Array(items) => Kind::ListValue(ListValue {
            values: items.into_iter().map(value).collect(),
        }),
        Json::Object(map) => Kind::StructValue(structure(map)),
    };
    Value { kind: Some(kind) }
}

/// `Struct` has only doubles. A whole number that a double can't hold exactly goes as text rather than as another one.
fn exact_number(number: &serde_json::Number) -> Kind {
    const EXACT: i64 = 1 << 53;
    let exact = match (number.as_i64(), number.is_u64()) {
        (Some(whole), _) => (-EXACT..=EXACT).contains(&whole),
        (None, unsigned) => !unsigned,
    };
    match number.as_f64() {
        Some(double) if exact => Kind::NumberValue(double),
        _ => Kind::StringValue(number.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rejection_has_its_own_reason_with_its_own_name() {
        for rejection in Rejection::ALL {
            let wire = reason(rejection).as_str_name();
            assert_eq!(wire, format!("REJECTION_REASON_{}", rejection.name().to_uppercase()));
        }
    }

    #[test]
    fn numbers_stay_what_they_are() {
        let number = |text: &str| exact_number(&text.parse().expect("a number"));
        assert_eq!(number("42"), Kind::NumberValue(42.0));
        assert_eq!(number("-1.5"), Kind::NumberValue(-1.5));
        assert_eq!(number("9007199254740993"), Kind::StringValue("9007199254740993".into()));
        assert_eq!(
            number("18446744073709551615"),
            Kind::StringValue("18446744073709551615".into())
        );
    }
}
