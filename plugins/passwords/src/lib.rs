//! Checks a password against a hash that another system keeps: `docs/sql.md` has the table of formats.
//!
//! Reading a hash and computing it are two steps. [`Hash::parse`] is quick whatever it is given: it judges the format and
//! its parameters, so that an absurd cost is refused before anything is computed. [`Hash::is_of`] takes as long as the
//! source meant it to, and belongs on a thread that may block.
//!
//! ```
//! use idbridge_passwords::{Hash, Reading};
//!
//! let text = "pbkdf2_sha256$1000$c2FsdA$bA9bctI4rdpDvkAoeE+2yyF7hk3WbyJZVzGLp3s9H9M=";
//! let hash = Hash::parse(text, None, &Reading::default())?;
//! assert_eq!(hash.scheme(), "pbkdf2");
//! assert!(!hash.is_of("guess")?);
//! # Ok::<(), idbridge_passwords::Unreadable>(())
//! ```
//!
//! # Time
//!
//! Computed and kept digests are compared with aws-lc-rs's constant-time comparison, in every format and nowhere else
//! (`same`). How long a check takes depends on the format, its parameters and the lengths of salt and password, never on
//! how much of the digest is right.

mod argon2;
mod bcrypt;
mod encoding;
mod keycloak;
mod pbkdf2;
mod phpass;
mod plain;
mod scrypt;
mod sha_crypt;

use std::fmt;

pub use plain::{Declared, Encoding, Function, Layout, SaltedBy};

/// The longest text that is a hash. Keycloak's JSON is the longest that is known, with some 400 bytes.
const MAX_BYTES: usize = 4096;
/// The longest salt, in bytes.
const MAX_SALT: usize = 512;
/// The longest digest, in bytes: Werkzeug's and Keycloak's longest have 64.
const MAX_DIGEST: usize = 128;

/// A hash that was read, and whose cost is bearable.
#[derive(Clone)]
pub struct Hash(Scheme);

#[derive(Clone)]
enum Scheme {
    Argon2(argon2::Argon2),
    Bcrypt(bcrypt::Bcrypt),
    Pbkdf2(pbkdf2::Pbkdf2),
    Phpass(phpass::Phpass),
    Plain(plain::Plain),
    Scrypt(scrypt::Scrypt),
    ShaCrypt(sha_crypt::ShaCrypt),
}

/// What a hash doesn't say of itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reading {
    /// How a hash without a mark of its own was made.
    pub declared: Option<Declared>,
    pub long_passwords: LongPasswords,
    /// Whose `sha1$SALT$DIGEST` it is. Without this, nobody's.
    pub salted_by: Option<SaltedBy>,
}

/// What the source's bcrypt does with a password of more than 72 bytes: no two libraries agree.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum LongPasswords {
    /// It refuses them, as Python's bcrypt does since 5.0: nobody has such a password.
    Reject,
    /// It reads the first 72 bytes, as OpenBSD, PHP and Node do.
    #[default]
    Truncate,
}

/// Why there is no answer. Never a "wrong password": nobody has looked at the password.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unreadable {
    /// A parameter is beyond what is computed for anybody.
    Absurd,
    /// The format is known, and this isn't written in it.
    Malformed,
    /// No format that is known, and none was declared.
    Unknown,
}

impl Hash {
    /// Reads what the source keeps, and a salt that it keeps beside it. A hash that names its format is read as that,
    /// whatever was declared.
    pub fn parse(text: &str, salt: Option<&str>, reading: &Reading) -> Result<Self, Unreadable> {
        if text.len() > MAX_BYTES || salt.is_some_and(|salt| salt.len() > MAX_SALT) {
            return Err(Unreadable::Absurd);
        }
        match own_mark(text, reading)? {
            Some(scheme) => Ok(Self(scheme)),
            None => {
                let declared = reading.declared.ok_or(Unreadable::Unknown)?;
                Ok(Self(Scheme::Plain(declared.read(text, salt)?)))
            }
        }
    }

    /// Whether this is the password. Takes as long as the format does.
    pub fn is_of(&self, password: &str) -> Result<bool, Unreadable> {
        let password = password.as_bytes();
        match &self.0 {
            Scheme::Argon2(hash) => hash.is_of(password),
            Scheme::Bcrypt(hash) => Ok(hash.is_of(password)),
            Scheme::Pbkdf2(hash) => Ok(hash.is_of(password)),
            Scheme::Phpass(hash) => Ok(hash.is_of(password)),
            Scheme::Plain(hash) => Ok(hash.is_of(password)),
            Scheme::Scrypt(hash) => hash.is_of(password),
            Scheme::ShaCrypt(hash) => Ok(hash.is_of(password)),
        }
    }

    /// What it is computed with, for a log.
    pub fn scheme(&self) -> &'static str {
        match &self.0 {
            Scheme::Argon2(_) => "argon2",
            Scheme::Bcrypt(_) => "bcrypt",
            Scheme::Pbkdf2(_) => "pbkdf2",
            Scheme::Phpass(_) => "phpass",
            Scheme::Plain(_) => "digest",
            Scheme::Scrypt(_) => "scrypt",
            Scheme::ShaCrypt(_) => "sha_crypt",
        }
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hash").field(&self.scheme()).finish()
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absurd => "a password hash costs more than is computed for anybody",
            Self::Malformed => "a password hash isn't written as its format is",
            Self::Unknown => "a password hash is in no known format, and none was declared",
        })
    }
}

