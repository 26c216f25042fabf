//! The several alphabets in which hashes are written.

use crate::Unreadable;

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// passlib's: RFC 4648's with a dot for the plus, and no padding.
const ADAPTED: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./";
const BCRYPT: &[u8; 64] = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// crypt(3)'s and phpass's.
const CRYPT: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// RFC 4648 §4, with or without its padding.
pub(crate) fn base64(text: &str) -> Result<Vec<u8>, Unreadable> {
    let bare = text.trim_end_matches('=');
    let padded = text.len() != bare.len();
    if padded && (!text.len().is_multiple_of(4) || text.len() - bare.len() > 2) {
        return Err(Unreadable::Malformed);
    }
    decode(STANDARD, bare)
}

/// passlib writes a dot; others of the same layout write a plus.
pub(crate) fn adapted_base64(text: &str) -> Result<Vec<u8>, Unreadable> {
    decode(ADAPTED, &text.replace('+', "."))
}

/// A byte's rest of bits isn't looked at: libraries leave them as they come.
pub(crate) fn bcrypt_base64(text: &str) -> Result<Vec<u8>, Unreadable> {
    decode(BCRYPT, text)
}

pub(crate) fn hex(text: &str) -> Result<Vec<u8>, Unreadable> {
    let nibble = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(nibble(*high)? << 4 | nibble(*low)?),
        _ => None,
    };
    let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).map(pair).collect();
    bytes.ok_or(Unreadable::Malformed)
}

pub(crate) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// With padding, as hashes of hashes are made.
pub(crate) fn to_base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let index = (word >> (18 - 6 * place)) & 0x3f;
            text.push(if place <= chunk.len() {
                char::from(STANDARD[index as usize])
            } else {
                '='
            });
        }
    }
    text
}

/// crypt(3)'s: the lowest six bits of each three bytes come first.
pub(crate) fn to_crypt_base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk
            .iter()
            .rev()
            .fold(0_u32, |word, byte| word << 8 | u32::from(*byte));
        for place in 0..=chunk.len() {
            let index = (word >> (6 * place)) & 0x3f;
            text.push(char::from(CRYPT[index as usize]));
        }
    }
    text
}

/// What a letter of crypt(3)'s alphabet counts.
pub(crate) fn crypt_digit(letter: u8) -> Option<u32> {
    let at = CRYPT.iter().position(|known| *known == letter)?;
    u32::try_from(at).ok()
}

pub(crate) fn is_crypt_text(text: &str) -> bool {
    text.bytes().all(|byte| CRYPT.contains(&byte))
}

fn decode(alphabet: &[u8; 64], text: &str) -> Result<Vec<u8>, Unreadable> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    for chunk in text.as_bytes().chunks(4) {
        if chunk.len() == 1 {
            return Err(Unreadable::Malformed);
        }
        let mut word = 0_u32;
        for letter in chunk {
            let digit = alphabet
                .iter()
                .position(|known| known == letter)
                .ok_or(Unreadable::Malformed)?;
            word = word << 6 | u32::try_from(digit).map_err(|_| Unreadable::Malformed)?;
        }
        word <<= 6 * (4 - chunk.len());
        bytes.extend_from_slice(&word.to_be_bytes()[1..chunk.len()]);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4648 §10.
    #[test]
    fn base64_is_the_rfcs() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(to_base64(bytes.as_bytes()), text);
            assert_eq!(base64(text).expect("good"), bytes.as_bytes());
            assert_eq!(base64(text.trim_end_matches('=')).expect("good"), bytes.as_bytes());
        }
        for bad in ["Z", "Zg=", "Zg===", "Zm9v====", "Zm 9v", "Zm9\u{e9}", "="] {
            assert_eq!(base64(bad), Err(Unreadable::Malformed), "{bad}");
        }
    }

    #[test]
    fn hex_has_two_digits_a_byte() {
        assert_eq!(hex("00fFa0").expect("good"), [0, 255, 160]);
        assert_eq!(to_hex(&[0, 255, 160]), "00ffa0");
        for bad in ["0", "0g", "+1", "\u{e9}"] {
            assert_eq!(hex(bad), Err(Unreadable::Malformed), "{bad}");
        }
    }
}
