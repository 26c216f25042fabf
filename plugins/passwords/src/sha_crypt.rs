//! crypt(3)'s `$5$` and `$6$`: Ulrich Drepper, "Unix crypt using SHA-256 and SHA-512", the steps numbered as there.

use aws_lc_rs::digest::{Algorithm, Context, Digest, SHA256, SHA512};
use zeroize::Zeroizing;

use crate::encoding::{is_crypt_text, to_crypt_base64};
use crate::{Unreadable, number, same};

const MAX_ROUNDS: u64 = 1_000_000;

#[derive(Clone)]
pub(crate) struct ShaCrypt {
    algorithm: &'static Algorithm,
    rounds: u32,
    salt: String,
    digest: String,
}

impl ShaCrypt {
    /// `$6$salt$digest`, `$6$rounds=5000$salt$digest`.
    pub(crate) fn crypt(mark: &str, rest: &str) -> Result<Self, Unreadable> {
        let (rounds, rest) = match rest.strip_prefix("rounds=").map(|rest| rest.split_once('$')) {
            None => (5000, rest),
            Some(parts) => {
                let (rounds, rest) = parts.ok_or(Unreadable::Malformed)?;
                (number(rounds, MAX_ROUNDS)?, rest)
            }
        };
        let (salt, digest) = rest.split_once('$').ok_or(Unreadable::Malformed)?;
        let (algorithm, length) = if mark == "$5$" { (&SHA256, 43) } else { (&SHA512, 86) };
        let fits = rounds >= 1000 && salt.len() <= 16 && digest.len() == length && is_crypt_text(digest);
        if !fits {
            return Err(Unreadable::Malformed);
        }
        let (salt, digest) = (salt.to_owned(), digest.to_owned());
        Ok(Self {
            algorithm,
            rounds,
            salt,
            digest,
        })
    }

    pub(crate) fn is_of(&self, password: &[u8]) -> bool {
        let computed = to_crypt_base64(&order(self.compute(password).as_ref()));
        same(computed.as_bytes(), self.digest.as_bytes())
    }

    fn compute(&self, password: &[u8]) -> Digest {
        let salt = self.salt.as_bytes();
        let length = self.algorithm.output_len();
        // 4 to 8
        let other = self.digest_of(&[password, salt, password]);
        // 1 to 3, 9 to 12
        let mut first = Context::new(self.algorithm);
        first.update(password);
        first.update(salt);
        (0..password.len() / length).for_each(|_| first.update(other.as_ref()));
        first.update(&other.as_ref()[..password.len() % length]);
        let mut bits = password.len();
        while bits > 0 {
            first.update(if bits & 1 == 1 { other.as_ref() } else { password });
            bits >>= 1;
        }
        let mut digest = first.finish();
        // 13 to 16
        let mut of_password = Context::new(self.algorithm);
        (0..password.len()).for_each(|_| of_password.update(password));
        let p = Zeroizing::new(stretch(of_password.finish().as_ref(), password.len()));
        // 17 to 20
        let mut of_salt = Context::new(self.algorithm);
        (0..16 + usize::from(digest.as_ref()[0])).for_each(|_| of_salt.update(salt));
        let s = stretch(of_salt.finish().as_ref(), salt.len());
        // 21
        for round in 0..self.rounds {
            let mut context = Context::new(self.algorithm);
            let odd = round % 2 == 1;
            context.update(if odd { &p } else { digest.as_ref() });
            if round % 3 != 0 {
                context.update(&s);
            }
            if round % 7 != 0 {
                context.update(&p);
            }
            context.update(if odd { digest.as_ref() } else { &p });
            digest = context.finish();
        }
        digest
    }

    fn digest_of(&self, parts: &[&[u8]]) -> Digest {
        let mut context = Context::new(self.algorithm);
        parts.iter().for_each(|part| context.update(part));
        context.finish()
    }
}

fn stretch(bytes: &[u8], length: usize) -> Vec<u8> {
    bytes.iter().copied().cycle().take(length).collect()
}

/// 22: the bytes in the order in which they are written, each three the lowest first.
fn order(digest: &[u8]) -> Vec<u8> {
    let third = digest.len() / 3;
    let (mut a, mut b, mut c) = (0, third, 2 * third);
    let mut bytes = Vec::with_capacity(digest.len());
    for _ in 0..third {
        bytes.extend([digest[c], digest[b], digest[a]]);
        (a, b, c) = if digest.len() == 32 {
            (c + 1, a + 1, b + 1)
        } else {
            (b + 1, c + 1, a + 1)
        };
    }
    bytes.extend_from_slice(&digest[3 * third..]);
    bytes
}
