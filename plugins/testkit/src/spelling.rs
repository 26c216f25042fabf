//! The same text, spelt otherwise: what a careless source takes for the same, or for another.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Every ASCII letter in the other case.
pub(crate) fn other_case(text: &str) -> String {
    let swap = |c: char| {
        if c.is_ascii_uppercase() {
            c.to_ascii_lowercase()
        } else {
            c.to_ascii_uppercase()
        }
    };
    text.chars().map(swap).collect()
}

pub(crate) fn composed(text: &str) -> String {
    text.nfc().collect()
}

pub(crate) fn decomposed(text: &str) -> String {
    text.nfd().collect()
}

/// As somebody types who leaves the accents out.
pub(crate) fn accentless(text: &str) -> String {
    text.nfd().filter(|c| !is_combining_mark(*c)).collect()
}

/// The first bytes of it, where a character ends.
pub(crate) fn cut(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}

/// An address as name and domain.
pub(crate) fn parts(address: &str) -> (&str, &str) {
    address.rsplit_once('@').unwrap_or((address, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        assert_eq!(other_case("Zo\u{eb}@x"), "zO\u{eb}@X");
        assert_eq!(composed("e\u{301}"), "\u{e9}");
        assert_eq!(decomposed("zo\u{eb}"), "zoe\u{308}");
        assert_eq!(accentless("zo\u{eb}@x"), "zoe@x");
        assert_eq!((cut("a\u{eb}", 2), cut("ab", 5)), ("a", "ab"));
        assert_eq!(parts("a@b"), ("a", "b"));
    }
}
