//! PBKDF2 (RFC 8018), as Django, Werkzeug, passlib and ASP.NET Identity write it. Keycloak's is in `keycloak.rs`.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2::{
    self, Algorithm, PBKDF2_HMAC_SHA1, PBKDF2_HMAC_SHA256, PBKDF2_HMAC_SHA384, PBKDF2_HMAC_SHA512,
};

use crate::encoding::{adapted_base64, base64, hex};
use crate::{MAX_DIGEST, MAX_SALT, Unreadable, bounded, number, same};

/// Some seconds. Kratos computes no more either.
const MAX_ITERATIONS: u64 = 10_000_000;

#[derive(Clone)]
pub(crate) struct Pbkdf2 {
    algorithm: Algorithm,
    iterations: NonZeroU32,
    salt: Vec<u8>,
    digest: Vec<u8>,
}

impl Pbkdf2 {
    pub(crate) fn new(hash: &str, iterations: u64, salt: Vec<u8>, digest: Vec<u8>) -> Result<Self, Unreadable> {
        let algorithm = match hash {
            "sha1" => PBKDF2_HMAC_SHA1,
            "sha256" => PBKDF2_HMAC_SHA256,
            "sha384" => PBKDF2_HMAC_SHA384,
            "sha512" => PBKDF2_HMAC_SHA512,
            _ => return Err(Unreadable::Unknown),
        };
        if iterations > MAX_ITERATIONS {
            return Err(Unreadable::Absurd);
        }
        let iterations = u32::try_from(iterations).map_err(|_| Unreadable::Absurd)?;
        Ok(Self {
            algorithm,
            iterations: NonZeroU32::new(iterations).ok_or(Unreadable::Malformed)?,
            salt: bounded(salt, 0, MAX_SALT)?,
            digest: bounded(digest, 16, MAX_DIGEST)?,
        })
    }

    /// `pbkdf2_sha256$iterations$salt$digest`, the salt as text.
    pub(crate) fn django(mark: &str, rest: &str) -> Result<Self, Unreadable> {
        let hash = mark.trim_start_matches("pbkdf2_").trim_end_matches('$');
        let [iterations, salt, digest] = three(rest)?;
        let iterations = number(iterations, MAX_ITERATIONS)?;
        Self::new(hash, iterations.into(), salt.as_bytes().to_vec(), base64(digest)?)
    }

    /// `pbkdf2:sha256:iterations$salt$digest`, the salt as text and the digest in hex.
    pub(crate) fn werkzeug(rest: &str) -> Result<Self, Unreadable> {
        let [method, salt, digest] = three(rest)?;
        // Before Werkzeug 0.9 the iterations could be left out, and were what that version did.
        let (hash, iterations) = method.split_once(':').ok_or(Unreadable::Malformed)?;
        let iterations = number(iterations, MAX_ITERATIONS)?;
        Self::new(hash, iterations.into(), salt.as_bytes().to_vec(), hex(digest)?)
    }

    /// `$pbkdf2-sha256$rounds$salt$digest`; `$pbkdf2$` is SHA-1.
    pub(crate) fn passlib(mark: &str, rest: &str) -> Result<Self, Unreadable> {
        let hash = match mark {
            "$pbkdf2-sha256$" => "sha256",
            "$pbkdf2-sha512$" => "sha512",
            _ => "sha1",
        };
        let [rounds, salt, digest] = three(rest)?;
        let rounds = number(rounds, MAX_ITERATIONS)?;
        Self::new(hash, rounds.into(), adapted_base64(salt)?, adapted_base64(digest)?)
    }

    /// ASP.NET Identity's `PasswordHasher`: Base64 of a version byte and what belongs to it. `None`: it is no such thing.
    pub(crate) fn asp_net(text: &str) -> Result<Option<Self>, Unreadable> {
        let Ok(bytes) = base64(text) else { return Ok(None) };
        match &bytes[..] {
            // Version 2: 16 bytes of salt, 32 of digest.
            [0, rest @ ..] if rest.len() == 48 => {
                let (salt, digest) = rest.split_at(16);
                Self::new("sha1", 1000, salt.to_vec(), digest.to_vec()).map(Some)
            }
            // Version 3: the function, the iterations and the salt's length, each in four bytes, the highest first.
            [1, 0, 0, 0, function @ 0..=2, i1, i2, i3, i4, l1, l2, l3, l4, rest @ ..] => {
                let hash = ["sha1", "sha256", "sha512"][usize::from(*function)];
                let iterations = u32::from_be_bytes([*i1, *i2, *i3, *i4]);
                let length = u32::from_be_bytes([*l1, *l2, *l3, *l4]);
                let length = usize::try_from(length).map_err(|_| Unreadable::Malformed)?;
                let (salt, digest) = rest.split_at_checked(length).ok_or(Unreadable::Malformed)?;
                Self::new(hash, iterations.into(), salt.to_vec(), digest.to_vec()).map(Some)
            }
            _ => Ok(None),
        }
    }

    pub(crate) fn is_of(&self, password: &[u8]) -> bool {
        let mut computed = vec![0; self.digest.len()];
        pbkdf2::derive(self.algorithm, self.iterations, &self.salt, password, &mut computed);
        same(&computed, &self.digest)
    }
}

fn three(rest: &str) -> Result<[&str; 3], Unreadable> {
    let parts: Vec<&str> = rest.split('$').collect();
    parts.try_into().map_err(|_| Unreadable::Malformed)
}
