use clap::CommandFactory as _;

use super::*;

fn parse(arguments: &[&str]) -> Result<Command, clap::Error> {
    let all = std::iter::once("idbridge").chain(arguments.iter().copied());
    Cli::try_parse_from(all).map(|cli| cli.command)
}

#[test]
fn the_definition_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn the_contracts_commands_are_understood() {
    for line in [
        "demo",
        "serve --config s.toml",
        "gateway --config s.toml --upstream http://127.0.0.1:50051",
        "gateway --config s.toml --upstream https://broker.internal",
        "check --config s.toml",
        "check --config s.toml --no-secrets --json",
        "doctor --config s.toml --json",
        "try login ada --config s.toml",
        "try login ada --grpc http://[::1]:50051 --password-stdin --json",
        "try get-user ada@example.com --grpc http://127.0.0.1:50051 --json",
        "auth0 export --out d --connection legacy-users --force --json",
        "key new auth0 --json",
        "completions bash",
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        assert!(parse(&words).is_ok(), "{line}");
    }
}

#[test]
fn bad_usage_is_exit_code_2_and_help_is_0() {
    for line in [
        "",
        "frobnicate",
        "serve",
        "gateway --config s.toml",
        "gateway --config s.toml --upstream ftp://127.0.0.1",
        "gateway --config s.toml --upstream http://127.0.0.1/path",
        "gateway --config s.toml --upstream http://user@127.0.0.1",
        "try login ada",
        "try login ada --config s.toml --grpc http://127.0.0.1:1",
        "try get-user ada --config s.toml --password-stdin",
        "key new Auth0",
        "key new a__b",
        "auth0 export --out d --connection ../d",
        "completions tcsh",
    ] {
        let arguments = std::iter::once("idbridge").chain(line.split_whitespace());
        let exit = run(arguments.map(OsString::from), Vec::new());
        assert_eq!(exit, Exit::Usage, "{line}");
    }
    for line in ["--help", "--version", "try login --help", "key --help"] {
        let arguments = std::iter::once("idbridge").chain(line.split_whitespace());
        assert_eq!(run(arguments.map(OsString::from), Vec::new()), Exit::Fine, "{line}");
    }
}

#[test]
fn every_command_shows_examples() {
    fn check(command: &clap::Command) {
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            let leaf = inner.get_subcommands().next().is_none();
            let shown = [command, inner].iter().any(|one| one.get_after_help().is_some());
            assert!(!leaf || shown, "{}", inner.get_name());
            check(inner);
        }
    }
    check(&Cli::command());
}

mod documents;
