//! Invariants of the code as a whole, read from manifests and `use` lines: who may name whom, and what every file keeps.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use toml::Table;

/// Files of more than 400 lines, and why.
const LONG: [(&str, &str); 0] = [];

/// Which of our crates a crate may depend on.
const CRATES: &[(&str, &[&str])] = &[
    ("plugins/grpc", &["idbridge-outbound", "idbridge-source"]),
    ("plugins/http", &["idbridge-outbound", "idbridge-source"]),
    ("plugins/memory", &["idbridge-source"]),
    ("plugins/okta", &["idbridge-outbound", "idbridge-source"]),
    ("plugins/okta/simulator", &[]),
    ("plugins/outbound", &["idbridge-source"]),
    ("plugins/passwords", &[]),
    ("plugins/sdk", &[]),
    ("plugins/sql", &["idbridge-passwords", "idbridge-source"]),
    ("plugins/testkit", &["idbridge-source"]),
];

/// What every crate may use for its tests.
const FOR_TESTS: [&str; 4] = [
    "idbridge-memory",
    "idbridge-okta-simulator",
    "idbridge-source",
    "idbridge-testkit",
];

/// Who alone may name a crate of a plugin.
const NAMES_PLUGINS: &[(&str, &str)] = &[
    ("src/sources.rs", "idbridge_grpc"),
    ("src/sources.rs", "idbridge_http"),
    ("src/sources.rs", "idbridge_memory"),
    ("src/sources.rs", "idbridge_okta"),
    ("src/sources.rs", "idbridge_sql"),
    ("src/cli/demo.rs", "idbridge_okta_simulator"),
];

pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(super) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file with this extension that is ours, by its path from the root.
pub(super) fn files(folder: &str, extension: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path: PathBuf = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            if path.is_dir() {
                if !name.starts_with('.') && name != "node_modules" && name != "target" {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|kind| kind == extension) {
                let path = path.strip_prefix(root()).expect("below the root");
                found.push(path.to_str().expect("text").to_owned());
            }
        }
    }
    found.sort();
    found
}

/// The code of a file: no comments.
fn code(path: &str) -> String {
    let text = read(path);
    let lines = text
        .lines()
        .map(|line| line.split_once("//").map_or(line, |(code, _)| code));
    lines.collect::<Vec<_>>().join("\n")
}

/// Whether code names this crate or module: `name::…`, or `use name;`.
fn names(code: &str, name: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(name).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = &code[at + name.len()..];
        let imported = code[..at].ends_with("use ") || code[..at].ends_with("crate::");
        !before.is_some_and(is_word) && (after.starts_with("::") || imported && !after.starts_with(is_word))
    })
}

