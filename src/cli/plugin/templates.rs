//! What `plugin new` writes: the folders of `plugins/templates`, and `plugins/memory`, under another name.

/// Where a source can be written.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum Language {
    Go,
    Node,
    Python,
    /// Compiled in.
    Rust,
}

macro_rules! files {
    ($folder:literal: $($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("../../../plugins/", $folder, "/", $path)))),*]
    };
}

type Files = &'static [(&'static str, &'static str)];

const GO: Files = files!(
    "templates/go": "README.md", "people.go", "people.toml", "plugin.go", "plugin_test.go"
);
const NODE: Files = files!(
    "templates/node": "README.md", "package.json", "people.js", "people.toml", "plugin.js", "plugin.test.js"
);
const PYTHON: Files = files!(
    "templates/python": "README.md", "people.py", "people.toml", "plugin.py", "requirements.txt", "test_plugin.py"
);
const RUST: Files = files!(
    "memory": "Cargo.toml", "README.md", "src/config.rs", "src/config_tests.rs", "src/control.rs", "src/lib.rs",
    "src/map.rs", "src/person.rs", "src/source.rs", "tests/behaviour.rs", "tests/behaviour/subject.rs"
);
/// The contract, for those who aren't built with it.
const PROTO: Files = &[(
    "proto/idbridge/v1/identity.proto",
    include_str!("../../../proto/idbridge/v1/identity.proto"),
)];

/// Paths in the new folder, and what stands there.
pub(super) fn files(name: &str, lang: Language) -> impl Iterator<Item = (&'static str, String)> {
    let (templates, contract) = match lang {
        Language::Go => (GO, PROTO),
        Language::Node => (NODE, PROTO),
        Language::Python => (PYTHON, PROTO),
        Language::Rust => (RUST, &[][..]),
    };
    let (title, name) = (title(name), name.to_owned());
    templates.iter().chain(contract).map(move |(path, text)| {
        let text = match lang {
            Language::Go | Language::Node | Language::Python => text.replace("__NAME__", &name),
            Language::Rust => text.replace("Memory", &title).replace("memory", &name),
        };
        (*path, text)
    })
}

/// `ac_me` as a type's name: `AcMe`.
pub(super) fn title(name: &str) -> String {
    let words = name.split('_').map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    });
    words.collect()
}
