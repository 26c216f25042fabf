//! What callers send, parsed at the edge. A source never sees a text that these types refuse.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Whether two identifiers are the same: equal after NFC (UAX #15) and ignoring ASCII case. Accents are never folded.
///
/// The one comparison for logins and addresses. Upstreams and targets mostly ignore case, and keyboards differ in how
/// they send `é`; to fold more than that gives one person another's account.
/// (`user_by_email::identifier_ignores_ascii_case_but_not_accents`, `user_by_email::address_is_compared_after_nfc`)
///
/// ```
/// use idbridge_source::same_identifier;
///
/// assert!(same_identifier("Ada@Example.com", "ada@example.COM"));
/// assert!(same_identifier("jos\u{e9}@example.com", "jose\u{301}@example.com"));
/// assert!(!same_identifier("josé@example.com", "jose@example.com"));
/// ```
pub fn same_identifier(one: &str, other: &str) -> bool {
    // NFC leaves ASCII as it is. It may make ASCII of something else, so both have to be it already.
    if one.is_ascii() && other.is_ascii() {
        return one.eq_ignore_ascii_case(other);
    }
    one == other || folded(one) == folded(other)
}

/// An identifier in the form in which it is compared: equal texts for the same identifiers.
pub fn folded(identifier: &str) -> String {
    if identifier.is_ascii() {
        return identifier.to_ascii_lowercase();
    }
    identifier.nfc().collect::<String>().to_ascii_lowercase()
}

/// Why an input was refused. It never quotes the input, so it may be logged and shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct InvalidInput(&'static str);

impl fmt::Display for InvalidInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for InvalidInput {}

/// What the user typed: 1 to 256 characters without control characters, neither trimmed nor changed.
///
/// It may be anything else, `..` and `me` included: a user whom the upstream lets in with it must get in here.
/// It belongs into a body, and never into a path, a filter or a query: it may end or widen them
/// (`authenticate::hostile_login_is_just_unknown`). [`UserName`] is for paths.
#[derive(Clone, Eq, PartialEq)]
pub struct Login(Box<str>);

