//! The only place that prints. A reader that went away (`idbridge … | head`) is no failure.

use std::io::{self, Write as _};

use idbridge_source::Mistake;
use serde::Serialize;

/// To standard output, with a line end.
pub(crate) fn line(text: &str) {
    let mut out = io::stdout().lock();
    let _closed = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// To standard error, with a line end.
pub(crate) fn error(text: &str) {
    let _closed = writeln!(io::stderr().lock(), "{text}");
}

/// One JSON value in a line, to standard output.
pub(crate) fn json(value: &impl Serialize) {
    match serde_json::to_string(value) {
        Ok(text) => line(&text),
        Err(problem) => error(&format!("the answer can't be written as JSON: {problem}")),
    }
}

/// Each mistake on a line of its own, and how many there are.
pub(crate) fn mistakes(mistakes: &[Mistake]) -> String {
    let mut text: String = mistakes.iter().map(|mistake| format!("{mistake}\n")).collect();
    let count = mistakes.len();
    text.push_str(&format!(
        "{count} mistake{} in the settings",
        if count == 1 { "" } else { "s" }
    ));
    text
}
