//! One digest over password and salt: LDAP's `{SSHA}` and its like, Django's and Werkzeug's oldest, and layouts that are declared.

use aws_lc_rs::{digest, hmac};
use md5::{Digest as _, Md5};
use zeroize::Zeroizing;

use crate::encoding::{base64, hex};
use crate::{Unreadable, same};

#[derive(Clone)]
pub(crate) struct Plain {
    function: Function,
    layout: Layout,
    salt: Vec<u8>,
    digest: Vec<u8>,
}

/// How a hash without a mark was made.
#[derive(Clone, Copy, Debug)]
pub struct Declared {
    pub function: Function,
    pub layout: Layout,
    pub encoding: Encoding,
}

/// Who wrote `sha1$SALT$DIGEST`: two libraries did, with the same letters for two computations.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SaltedBy {
    /// The salt before the password: `md5$`, `sha1$`.
    Django,
    /// HMAC, keyed with the salt, until its version 2.3: `sha1$`, `sha256$`, `sha512$`.
    Werkzeug,
}

/// The function.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Function {
    Md5,
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

/// What it is computed of. The salt is the text that stands beside the hash.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Layout {
    /// HMAC, keyed with the salt.
    HmacKeyedBySalt,
    /// Without a salt.
    Password,
    PasswordSalt,
    SaltPassword,
}

/// How it is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Encoding {
    Base64,
    Hex,
}

impl Declared {
    pub(crate) fn read(self, text: &str, salt: Option<&str>) -> Result<Plain, Unreadable> {
        let digest = match self.encoding {
            Encoding::Base64 => base64(text)?,
            Encoding::Hex => hex(text)?,
        };
        let salt = match (self.layout, salt) {
            (Layout::Password, _) => "",
            (_, Some(salt)) if !salt.is_empty() => salt,
            _ => return Err(Unreadable::Malformed),
        };
        if self.layout == Layout::HmacKeyedBySalt && self.function == Function::Md5 {
            return Err(Unreadable::Unknown); // aws-lc-rs has no HMAC-MD5
        }
        Plain::new(self.function, self.layout, salt.as_bytes().to_vec(), digest)
    }
}

impl Plain {
    /// RFC 2307's and OpenLDAP's: Base64 of the digest and of the salt, if there is one.
    pub(crate) fn ldap(mark: &str, rest: &str) -> Result<Self, Unreadable> {
        let (function, salted) = match mark {
            "MD5" => (Function::Md5, false),
            "SMD5" => (Function::Md5, true),
            "SHA" => (Function::Sha1, false),
            "SSHA" => (Function::Sha1, true),
            "SHA256" => (Function::Sha256, false),
            "SSHA256" => (Function::Sha256, true),
            "SHA384" => (Function::Sha384, false),
            "SSHA384" => (Function::Sha384, true),
            "SHA512" => (Function::Sha512, false),
            "SSHA512" => (Function::Sha512, true),
            _ => return Err(Unreadable::Unknown),
        };
        let mut digest = base64(rest)?;
        if digest.len() < function.length() || salted != (digest.len() > function.length()) {
            return Err(Unreadable::Malformed);
        }
        let salt = digest.split_off(function.length());
        Self::new(function, Layout::PasswordSalt, salt, digest)
    }

    /// `sha1$salt$digest`, the salt as text.
    pub(crate) fn marked(mark: &str, rest: &str, by: SaltedBy) -> Result<Self, Unreadable> {
        let (function, layout) = match (by, mark) {
            (SaltedBy::Django, "md5$") => (Function::Md5, Layout::SaltPassword),
            (SaltedBy::Django, "sha1$") => (Function::Sha1, Layout::SaltPassword),
            (SaltedBy::Werkzeug, "sha1$") => (Function::Sha1, Layout::HmacKeyedBySalt),
            (SaltedBy::Werkzeug, "sha256$") => (Function::Sha256, Layout::HmacKeyedBySalt),
            (SaltedBy::Werkzeug, "sha512$") => (Function::Sha512, Layout::HmacKeyedBySalt),
            _ => return Err(Unreadable::Unknown), // aws-lc-rs has no HMAC-MD5
        };
        let (salt, digest) = rest.split_once('$').ok_or(Unreadable::Malformed)?;
        if layout == Layout::HmacKeyedBySalt && salt.is_empty() {
            return Err(Unreadable::Malformed); // a digest without a key, which nobody asks for
        }
        Self::new(function, layout, salt.as_bytes().to_vec(), hex(digest)?)
    }

    fn new(function: Function, layout: Layout, salt: Vec<u8>, digest: Vec<u8>) -> Result<Self, Unreadable> {
        if digest.len() != function.length() {
            return Err(Unreadable::Malformed);
        }
        Ok(Self {
            function,
            layout,
            salt,
            digest,
        })
    }

    pub(crate) fn is_of(&self, password: &[u8]) -> bool {
        let text = Zeroizing::new(match self.layout {
            Layout::HmacKeyedBySalt => return self.is_hmac_of(password),
            Layout::Password => password.to_vec(),
            Layout::PasswordSalt => [password, &self.salt].concat(),
            Layout::SaltPassword => [&self.salt, password].concat(),
        });
        same(&self.function.digest(&text), &self.digest)
    }

    fn is_hmac_of(&self, password: &[u8]) -> bool {
        let algorithm = match self.function {
            Function::Md5 => return false, // never read: see `Declared::read`
            Function::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Function::Sha256 => hmac::HMAC_SHA256,
            Function::Sha384 => hmac::HMAC_SHA384,
            Function::Sha512 => hmac::HMAC_SHA512,
        };
        let key = hmac::Key::new(algorithm, &self.salt);
        same(hmac::sign(&key, password).as_ref(), &self.digest)
    }
}

impl Function {
    fn length(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    fn digest(self, text: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Self::Md5 => return Md5::digest(text).to_vec(),
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        };
        digest::digest(algorithm, text).as_ref().to_vec()
    }
}
