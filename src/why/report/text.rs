//! The report in words.

use super::{Audit, Certainty, Person, Report, SourceReport, Verdict};
use crate::why::records::{Found, RECORDS};

impl Report {
    pub fn text(&self) -> String {
        let mut lines = Vec::new();
        if let Some(identifier) = &self.identifier {
            lines.push(identifier.clone());
        }
        if self.source.is_none() {
            lines.push("no route leads to a source: nobody is asked for this identifier".to_owned());
        }
        self.sources.iter().for_each(|source| source.write(&mut lines));
        self.log_in.write(
            "log-in at Auth0, with the right password and as far as is known",
            &mut lines,
        );
        self.get_user
            .write("get_user at Auth0, as for a reset or a sign-up", &mut lines);
        lines.push("only the password tells".to_owned());
        lines.extend(self.only_the_password_tells.iter().map(|line| format!("  {line}")));
        lines.extend(self.notes.iter().cloned());
        if let Some(audit) = &self.audit {
            audit.write(&mut lines);
        }
        // A file or a source may hold a terminal's control sequences.
        let clean = |line: String| line.replace(char::is_control, "\u{fffd}");
        lines.into_iter().map(clean).collect::<Vec<_>>().join("\n")
    }
}

impl SourceReport {
    fn write(&self, lines: &mut Vec<String>) {
        let asked = match (self.asked_by_auth0, self.mode) {
            (_, "off") => "off: nothing is asked of it",
            (true, "lookup_only") => "asked for this identifier; lookup_only",
            (true, _) => "asked for this identifier",
            (false, _) => "not asked for this identifier: the routes send it elsewhere",
        };
        lines.push(format!("source {} ({asked})", self.source));
        for (what, said) in [("by e-mail", self.by_email), ("by login", self.by_login)] {
            if let Some(said) = said {
                lines.push(format!("  look-up {what}: {said}"));
            }
        }
        self.people.iter().for_each(|person| lines.push(person.to_text()));
        for problem in &self.problems {
            lines.push(format!("  could not find out: {}", problem.detail));
            lines.push(format!("    what to do: {}", problem.what_to_do));
        }
    }
}

impl Person {
    fn to_text(&self) -> String {
        let mut parts = Vec::new();
        match self.is.as_slice() {
            [] => {}
            is => parts.push(format!("the identifier is their {}", is.join(" and "))),
        }
        let mut say = |what: &str, value: &Option<String>| {
            if let Some(value) = value {
                parts.push(format!("{what} {value}"));
            }
        };
        say("login", &self.login);
        say("e-mail", &self.email);
        say("status", &self.status);
        say("password of", &self.password_owner);
        match self.second_factors.as_deref() {
            None => {}
            Some([]) => parts.push("no second factor".to_owned()),
            Some(factors) => parts.push(format!("second factors: {}", factors.join(", "))),
        }
        if let Some(log_in) = self.log_in {
            parts.push(format!("log-in {log_in}"));
        }
        if let Some(look_up) = self.look_up {
            parts.push(format!("look-up {look_up}"));
        }
        if self.tombstone {
            parts.push("has a tombstone".to_owned());
        }
        match self.in_cohort {
            Some(true) => {}
            Some(false) => parts.push("not in the cohort".to_owned()),
            None => parts.push("cohort not known: it goes by groups".to_owned()),
        }
        format!("  {}: {}", self.id, parts.join("; "))
    }
}

impl Verdict {
    fn write(&self, what: &str, lines: &mut Vec<String>) {
        let answer = match self.answer {
            Certainty::No => "no",
            Certainty::Unknown => "could not find out",
            Certainty::Yes => "yes",
        };
        let status = self
            .status
            .map_or_else(String::new, |status| format!(", HTTP {status}"));
        lines.push(format!("{what}: {answer} ({}{status})", self.outcome));
        lines.push(format!("  the script: {}", self.auth0));
        lines.push(format!("  decided by: {}", self.decided_by));
        for (what, said) in [("means", &self.means), ("who does what", &self.who_does_what)] {
            if let Some(said) = said {
                lines.push(format!("  {what}: {said}"));
            }
        }
        lines.extend(self.notes.iter().map(|note| format!("  but: {note}")));
    }
}

impl Audit {
    fn write(&self, lines: &mut Vec<String>) {
        match self {
            Self::Failed { problem } => lines.push(format!("audit file: could not be read: {problem}")),
            Self::NoKey => lines.push(
                "audit file: not read. The settings have no audit.hash_key_file, so each start hashes identifiers with a \
                 key of its own, and nobody can find this one. Set it for records from then on; or name a call with \
                 --request-id"
                    .to_owned(),
            ),
            Self::Read(found) => found.write(lines),
        }
    }
}

impl Found {
    fn write(&self, lines: &mut Vec<String>) {
        let count = self.records.len();
        let most = if count == RECORDS { ", the last ones" } else { "" };
        lines.push(format!("audit file: {count} records{most}, the newest first"));
        let said = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        for record in &self.records {
            lines.push(format!(
                "  {} {} {} caller {} source {} request {}",
                said(&record.timestamp),
                said(&record.operation),
                said(&record.outcome),
                said(&record.caller),
                said(&record.source),
                said(&record.request_id),
            ));
        }
        if count == 0 {
            lines.push("  none: not asked, or under another key, or in an older file".to_owned());
        }
        if count < RECORDS && !self.looked_at_all {
            lines.push("  older records were not looked for: only the last 1 GiB of a file is read".to_owned());
        }
        if self.unreadable_lines > 0 {
            lines.push(format!(
                "  {} lines can't be read: no JSON record (log.format = \"json\"), or too long",
                self.unreadable_lines
            ));
        }
    }
}
