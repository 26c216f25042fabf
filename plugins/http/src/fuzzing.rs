//! Templates, conditions and answers, whatever they are: for those who look for what breaks a reader, and no part of the
//! plugin's interface.

use serde_json::Value;

use crate::pointer::{Condition, Pointer};
use crate::template::{Place, Template};
use crate::wire::Once;

const KNOWN: [&str; 2] = ["login", "password"];

/// A template of the settings, filled with what a user typed.
pub fn template(source: &str, typed: &str) {
    for place in [Place::Item, Place::Json, Place::Path] {
        if let Ok(template) = Template::parse(source, place, &KNOWN) {
            drop(template.fill(&[("login", typed.into()), ("password", typed.into())]));
        }
    }
}

/// What a user typed, in templates that are right: as JSON and in a path it is what it was, and nothing around it changes.
#[expect(clippy::expect_used, reason = "what fails here is what is looked for")]
pub fn typed(text: &str) {
    let filled = |source: &str, place| {
        let template = Template::parse(source, place, &KNOWN).expect("a good template");
        template.fill(&[("login", text.into()), ("password", text.into())])
    };
    if let Ok(json) = filled(r#"{"a": {{ login }}, "b": [{{ password }}]}"#, Place::Json) {
        let read: Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(read, serde_json::json!({"a": text, "b": [text]}));
    }
    if let Ok(path) = filled("/users/{{ login }}/x", Place::Path) {
        assert!(path.is_ascii() && path.matches('/').count() == 3 && !path.contains(['?', '#', '\\', ' ']));
    }
}

/// A condition and a pointer of the settings, asked of an answer.
pub fn condition(text: &str, body: &[u8]) {
    let body = serde_json::from_slice::<Once>(body).map_or(Value::Null, |once| once.0);
    if let Ok(pointer) = Pointer::parse(text) {
        let _ = pointer.find(&body);
    }
    if let Ok(condition) = Condition::parse(text) {
        let _ = condition.holds(&body);
    }
}
