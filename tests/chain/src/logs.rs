//! What the processes wrote.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

/// All lines of all processes, in one place.
#[derive(Clone, Default)]
pub(crate) struct Logs(Arc<Mutex<Vec<String>>>);

impl Logs {
    pub(crate) fn push(&self, line: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    /// The last lines, for a message.
    pub(crate) fn tail(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// The lines that hold one of `secrets`, as text or inside JSON, in any case. Empty if there are none.
    pub(crate) fn search(&self, secrets: &[String]) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut needles: Vec<String> = secrets
            .iter()
            .flat_map(|secret| [secret.clone(), in_json(secret)])
            .collect();
        needles.iter_mut().for_each(|needle| *needle = needle.to_lowercase());
        let leaks: Vec<&str> = lines
            .iter()
            .filter(|line| {
                let line = line.to_lowercase();
                needles.iter().any(|needle| line.contains(needle))
            })
            .map(String::as_str)
            .take(20)
            .collect();
        if leaks.is_empty() {
            return String::new();
        }
        format!(
            "these log records hold a secret or a person's address:\n{}",
            leaks.join("\n")
        )
    }
}

/// The text between the quotes.
fn in_json(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leak_is_found_however_it_is_written() {
        for (line, found) in [
            ("{\"message\":\"all is well\"}", false),
            ("{\"login\":\"Ada@Example.com\"}", true),
            ("{\"password\":\"a \\\"b\\\" c\"}", true),
            ("password: a \"b\" c", true),
        ] {
            let logs = Logs::default();
            logs.push(line.to_owned());
            let leaks = logs.search(&["ada@example.com".to_owned(), "a \"b\" c".to_owned()]);
            assert_eq!(!leaks.is_empty(), found, "{line}");
        }
    }
}
