//! The binary, run as people run it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use idbridge_okta_simulator::Simulator;

use super::settings;

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

/// Each command against an org, with what its exit code and its first words must be.
#[tokio::test]
async fn try_and_doctor_tell_yes_no_and_could_not_find_out_apart() {
    let okta = Simulator::start(super::chain::org()).await.expect("the org starts");
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, over: &str| {
        let mut table = settings::broker(&okta.url());
        settings::merge(&mut table, &settings::parse(over));
        super::chain::write(&folder, name, &table)
            .to_str()
            .expect("a path")
            .to_owned()
    };
    let fine = file("fine", "");
    let token = file("token", "sources = { okta = { settings = { api_token = \"wrong\" } } }");
    let canary = file(
        "canary",
        "sources = { okta = { settings = { canary = \"nobody@example.com\" } } }",
    );
    let gone = file(
        "gone",
        "sources = { okta = { settings = { org_url = \"http://127.0.0.1:1\" } } }",
    );
    for (arguments, code, begins) in [
        (["doctor", "--json", "--config", &fine].to_vec(), 0, r#"{"ok":true,"#),
        (["doctor", "--config", &fine].to_vec(), 0, "okta: engine: fine;"),
        (["doctor", "--config", &token].to_vec(), 1, "okta: engine: fine;"),
        (["doctor", "--config", &canary].to_vec(), 1, "okta: engine: fine;"),
        (
            ["doctor", "--config", &gone].to_vec(),
            1,
            "okta: engine: failed; unavailable",
        ),
        (
            ["try", "get-user", "ada@example.com", "--json", "--config", &fine].to_vec(),
            0,
            r#"{"outcome":"found","#,
        ),
        (
            ["try", "get-user", "nobody@example.com", "--json", "--config", &fine].to_vec(),
            1,
            r#"{"outcome":"not_found"}"#,
        ),
        (
            ["try", "get-user", "sam@example.com", "--config", &fine].to_vec(),
            1,
            "no: account_disabled",
        ),
        (
            ["try", "get-user", "ada", "--config", &fine].to_vec(),
            2,
            "could not find out: invalid_identifier",
        ),
        (
            ["try", "get-user", "twins@example.com", "--config", &fine].to_vec(),
            3,
            "could not find out: ambiguous_user",
        ),
        (
            ["try", "get-user", "ada@example.com", "--config", &gone].to_vec(),
            3,
            "could not find out: source_unavailable",
        ),
    ] {
        let (words, shown) = (
            arguments.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>(),
            arguments.join(" "),
        );
        let ran =
            tokio::task::spawn_blocking(move || idbridge(&words.iter().map(String::as_str).collect::<Vec<_>>(), &[]));
        let ran = ran.await.expect("no panic");
        let said = text(&ran.stdout);
        assert_eq!(
            (ran.status.code(), said.starts_with(begins)),
            (Some(code), true),
            "{shown}: {said}"
        );
    }
    okta.shutdown().await;
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
