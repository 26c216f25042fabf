//! `plugin new`: a folder with a source that works, and its test.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::templates::{self, Language};
use crate::cli::{Exit, output};
use crate::config::is_name;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  idbridge plugin new acme --lang python\n  \
                        idbridge plugin new acme --lang rust --out plugins/acme\n\n\
                        go, node, python: a program of its own, asked over gRPC with kind = \"grpc\". rust: a crate of this \
                        project, compiled in, in the shape of plugins/memory.")]
pub(crate) struct NewArgs {
    /// The source's name: lower-case letters, digits and single underscores, a letter first
    #[arg(value_parser = parse_name)]
    name: String,
    /// In which language
    #[arg(long, value_name = "LANGUAGE")]
    lang: Language,
    /// The folder, which is made. Default: the name
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn new(args: &NewArgs) -> Exit {
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from(&args.name));
    match write(&args.name, args.lang, &out) {
        Ok(written) if args.json => {
            output::json(&serde_json::json!({ "files": written }));
            Exit::Fine
        }
        Ok(written) => {
            written
                .iter()
                .for_each(|path| output::line(&path.display().to_string()));
            output::line(&next_steps(&args.name, args.lang, &out));
            Exit::Fine
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            output::error(&format!("{}: is there already; name another folder", out.display()));
            Exit::Usage
        }
        Err(error) => {
            output::error(&format!("{}: can't be written: {error}", out.display()));
            Exit::Unknown
        }
    }
}

fn parse_name(text: &str) -> Result<String, &'static str> {
    if is_name(text) {
        Ok(text.to_owned())
    } else {
        Err("lower-case letters, digits and single underscores are wanted, a letter first, 32 at the most")
    }
}

fn write(name: &str, lang: Language, out: &Path) -> io::Result<Vec<PathBuf>> {
    if let Some(parent) = out.parent() {
        fs::create_dir_all(parent)?;
    }
    // Somebody's folder is nobody else's to write into.
    fs::create_dir(out)?;
    let mut written = Vec::new();
    for (path, text) in templates::files(name, lang) {
        let path = out.join(path);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(&path, text)?;
        written.push(path);
    }
    Ok(written)
}

fn next_steps(name: &str, lang: Language, out: &Path) -> String {
    match lang {
        Language::Go | Language::Node | Language::Python => {
            let readme = out.join("README.md");
            format!("\nNext: {}, from the top.", readme.display())
        }
        Language::Rust => format!(
            "\nNext, in the project's folder, where lists are alphabetical:\n  \
             Cargo.toml             to `members`: \"{out}\"\n                         \
             to [workspace.dependencies]: idbridge-{name} = {{ path = \"{out}\" }}\n                         \
             to [features]: {name} = [\"dep:idbridge-{name}\"]\n                         \
             to [dependencies]: idbridge-{name} = {{ workspace = true, optional = true }}\n                         \
             to [dev-dependencies], to the features of `idbridge`: \"{name}\"\n  \
             src/sources.rs         to `kinds!`: \"{name}\": idbridge_{name}::{title},\n  \
             src/sources/tests.rs   to the kinds that there are: \"{name}\"\n  \
             tests/architecture.rs  to CRATES: (\"{out}\", &[\"idbridge-source\"]),\n                         \
             to NAMES_PLUGINS: (\"src/sources.rs\", \"idbridge_{name}\"),\n  \
             cargo fmt\n  \
             cargo test -p idbridge-{name}\n  \
             cargo test --test promises architecture\n  \
             cargo run --features {name} -- check --config FILE\n  \
             plugins/README.md says what comes then.",
            out = out.display(),
            title = templates::title(name),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_names_the_source_and_nothing_is_left_open() {
        for lang in [Language::Go, Language::Node, Language::Python, Language::Rust] {
            let dir = tempfile::tempdir().expect("a folder");
            let out = dir.path().join("plugins/ac_me_");
            let written = write("ac_me_", lang, &out).expect("written");
            assert!(written.iter().any(|path| path.ends_with("README.md")), "{written:?}");
            for path in &written {
                let text = fs::read_to_string(path).expect("a file");
                assert!(!text.contains("__NAME__"), "{}", path.display());
                let is_rust = lang == Language::Rust;
                assert!(
                    !is_rust || !text.to_lowercase().contains("memory"),
                    "{}",
                    path.display()
                );
            }
            let again = write("ac_me_", lang, &out).expect_err("it is there");
            assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
        }
    }

    /// A file that is added to the source to copy is copied.
    #[test]
    fn the_crate_to_copy_is_copied_whole() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins/memory");
        let mut found = Vec::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    found.push(path.strip_prefix(&root).expect("below").to_owned());
                }
            }
        }
        found.sort();
        let mut copied: Vec<PathBuf> = templates::files("acme", Language::Rust)
            .map(|(path, _)| PathBuf::from(path))
            .collect();
        copied.sort();
        assert_eq!(copied, found);
    }
}
