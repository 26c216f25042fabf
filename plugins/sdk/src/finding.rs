use std::borrow::Cow;

use crate::SourceError;

/// One thing that an examination looked at, and what came of it.
///
/// An operator reads it before the first user comes: it says "fine", or what to do. What was not looked at, and what
/// could not be found out, is told as that and never as fine.
///
/// # What it may hold
///
/// What a [`SourceError`] may: no password, no token, no address and no text of the upstream's
/// (`secrecy::findings_show_no_secret`).
#[derive(Clone, Debug)]
pub struct Finding {
    /// What was looked at, in two or three words: `"credential"`.
    pub check: Cow<'static, str>,
    pub verdict: Verdict,
}

/// What came of it. The texts are one line each.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// The question got no answer that says anything. What to do follows from the error's kind.
    Failed(SourceError),
    /// What was found.
    Fine(String),
    /// Nothing was asked, and why.
    NotChecked(String),
    /// There was an answer, and it leaves the question open. What to do, or where to look.
    Unknown(String),
    /// What is wrong, and what to do.
    Wrong(String),
}

impl Finding {
    pub fn new(check: impl Into<Cow<'static, str>>, verdict: Verdict) -> Self {
        Self {
            check: check.into(),
            verdict,
        }
    }

    /// What a [`probe`](crate::IdentitySource::probe) found.
    pub fn of_probe(answer: Result<(), SourceError>) -> Self {
        let seen = "it is reachable, takes our credential, and shows what it should";
        Self::new(
            "probe",
            answer.map_or_else(Verdict::Failed, |()| Verdict::Fine(seen.to_owned())),
        )
    }
}
