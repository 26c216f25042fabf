//! What support sees. Of a person: the id and the account's state; login and address only if they were asked for.

mod text;

use std::sync::Arc;

use idbridge_source::{Admission, ErrorKind, Listed, Lookup, SourceError, User, same_identifier};
use serde::Serialize;

use super::facts::{self, Facts};
use super::records::Found;
use super::told::Told;
use super::{doc, verdict};
use crate::app::broker::Source;
use crate::disclosure;
use crate::sources::gate::{Gate, Mode, Rules};

#[derive(Debug, Serialize)]
pub struct Report {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identifier: Option<String>,
    /// As audit records have it.
    pub identifier_hash: Option<String>,
    /// Whom the routes choose.
    pub source: Option<String>,
    pub sources: Vec<SourceReport>,
    /// With the right password.
    pub log_in: Verdict,
    pub get_user: Verdict,
    pub only_the_password_tells: Vec<String>,
    pub notes: Vec<String>,
    /// `None`: no file was named.
    pub audit: Option<Audit>,
}

/// What one source says.
#[derive(Debug, Serialize)]
pub struct SourceReport {
    source: String,
    asked_by_auth0: bool,
    mode: &'static str,
    by_email: Option<&'static str>,
    by_login: Option<&'static str>,
    people: Vec<Person>,
    problems: Vec<Problem>,
}

/// Who carries the identifier.
#[derive(Debug, Serialize)]
struct Person {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    login: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// Which of the two the identifier is.
    is: Vec<&'static str>,
    /// In the source's own words. `None`: this source doesn't tell.
    status: Option<String>,
    password_owner: Option<String>,
    second_factors: Option<Vec<String>>,
    log_in: Option<&'static str>,
    look_up: Option<&'static str>,
    tombstone: bool,
    /// `None`: it goes by groups, which aren't known of this user.
    in_cohort: Option<bool>,
}

/// Why a source could not find out.
#[derive(Debug, Eq, PartialEq, Serialize)]
struct Problem {
    kind: &'static str,
    detail: String,
    what_to_do: String,
}

/// What Auth0 would be told.
#[derive(Debug, Serialize)]
pub struct Verdict {
    pub answer: Certainty,
    /// HTTP. `None`: nobody knows which.
    pub(super) status: Option<u16>,
    /// Outcome, reason or code.
    pub(super) outcome: String,
    /// What the script calls back.
    pub(super) auth0: String,
    pub(super) decided_by: &'static str,
    pub(super) means: Option<String>,
    pub(super) who_does_what: Option<String>,
    pub(super) notes: Vec<&'static str>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    No,
    #[serde(rename = "could_not_find_out")]
    Unknown,
    Yes,
}

/// What the audit file says.
#[derive(Debug, Serialize)]
#[serde(tag = "audit", rename_all = "snake_case")]
pub enum Audit {
    Failed { problem: String },
    NoKey,
    Read(Found),
}

impl Report {
    /// One answer for both calls: unknown before no, and no before yes.
    pub fn certainty(&self) -> Certainty {
        let answers = [self.log_in.answer, self.get_user.answer];
        match self.audit {
            Some(Audit::Failed { .. }) => Certainty::Unknown,
            _ if answers.contains(&Certainty::Unknown) => Certainty::Unknown,
            _ if answers.contains(&Certainty::No) => Certainty::No,
            _ => Certainty::Yes,
        }
    }
}

impl Verdict {
    pub(super) fn could_not_tell(&mut self, because: &'static str) {
        self.answer = Certainty::Unknown;
        self.status = None;
        self.outcome = "unknown".to_owned();
        self.auth0 = "only a log-in tells".to_owned();
        (self.means, self.who_does_what) = (None, None);
        self.notes.push(because);
    }
}

