//! Verdicts in the form that build servers read: JUnit's, as far as they agree on it.

use std::fmt::Write as _;

use idbridge_testkit::Ended;

use super::{PATIENCE, Verdict};

pub(super) fn report(verdicts: &[Verdict]) -> String {
    let count = |fits: fn(&Ended) -> bool| verdicts.iter().filter(|verdict| fits(&verdict.ended)).count();
    let failures = count(|ended| matches!(ended, Ended::Broken(_)));
    let skipped = count(|ended| matches!(ended, Ended::NotRun(_) | Ended::Throttled));
    let counts = format!(
        "tests=\"{}\" failures=\"{failures}\" skipped=\"{skipped}\"",
        verdicts.len()
    );
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a text doesn't fail.
    let _ = writeln!(
        text,
        "<testsuites {counts}>\n<testsuite name=\"idbridge plugin test\" {counts}>"
    );
    for verdict in verdicts {
        let (module, name) = verdict.case.name.split_once("::").unwrap_or(("", verdict.case.name));
        let _ = write!(text, "<testcase classname=\"{module}\" name=\"{name}\"");
        let _ = match &verdict.ended {
            Ended::Held => writeln!(text, "/>"),
            Ended::Broken(violation) => {
                let message = escaped(&violation.to_string());
                writeln!(text, "><failure message=\"{message}\"/></testcase>")
            }
            Ended::Throttled => writeln!(text, "><skipped message=\"{PATIENCE}\"/></testcase>"),
            Ended::NotRun(because) => writeln!(text, "><skipped message=\"{}\"/></testcase>", escaped(because)),
        };
    }
    text.push_str("</testsuite>\n</testsuites>\n");
    text
}

/// Fit for an attribute. What XML 1.0 can't carry (section 2.2) is a question mark.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push('?'),
            c if c.is_control() => escaped.push('?'),
            c => escaped.push(c),
        }
    }
    escaped
}
