//! The connection's rules for passwords, which must not ask for more than `rest.auth0.password` does: Auth0 would refuse
//! without a word whom the source has just proved.

use idbridge_source::Verdict;
use serde_json::Value;

use crate::rest::{CharacterTypes, PasswordPolicy};

/// What Auth0 asks for.
struct Rules {
    min_length: usize,
    types: CharacterTypes,
    types_needed: usize,
    identical: bool,
    sequential: bool,
    /// More than 72 bytes are an error; else they are cut.
    limits_bytes: bool,
}

const NONE: Rules = Rules {
    min_length: 1,
    types: CharacterTypes {
        lowercase: false,
        number: false,
        special: false,
        uppercase: false,
    },
    types_needed: 0,
    identical: true,
    sequential: true,
    limits_bytes: false,
};
const FOUR: CharacterTypes = CharacterTypes {
    lowercase: true,
    number: true,
    special: true,
    uppercase: true,
};

/// What the source's passwords can't be compared with.
const BEYOND: [(&str, &str, &str); 3] = [
    ("password_dictionary", "dictionary", "a dictionary"),
    ("password_history", "history", "a history"),
    ("password_no_personal_info", "profile_data", "profile data"),
];

pub(super) fn judge(options: &Value, ours: PasswordPolicy) -> Verdict {
    let beyond: Vec<&str> = BEYOND
        .iter()
        .filter(|(legacy, flexible, _)| {
            options[legacy]["enable"] == true || options["password_options"][flexible]["active"] == true
        })
        .map(|(_, _, name)| *name)
        .collect();
    if !beyond.is_empty() {
        return Verdict::Wrong(format!(
            "the connection compares passwords with {}, which nobody can tell before: turn it off while people move",
            beyond.join(", ")
        ));
    }
    let rules = match rules(options) {
        Ok(rules) => rules,
        Err(verdict) => return verdict,
    };
    let missing = missing(&rules, ours);
    if missing.is_empty() {
        return Verdict::Fine(format!(
            "at least {} characters, {} types of them; the settings ask for no less",
            rules.min_length, rules.types_needed
        ));
    }
    Verdict::Wrong(format!(
        "the connection asks for more than the settings know, and refuses people whom the source has proved: weaken it, or \
         set in [rest.auth0.password] {}",
        missing.join(", ")
    ))
}

fn rules(options: &Value) -> Result<Rules, Verdict> {
    let complexity = &options["password_options"]["complexity"];
    if complexity.is_object() {
        return flexible(complexity);
    }
    let three_of_four = |min_length, identical| Rules {
        min_length,
        types: FOUR,
        types_needed: 3,
        identical,
        ..NONE
    };
    let mut rules = match options["passwordPolicy"].as_str() {
        Some("none") => NONE,
        Some("low") => Rules { min_length: 6, ..NONE },
        Some("fair") => Rules {
            min_length: 8,
            types: CharacterTypes { special: false, ..FOUR },
            types_needed: 3,
            ..NONE
        },
        Some("good") => three_of_four(8, true),
        Some("excellent") => three_of_four(10, false),
        Some(_) => {
            return Err(Verdict::Unknown(
                "the connection's passwordPolicy is none that this version knows".to_owned(),
            ));
        }
        None => {
            return Err(Verdict::Wrong(
                "the connection names none, so Auth0's own default holds: set passwordPolicy, and the same in \
                 [rest.auth0.password]"
                    .to_owned(),
            ));
        }
    };
    let own = options["password_complexity_options"]["min_length"].as_u64();
    if let Some(own) = own.and_then(|own| usize::try_from(own).ok()) {
        rules.min_length = own;
    }
    Ok(rules)
}

fn flexible(complexity: &Value) -> Result<Rules, Verdict> {
    let unknown =
        || Verdict::Unknown("the connection's password_options have a word that this version doesn't know".to_owned());
    let allows = |key: &str| match complexity[key].as_str() {
        None | Some("allow") => Ok(true),
        Some("block") => Ok(false),
        Some(_) => Err(unknown()),
    };
    let mut types = CharacterTypes::default();
    for word in complexity["character_types"].as_array().into_iter().flatten() {
        match word.as_str() {
            Some("lowercase") => types.lowercase = true,
            Some("number") => types.number = true,
            Some("special") => types.special = true,
            Some("uppercase") => types.uppercase = true,
            _ => return Err(unknown()),
        }
    }
    let types_needed = match complexity["character_type_rule"].as_str() {
        None | Some("all") => types.wanted(),
        Some("three_of_four") => 3,
        Some(_) => return Err(unknown()),
    };
    let min_length = complexity["min_length"].as_u64().ok_or_else(unknown)?;
    Ok(Rules {
        min_length: usize::try_from(min_length).map_err(|_| unknown())?,
        types,
        types_needed,
        identical: allows("identical_characters")?,
        sequential: allows("sequential_characters")?,
        limits_bytes: complexity["max_length_exceeded"] == "error",
    })
}

