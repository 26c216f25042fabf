//! Settings from the environment: `IDBRIDGE_GRPC__LISTEN` is `grpc.listen`.

use std::collections::BTreeMap;
use std::ffi::OsString;

use idbridge_source::{Mistake, Origin};

const PREFIX: &str = "IDBRIDGE_";
const LEVEL: &str = "__";
/// Deeper than any key. Tables are walked with a stack.
const MAX_LEVELS: usize = 16;

/// A setting's variable.
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) path: Vec<String>,
    pub(super) value: String,
}

/// The variables that are settings, by name. The others that start with `IDBRIDGE_` belong to commands and scripts.
pub(super) fn variables(environment: impl IntoIterator<Item = (OsString, OsString)>) -> (Vec<Variable>, Vec<Mistake>) {
    let settings: BTreeMap<String, OsString> = environment
        .into_iter()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value))
        .filter(|(name, _)| name.strip_prefix(PREFIX).is_some_and(|rest| rest.contains(LEVEL)))
        .collect();

    let mut said = BTreeMap::<Vec<String>, String>::new();
    let mut variables = Vec::new();
    let mut mistakes = Vec::new();
    for (name, value) in settings {
        let keys = name.strip_prefix(PREFIX).unwrap_or_default().to_ascii_lowercase();
        let path: Vec<String> = keys.split(LEVEL).map(str::to_owned).collect();
        let mut mistake = |problem: String| {
            mistakes.push(Mistake {
                key: path.join("."),
                origin: Some(Origin::Variable(name.clone())),
                problem,
            });
        };
        if path.len() > MAX_LEVELS || path.iter().any(String::is_empty) || name.contains(char::REPLACEMENT_CHARACTER) {
            mistake("is no key; a variable is named as IDBRIDGE_GRPC__LISTEN is for `grpc.listen`".to_owned());
        } else if let Some(first) = said.get(&path) {
            mistake(format!("is said by {first} too; keep one of the two"));
        } else if let Some((_, first)) = said
            .iter()
            .find(|(other, _)| path.starts_with(other) || other.starts_with(&path))
        {
            mistake(format!(
                "can't hold both a value and the key of {first}; keep one of the two"
            ));
        } else if let Ok(value) = value.into_string() {
            said.insert(path.clone(), name.clone());
            variables.push(Variable { name, path, value });
        } else {
            mistake("has a value that isn't UTF-8".to_owned());
        }
    }
    (variables, mistakes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
        let (variables, mistakes) = variables(pairs.iter().map(|(name, value)| (name.into(), value.into())));
        let paths = variables.iter().map(|variable| variable.path.join(".")).collect();
        (paths, mistakes.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn only_variables_with_two_underscores_are_settings() {
        let (paths, mistakes) = read(&[
            ("IDBRIDGE_CALLERS__MY_CALLER__ALLOW", "authenticate"),
            ("IDBRIDGE_GRPC__LISTEN", "127.0.0.1:0"),
            ("IDBRIDGE_KEY", "hunter2canary"),
            ("MY_IDBRIDGE_GRPC__LISTEN", "hunter2canary"),
            ("PATH", "/bin"),
        ]);
        assert_eq!(paths, ["callers.my_caller.allow", "grpc.listen"]);
        assert_eq!(mistakes, [""; 0]);
    }

    #[test]
    fn names_that_are_no_key_or_the_same_key_are_mistakes() {
        let (paths, mistakes) = read(&[
            ("IDBRIDGE_GRPC__LISTEN", "hunter2canary"),
            ("IDBRIDGE_GRPC__", "hunter2canary"),
            (&format!("IDBRIDGE_A{}", "__A".repeat(30_000)), "hunter2canary"),
            ("IDBRIDGE_grpc__listen", "hunter2canary"),
        ]);
        assert_eq!(paths, ["grpc.listen"]);
        assert!(mistakes[0].ends_with("is for `grpc.listen`"));
        assert_eq!(
            mistakes[1..],
            [
                "IDBRIDGE_GRPC__: grpc.: is no key; a variable is named as IDBRIDGE_GRPC__LISTEN is for `grpc.listen`",
                "IDBRIDGE_grpc__listen: grpc.listen: is said by IDBRIDGE_GRPC__LISTEN too; keep one of the two",
            ]
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_value_that_is_not_utf_8_is_named_and_not_shown() {
        use std::os::unix::ffi::OsStringExt as _;
        let value = OsString::from_vec(b"hunter2canary\xff".to_vec());
        let (variables, mistakes) = variables([("IDBRIDGE_GRPC__LISTEN".into(), value)]);
        assert!(variables.is_empty());
        let mistakes: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        assert_eq!(
            mistakes,
            ["IDBRIDGE_GRPC__LISTEN: grpc.listen: has a value that isn't UTF-8"]
        );
    }
}
