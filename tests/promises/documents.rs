//! Documents name what is there: links and their anchors, metrics, and in the guides every name in backquotes.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::architecture::{files, read, root};

/// The documents that people follow without another page open.
const GUIDES: [&str; 2] = ["docs/okta-to-auth0.md", "docs/security.md"];

/// Names in the guides that are Auth0's, Okta's or a tool's, not ours.
const NAMES_OF_OTHERS: [&str; 37] = [
    // Auth0's log event type codes.
    "actions_execution_failed",
    "api_limit",
    "f",
    "fp",
    "fu",
    "gd_enrollment_complete",
    "limit_mu",
    "limit_wc",
    "mgmt_api_read",
    "s",
    "sapi",
    "sce",
    "scp",
    // Auth0's Management API and its scopes.
    "/actions",
    "/connections",
    "/refresh-tokens",
    "DELETE /api/v2/connections/{id}/users?email=…",
    "DELETE /users/{id}/sessions",
    "PATCH /api/v2/users/{id}",
    "connections_options",
    "delete:",
    "read:",
    "update:connections",
    "update:connections_options",
    "{\"blocked\": true}",
    "https://cdn.auth0.com/ip-ranges.json",
    // auth0-deploy-cli, and what stands in scripts.
    "AUTH0_ALLOW_DELETE",
    "console.log",
    "https",
    "https://",
    "return callback(null, null);",
    // Okta's.
    "DefaultExemptIpZone",
    "lastLogin",
    "user.lifecycle.deactivate",
    "user.lifecycle.suspend",
    // What a user's id becomes.
    "auth0|okta|",
    "auth0|okta|00u…",
];