impl std::error::Error for Unreadable {}

/// The table of marks. `None`: it has none of its own.
fn own_mark(text: &str, reading: &Reading) -> Result<Option<Scheme>, Unreadable> {
    let long = reading.long_passwords;
    if let Some((mark, rest)) = ldap_mark(text) {
        return match mark.as_str() {
            "CRYPT" => own_mark(rest, reading)?.ok_or(Unreadable::Unknown).map(Some),
            mark => plain::Plain::ldap(mark, rest).map(|hash| Some(Scheme::Plain(hash))),
        };
    }
    if text.starts_with('{') {
        return keycloak::read(text).map(Some);
    }
    let (mark, rest) = split_mark(text);
    let scheme = match mark {
        "$2a$" | "$2b$" | "$2x$" | "$2y$" => {
            Scheme::Bcrypt(bcrypt::Bcrypt::crypt(text, bcrypt::Before::Nothing, long)?)
        }
        "$wp$" => {
            let inner = text.strip_prefix("$wp").unwrap_or_default();
            Scheme::Bcrypt(bcrypt::Bcrypt::crypt(inner, bcrypt::Before::WordPress, long)?)
        }
        "$bcrypt-sha256$" => Scheme::Bcrypt(bcrypt::Bcrypt::passlib(rest)?),
        "bcrypt$" => Scheme::Bcrypt(bcrypt::Bcrypt::crypt(rest, bcrypt::Before::Nothing, long)?),
        "bcrypt_sha256$" => Scheme::Bcrypt(bcrypt::Bcrypt::crypt(rest, bcrypt::Before::Sha256Hex, long)?),
        "$argon2d$" | "$argon2i$" | "$argon2id$" => Scheme::Argon2(argon2::Argon2::phc(text)?),
        "argon2$" => Scheme::Argon2(argon2::Argon2::phc(&format!("${rest}"))?),
        "$scrypt$" => Scheme::Scrypt(scrypt::Scrypt::passlib(rest)?),
        "scrypt$" => Scheme::Scrypt(scrypt::Scrypt::django(rest)?),
        "$pbkdf2$" | "$pbkdf2-sha256$" | "$pbkdf2-sha512$" => Scheme::Pbkdf2(pbkdf2::Pbkdf2::passlib(mark, rest)?),
        "pbkdf2_sha1$" | "pbkdf2_sha256$" => Scheme::Pbkdf2(pbkdf2::Pbkdf2::django(mark, rest)?),
        "$5$" | "$6$" => Scheme::ShaCrypt(sha_crypt::ShaCrypt::crypt(mark, rest)?),
        "$P$" | "$H$" | "$S$" => Scheme::Phpass(phpass::Phpass::read(mark, rest)?),
        "md5$" | "sha1$" | "sha256$" | "sha512$" => {
            let salted_by = reading.salted_by.ok_or(Unreadable::Unknown)?;
            Scheme::Plain(plain::Plain::marked(mark, rest, salted_by)?)
        }
        _ => match text.split_once(':') {
            Some(("pbkdf2", rest)) => Scheme::Pbkdf2(pbkdf2::Pbkdf2::werkzeug(rest)?),
            Some(("scrypt", rest)) => Scheme::Scrypt(scrypt::Scrypt::werkzeug(rest)?),
            // A mark that nobody knows is no salted digest either.
            _ if text.starts_with('$') => return Err(Unreadable::Unknown),
            _ => return pbkdf2::Pbkdf2::asp_net(text).map(|hash| hash.map(Scheme::Pbkdf2)),
        },
    };
    Ok(Some(scheme))
}

/// `{SSHA}…`, the mark in capitals: RFC 2307 compares it ignoring case.
fn ldap_mark(text: &str) -> Option<(String, &str)> {
    let (mark, rest) = text.strip_prefix('{')?.split_once('}')?;
    let fits = !mark.is_empty() && mark.len() <= 16 && mark.bytes().all(|byte| byte.is_ascii_alphanumeric());
    fits.then(|| (mark.to_ascii_uppercase(), rest))
}

/// `$5$` and the rest, `pbkdf2_sha256$` and the rest.
fn split_mark(text: &str) -> (&str, &str) {
    let begin = usize::from(text.starts_with('$'));
    let end = text.bytes().skip(begin).position(|byte| byte == b'$');
    text.split_at_checked(end.map_or(0, |end| begin + end + 1))
        .unwrap_or(("", text))
}

/// The one comparison of digests. Their lengths are no secret, what they are is.
fn same(computed: &[u8], kept: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(computed, kept).is_ok()
}

/// A decimal number without sign or leading zero, up to this bound. Beyond it the cost is absurd, and so is a text that
/// is longer than any number that is read.
fn number(text: &str, most: u64) -> Result<u32, Unreadable> {
    let plain =
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if !plain {
        return Err(Unreadable::Malformed);
    }
    match text.parse::<u64>() {
        Ok(value) if value <= most => u32::try_from(value).map_err(|_| Unreadable::Absurd),
        _ => Err(Unreadable::Absurd),
    }
}

/// A digest or salt whose length is one that is computed.
fn bounded(bytes: Vec<u8>, least: usize, most: usize) -> Result<Vec<u8>, Unreadable> {
    if bytes.len() < least {
        return Err(Unreadable::Malformed);
    }
    if bytes.len() > most {
        Err(Unreadable::Absurd)
    } else {
        Ok(bytes)
    }
}