impl Login {
    pub fn parse(text: &str) -> Result<Self, InvalidInput> {
        if text.is_empty() {
            return Err(InvalidInput("the identifier is empty"));
        }
        if text.chars().take(257).count() > 256 {
            return Err(InvalidInput("the identifier has more than 256 characters"));
        }
        if text.chars().any(char::is_control) {
            return Err(InvalidInput("the identifier has a control character"));
        }
        Ok(Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An e-mail address: one `@`, a local part of up to 64 bytes, a domain of labels, 254 bytes at the most (RFC 5321
/// §4.5.3.1), and no white space or invisible character anywhere.
///
/// - It keeps the asked spelling, and may be in any script (RFC 6531).
/// - Quoted local parts (`"a b"@x.org`) and address literals (`a@[192.0.2.1]`) are refused: no target accepts them.
/// - Invisible characters are refused: two addresses that look the same must be the same.
/// - The local part may hold `/`, `%`, `'` and more that means something in a path or a filter. Encode it for where it
///   goes (`user_by_email::hostile_address_is_just_absent`).
#[derive(Clone, Eq, PartialEq)]
pub struct Email(Box<str>);

impl Email {
    pub fn parse(text: &str) -> Result<Self, InvalidInput> {
        Login::parse(text)?;
        let invalid = InvalidInput("the identifier is not an e-mail address");
        let (local, domain) = text.split_once('@').ok_or(invalid)?;
        let local_fits = (1..=64).contains(&local.len()) && !local.contains('"');
        let fits = text.len() <= 254 && local_fits && is_domain(domain) && !text.chars().any(is_unseen);
        if fits { Ok(Self(text.into())) } else { Err(invalid) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands after the `@`, as asked for: compare it ignoring ASCII case.
    pub fn domain(&self) -> &str {
        self.0.split_once('@').map_or("", |(_, domain)| domain)
    }
}

/// A login for a look-up, fit to be one segment of a path.
///
/// Refused are the names that mean something else there: `me` is the token's own user at Okta, `.` and `..` climb
/// (RFC 3986 §5.2.4), and `/`, `\`, `?`, `#` and `%` end or change the segment in one parser or another. What is refused
/// can't be looked up; it can still log in, since a [`Login`] may be anything.
#[derive(Clone, Eq, PartialEq)]
pub struct UserName(Box<str>);

impl UserName {
    pub fn parse(text: &str) -> Result<Self, InvalidInput> {
        Login::parse(text)?;
        let special = matches!(text, "." | "..") || text.eq_ignore_ascii_case("me");
        if special || text.contains(['/', '\\', '?', '#', '%']) || text.chars().any(is_unseen) {
            return Err(InvalidInput("the identifier can't be looked up"));
        }
        Ok(Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// 1 to 1,024 bytes without NUL, passed on byte for byte: never trimmed, normalised or cut.
///
/// - There is no empty password: an LDAP server may answer a bind without one as a success, and has checked nothing
///   (RFC 4513 §5.1.2).
/// - There is no NUL: a C string would end at it, and the rest of the password would be nobody's to check.
/// - It can't be compared or shown by accident: it has no `PartialEq`, and its `Debug` says nothing. Its memory is zeroed
///   when it is dropped.
#[derive(Clone)]
pub struct Password(SecretString);

impl Password {
    pub fn parse(text: String) -> Result<Self, InvalidInput> {
        let text = SecretString::from(text);
        match text.expose_secret() {
            "" => Err(InvalidInput("the password is empty")),
            long if long.len() > 1024 => Err(InvalidInput("the password has more than 1,024 bytes")),
            nul if nul.contains('\0') => Err(InvalidInput("the password has a NUL")),
            _ => Ok(Self(text)),
        }
    }

    /// The password in the clear, for the one request that needs it. What it is copied into isn't zeroed.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

fn is_domain(text: &str) -> bool {
    let letter = |c: char| c.is_alphanumeric() || c == '-' || is_combining_mark(c);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with(|c| c == '-' || is_combining_mark(c))
            && !label.ends_with('-')
            && label.chars().all(letter)
    };
    text.split('.').all(label)
}

/// White space, and characters that nobody sees: Unicode's Default_Ignorable_Code_Point, among them those that change
/// how their neighbours are shown (UAX #9), and the interlinear annotation marks.
fn is_unseen(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

macro_rules! redacted {
    ($($type:ident),*) => {$(
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($type), "(…)"))
            }
        }
    )*};
}
redacted!(Email, Login, Password, UserName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_ignore_ascii_case_and_nothing_else() {
        assert!(same_identifier("Ada@Example.com", "ada@example.COM"));
        assert!(
            same_identifier("jos\u{e9}@example.com", "jose\u{301}@example.com"),
            "NFC"
        );
        assert!(
            same_identifier("\u{212a}@example.com", "k@example.com"),
            "NFC makes a K of the kelvin sign"
        );
        assert!(!same_identifier("josé@example.com", "jose@example.com"), "accents");
        assert!(!same_identifier("İ@example.com", "i@example.com"), "Turkish");
        assert!(
            !same_identifier("É@example.com", "é@example.com"),
            "only ASCII case is ignored"
        );
    }

    #[test]
    fn emails() {
        for good in [
            "ada@example.com",
            "a/b@example.com",
            "a%2e@x",
            "+tag@ex-ample.org",
            "é@bücher.example",
            "e\u{301}@bu\u{308}cher.example",
            "a@हिन्दी.example",
            "o'b@x.y",
        ] {
            assert!(Email::parse(good).is_ok(), "{good}");
        }
        let long = format!("{}@example.com", "a".repeat(65));
        for bad in [
            "",
            "ada",
            "@x",
            "a@",
            "a@b@c",
            " a@b.c",
            "a@b.c ",
            "a b@c.d",
            "a@b..c",
            "a@b.c.",
            "a@-b.c",
            "a@[1.2.3.4]",
            "\"a\"@b.c",
            "a\u{200b}@b.c",
            "a\u{34f}@b.c",
            "a\u{3164}@b.c",
            "a\u{fe0f}@b.c",
            "a\u{e0061}@b.c",
            "a@\u{308}b.c",
            "a\u{202e}@b.c",
            "a\n@b.c",
            "me",
            ".",
            "..",
            "a/b",
            "%2e%2e",
            &long,
        ] {
            assert!(Email::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn logins_are_kept_as_typed() {
        for good in [" ada ", "me", "..", "a/b", "%2e%2e", &"é".repeat(256)] {
            assert_eq!(Login::parse(good).expect("a login may be anything").as_str(), good);
        }
        for bad in ["", "a\tb", "a\u{85}", &"x".repeat(257)] {
            assert!(Login::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn user_names_are_one_path_segment() {
        assert!(UserName::parse("ada.lovelace").is_ok());
        for bad in ["me", "ME", ".", "..", "a/b", "a\\b", "%2e%2e", "a?b", "a#b", "a b", ""] {
            assert!(UserName::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn passwords_are_bytes() {
        for good in [" ", "  pass  ", "\"'\\", "🦀", "e\u{301}", &"x".repeat(1024)] {
            assert_eq!(Password::parse(good.to_owned()).expect("any bytes do").expose(), good);
        }
        for bad in ["", "a\0b", &"x".repeat(1025), &"é".repeat(513)] {
            assert!(Password::parse(bad.to_owned()).is_err());
        }
    }

    #[test]
    fn debug_shows_nothing() {
        let password = Password::parse("hunter2".to_owned()).expect("valid");
        let login = Login::parse("ada").expect("valid");
        let email = Email::parse("ada@example.com").expect("valid");
        assert_eq!(
            format!("{password:?} {login:?} {email:?}"),
            "Password(…) Login(…) Email(…)"
        );
    }
}
