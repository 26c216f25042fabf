//! What reads bytes of others, one function a reader, and inputs to begin with.
//!
//! `tests/harness.rs` changes the inputs with the stable compiler, the same way each time. `fuzz/` at the project's root
//! gives the same functions to libFuzzer (`cargo fuzz`), which finds its way by what the code does.

pub mod mutate;
mod readers;
mod seeds;

/// One reader.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, and that of its program in `fuzz/`.
    pub name: &'static str,
    /// Panics if the reader does, or if it makes of the bytes what it may not.
    pub read: fn(&[u8]),
    pub seeds: fn() -> Vec<Vec<u8>>,
}

macro_rules! targets {
    ($($name:ident),* $(,)?) => {
        pub const TARGETS: &[Target] = &[$(
            Target { name: stringify!($name), read: readers::$name, seeds: seeds::$name },
        )*];

        $(
            /// The reader of this name.
            pub fn $name(data: &[u8]) {
                readers::$name(data);
            }
        )*
    };
}

targets! {
    grpc_frames,
    hashes,
    http_conditions,
    http_templates,
    identifiers,
    okta_answers,
    plugin_answers,
    rest_bodies,
    settings,
}
