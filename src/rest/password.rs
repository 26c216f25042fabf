//! The target's rules for passwords. Auth0 refuses a log-in whose password its own policy doesn't take, although the
//! source has just proved it; so nobody is sent there with one.
//!
//! The members and their meaning are those of a connection's `options.password_options.complexity` (Auth0's Management
//! API), which Auth0's `password-sheriff` works out.

/// What a password must be beside right. Lengths count as JavaScript counts, in UTF-16.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PasswordPolicy {
    /// In UTF-8.
    pub max_bytes: usize,
    pub min_length: usize,
    pub types: CharacterTypes,
    /// How many of these types a password must have.
    pub types_needed: usize,
    /// Whether three in a row may be the same.
    pub identical: bool,
    /// Whether three letters or digits in a row may go up or down by one: `abc`, `321`.
    pub sequential: bool,
}

/// Types of characters. All are ASCII; other letters are of no type.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct CharacterTypes {
    pub lowercase: bool,
    pub number: bool,
    /// The 32 punctuation characters, and the space.
    pub special: bool,
    pub uppercase: bool,
}

impl PasswordPolicy {
    /// Whatever a source may have.
    pub const ANY: Self = Self {
        max_bytes: 1024,
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
    };

    /// What holds of every connection, whatever its own rules: bcrypt reads no further. Auth0 refuses what is longer, or cuts
    /// it off, and then any other end is right, too.
    pub const AUTH0: Self = Self {
        max_bytes: 72,
        ..Self::ANY
    };

    pub fn accepts(&self, password: &str) -> bool {
        let rows = |bad: fn(u16, u16, u16) -> bool| {
            let (mut one, mut two) = (None, None);
            password.encode_utf16().any(|three| {
                let found = matches!((one, two), (Some(one), Some(two)) if bad(one, two, three));
                (one, two) = (two, Some(three));
                found
            })
        };
        password.len() <= self.max_bytes
            && password.encode_utf16().count() >= self.min_length
            && self.types.count(password) >= self.types_needed
            && (self.identical || !rows(|one, two, three| one == two && two == three))
            && (self.sequential || !rows(is_sequence))
    }
}

impl CharacterTypes {
    pub fn wanted(self) -> usize {
        let Self {
            lowercase,
            number,
            special,
            uppercase,
        } = self;
        [lowercase, number, special, uppercase]
            .into_iter()
            .filter(|wanted| *wanted)
            .count()
    }

    /// How many of them a password has.
    fn count(self, password: &str) -> usize {
        let has = |is: fn(&u8) -> bool| password.bytes().any(|byte| is(&byte));
        Self {
            lowercase: self.lowercase && has(u8::is_ascii_lowercase),
            number: self.number && has(u8::is_ascii_digit),
            special: self.special && has(|byte| byte.is_ascii_punctuation() || *byte == b' '),
            uppercase: self.uppercase && has(u8::is_ascii_uppercase),
        }
        .wanted()
    }
}

fn is_sequence(one: u16, two: u16, three: u16) -> bool {
    let counts = |unit: u16| u8::try_from(unit).is_ok_and(|byte| byte.is_ascii_alphanumeric());
    let steps = (i32::from(two) - i32::from(one), i32::from(three) - i32::from(two));
    [one, two, three].into_iter().all(counts) && matches!(steps, (1, 1) | (-1, -1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL_TYPES: CharacterTypes = CharacterTypes {
        lowercase: true,
        number: true,
        special: true,
        uppercase: true,
    };

    #[test]
    fn sizes_are_bytes_at_the_upper_end_and_utf_16_at_the_lower() {
        for (password, accepted) in [
            ("x".repeat(72), true),
            ("x".repeat(73), false),
            ("é".repeat(36), true),
            ("é".repeat(37), false),
        ] {
            assert_eq!(PasswordPolicy::AUTH0.accepts(&password), accepted, "{}", password.len());
        }
        let long = PasswordPolicy {
            min_length: 8,
            ..PasswordPolicy::AUTH0
        };
        for (password, accepted) in [
            ("1234567", false),
            ("12345678", true),
            ("ééééééé", false),
            ("🦀🦀🦀🦀", true),
            ("🦀🦀🦀", false),
        ] {
            assert_eq!(long.accepts(password), accepted, "{password}");
        }
    }

    #[test]
    fn types_of_characters() {
        let policy = |types, types_needed| PasswordPolicy {
            types,
            types_needed,
            ..PasswordPolicy::AUTH0
        };
        let (all, three) = (policy(ALL_TYPES, 4), policy(ALL_TYPES, 3));
        for (password, by_all, by_three) in [
            ("aA1!", true, true),
            ("aA1 ", true, true),
            ("aA1", false, true),
            ("a1~", false, true),
            ("aA", false, false),
            ("aéÉ٣", false, false),
        ] {
            assert_eq!(
                (all.accepts(password), three.accepts(password)),
                (by_all, by_three),
                "{password}"
            );
        }
        let fair = policy(
            CharacterTypes {
                special: false,
                ..ALL_TYPES
            },
            3,
        );
        assert!(fair.accepts("aA1") && !fair.accepts("aA!"));
    }

    #[test]
    fn rows() {
        let identical = PasswordPolicy {
            identical: false,
            ..PasswordPolicy::AUTH0
        };
        for (password, accepted) in [
            ("aabbaa", true),
            ("xaaay", false),
            ("éé", true),
            ("ééé", false),
            ("!!!", false),
            ("aA a", true),
        ] {
            assert_eq!(identical.accepts(password), accepted, "{password}");
        }
        let sequential = PasswordPolicy {
            sequential: false,
            ..PasswordPolicy::AUTH0
        };
        for (password, accepted) in [
            ("ab12yx", true),
            ("xabcx", false),
            ("321", false),
            ("ABC", false),
            ("aBc", true),
            ("aba", true),
            ("abab", true),
            ("()*", true),
            ("/01", true),
            ("89:", true),
            ("acegi", true),
        ] {
            assert_eq!(sequential.accepts(password), accepted, "{password}");
        }
    }
}
