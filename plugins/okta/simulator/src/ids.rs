//! Identifiers that look like Okta's. They come from a counter: two runs of a test mint the same ones.

const ALPHABET: &[u8; 62] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// The next identifier: `prefix`, then letters and digits up to `length` in all.
pub(crate) fn mint(counter: &mut u64, prefix: &str, length: usize) -> String {
    *counter = counter.wrapping_add(1);
    spread(prefix, *counter, length)
}

/// The 20-character identifier of what `name` names; the same name gives the same one.
pub(crate) fn of(prefix: &str, name: &str) -> String {
    // FNV-1a: no need for more than "different names differ".
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    spread(prefix, hash, 20)
}

/// A 20-character text with the prefix `00u`, which Okta takes for a user's id.
pub(crate) fn is_user_id(text: &str) -> bool {
    text.len() == 20 && text.starts_with("00u") && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn spread(prefix: &str, seed: u64, length: usize) -> String {
    let mut state = seed;
    let mut text = String::from(prefix);
    while text.len() < length {
        // splitmix64
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let letter = ALPHABET
            .get(((mixed ^ (mixed >> 31)) % 62) as usize)
            .copied()
            .unwrap_or(b'0');
        text.push(char::from(letter));
    }
    text
}
