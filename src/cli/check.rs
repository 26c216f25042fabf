//! `check`: the settings, without the network.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use idbridge_source::{Mistake, Origin, Registry, SecretFiles};
use serde::Serialize;

use super::{Environment, Exit, output};
use crate::config::{self, Allow, Caller, Config, Listen, Source};
use crate::directory::routing::Route;
use crate::sources::gate::Mode;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  idbridge check --config idbridge.toml\n  \
                        idbridge check --config idbridge.toml --no-secrets --json")]
pub(crate) struct Args {
    /// The settings file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Don't open the files that the settings name: secrets, certificates, keys
    #[arg(long)]
    no_secrets: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, environment: Environment) -> Exit {
    let (text, exit) = answer(args, environment, &crate::sources::registry());
    output::line(&text);
    exit
}

fn answer(args: &Args, environment: Environment, registry: &Registry) -> (String, Exit) {
    let secrets = if args.no_secrets {
        SecretFiles::Skip
    } else {
        SecretFiles::Read
    };
    let loaded = config::load(&args.config, environment, registry, secrets);
    let exit = if loaded.is_ok() { Exit::Fine } else { Exit::Usage };
    let text = match &loaded {
        _ if args.json => Report::new(loaded.as_ref().err().map_or(&[], Vec::as_slice)).to_json(),
        Ok(config) => summary(&args.config, config, secrets),
        Err(mistakes) => output::mistakes(mistakes),
    };
    (text, exit)
}

#[derive(Serialize)]
struct Report<'a> {
    ok: bool,
    mistakes: Vec<Reported<'a>>,
}

#[derive(Serialize)]
struct Reported<'a> {
    key: &'a str,
    file: Option<String>,
    line: Option<usize>,
    variable: Option<&'a str>,
    problem: &'a str,
}

impl<'a> Report<'a> {
    fn new(mistakes: &'a [Mistake]) -> Self {
        Self {
            ok: mistakes.is_empty(),
            mistakes: mistakes.iter().map(Reported::new).collect(),
        }
    }

    fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| r#"{"ok":false,"mistakes":[]}"#.to_owned())
    }
}

impl<'a> Reported<'a> {
    fn new(mistake: &'a Mistake) -> Self {
        let (file, line, variable) = match &mistake.origin {
            Some(Origin::File(path, line)) => (
                Some(path.display().to_string()),
                Some(*line).filter(|line| *line > 0),
                None,
            ),
            Some(Origin::Variable(name)) => (None, None, Some(name.as_str())),
            None => (None, None, None),
        };
        Self {
            key: &mistake.key,
            file,
            line,
            variable,
            problem: &mistake.problem,
        }
    }
}

fn summary(path: &Path, config: &Config, secrets: SecretFiles) -> String {
    let unread = match secrets {
        SecretFiles::Read => "",
        SecretFiles::Skip => " (the files that they name were not opened)",
    };
    let mut text = format!("{}: the settings are fine{unread}\n", path.display());
    let mut entry = |what: &str, name: &str, rest: String| {
        // Writing to a String can't fail.
        let _infallible = write!(text, "\n  {what:<9}{name:<16} {rest}");
    };
    entry("listener", "grpc", listener(Some(&config.grpc.listen)));
    entry(
        "listener",
        "rest",
        listener(config.rest.as_ref().map(|rest| &rest.listen)),
    );
    entry(
        "listener",
        "admin",
        listener(config.admin.as_ref().map(|admin| &admin.listen)),
    );
    for source in &config.sources {
        entry("source", &source.name, can(source));
    }
    for route in &config.routes {
        entry("route", &route.to.sources().join(", "), takes(route));
    }
    for caller in &config.callers {
        entry("caller", &caller.name, may(caller));
    }
    text
}

fn listener(listen: Option<&Listen>) -> String {
    match listen {
        None => "off".to_owned(),
        Some(listen) if listen.tls.is_some() => format!("{} with TLS", listen.address),
        Some(listen) => format!("{} in plain text", listen.address),
    }
}

fn can(source: &Source) -> String {
    let rules = &source.rules;
    if rules.mode == Mode::Off {
        return format!("{}; {}; off", source.kind, ids(source));
    }
    let capabilities = rules.mode.capabilities(source.blueprint.capabilities());
    let able = [
        (capabilities.authenticate, "checks passwords"),
        (capabilities.user_by_email, "looks up by e-mail"),
        (capabilities.user_by_login, "looks up by login"),
        (rules.cohort.is_some(), "lets a cohort move"),
        (rules.tombstones.is_some(), "has tombstones"),
    ];
    format!("{}; {}; {}", source.kind, ids(source), listed(&able))
}

