//! Argon2 in the PHC string format, as PHP, libsodium, Python and Django write it.

use argon2::{Algorithm, Params, Version};

use crate::encoding::base64;
use crate::{MAX_DIGEST, MAX_SALT, Unreadable, bounded, number, same};

/// 256 MiB, in KiB. It is taken for as long as the check lasts, so the pool's threads multiply it.
const MAX_MEMORY: u64 = 256 * 1024;
const MAX_TIME: u64 = 10;
const MAX_LANES: u64 = 16;

#[derive(Clone)]
pub(crate) struct Argon2 {
    algorithm: Algorithm,
    version: Version,
    params: Params,
    salt: Vec<u8>,
    digest: Vec<u8>,
}

impl Argon2 {
    /// `$argon2id$v=19$m=65536,t=3,p=4$salt$digest`; without a `v` it is version 16.
    pub(crate) fn phc(text: &str) -> Result<Self, Unreadable> {
        let parts: Vec<&str> = text.split('$').collect();
        let (algorithm, version, parameters, salt, digest) = match parts[..] {
            ["", algorithm, version, parameters, salt, digest] => (algorithm, version, parameters, salt, digest),
            ["", algorithm, parameters, salt, digest] => (algorithm, "v=16", parameters, salt, digest),
            _ => return Err(Unreadable::Malformed),
        };
        let algorithm = algorithm.strip_prefix("argon2").ok_or(Unreadable::Malformed)?;
        let version = version.strip_prefix("v=").ok_or(Unreadable::Malformed)?;
        let parameters: Vec<&str> = parameters.split(',').collect();
        let [memory, time, lanes] = parameters[..] else {
            return Err(Unreadable::Unknown); // a key or data beside
        };
        let parameter = |text: &str, name, most| {
            let value = text.strip_prefix(name).ok_or(Unreadable::Malformed);
            value.and_then(|value| number(value, most))
        };
        Self::new(
            algorithm,
            version,
            parameter(memory, "m=", MAX_MEMORY)?,
            parameter(time, "t=", MAX_TIME)?,
            parameter(lanes, "p=", MAX_LANES)?,
            base64(salt)?,
            base64(digest)?,
        )
    }

    pub(crate) fn new(
        algorithm: &str,
        version: &str,
        memory: u32,
        time: u32,
        lanes: u32,
        salt: Vec<u8>,
        digest: Vec<u8>,
    ) -> Result<Self, Unreadable> {
        let beyond = |value: u32, most: u64| u64::from(value) > most;
        if beyond(memory, MAX_MEMORY) || beyond(time, MAX_TIME) || beyond(lanes, MAX_LANES) {
            return Err(Unreadable::Absurd);
        }
        let digest = bounded(digest, 4, MAX_DIGEST)?;
        Ok(Self {
            algorithm: match algorithm {
                "d" => Algorithm::Argon2d,
                "i" => Algorithm::Argon2i,
                "id" => Algorithm::Argon2id,
                _ => return Err(Unreadable::Malformed),
            },
            version: match version {
                "16" | "1.0" => Version::V0x10,
                "19" | "1.3" => Version::V0x13,
                _ => return Err(Unreadable::Unknown),
            },
            params: Params::new(memory, time, lanes, Some(digest.len())).map_err(|_| Unreadable::Malformed)?,
            salt: bounded(salt, argon2::MIN_SALT_LEN, MAX_SALT)?,
            digest,
        })
    }

    pub(crate) fn is_of(&self, password: &[u8]) -> Result<bool, Unreadable> {
        let mut computed = vec![0; self.digest.len()];
        let argon2 = argon2::Argon2::new(self.algorithm, self.version, self.params.clone());
        let done = argon2.hash_password_into(password, &self.salt, &mut computed);
        done.map_err(|_| Unreadable::Malformed)?;
        Ok(same(&computed, &self.digest))
    }
}
