//! What was found, as lines and as JSON, and how the command ends.

use idbridge_source::{ErrorKind, Finding, SourceError, Verdict};
use serde_json::{Value, json};

use crate::cli::Exit;
use crate::sources::gate::TurnedOff;

/// What was found about one source or one connection.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) subject: String,
    pub(super) findings: Vec<Finding>,
}

impl Report {
    /// Nothing is wrong, and nothing that was asked is open.
    pub(super) fn is_fine(&self) -> bool {
        self.exit() == Exit::Fine
    }

    /// What is wrong counts before what is open.
    pub(super) fn exit(&self) -> Exit {
        let any = |is: fn(&Verdict) -> bool| self.findings.iter().any(|finding| is(&finding.verdict));
        if any(|verdict| matches!(verdict, Verdict::Failed(_) | Verdict::Wrong(_))) {
            Exit::No
        } else if any(|verdict| matches!(verdict, Verdict::Unknown(_))) {
            Exit::Unknown
        } else {
            Exit::Fine
        }
    }

    /// One line a finding.
    pub(super) fn to_text(&self) -> String {
        let lines = self.findings.iter().map(|finding| {
            let (_, label, text) = worded(&finding.verdict);
            format!("{}: {}: {label}; {text}", self.subject, finding.check)
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    pub(super) fn to_json(&self) -> Vec<Value> {
        let findings = self.findings.iter().map(|finding| {
            let (result, _, text) = worded(&finding.verdict);
            let problem = match &finding.verdict {
                Verdict::Failed(error) => Some(error.kind().name()),
                _ => None,
            };
            json!({ "check": finding.check, "result": result, "problem": problem, "text": text })
        });
        findings.collect()
    }
}

/// Of several, the worst: wrong before open.
pub(super) fn worst(reports: &[Report]) -> Exit {
    let exits: Vec<Exit> = reports.iter().map(Report::exit).collect();
    let mut worst = [Exit::No, Exit::Unknown].into_iter();
    worst.find(|exit| exits.contains(exit)).unwrap_or(Exit::Fine)
}

/// For programs, for people, and what there is to say.
fn worded(verdict: &Verdict) -> (&'static str, &'static str, String) {
    match verdict {
        Verdict::Failed(error) => ("failed", "failed", format!("{}: {}", error.chain(), advice(error))),
        Verdict::Fine(text) => ("fine", "fine", text.clone()),
        Verdict::NotChecked(text) => ("not_checked", "not checked", text.clone()),
        Verdict::Unknown(text) => ("unknown", "could not find out", text.clone()),
        Verdict::Wrong(text) => ("to_do", "to do", text.clone()),
    }
}

fn advice(error: &SourceError) -> &'static str {
    if std::error::Error::source(error).is_some_and(|cause| cause.is::<TurnedOff>()) {
        return "nothing was asked: the settings turn it off";
    }
    match error.kind() {
        ErrorKind::Ambiguous => "two users answer to what the settings name once; name one that is unique",
        ErrorKind::CredentialRefused => {
            "the source refuses our credential, or hides the canary from it: check the token, the rights of the \
             account that made it, and that the canary exists and is spelt as in the settings"
        }
        ErrorKind::Protocol => "something else than this sort of source answers there: check the URL, and proxies",
        ErrorKind::Throttled { .. } => "the source's rate limit is used up: who else uses this credential?",
        ErrorKind::TimedOut => "no answer came in time: check the network, firewalls and the source's state",
        ErrorKind::Unavailable { .. } => {
            "it can't be reached: check the URL, DNS, firewalls, TLS and the source's state"
        }
        ErrorKind::Unsupported => "this source can't be probed with these settings",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(verdicts: impl IntoIterator<Item = Verdict>) -> Report {
        let findings = verdicts.into_iter().map(|verdict| Finding::new("check", verdict));
        Report {
            subject: "okta".to_owned(),
            findings: findings.collect(),
        }
    }

    fn every(kind: &str) -> Verdict {
        let text = || "text".to_owned();
        match kind {
            "failed" => Verdict::Failed(SourceError::new(ErrorKind::TimedOut, "ask")),
            "fine" => Verdict::Fine(text()),
            "not checked" => Verdict::NotChecked(text()),
            "unknown" => Verdict::Unknown(text()),
            _ => Verdict::Wrong(text()),
        }
    }

    #[test]
    fn what_is_wrong_counts_before_what_is_open_and_that_before_fine() {
        for (kinds, exit) in [
            (&["fine", "not checked"][..], Exit::Fine),
            (&["fine", "unknown"], Exit::Unknown),
            (&["unknown", "wrong"], Exit::No),
            (&["unknown", "failed"], Exit::No),
        ] {
            let found = report(kinds.iter().map(|kind| every(kind)));
            assert_eq!(found.exit(), exit, "{kinds:?}");
            let split: Vec<Report> = kinds.iter().map(|kind| report([every(kind)])).collect();
            assert_eq!(worst(&split), exit, "{kinds:?}");
        }
        assert_eq!(worst(&[]), Exit::Fine);
    }

    #[test]
    fn nothing_but_fine_reads_as_fine() {
        for kind in ["failed", "not checked", "unknown", "wrong"] {
            let found = report([every(kind)]);
            assert!(!found.to_text().contains("fine"), "{}", found.to_text());
            assert!(found.to_json().iter().all(|finding| finding["result"] != "fine"));
        }
        assert_eq!(report([every("fine")]).to_text(), "okta: check: fine; text");
    }
}
