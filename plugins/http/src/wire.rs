//! JSON as it was written. A map of serde_json's keeps the last of two equal keys, so that one reader could take an answer
//! for a yes and the next one for a no.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// A value in which no object has a key twice. It nests no deeper than serde_json's limit of 128.
pub(crate) struct Once(pub(crate) Value);

impl<'de> Deserialize<'de> for Once {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OnceVisitor).map(Self)
    }
}

struct OnceVisitor;

impl<'de> Visitor<'de> for OnceVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Once(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((key, Once(value))) = entries.next_entry()? {
            if map.insert(key, value).is_some() {
                return Err(A::Error::custom("a key stands there twice"));
            }
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Option<Value> {
        serde_json::from_str::<Once>(text).ok().map(|once| once.0)
    }

    #[test]
    fn json_is_read_as_it_stands() {
        let text = r#"{"a": [1, -1, 1.5, "x", true, null, {"b": {}}]}"#;
        assert_eq!(read(text), Some(json!({"a": [1, -1, 1.5, "x", true, null, {"b": {}}]})));
    }

    #[test]
    fn what_two_readers_could_read_in_two_ways_is_not_read() {
        for text in [
            r#"{"ok": false, "ok": true}"#,
            r#"{"a": [{"b": 1, "b": 1}]}"#,
            r#"{"a": 1} {"a": 1}"#,
            &format!("{}{}", "[".repeat(200), "]".repeat(200)),
            &format!("{}1{}", r#"{"a":"#.repeat(200), "}".repeat(200)),
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
