//! The one table from what the upstream says to an answer: rows of the settings, and what is meant by a status that has no
//! row.

use std::time::Duration;

use http::header;
use idbridge_outbound::Response;
use idbridge_source::{
    Admission, Authentication, ErrorKind, Factors, Listed, Lookup, Rejection, SourceError, Table, User,
};
use serde_json::Value;

use crate::person::{Known, Seen};
use crate::pointer::{Condition, all_hold};

/// Which question was asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Question {
    List,
    LogIn,
    LookUp,
    Probe,
}

/// What an answer comes to, if it is no error.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    Absent,
    Found,
    No(Rejection),
    Page,
    Well,
    Yes,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Failure {
    Ambiguous,
    CredentialRefused,
    Protocol,
    Throttled,
    Unavailable,
}

type Meaning = Result<Outcome, Failure>;

#[derive(Debug)]
pub(crate) struct Answers {
    question: Question,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    status: u16,
    when: Vec<Condition>,
    meaning: Meaning,
}

/// The rules that the settings make.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) on_password_expired: Expired,
    pub(crate) on_second_factor: SecondFactor,
}

/// `on_password_expired`
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Expired {
    Accept,
    Reject,
}

/// `on_second_factor`
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum SecondFactor {
    Accept,
    Ignore,
    Reject,
}

/// Why somebody may be refused whichever way they come.
pub(crate) const REFUSALS: [Rejection; 6] = [
    Rejection::AccountDisabled,
    Rejection::AccountInactive,
    Rejection::AccountLocked,
    Rejection::DeniedByPolicy,
    Rejection::NoPassword,
    Rejection::SecondFactorRequired,
];

/// What only a password check can say.
const OF_LOG_INS: [Rejection; 4] = [
    Rejection::InvalidCredentials,
    Rejection::PasswordExpired,
    Rejection::UnknownUser,
    Rejection::WrongPassword,
];

const FAILURES: [(&str, Failure); 5] = [
    ("ambiguous", Failure::Ambiguous),
    ("credential_refused", Failure::CredentialRefused),
    ("protocol", Failure::Protocol),
    ("throttled", Failure::Throttled),
    ("unavailable", Failure::Unavailable),
];

impl Answers {
    /// `answers` of a request's table. Every mistake is reported.
    pub(crate) fn read(table: &Table<'_>, question: Question) -> Self {
        let words = words(question);
        let tables = table.tables("answers");
        let good = match question {
            Question::List => Outcome::Page,
            Question::LogIn => Outcome::Yes,
            Question::LookUp => Outcome::Found,
            Question::Probe => Outcome::Well,
        };
        let rows: Vec<Row> = tables.iter().filter_map(|row| Row::read(row, &words)).collect();
        // A row with a mistake may be the one that is missed.
        if rows.len() == tables.len() && !rows.iter().any(|row| row.meaning == Ok(good)) {
            let word = words.first().map_or("", |(word, _)| word);
            table.mistake("answers", format!("need a row whose outcome is \"{word}\""));
        }
        Self { question, rows }
    }

    pub(crate) fn say_absent(&self) -> bool {
        self.rows.iter().any(|row| row.meaning == Ok(Outcome::Absent))
    }

    pub(crate) fn judge(&self, response: &Response, body: Option<&Value>) -> Result<Outcome, SourceError> {
        let meaning = self
            .meaning(response.status().as_u16(), body)
            .unwrap_or(Err(Failure::Protocol));
        meaning.map_err(|failure| response.error(kind(failure, response)))
    }

    /// `None`: a condition means one thing and the body has two.
    fn meaning(&self, status: u16, body: Option<&Value>) -> Option<Meaning> {
        for row in self.rows.iter().filter(|row| row.status == status) {
            let fits = match body {
                Some(body) => all_hold(&row.when, body).ok()?,
                None => row.when.is_empty(),
            };
            if fits {
                return Some(row.meaning);
            }
        }
        Some(Err(match status {
            401 | 403 if self.question != Question::LogIn => Failure::CredentialRefused,
            429 => Failure::Throttled,
            500..=599 => Failure::Unavailable,
            _ => Failure::Protocol,
        }))
    }
}

impl Row {
    fn read(table: &Table<'_>, words: &[(&'static str, Meaning)]) -> Option<Self> {
        let status = table.integer("status", 200..=599).parse(|status| match status {
            300..=399 => Err("is a redirect, which is never followed and never an answer"),
            status => u16::try_from(status).map_err(|_| "is no status"),
        });
        let status = status.required();
        let when = conditions(table, "when");
        let meaning = table.choice("outcome", words).required();
        let suffices = table.bool("status_suffices").or(false);
        // Records are the evidence of `found` and of `page`: they have to be readable.
        let needs_evidence =
            matches!(meaning, Some(Ok(outcome)) if outcome != Outcome::Found && outcome != Outcome::Page);
        if needs_evidence && !table.has("when") && !suffices {
            table.mistake(
                "when",
                "is required, or `status_suffices = true`: anybody between here and the API can send a status",
            );
        }
        if suffices && table.has("when") {
            table.mistake("status_suffices", "has no effect beside `when`");
        }
        table.finish();
        Some(Self {
            status: status?,
            when: when?,
            meaning: meaning?,
        })
    }
}