fn without(paths: &[&str], unwanted: &[&str], except: &[&str]) {
    let mut found = Vec::new();
    let all = files("src", "rs");
    let chosen = all
        .iter()
        .filter(|file| paths.iter().any(|path| file.starts_with(path)));
    let mut count = 0;
    for file in chosen.filter(|file| !except.contains(&file.as_str())) {
        count += 1;
        let code = code(file);
        found.extend(
            unwanted
                .iter()
                .filter(|name| names(&code, name))
                .map(|name| format!("{file} names {name}")),
        );
    }
    assert!(count > 0, "no file in {paths:?}");
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn names_are_found() {
    let code = "use tonic::Status;\nlet x = pb::User {};\nuse crate::directory;\nfn axum_like() {}\nmy_tonic_x::y();";
    assert!(names(code, "tonic") && names(code, "pb") && names(code, "directory"));
    assert!(!names(code, "axum") && !names(code, "tonic_x") && !names(code, "x"));
}

#[test]
fn policy_knows_no_transport() {
    without(
        &["src/directory", "src/sources"],
        &["tonic", "axum", "pb", "hyper", "http"],
        &[],
    );
    without(&["src/directory", "src/sources"], &["grpc", "rest", "server"], &[]);
}

/// `main → cli → app → {server → grpc | rest} → directory`: nobody names who stands before.
#[test]
fn nobody_names_who_stands_before() {
    without(&["src/grpc"], &["app", "cli", "config", "rest", "server"], &[]);
    without(&["src/server"], &["app", "cli", "config", "rest"], &[]);
    without(&["src/app"], &["cli"], &[]);
}

#[test]
fn the_gateway_is_a_client() {
    without(&["src/rest"], &["directory", "sources", "server", "app", "config"], &[]);
}

#[test]
fn only_the_registry_names_a_plugin() {
    let mut wanted: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for &(file, plugin) in NAMES_PLUGINS {
        wanted.entry(plugin).or_default().insert(file);
    }
    for (plugin, wanted) in wanted {
        let sources = files("src", "rs");
        let found: BTreeSet<&str> = sources
            .iter()
            .filter(|file| names(&code(file), plugin))
            .map(String::as_str)
            .collect();
        assert_eq!(found, wanted, "who names {plugin}");
    }
    // Auth0's Management API is no source, and the doctor asks it as carefully as a source would.
    without(
        &["src"],
        &["reqwest", "idbridge_outbound"],
        &["src/cli/doctor/auth0/tenant.rs"],
    );
}

#[test]
fn crates_depend_as_they_may() {
    let manifests = files("plugins", "toml")
        .into_iter()
        .filter(|path| path.ends_with("Cargo.toml"));
    let folders: Vec<String> = manifests
        .map(|path| path.trim_end_matches("/Cargo.toml").to_owned())
        .collect();
    assert_eq!(
        folders,
        CRATES
            .iter()
            .map(|(folder, _)| (*folder).to_owned())
            .collect::<Vec<_>>(),
        "a crate that nobody thought of"
    );
    for &(folder, may) in CRATES {
        let manifest: Table = read(&format!("{folder}/Cargo.toml")).parse().expect("a manifest");
        let ours = |section: &str| -> BTreeSet<String> {
            let section = manifest.get(section).and_then(|section| section.as_table());
            let names = section.into_iter().flat_map(|table| table.keys().cloned());
            names.filter(|name| name.starts_with("idbridge")).collect()
        };
        for name in ours("dependencies") {
            assert!(may.contains(&name.as_str()), "{folder} depends on {name}");
        }
        for name in ours("dev-dependencies") {
            let own = manifest["package"]["name"].as_str() == Some(&name);
            assert!(
                own || may.contains(&&*name) || FOR_TESTS.contains(&&*name),
                "{folder} tests with {name}"
            );
        }
        for name in ["axum", "prost", "reqwest", "tonic"] {
            let has = manifest["dependencies"].get(name).is_some();
            // Its messages are its upstream's wire format; no other library of gRPC's stands behind it.
            let is_its_own = (folder, name) == ("plugins/grpc", "prost");
            assert!(!has || is_its_own, "{folder} depends on {name}");
        }
    }
}

#[test]
fn the_environment_is_read_in_one_place() {
    let mut found = Vec::new();
    for file in files("src", "rs").into_iter().chain(files("plugins", "rs")) {
        let code = code(&file);
        let reads = [
            "env::var",
            "env::vars",
            "env::set_var",
            "env::temp_dir",
            "env::current_dir",
        ];
        if reads.iter().any(|read| code.contains(read)) && !file.contains("tests") {
            found.push(file);
        }
    }
    assert_eq!(found, ["src/main.rs"], "main hands it on; src/config reads it");
}

#[test]
fn files_are_short() {
    let all = ["src", "plugins", "tests"].map(|folder| files(folder, "rs")).concat();
    let long = all.iter().filter(|file| read(file).lines().count() > 400);
    let long: BTreeSet<&str> = long.map(String::as_str).collect();
    assert_eq!(
        long,
        LONG.iter().map(|(file, _)| *file).collect(),
        "split it, or say why not"
    );
}

/// The contract crate is read more often than it is changed: three lines in ten, at least, tell rather than do.
#[test]
fn the_contract_is_documentation() {
    let (mut told, mut lines) = (0, 0);
    for path in files("plugins/sdk/src", "rs")
        .iter()
        .filter(|path| !path.ends_with("_tests.rs"))
    {
        let text = read(path);
        let code = text.split("\n#[cfg(test)]").next().unwrap_or_default();
        let written = code.lines().map(str::trim).filter(|line| !line.is_empty());
        for line in written {
            lines += 1;
            told += usize::from(line.starts_with("///") || line.starts_with("//!"));
        }
    }
    assert!(told * 10 >= lines * 3, "{told} of {lines} lines");
}

#[test]
fn modules_lie_beside_their_folder() {
    let all = ["src", "plugins", "tests"].map(|folder| files(folder, "rs")).concat();
    let mods: Vec<&String> = all.iter().filter(|file| file.ends_with("/mod.rs")).collect();
    assert!(mods.is_empty(), "{mods:?}");
}

#[test]
fn no_test_is_left_out() {
    let all = ["src", "plugins", "tests"].map(|folder| files(folder, "rs")).concat();
    for file in all.iter().filter(|file| !file.ends_with("architecture.rs")) {
        let code = code(file);
        for mark in ["#[ignore", "#[allow(", "todo!(", "unimplemented!("] {
            assert!(!code.contains(mark), "{file} has {mark}");
        }
    }
    for file in files("tests", "mjs").into_iter().chain(files("tests", "js")) {
        let text = read(&file);
        for mark in [".skip(", ".only(", ".todo(", "skip: true"] {
            assert!(!text.contains(mark), "{file} has {mark}");
        }
    }
}

/// A path in backquotes that begins with a folder of ours must be there.
#[test]
fn paths_in_documents_exist() {
    let documents: Vec<String> = files(".", "md");
    assert!(documents.len() > 5, "{documents:?}");
    let folders = ["deploy/", "docs/", "examples/", "plugins/", "proto/", "src/", "tests/"];
    let mut missing = Vec::new();
    for document in &documents {
        let text = read(document);
        for quoted in text.split('`').skip(1).step_by(2) {
            let path = quoted.split([' ', '#', ':', '(']).next().unwrap_or("");
            let ours = folders.iter().any(|folder| path.starts_with(folder));
            // A name in capitals stands for any: `plugins/KIND`.
            let is_any = |part: &str| part.len() > 1 && part.bytes().all(|byte| byte.is_ascii_uppercase());
            let plain =
                path.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c)) && !path.split('/').any(is_any);
            let beside = Path::new(document).parent().expect("a folder").join(path);
            if ours && plain && !root().join(path).exists() && !root().join(beside).exists() {
                missing.push(format!("{document}: {path}"));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
