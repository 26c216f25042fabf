//! phpass's portable hashes: `$P$` (WordPress before 6.8), `$H$` (phpBB), and Drupal 7's `$S$`.

use aws_lc_rs::digest::{SHA512, digest};
use md5::{Digest as _, Md5};
use zeroize::Zeroizing;

use crate::encoding::{crypt_digit, is_crypt_text, to_crypt_base64};
use crate::{Unreadable, same};

/// 2^20 rounds, the same order as crypt(3)'s.
const MAX_LOG_ROUNDS: u32 = 20;

#[derive(Clone)]
pub(crate) struct Phpass {
    function: Function,
    log_rounds: u32,
    salt: String,
    digest: String,
}

#[derive(Clone, Copy)]
enum Function {
    Md5,
    Sha512,
}

impl Phpass {
    /// A letter for the rounds, eight for the salt, and the digest.
    pub(crate) fn read(mark: &str, rest: &str) -> Result<Self, Unreadable> {
        // Drupal cuts the whole to 55 letters.
        let (function, length) = if mark == "$S$" {
            (Function::Sha512, 43)
        } else {
            (Function::Md5, 22)
        };
        if rest.len() != 9 + length || !is_crypt_text(rest) {
            return Err(Unreadable::Malformed);
        }
        let (head, digest) = rest.split_at(9);
        let (rounds, salt) = head.split_at(1);
        let log_rounds = rounds
            .bytes()
            .next()
            .and_then(crypt_digit)
            .ok_or(Unreadable::Malformed)?;
        if log_rounds < 7 {
            return Err(Unreadable::Malformed); // phpass's own least
        }
        if log_rounds > MAX_LOG_ROUNDS {
            return Err(Unreadable::Absurd);
        }
        let (salt, digest) = (salt.to_owned(), digest.to_owned());
        Ok(Self {
            function,
            log_rounds,
            salt,
            digest,
        })
    }

    pub(crate) fn is_of(&self, password: &[u8]) -> bool {
        let mut state = self.step(self.salt.as_bytes(), password);
        for _ in 0..1_u32 << self.log_rounds {
            state = self.step(&state, password);
        }
        let computed = to_crypt_base64(&state);
        same(&computed.as_bytes()[..self.digest.len()], self.digest.as_bytes())
    }

    fn step(&self, before: &[u8], password: &[u8]) -> Vec<u8> {
        let text = Zeroizing::new([before, password].concat());
        match self.function {
            Function::Md5 => Md5::digest(&*text).to_vec(),
            Function::Sha512 => digest(&SHA512, &text).as_ref().to_vec(),
        }
    }
}