/// A list of conditions; `None` if one is mistaken.
pub(crate) fn conditions(table: &Table<'_>, key: &'static str) -> Option<Vec<Condition>> {
    let said = table.one_or_more(key).parse(|items| {
        if items.is_empty() {
            return Err("is empty, and would hold of anything".to_owned());
        }
        let parse = |(index, item): (usize, &String)| {
            Condition::parse(item).map_err(|problem| format!("item {}, {problem}", index + 1))
        };
        items
            .iter()
            .enumerate()
            .map(parse)
            .collect::<Result<Vec<Condition>, String>>()
    });
    let is_said = said.is_present();
    said.optional().or((!is_said).then(Vec::new))
}

fn words(question: Question) -> Vec<(&'static str, Meaning)> {
    let outcomes: &[(&'static str, Outcome)] = match question {
        Question::List => &[("page", Outcome::Page)],
        Question::LogIn => &[("yes", Outcome::Yes)],
        Question::LookUp => &[("found", Outcome::Found), ("absent", Outcome::Absent)],
        Question::Probe => &[("well", Outcome::Well)],
    };
    let rejections: &[&[Rejection]] = match question {
        Question::LogIn => &[&REFUSALS, &OF_LOG_INS],
        Question::LookUp => &[&REFUSALS],
        Question::List | Question::Probe => &[],
    };
    let outcomes = outcomes.iter().map(|(word, outcome)| (*word, Ok(*outcome)));
    let rejections = rejections.iter().copied().flatten();
    let rejections = rejections.map(|rejection| (rejection.name(), Ok(Outcome::No(*rejection))));
    let failures = FAILURES.iter().map(|(word, failure)| (*word, Err(*failure)));
    outcomes.chain(rejections).chain(failures).collect()
}

fn kind(failure: Failure, response: &Response) -> ErrorKind {
    match failure {
        Failure::Ambiguous => ErrorKind::Ambiguous,
        Failure::CredentialRefused => ErrorKind::CredentialRefused,
        Failure::Protocol => ErrorKind::Protocol,
        Failure::Throttled => ErrorKind::Throttled {
            retry_after: retry_after(response),
        },
        Failure::Unavailable => ErrorKind::Unavailable {
            retry_after: retry_after(response),
        },
    }
}

/// Seconds (RFC 9110, section 10.2.3). A date would need the other end's clock.
fn retry_after(response: &Response) -> Option<Duration> {
    let text = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    text.parse().ok().map(Duration::from_secs)
}

impl Expired {
    pub(crate) const WORDS: [(&'static str, Self); 2] = [("accept", Self::Accept), ("reject", Self::Reject)];
}

impl SecondFactor {
    pub(crate) const WORDS: [(&'static str, Self); 3] = [
        ("accept", Self::Accept),
        ("ignore", Self::Ignore),
        ("reject", Self::Reject),
    ];
}

/// Somebody whose password is right.
pub(crate) fn authentication(known: Known, rules: Rules) -> Authentication {
    match ineligible(&known, rules).or(expired(&known.user, rules)) {
        Some(rejection) => Authentication::Reject(rejection),
        None => Authentication::Accept(told(known.user, rules)),
    }
}

/// Somebody who was looked up. An expired password is no reason to hide them: it is changed in the new place.
pub(crate) fn lookup(known: Known, rules: Rules) -> Lookup {
    match ineligible(&known, rules) {
        Some(rejection) => Lookup::Ineligible(rejection),
        None => Lookup::Found(told(known.user, rules)),
    }
}

/// Somebody in a list, by the rules that calls are answered by.
pub(crate) fn listed(person: Seen, rules: Rules) -> Listed {
    let Seen { user, refused, status } = person;
    let owed = owed_factor(&user, rules);
    let admission = |also: Option<Rejection>| match refused {
        Ok(refused) => Admission::unless(refused.or(owed).or(also)),
        Err(_) => Admission::Unknown,
    };
    let kinds = user.second_factor.then(|| "second_factor".to_owned());
    Listed {
        address_verified: user.email_verified,
        log_in: admission(expired(&user, rules)),
        look_up: admission(None),
        factors: Some(Factors {
            kinds: kinds.into_iter().collect(),
            admission: Admission::unless(owed),
        }),
        ..Listed::new(told(user, rules), status, "http")
    }
}

/// One function for both, so that what a log-in is refused for, a password reset doesn't bring in.
fn ineligible(known: &Known, rules: Rules) -> Option<Rejection> {
    known.refused.or(owed_factor(&known.user, rules))
}

fn owed_factor(user: &User, rules: Rules) -> Option<Rejection> {
    let owes = user.second_factor && rules.on_second_factor == SecondFactor::Reject;
    owes.then_some(Rejection::SecondFactorRequired)
}

fn expired(user: &User, rules: Rules) -> Option<Rejection> {
    let counts = user.password_expired && rules.on_password_expired == Expired::Reject;
    counts.then_some(Rejection::PasswordExpired)
}

/// What is told of somebody, where the settings leave something out.
fn told(user: User, rules: Rules) -> User {
    User {
        second_factor: user.second_factor && rules.on_second_factor != SecondFactor::Ignore,
        ..user
    }
}

#[cfg(test)]
#[path = "map_tests.rs"]
mod tests;
