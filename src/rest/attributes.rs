//! Protobuf's loose values as JSON that Auth0's metadata takes.

use prost_types::value::Kind;
use prost_types::{Struct, Value as Loose};
use serde_json::{Map, Number, Value};

/// Keys with `.` or `$` are left out at any depth: Auth0 refuses metadata that has one. So is what JSON can't say.
pub(super) fn object(fields: Struct) -> Map<String, Value> {
    let fields = fields.fields.into_iter().filter(|(key, _)| !key.contains(['.', '$']));
    fields.filter_map(|(key, loose)| Some((key, value(loose)?))).collect()
}

fn value(loose: Loose) -> Option<Value> {
    Some(match loose.kind? {
        Kind::BoolValue(bool) => Value::Bool(bool),
        Kind::ListValue(list) => list.values.into_iter().filter_map(value).collect(),
        Kind::NullValue(_) => Value::Null,
        Kind::NumberValue(number) => {
            Value::Number(integer(number).map(Number::from).or_else(|| Number::from_f64(number))?)
        }
        Kind::StringValue(text) => Value::String(text),
        Kind::StructValue(fields) => Value::Object(object(fields)),
    })
}

/// Protobuf has one kind of number. Up to 2^53 a whole one is written as such.
fn integer(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0).then_some(number as i64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn loose(kind: Kind) -> Loose {
        Loose { kind: Some(kind) }
    }

    fn fields<const N: usize>(fields: [(&str, Loose); N]) -> Struct {
        Struct {
            fields: fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
        }
    }

    #[test]
    fn numbers() {
        for (number, json) in [
            (3.0, "3"),
            (-0.0, "0"),
            (1.5, "1.5"),
            (-9_007_199_254_740_992.0, "-9007199254740992"),
            (1e300, "1e+300"),
        ] {
            let object = object(fields([("n", loose(Kind::NumberValue(number)))]));
            assert_eq!(object["n"].to_string(), json);
        }
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(
                object(fields([("n", loose(Kind::NumberValue(number)))])).is_empty(),
                "{number}"
            );
        }
    }

    #[test]
    fn what_cannot_be_carried_is_left_out_at_any_depth() {
        let text = || loose(Kind::StringValue("x".to_owned()));
        let inner = fields([
            ("a.b", text()),
            ("$c", text()),
            ("d", text()),
            ("none", Loose { kind: None }),
        ]);
        let list = vec![
            loose(Kind::StructValue(inner.clone())),
            loose(Kind::NumberValue(f64::NAN)),
            loose(Kind::NullValue(0)),
        ];
        let outer = fields([
            ("e.f", text()),
            ("list", loose(Kind::ListValue(prost_types::ListValue { values: list }))),
            ("object", loose(Kind::StructValue(inner))),
            ("yes", loose(Kind::BoolValue(true))),
        ]);
        let expected = json!({"list": [{"d": "x"}, null], "object": {"d": "x"}, "yes": true});
        assert_eq!(Value::Object(object(outer)), expected);
    }
}
