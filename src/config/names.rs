//! Names of sources and callers.

use idbridge_source::Table;

const RULE: &str = "is no valid name: lower-case letters, digits and single underscores, a letter first, \
                    32 characters at the most";

/// `[a-z][a-z0-9_]{0,31}` without a double underscore, which would end a level in a variable's name.
pub(crate) fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    text.len() <= 32
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(allowed)
        && !text.contains("__")
}

/// Reports every name in this table of named tables that isn't one.
pub(super) fn check(parent: &Table<'_>, names: &[&str]) {
    for name in names {
        if !is_name(name) {
            parent.mistake(name, RULE);
        }
    }
}

/// The known word that a mistyped one was probably meant to be, as a question to add to a message.
pub(super) fn did_you_mean<'k>(given: &str, known: impl IntoIterator<Item = &'k str>) -> String {
    known
        .into_iter()
        .map(|word| (strsim::damerau_levenshtein(word, given), word))
        .min()
        .filter(|(distance, word)| *distance <= 3 && *distance < word.len())
        .map_or_else(String::new, |(_, word)| format!("; did you mean `{word}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["a", "okta", "my_okta_2", "a_", &"a".repeat(32)] {
            assert!(is_name(good), "{good}");
        }
        for bad in [
            "",
            "_a",
            "2a",
            "Okta",
            "a-b",
            "a__b",
            "ä",
            "a b",
            "a.b",
            &"a".repeat(33),
        ] {
            assert!(!is_name(bad), "{bad}");
        }
    }

    #[test]
    fn only_near_words_are_suggested() {
        assert_eq!(did_you_mean("otka", ["ldap", "okta"]), "; did you mean `okta`?");
        assert_eq!(did_you_mean("hunter2canary", ["ldap", "okta"]), "");
        assert_eq!(did_you_mean("okta", []), "");
    }
}