#[test]
fn links_lead_somewhere() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for document in files(".", "md") {
        let text = without_fences(&read(&document));
        for target in links(&text) {
            count += 1;
            let (path, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let file = if path.is_empty() {
                PathBuf::from(&document)
            } else {
                resolve(&document, path)
            };
            let there = root().join(&file);
            let is_heading = || {
                let text = read(file.to_str().expect("text"));
                anchors(&without_fences(&text)).contains(anchor)
            };
            if !there.exists() || !anchor.is_empty() && !is_heading() {
                wrong.push(format!("{document}: {target}"));
            }
        }
    }
    assert!(count > 30, "{count} links");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn anchors_are_made_as_the_readers_tools_make_them() {
    let found = anchors("# What it does, and `what` it can't\n## Same\n## Same\n### A *b* – c_d [e](f.md)\n");
    let wanted = ["what-it-does-and-what-it-cant", "same", "same-1", "a-b--c_d-e"];
    assert_eq!(found, wanted.map(str::to_owned).into());
    assert_eq!(
        links("[a](b.md#c) ![d](e.png) [f](https://g.h) <i@j.k> [l](#m)"),
        ["b.md#c", "e.png", "#m"]
    );
    assert_eq!(resolve("docs/adr/a.md", "../b.md"), Path::new("docs/b.md"));
}

/// In the text of every document, and in its code.
#[test]
fn metrics_in_documents_exist() {
    let code = read("src/telemetry/metrics.rs");
    let mut found = BTreeSet::new();
    let mut wrong = Vec::new();
    for document in files("docs", "md").into_iter().chain(["README.md".to_owned()]) {
        let text = read(&document);
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let is_metric = |word: &&str| word.starts_with("idbridge_") || word.ends_with("_duration_seconds");
        for word in words.filter(is_metric) {
            // Counters get `_total`, and histograms their unit, when they are written.
            let bare = word.trim_end_matches("_total").trim_end_matches("_seconds");
            if !code.contains(&format!("\"{bare}\"")) && !code.contains(&format!("\"{word}\"")) {
                wrong.push(format!("{document}: {word}"));
            }
            found.insert(word.to_owned());
        }
    }
    assert!(found.len() >= 8, "{found:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A name in backquotes stands in our code, is a file, or is one of the others' that are listed.
#[test]
fn names_in_the_guides_exist() {
    let code = our_code();
    let mut of_others: BTreeSet<&str> = NAMES_OF_OTHERS.into();
    let mut wrong = Vec::new();
    for guide in GUIDES {
        let text = without_fences(&read(guide)).replace("\\|", "|");
        let spans: Vec<String> = spans(&text);
        assert!(spans.len() > 50, "{guide}: {spans:?}");
        for span in &spans {
            let is_ours = || names_in(span).iter().all(|name| code.contains(name.as_str()));
            let is_listed = NAMES_OF_OTHERS.contains(&span.as_str());
            of_others.remove(span.as_str());
            let is_command = span.starts_with("idbridge ");
            // `tests_in_documents_exist` looks at these.
            let is_test = test_of(span).is_some();
            if !is_listed && !is_command && !is_test && !root().join(span).exists() && !is_ours() {
                wrong.push(format!("{guide}: {span}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(of_others.is_empty(), "in no guide any more: {of_others:?}");
}

/// `FILE::TEST`: what a document says is held has a test of that name in that file.
#[test]
fn tests_in_documents_exist() {
    let mut count = 0;
    let mut wrong = Vec::new();
    for document in files("docs", "md").into_iter().chain(["SECURITY.md".to_owned()]) {
        for span in spans(&without_fences(&read(&document))) {
            let Some((file, test)) = test_of(&span) else { continue };
            count += 1;
            let text = std::fs::read_to_string(root().join(file)).unwrap_or_default();
            let is_there = |keyword: &str| text.contains(&format!("{keyword} {test}("));
            if !is_there("fn") && !is_there("def") {
                wrong.push(format!("{document}: {span}"));
            }
        }
    }
    assert!(count > 40, "{count} tests");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn test_of(span: &str) -> Option<(&str, &str)> {
    let (file, test) = span.split_once("::")?;
    (file.ends_with(".rs") || file.ends_with(".py")).then_some((file, test))
}

/// What of a span must stand in the code: of a setting `a.b = "c"` each word, of a sentence the whole.
fn names_in(span: &str) -> Vec<String> {
    let is_sentence = span.contains(' ') && !span.contains(['=', '"', '{', '<', '…']);
    if is_sentence {
        return vec![span.to_owned()];
    }
    let words = span.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-');
    let is_name = |word: &&str| word.bytes().any(|byte| byte.is_ascii_alphabetic());
    let bare = |word: &str| {
        let word = word.trim_start_matches('-');
        // A metric's end is written by the library.
        word.trim_end_matches("_total").trim_end_matches("_seconds").to_owned()
    };
    words.filter(is_name).map(bare).collect()
}

/// All that the program is made of and writes, and the settings that show every key.
fn our_code() -> String {
    let mut paths = files("src", "rs");
    for (folder, extension) in [
        ("plugins", "rs"),
        ("src", "js"),
        ("src", "json"),
        ("src", "tf"),
        ("examples", "toml"),
    ] {
        paths.extend(files(folder, extension));
    }
    paths.retain(|path| !path.ends_with("tests.rs") && !path.contains("/tests/"));
    paths.iter().map(|path| read(path)).collect()
}

fn without_fences(text: &str) -> String {
    let mut is_inside = false;
    let mut kept = Vec::new();
    for line in text.lines() {
        let is_fence = line.trim_start().starts_with("```");
        if !is_fence && !is_inside {
            kept.push(line);
        }
        is_inside ^= is_fence;
    }
    kept.join("\n")
}

/// What stands in backquotes, and may be broken over lines.
fn spans(text: &str) -> Vec<String> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted
        .map(|span| span.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

fn links(text: &str) -> Vec<String> {
    let plain: String = text.split('`').step_by(2).collect();
    let targets = plain
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', ' ']).next());
    targets
        .filter(|target| !target.contains("://"))
        .map(str::to_owned)
        .collect()
}

/// The path from the root of what a document links to.
fn resolve(document: &str, target: &str) -> PathBuf {
    let mut path = Path::new(document).parent().expect("a folder").to_owned();
    for part in Path::new(target).components() {
        match part {
            Component::ParentDir => {
                path.pop();
            }
            Component::Normal(name) => path.push(name),
            _ => {}
        }
    }
    path
}

/// The anchors of a document's headings: lower case, hyphens for spaces, numbered where they repeat.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let headings = text.lines().filter(|line| line.starts_with('#'));
    for heading in headings {
        let title = heading.trim_start_matches('#').trim();
        // Of a link its text remains.
        let mut parts = title.split("](");
        let first = parts.next().unwrap_or_default().to_owned();
        let others = parts.map(|part| part.split_once(')').map_or(part, |(_, rest)| rest));
        let title: String = first + &others.collect::<String>();
        let kept = title.to_lowercase();
        let kept: String = kept
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
            .collect();
        let anchor = kept.replace(' ', "-");
        let mut numbered = anchor.clone();
        for number in 1.. {
            if found.insert(numbered.clone()) {
                break;
            }
            numbered = format!("{anchor}-{number}");
        }
    }
    found
}
