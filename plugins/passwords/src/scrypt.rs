//! scrypt, as Django, Werkzeug and passlib write it.

use scrypt::Params;

use crate::encoding::{adapted_base64, base64, hex};
use crate::{MAX_DIGEST, MAX_SALT, Unreadable, bounded, number, same};

/// N = 2^17 with r = 8 takes 128 MiB, for as long as the check lasts.
const MAX_LOG_N: u32 = 17;
const MAX_R: u64 = 8;
const MAX_P: u64 = 10;

#[derive(Clone)]
pub(crate) struct Scrypt {
    params: Params,
    salt: Vec<u8>,
    digest: Vec<u8>,
}

impl Scrypt {
    /// `scrypt$N$salt$r$p$digest`, the salt as text.
    pub(crate) fn django(rest: &str) -> Result<Self, Unreadable> {
        let parts: Vec<&str> = rest.split('$').collect();
        let [n, salt, r, p, digest] = parts[..] else {
            return Err(Unreadable::Malformed);
        };
        Self::new(log_n(n)?, r, p, salt.as_bytes().to_vec(), base64(digest)?)
    }

    /// `scrypt:N:r:p$salt$digest`, the salt as text and the digest in hex.
    pub(crate) fn werkzeug(rest: &str) -> Result<Self, Unreadable> {
        let parts: Vec<&str> = rest.split('$').collect();
        let [parameters, salt, digest] = parts[..] else {
            return Err(Unreadable::Malformed);
        };
        let parameters: Vec<&str> = parameters.split(':').collect();
        let [n, r, p] = parameters[..] else {
            return Err(Unreadable::Malformed);
        };
        Self::new(log_n(n)?, r, p, salt.as_bytes().to_vec(), hex(digest)?)
    }

    /// `$scrypt$ln=16,r=8,p=1$salt$digest`.
    pub(crate) fn passlib(rest: &str) -> Result<Self, Unreadable> {
        let parts: Vec<&str> = rest.split('$').collect();
        let [parameters, salt, digest] = parts[..] else {
            return Err(Unreadable::Malformed);
        };
        let parameters: Vec<&str> = parameters.split(',').collect();
        let [n, r, p] = parameters[..] else {
            return Err(Unreadable::Malformed);
        };
        let parameter = |text: &'static str, from: &str| from.strip_prefix(text).map(str::to_owned);
        let named = parameter("ln=", n).zip(parameter("r=", r)).zip(parameter("p=", p));
        let ((n, r), p) = named.ok_or(Unreadable::Malformed)?;
        let log_n = number(&n, u64::from(MAX_LOG_N))?;
        Self::new(log_n, &r, &p, adapted_base64(salt)?, adapted_base64(digest)?)
    }

    fn new(log_n: u32, r: &str, p: &str, salt: Vec<u8>, digest: Vec<u8>) -> Result<Self, Unreadable> {
        let (r, p) = (number(r, MAX_R)?, number(p, MAX_P)?);
        let log_n = u8::try_from(log_n).map_err(|_| Unreadable::Absurd)?;
        Ok(Self {
            params: Params::new(log_n, r, p).map_err(|_| Unreadable::Malformed)?,
            salt: bounded(salt, 0, MAX_SALT)?,
            digest: bounded(digest, 16, MAX_DIGEST)?,
        })
    }

    pub(crate) fn is_of(&self, password: &[u8]) -> Result<bool, Unreadable> {
        let mut computed = vec![0; self.digest.len()];
        scrypt::scrypt(password, &self.salt, &self.params, &mut computed).map_err(|_| Unreadable::Malformed)?;
        Ok(same(&computed, &self.digest))
    }
}

fn log_n(text: &str) -> Result<u32, Unreadable> {
    let n = number(text, 1 << MAX_LOG_N)?;
    if n.is_power_of_two() && n > 1 {
        Ok(n.ilog2())
    } else {
        Err(Unreadable::Malformed)
    }
}