fn ids(source: &Source) -> String {
    match source.id_prefix.as_str() {
        "" => "ids as they come".to_owned(),
        prefix => format!("ids \"{prefix}|…\""),
    }
}

fn takes(route: &Route) -> String {
    let domains: Vec<String> = route.domains.iter().map(ToString::to_string).collect();
    let callers = route.callers.as_ref().map(|callers| callers.join(", "));
    match (domains.is_empty(), callers) {
        (true, None) => "every other call".to_owned(),
        (true, Some(callers)) => format!("every other call of {callers}"),
        (false, None) => domains.join(", "),
        (false, Some(callers)) => format!("{}; calls of {callers}", domains.join(", ")),
    }
}

fn may(caller: &Caller) -> String {
    let Allow {
        authenticate,
        get_user_by_email,
    } = caller.allow;
    let allowed = listed(&[(authenticate, "authenticate"), (get_user_by_email, "get_user_by_email")]);
    let sources = caller
        .sources
        .as_ref()
        .map_or("every source".to_owned(), |sources| sources.join(", "));
    let keys = caller.key_hashes.len();
    format!("{allowed}; {sources}; {keys} key{}", if keys == 1 { "" } else { "s" })
}

fn listed(words: &[(bool, &str)]) -> String {
    let said: Vec<&str> = words.iter().filter(|(is, _)| *is).map(|(_, word)| *word).collect();
    if said.is_empty() {
        "nothing".to_owned()
    } else {
        said.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::test_kinds;

    fn check(text: &str, json: bool) -> (String, Exit) {
        let dir = tempfile::tempdir().expect("a folder");
        let config = dir.path().join("s.toml");
        std::fs::write(&config, text).expect("written");
        let args = Args {
            config,
            no_secrets: false,
            json,
        };
        let (text, exit) = answer(&args, Vec::new(), &test_kinds::registry());
        (text.replace(&format!("{}/", dir.path().display()), ""), exit)
    }

    fn good() -> String {
        format!(
            "[rest]\n[callers.auth0]\nkey_sha256 = \"{}\"\nallow = [\"authenticate\"]\n\
             [sources.staff]\nkind = \"memory\"\n",
            "0".repeat(64)
        )
    }

    #[test]
    fn good_settings_are_summed_up() {
        let (text, exit) = check(&good(), false);
        assert_eq!(exit, Exit::Fine);
        assert_eq!(
            text.lines().collect::<Vec<_>>(),
            [
                "s.toml: the settings are fine",
                "",
                "  listener grpc             127.0.0.1:50051 in plain text",
                "  listener rest             127.0.0.1:8080 in plain text",
                "  listener admin            off",
                "  source   staff            memory; ids \"staff|…\"; checks passwords, looks up by e-mail",
                "  caller   auth0            authenticate; every source; 1 key",
            ]
        );
        assert_eq!(
            check(&good(), true),
            (r#"{"ok":true,"mistakes":[]}"#.to_owned(), Exit::Fine)
        );
    }

    #[test]
    fn mistakes_are_listed_and_counted() {
        let bad = good().replace("allow", "alow").replace("memory", "hunter2canary");
        let (text, exit) = check(&bad, false);
        assert_eq!(exit, Exit::Usage);
        assert_eq!(
            text.lines().collect::<Vec<_>>(),
            [
                "s.toml:2: callers.auth0.allow: is required",
                "s.toml:4: callers.auth0.alow: is unknown; did you mean `allow`?",
                "s.toml:6: sources.staff.kind: unknown kind; this binary has: memory, okta",
                "3 mistakes in the settings",
            ]
        );
        let (text, exit) = check(&bad, true);
        assert_eq!(exit, Exit::Usage);
        let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(json["ok"], false);
        assert_eq!(
            json["mistakes"][1],
            serde_json::json!({
                "key": "callers.auth0.alow", "file": "s.toml", "line": 4, "variable": null,
                "problem": "is unknown; did you mean `allow`?",
            })
        );
        assert!(!text.contains("hunter2"));
    }

    #[test]
    fn a_missing_file_has_neither_line_nor_key() {
        let args = Args {
            config: "/nowhere/s.toml".into(),
            no_secrets: false,
            json: false,
        };
        let (text, exit) = answer(&args, Vec::new(), &test_kinds::registry());
        assert_eq!(exit, Exit::Usage);
        assert_eq!(
            text,
            "/nowhere/s.toml: can't be read: entity not found\n1 mistake in the settings"
        );
    }

    #[test]
    fn control_characters_of_a_key_are_not_printed() {
        let (text, _) = check("\"\\u001b[2J\" = 1", false);
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }
}
