//! bcrypt, and what some put before it to get past its 72 bytes.

use aws_lc_rs::{digest, hmac};
use zeroize::Zeroizing;

use crate::encoding::{bcrypt_base64, to_base64, to_hex};
use crate::{LongPasswords, Unreadable, number, same};

/// 2^15 rounds take some seconds. Kratos computes no more either.
const MAX_COST: u32 = 15;
/// bcrypt's key is 18 words.
const KEY: usize = 72;

#[derive(Clone)]
pub(crate) struct Bcrypt {
    cost: u32,
    salt: [u8; 16],
    digest: Vec<u8>,
    /// `$2x$`: crypt_blowfish before 1.1 read each byte with its sign.
    signed: bool,
    before: Before,
    long: LongPasswords,
}

/// What is done to the password first.
#[derive(Clone)]
pub(crate) enum Before {
    Nothing,
    /// passlib's `bcrypt_sha256` 2: Base64 of the HMAC-SHA-256, keyed with the salt as it is written.
    HmacBase64(String),
    /// passlib's `bcrypt_sha256` 1.
    Sha256Base64,
    /// Django's `bcrypt_sha256`.
    Sha256Hex,
    /// WordPress 6.8: `wp_hash_password`.
    WordPress,
}

impl Bcrypt {
    /// `$2b$12$` and 53 letters.
    pub(crate) fn crypt(text: &str, before: Before, long: LongPasswords) -> Result<Self, Unreadable> {
        let mut parts = text.split('$');
        let (Some(""), Some(variant), Some(cost), Some(rest), None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Unreadable::Malformed);
        };
        if !matches!(variant, "2a" | "2b" | "2x" | "2y") || rest.len() != 53 || cost.len() != 2 {
            return Err(Unreadable::Malformed);
        }
        let (salt, digest) = rest.split_at_checked(22).ok_or(Unreadable::Malformed)?;
        Self::new(
            cost.trim_start_matches('0'),
            salt,
            digest,
            variant == "2x",
            before,
            long,
        )
    }

    /// passlib's: `v=2,t=2b,r=12$salt$digest`, or `2b,12$salt$digest`.
    pub(crate) fn passlib(rest: &str) -> Result<Self, Unreadable> {
        let parts: Vec<&str> = rest.split('$').collect();
        let [parameters, salt, digest] = parts[..] else {
            return Err(Unreadable::Malformed);
        };
        let parameters: Vec<&str> = parameters.split(',').collect();
        let (cost, before) = match parameters[..] {
            ["v=2", "t=2b", cost] => (cost.strip_prefix("r="), Before::HmacBase64(salt.to_owned())),
            ["2a" | "2b", cost] => (Some(cost), Before::Sha256Base64),
            _ => return Err(Unreadable::Malformed),
        };
        let cost = cost.ok_or(Unreadable::Malformed)?;
        Self::new(cost, salt, digest, false, before, LongPasswords::Truncate)
    }

    fn new(
        cost: &str,
        salt: &str,
        digest: &str,
        signed: bool,
        before: Before,
        long: LongPasswords,
    ) -> Result<Self, Unreadable> {
        let cost = number(cost, u64::from(MAX_COST))?;
        let salt = bcrypt_base64(salt)?.try_into().map_err(|_| Unreadable::Malformed)?;
        let digest = bcrypt_base64(digest)?;
        if cost < 4 || digest.len() != 23 {
            return Err(Unreadable::Malformed);
        }
        Ok(Self {
            cost,
            salt,
            digest,
            signed,
            before,
            long,
        })
    }

    pub(crate) fn is_of(&self, password: &[u8]) -> bool {
        let sha256 = |bytes| digest::digest(&digest::SHA256, bytes);
        let password = Zeroizing::new(match &self.before {
            Before::Nothing => password.to_vec(),
            Before::HmacBase64(salt) => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, salt.as_bytes());
                to_base64(hmac::sign(&key, password).as_ref()).into_bytes()
            }
            Before::Sha256Base64 => to_base64(sha256(password).as_ref()).into_bytes(),
            Before::Sha256Hex => to_hex(sha256(password).as_ref()).into_bytes(),
            Before::WordPress => {
                let key = hmac::Key::new(hmac::HMAC_SHA384, b"wp-sha384");
                to_base64(hmac::sign(&key, password).as_ref()).into_bytes()
            }
        });
        let computed = bcrypt::bcrypt(self.cost, self.salt, &self.key(&password)[..]);
        let right = same(&computed[..self.digest.len()], &self.digest);
        // Judged after the computation: a long password takes as long as any.
        right && (password.len() <= KEY || self.long == LongPasswords::Truncate)
    }

    /// The password and the zero byte that ends it, over and over: what the key schedule reads.
    fn key(&self, password: &[u8]) -> Zeroizing<[u8; KEY]> {
        let mut key = Zeroizing::new([0; KEY]);
        let mut bytes = password.iter().copied().chain([0]).cycle();
        for word in key.chunks_exact_mut(4) {
            let mut value = 0_u32;
            for byte in bytes.by_ref().take(4) {
                let byte = if self.signed {
                    i32::from(byte.cast_signed()).cast_unsigned()
                } else {
                    u32::from(byte)
                };
                value = value << 8 | byte;
            }
            word.copy_from_slice(&value.to_be_bytes());
        }
        key
    }
}
