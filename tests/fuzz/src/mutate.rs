//! Bytes out of bytes, the same ones each time.

/// What readers of text and of messages trip over.
const WORDS: [&[u8]; 24] = [
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b"\\",
    b"\\u",
    b"\\ud800",
    b":",
    b",",
    b"null",
    b"-1",
    b"1e999",
    b"\0",
    b"\n",
    b"\xef\xbb\xbf",
    b"\xff",
    b"\xe2\x80\x8b",
    b"{{",
    b"}}",
    b"{%",
    b"$",
    b"/",
    b"99999999999999999999",
];

/// No reader is given more.
const LONGEST: usize = 16 * 1024;

/// Numbers that look like chance (Marsaglia's xorshift), from a seed.
#[derive(Debug)]
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed.max(1))
    }

    /// Below this bound, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap_or(0) % bound.max(1)
    }

    /// One of the seeds, with one to eight changes.
    pub fn changed(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut data = seeds[self.below(seeds.len())].clone();
        for _ in 0..=self.below(8) {
            self.change(&mut data, seeds);
            data.truncate(LONGEST);
        }
        data
    }

    fn change(&mut self, data: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let at = self.below(data.len() + 1);
        let end = at + self.below(data.len() - at + 1).min(64);
        match self.below(8) {
            0 if at < data.len() => data[at] ^= 1 << self.below(8),
            1 if at < data.len() => data[at] = u8::try_from(self.below(256)).unwrap_or(0),
            2 => drop(data.drain(at..end)),
            3 => data.truncate(at),
            4 => insert(data, at, WORDS[self.below(WORDS.len())]),
            5 => {
                let times = 1 << self.below(8);
                let part = data[at..end].repeat(times);
                insert(data, at, &part);
            }
            6 => {
                let other = &seeds[self.below(seeds.len())];
                let from = self.below(other.len() + 1);
                data.truncate(at);
                data.extend_from_slice(&other[from..]);
            }
            _ => {
                let word = WORDS[self.below(WORDS.len())];
                let times = self.below(300);
                insert(data, at, &word.repeat(times));
            }
        }
    }
}

fn insert(data: &mut Vec<u8>, at: usize, part: &[u8]) {
    drop(data.splice(at..at, part.iter().copied()));
}