/// Settings that would have to be there.
fn missing(rules: &Rules, ours: PasswordPolicy) -> Vec<String> {
    let mut missing = Vec::new();
    let mut need = |held: bool, setting: String| {
        if !held {
            missing.push(setting);
        }
    };
    let min_length = rules.min_length;
    need(ours.min_length >= min_length, format!("min_length = {min_length}"));
    need(asks_for_as_much(rules, &ours), types(rules));
    need(
        rules.identical || !ours.identical,
        "identical_characters = \"block\"".to_owned(),
    );
    need(
        rules.sequential || !ours.sequential,
        "sequential_characters = \"block\"".to_owned(),
    );
    need(!rules.limits_bytes || ours.max_bytes <= 72, "max_bytes = 72".to_owned());
    missing
}

/// Whether every password that has our types has theirs.
fn asks_for_as_much(rules: &Rules, ours: &PasswordPolicy) -> bool {
    let pairs = [
        (rules.types.lowercase, ours.types.lowercase),
        (rules.types.number, ours.types.number),
        (rules.types.special, ours.types.special),
        (rules.types.uppercase, ours.types.uppercase),
    ];
    let shared = pairs.iter().filter(|(theirs, ours)| *theirs && *ours).count();
    let others = pairs.iter().filter(|(theirs, ours)| !*theirs && *ours).count();
    // The fewest of theirs that a password with enough of ours has.
    ours.types_needed.saturating_sub(others).min(shared) >= rules.types_needed
}

fn types(rules: &Rules) -> String {
    if rules.types == FOUR && rules.types_needed == 3 {
        return "all four character_types with character_type_rule = \"three_of_four\"".to_owned();
    }
    let CharacterTypes {
        lowercase,
        number,
        special,
        uppercase,
    } = rules.types;
    let names = [
        (lowercase, "lowercase"),
        (number, "number"),
        (special, "special"),
        (uppercase, "uppercase"),
    ];
    let names = names
        .iter()
        .filter(|(wanted, _)| *wanted)
        .map(|(_, name)| format!("\"{name}\""));
    format!("character_types = [{}]", names.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const OURS: PasswordPolicy = PasswordPolicy {
        max_bytes: 72,
        min_length: 8,
        types: FOUR,
        types_needed: 3,
        identical: true,
        sequential: true,
    };

    /// What the verdict says, by its kind.
    fn said(options: Value, ours: PasswordPolicy) -> (&'static str, String) {
        match judge(&options, ours) {
            Verdict::Fine(text) => ("fine", text),
            Verdict::Wrong(text) => ("wrong", text),
            Verdict::Unknown(text) => ("unknown", text),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_policy_is_fine_where_the_settings_ask_for_no_less() {
        let all = PasswordPolicy {
            types_needed: 4,
            ..OURS
        };
        let strict = PasswordPolicy {
            min_length: 10,
            identical: false,
            ..OURS
        };
        let flexible = |extra: &str| {
            let text = format!(r#"{{"password_options": {{"complexity": {{"min_length": 8{extra}}}}}}}"#);
            serde_json::from_str::<Value>(&text).expect("JSON")
        };
        for (options, ours, kind, words) in [
            (
                json!({ "passwordPolicy": "none" }),
                PasswordPolicy::ANY,
                "fine",
                "at least 1",
            ),
            (
                json!({ "passwordPolicy": "low" }),
                PasswordPolicy::ANY,
                "wrong",
                "min_length = 6",
            ),
            (json!({ "passwordPolicy": "low" }), OURS, "fine", ""),
            (json!({ "passwordPolicy": "good" }), OURS, "fine", ""),
            (
                json!({ "passwordPolicy": "good" }),
                PasswordPolicy::ANY,
                "wrong",
                "three_of_four",
            ),
            (
                json!({ "passwordPolicy": "fair" }),
                OURS,
                "wrong",
                "[\"lowercase\", \"number\", \"uppercase\"]",
            ),
            (json!({ "passwordPolicy": "fair" }), all, "fine", ""),
            (
                json!({ "passwordPolicy": "excellent" }),
                OURS,
                "wrong",
                "identical_characters",
            ),
            (json!({ "passwordPolicy": "excellent" }), strict, "fine", ""),
            (
                json!({ "passwordPolicy": "none", "password_complexity_options": { "min_length": 9 } }),
                OURS,
                "wrong",
                "min_length = 9",
            ),
            (json!({ "passwordPolicy": "new" }), OURS, "unknown", "knows"),
            (
                json!({ "passwordPolicy": "none", "password_history": { "enable": true } }),
                OURS,
                "wrong",
                "a history",
            ),
            (
                json!({ "passwordPolicy": "none", "password_history": { "enable": false } }),
                OURS,
                "fine",
                "",
            ),
            (json!({}), OURS, "wrong", "names none"),
            (flexible(""), OURS, "fine", ""),
            (
                flexible(r#", "sequential_characters": "block""#),
                OURS,
                "wrong",
                "sequential_characters",
            ),
            (flexible(r#", "max_length_exceeded": "error""#), OURS, "fine", ""),
            (
                flexible(r#", "max_length_exceeded": "error""#),
                PasswordPolicy {
                    max_bytes: 1024,
                    ..OURS
                },
                "wrong",
                "max_bytes = 72",
            ),
            (flexible(r#", "character_types": ["emoji"]"#), OURS, "unknown", "word"),
            (
                flexible(r#", "identical_characters": "perhaps""#),
                OURS,
                "unknown",
                "word",
            ),
        ] {
            let (found, text) = said(options.clone(), ours);
            assert!(found == kind && text.contains(words), "{options}: {found}: {text}");
        }
    }
}
