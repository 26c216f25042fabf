//! Every command that a document names is there, with its options.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Command;

use super::*;

/// What begins like a command and is text of the scripts for Auth0.
const NO_COMMANDS: [&str; 2] = ["idbridge gave no usable answer", "idbridge did not answer in time"];

#[test]
fn commands_in_documents_are_understood() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = vec![root.join("README.md")];
    collect(&root.join("docs"), &mut paths);
    let mut count = 0;
    let mut wrong = Vec::new();
    for path in &paths {
        let text = fs::read_to_string(path).expect("text");
        for found in commands(&text) {
            count += 1;
            if let Err(problem) = found.check() {
                wrong.push(format!("{}: {}: {problem}", path.display(), found.line));
            }
        }
    }
    assert!(count > 35, "{count} commands in {paths:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn commands_are_found_and_judged() {
    let text = "`idbridge check\n--no-secrets` and `idbridge gave no usable answer`\n\
                ```sh\nidbridge serve --config \\\n  FILE\necho x | A=b idbridge try login ada --config FILE --password-stdin | grep y\n```\n\
                \x20   idbridge doctor --config FILE\n";
    let found = commands(text);
    let lines: Vec<&str> = found.iter().map(|one| one.line.as_str()).collect();
    assert_eq!(
        lines,
        [
            "idbridge serve --config FILE",
            "idbridge try login ada --config FILE --password-stdin",
            "idbridge doctor --config FILE",
            "idbridge check --no-secrets",
        ]
    );
    assert!(found.iter().all(|one| one.check().is_ok()));
    for (line, is_whole) in [
        ("idbridge frobnicate", false),
        ("idbridge check --frobnicate", false),
        ("idbridge serve --json", false),
        ("idbridge serve", true),
    ] {
        let found = Found {
            line: line.to_owned(),
            is_whole,
        };
        assert!(found.check().is_err(), "{found:?}");
    }
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|kind| kind == "md") {
            paths.push(path);
        }
    }
}

/// A command in a document.
#[derive(Debug)]
struct Found {
    line: String,
    /// It stands on a line of its own, to be pasted: nothing that it needs may be missing.
    is_whole: bool,
}

impl Found {
    fn check(&self) -> Result<(), String> {
        let words: Vec<&str> = self.line.split_whitespace().collect();
        if self.is_whole {
            let parsed = Cli::try_parse_from(words.iter().copied());
            return parsed.map(drop).map_err(|error| error.kind().to_string());
        }
        known(&Cli::command(), words.get(1..).unwrap_or_default())
    }
}

/// Whether these words lead through the tree of commands, and their options are there.
fn known(command: &Command, words: &[&str]) -> Result<(), String> {
    let Some((word, rest)) = words.split_first() else {
        return Ok(());
    };
    if let Some(option) = word.strip_prefix("--") {
        let is_built_in = matches!(option, "help" | "version");
        let argument = command.get_arguments().find(|one| one.get_long() == Some(option));
        return match argument {
            Some(argument) => {
                let takes_a_value = argument.get_action().takes_values() && !rest.is_empty();
                known(command, rest.get(usize::from(takes_a_value)..).unwrap_or_default())
            }
            None if is_built_in => known(command, rest),
            None => Err(format!("{} has no {word}", command.get_name())),
        };
    }
    if let Some(inner) = command.find_subcommand(word) {
        return known(inner, rest);
    }
    if command.get_positionals().next().is_none() {
        return Err(format!("{} has no {word}", command.get_name()));
    }
    known(command, rest)
}

/// In fenced and indented code, where a command may follow a pipe and variables, and in backquotes.
fn commands(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let mut fence: Option<&str> = None;
    let mut prose = String::new();
    let joined = text.replace("\\\n", " ");
    for line in joined.lines() {
        let trimmed = line.trim_start();
        let is_indented = line.len() - trimmed.len() >= 4;
        if let Some(kind) = trimmed.strip_prefix("```") {
            fence = fence.is_none().then_some(kind);
        } else if fence == Some("sh") || fence.is_none() && is_indented && trimmed.starts_with("idbridge ") {
            found.extend(trimmed.split('|').filter_map(pasted));
        } else if fence.is_none() {
            prose.push_str(line);
            prose.push('\n');
        }
    }
    // A span may be broken over lines.
    let spans = prose.split('`').skip(1).step_by(2);
    let spans = spans.map(|span| span.split_whitespace().collect::<Vec<_>>().join(" "));
    let ours = spans.filter(|span| span.starts_with("idbridge ") && !NO_COMMANDS.contains(&span.as_str()));
    found.extend(ours.map(|line| Found { line, is_whole: false }));
    found
}

fn pasted(part: &str) -> Option<Found> {
    let is_variable = |word: &&str| word.contains('=') && !word.starts_with('-');
    let words: Vec<&str> = part.split_whitespace().skip_while(is_variable).collect();
    (words.first() == Some(&"idbridge")).then(|| Found {
        line: words.join(" "),
        is_whole: true,
    })
}