pub(super) async fn source(
    source: &Source,
    facts: &Facts,
    typed: &str,
    routed: &[Arc<str>],
    show: bool,
) -> SourceReport {
    let mut people = Vec::new();
    match &facts.claimants {
        Ok(listed) => {
            for one in listed {
                let whole = facts.found(one.user.id.as_str());
                let user = whole.unwrap_or(&one.user);
                people.push(person(source, facts, user, Some(one), whole.is_some(), typed, show).await);
            }
        }
        Err(_) => {
            for answer in [&facts.by_login, &facts.by_email].into_iter().flatten() {
                if let Ok(Lookup::Found(user)) = answer {
                    people.push(person(source, facts, user, None, true, typed, show).await);
                }
            }
            people.dedup_by(|one, other| one.id == other.id);
        }
    }
    let by_email = facts.by_email.as_ref();
    let by_login = facts.by_login.as_ref();
    let errors = [by_email, by_login]
        .into_iter()
        .flatten()
        .filter_map(|answer| answer.as_ref().err());
    let mut problems: Vec<Problem> = Vec::new();
    for error in errors.chain(facts.claimants.as_ref().err()) {
        let problem = Problem::new(error);
        if error.kind() != ErrorKind::Unsupported && !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    SourceReport {
        source: source.name.to_string(),
        asked_by_auth0: routed.contains(&source.name),
        mode: match source.rules().mode {
            Mode::LookupOnly => "lookup_only",
            Mode::Off => "off",
            Mode::Serve => "serve",
        },
        by_email: by_email.map(verdict::look_up_word),
        by_login: by_login.map(verdict::look_up_word),
        people,
        problems,
    }
}

async fn person(
    source: &Source,
    facts: &Facts,
    user: &User,
    listed: Option<&Listed>,
    is_whole: bool,
    typed: &str,
    show: bool,
) -> Person {
    let rules = source.rules();
    let only = |cohort, tombstones| Rules {
        mode: Mode::Serve,
        cohort,
        tombstones,
    };
    let lets_in = async |rules: Rules| is_let_in(facts, rules, user).await;
    let in_cohort = lets_in(only(rules.cohort.clone(), None)).await;
    let asks_groups = rules
        .cohort
        .as_ref()
        .is_some_and(|cohort| cohort.0.iter().any(|rule| !rule.groups.is_empty()));
    let has = |text: &str| same_identifier(text, typed);
    let factors = listed.and_then(|listed| listed.factors.as_ref());
    Person {
        id: format!("{}|{}", source.id_prefix(), user.id),
        login: show.then(|| user.login.clone()),
        email: show.then(|| user.email.clone()),
        is: [("login", has(&user.login)), ("email", has(&user.email))]
            .into_iter()
            .filter_map(|(name, is)| is.then_some(name))
            .collect(),
        status: listed.map(|listed| listed.status.clone()),
        password_owner: listed.map(|listed| listed.provider.clone()),
        second_factors: factors.map(|factors| factors.kinds.clone()),
        log_in: listed.map(|listed| worse(listed.log_in, factors.map(|factors| factors.admission))),
        look_up: listed.map(|listed| worse(listed.look_up, factors.map(|factors| factors.admission))),
        tombstone: !lets_in(only(None, rules.tombstones.clone())).await,
        in_cohort: (in_cohort || is_whole || !asks_groups).then_some(in_cohort),
    }
}

/// By the gate itself.
async fn is_let_in(facts: &Facts, rules: Rules, user: &User) -> bool {
    use idbridge_source::IdentitySource as _;
    let told = Told {
        by_login: Ok(Lookup::Found(user.clone())),
        ..facts.told.clone()
    };
    let Ok(any) = idbridge_source::UserName::parse("any") else {
        return false;
    };
    let judged = Gate::new(told, rules)
        .user_by_login(&facts::call(facts::AT_ONCE), &any)
        .await;
    matches!(judged, Ok(Lookup::Found(_)))
}

fn worse(account: Admission, factors: Option<Admission>) -> &'static str {
    match (account, factors) {
        (Admission::Admitted, Some(other)) => word(other),
        (account, _) => word(account),
    }
}

fn word(admission: Admission) -> &'static str {
    match admission {
        Admission::Admitted => "admitted",
        Admission::Rejected(because) => because.name(),
        Admission::Unknown => "unknown_state",
    }
}

impl Problem {
    fn new(error: &SourceError) -> Self {
        let row = doc::problem(disclosure::error(error).name_in_lower_case());
        Self {
            kind: error.kind().name(),
            detail: error.chain(),
            what_to_do: row.map_or_else(String::new, |row| row.who_does_what.replace(['`', '*'], "")),
        }
    }
}
