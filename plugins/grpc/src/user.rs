//! A user off the wire, as a source hands them on: the way back of the broker's own conversion.

use idbridge_source::{User, UserId};
use prost_types::value::Kind;
use prost_types::{Struct, Value};
use serde_json::{Map, Number, Value as Json};

use crate::wire;

/// `None` without an id that can be carried, or with attributes that are no JSON.
pub(crate) fn user(told: wire::User) -> Option<User> {
    let wire::User {
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
    } = told;
    Some(User {
        id: UserId::parse(&id).ok()?,
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
        attributes: object(attributes.unwrap_or_default())?,
        second_factor,
        password_expired,
    })
}

fn object(told: Struct) -> Option<Map<String, Json>> {
    let entry = |(key, told)| Some((key, json(told)?));
    told.fields.into_iter().map(entry).collect()
}

fn json(told: Value) -> Option<Json> {
    Some(match told.kind? {
        Kind::NullValue(_) => Json::Null,
        Kind::BoolValue(value) => Json::Bool(value),
        Kind::NumberValue(value) => Json::Number(number(value)?),
        Kind::StringValue(text) => Json::String(text),
        Kind::ListValue(list) => Json::Array(list.values.into_iter().map(json).collect::<Option<_>>()?),
        Kind::StructValue(told) => Json::Object(object(told)?),
    })
}

/// `Struct` has only doubles: a whole number that a double holds exactly was one.
fn number(value: f64) -> Option<Number> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() <= EXACT {
        return format!("{value:.0}").parse::<i64>().ok().map(Number::from);
    }
    Number::from_f64(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_what_they_were() {
        assert_eq!(number(42.0), Some(42.into()));
        assert_eq!(number(-0.0), Some(0.into()));
        assert_eq!(number(-1.5), Number::from_f64(-1.5));
        assert_eq!(number(9_007_199_254_740_992.0), Some(9_007_199_254_740_992_i64.into()));
        assert_eq!(number(f64::NAN), None);
        assert_eq!(number(f64::INFINITY), None);
    }

    #[test]
    fn a_value_without_a_kind_is_no_json() {
        let fields = [("a".to_owned(), Value { kind: None })].into();
        assert_eq!(object(Struct { fields }), None);
    }
}
