//! The binary, run as people run it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn idbridge(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_idbridge"))
        .args(arguments)
        .env_clear()
        .envs(environment.iter().copied())
        .current_dir(project())
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs")
}

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

/// Calls this with each file of `tests/config`, its path as text and the variables that it lists.
fn each_broken_file(mut check: impl FnMut(&str, &[(&str, &str)])) {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(project().join("tests/config"))
        .expect("the folder of broken files")
        .map(|entry| entry.expect("a file").path())
        .collect();
    paths.sort();
    for path in paths {
        let content = std::fs::read_to_string(&path).expect("text");
        let said = content.lines().filter_map(|line| line.strip_prefix("# env: "));
        let environment: Vec<_> = said.filter_map(|pair| pair.split_once('=')).collect();
        check(path.to_str().expect("a readable path"), &environment);
    }
}

#[test]
fn check_and_serve_refuse_the_same_settings_in_the_same_words() {
    each_broken_file(|path, environment| {
        let check = idbridge(&["check", "--config", path], environment);
        let serve = idbridge(&["serve", "--config", path], environment);
        assert_eq!(check.status.code(), Some(2), "{path}");
        assert_eq!(serve.status.code(), Some(2), "{path}");
        assert!(text(&serve.stderr).contains(text(&check.stdout)), "{path}");
        for printed in [&check.stdout, &check.stderr, &serve.stdout, &serve.stderr] {
            assert!(!text(printed).contains("hunter2canary"), "{path}");
        }
    });
}

#[test]
fn check_fits_into_scripts() {
    each_broken_file(|path, environment| {
        let check = idbridge(&["check", "--config", path, "--json"], environment);
        assert_eq!(check.status.code(), Some(2), "{path}");
        let answer: serde_json::Value = serde_json::from_slice(&check.stdout).expect("JSON");
        assert_eq!(answer["ok"], false, "{path}");
        let mistakes = answer["mistakes"].as_array().expect("a list");
        assert!(!mistakes.is_empty(), "{path}");
        for mistake in mistakes {
            let keys: Vec<_> = mistake.as_object().expect("an object").keys().collect();
            assert_eq!(keys, ["file", "key", "line", "problem", "variable"], "{path}");
        }
    });
    let fine = idbridge(
        &["check", "--config", "examples/okta.toml", "--no-secrets", "--json"],
        &[],
    );
    assert_eq!(fine.status.code(), Some(0));
    assert_eq!(text(&fine.stdout).trim_end(), r#"{"ok":true,"mistakes":[]}"#);
}

#[test]
fn a_new_key_is_another_every_time() {
    let new = || {
        let made = idbridge(&["key", "new", "auth0", "--json"], &[]);
        assert_eq!(made.status.code(), Some(0));
        serde_json::from_slice::<serde_json::Value>(&made.stdout).expect("JSON")
    };
    let (one, other) = (new(), new());
    assert_ne!(one["key"], other["key"]);
    assert_ne!(one["key_sha256"], other["key_sha256"]);
    let bad = idbridge(&["key", "new", "Auth0"], &[]);
    assert_eq!((bad.status.code(), text(&bad.stdout)), (Some(2), ""));
}

#[test]
fn a_reader_that_went_away_is_no_failure() {
    for arguments in [&["--help"][..], &["completions", "bash"], &["key", "new", "auth0"]] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let run = Command::new(env!("CARGO_BIN_EXE_idbridge"))
            .args(arguments)
            .stdout(writer)
            .stderr(Stdio::piped())
            .spawn()
            .and_then(std::process::Child::wait_with_output)
            .expect("the binary runs");
        assert_eq!((run.status.code(), text(&run.stderr)), (Some(0), ""), "{arguments:?}");
    }
}
