//! What is told, in three forms of one value. `docs/assess.md` describes the JSON.

mod page;
mod words;

use serde::Serialize;

use super::last_login::{Histogram, stamp};
use super::storm::Storm;
use super::tally::{FactorCount, Logins, Refused, Row, Verified};
use super::twins::{Group, Twins};
use super::work::Saved;
use super::{AskFactors, Options, Subject};

pub use page::html;
pub use words::text;

#[derive(Debug, Serialize)]
pub struct Report {
    version: u32,
    source: String,
    taken_at: String,
    /// Whether logins and addresses stand in it, or keyed hashes of them.
    shows_identifiers: bool,
    people: u64,
    can_move: u64,
    rows: Vec<Row>,
    logins: Logins,
    addresses: Addresses,
    verified: Verified,
    factors: Factors,
    cannot_move: CannotMove,
    /// A name, a picture or a phone number is beyond Auth0's limits, and is left out.
    lose_a_field: u64,
    last_login: Histogram,
    storm: Storm,
}

#[derive(Debug, Serialize)]
struct Addresses {
    missing: u64,
    malformed: u64,
    duplicates: Alike,
    case_twins: Alike,
    accent_twins: Alike,
}

#[derive(Debug, Serialize)]
struct Alike {
    addresses: u64,
    people: u64,
    examples: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Factors {
    /// `everybody`, `sample` or `nobody`.
    asked: &'static str,
    #[serde(flatten)]
    count: FactorCount,
    /// What it takes to ask everybody: so many questions, in so many minutes at the least.
    questions_for_all: u64,
    minutes_for_all: Option<u64>,
}

#[derive(Debug, Serialize)]
struct CannotMove {
    people: u64,
    /// Of these, who could come by a password reset.
    come_by_reset: u64,
    reasons: Vec<Reason>,
    /// Who can move until another with the same address has: only one of them will.
    contested: u64,
}

#[derive(Debug, Serialize)]
struct Reason {
    reason: String,
    people: u64,
    examples: Vec<String>,
}

impl Report {
    pub(super) fn new(subject: &Subject, options: Options, saved: Saved, twins: Twins) -> Self {
        let budget = saved.budget(subject.source.budget());
        let tally = saved.tally;
        let refused: u64 = tally.reasons.values().map(|refused| refused.people).sum();
        let can_move = tally.people.saturating_sub(refused);
        let mut rows = tally.rows;
        rows.sort_by(|one, other| {
            let key = |row: &Row| (row.status.clone(), row.provider.clone(), row.factors.clone());
            other.people.cmp(&one.people).then_with(|| key(one).cmp(&key(other)))
        });
        let mut reasons: Vec<Reason> = tally.reasons.into_iter().map(Reason::new).collect();
        reasons.sort_by_key(|reason| std::cmp::Reverse(reason.people));
        let minutes = |rate: u64| tally.people.div_ceil(rate.max(1));
        let factors = Factors {
            asked: match options.factors {
                AskFactors::Everybody => "everybody",
                AskFactors::Sample(_) => "sample",
                AskFactors::Nobody => "nobody",
            },
            questions_for_all: tally.people,
            minutes_for_all: budget.factors_per_minute().map(minutes),
            count: tally.factors,
        };
        Self {
            version: 1,
            source: saved.source,
            taken_at: stamp(saved.began, "%Y-%m-%dT%H:%M:%SZ"),
            shows_identifiers: options.show,
            people: tally.people,
            can_move,
            rows,
            logins: tally.logins,
            addresses: Addresses {
                missing: tally.missing,
                malformed: tally.malformed,
                duplicates: twins.duplicates.into(),
                case_twins: twins.case.into(),
                accent_twins: twins.accent.into(),
            },
            verified: tally.verified,
            factors,
            cannot_move: CannotMove {
                people: refused,
                come_by_reset: tally.come_by_reset.saturating_sub(twins.ambiguous),
                reasons,
                contested: twins.contested,
            },
            lose_a_field: tally.lose_a_field,
            storm: Storm::new(budget, subject.peak, tally.last_login.peak(), can_move),
            last_login: tally.last_login.histogram(),
        }
    }
}

impl Reason {
    fn new((reason, refused): (String, Refused)) -> Self {
        Self {
            reason,
            people: refused.people,
            examples: refused.examples,
        }
    }
}

impl From<Group> for Alike {
    fn from(group: Group) -> Self {
        Self {
            addresses: group.addresses,
            people: group.people,
            examples: group.examples,
        }
    }
}

/// What a reason means, and what to do about it.
fn meaning(reason: &str) -> &'static str {
    match reason {
        "account_disabled" => "suspended or deactivated: they stay out",
        "account_inactive" => "never activated: they have no password to move with",
        "account_locked" => "locked: unlock them, or wait",
        "address_not_accepted" => "the e-mail address is none that Auth0 takes: correct it at the source",
        "denied_by_policy" => "the source's policy, or a reset that is under way",
        "id_not_accepted" => "the id can't be carried to Auth0",
        "identifier_not_portable" => {
            "they log in with something that is neither their e-mail address nor a user name that Auth0 gets: change \
             the login, or turn on rest.auth0.send_username"
        }
        "no_address" => "no e-mail address, which Auth0 demands: give them one at the source",
        "no_password" => {
            "no password at the source: federated or social people need an enterprise or social connection"
        }
        "password_expired" => "the password has expired: they reset it, at the source or at Auth0",
        "second_factor_required" => "they hold a second factor, which on_second_factor refuses",
        "unknown_state" => "a status or a provider that this version doesn't know: calls about them fail",
        _ => "the source refuses them",
    }
}

/// `12345` as `12,345`.
fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut told = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            told.push(',');
        }
        told.push(digit);
    }
    told
}

impl Storm {
    /// The arithmetic in a sentence.
    fn sentence(&self) -> String {
        let Some(most) = self.first_log_ins_an_hour else {
            return "The source names no limit for log-ins.".to_owned();
        };
        let most = number(most);
        let (Some(peak), Some(fits)) = (self.peak_an_hour, self.fits) else {
            return format!("{most} first log-ins an hour at the most; your peak isn't known: say it with --peak.");
        };
        let at_least = if self.peak_from == Some("last_login") {
            "at least "
        } else {
            ""
        };
        let peak = number(peak);
        let verdict = match self.cohort_percent {
            _ if fits => "it fits".to_owned(),
            Some(percent) => format!("it doesn't fit: begin with no more than {percent} % of the people"),
            None => "it doesn't fit".to_owned(),
        };
        format!("{most} first log-ins an hour; your peak is {at_least}{peak}: {verdict}.")
    }
}

impl Factors {
    /// What it takes to ask everybody.
    fn price(&self) -> String {
        let questions = number(self.questions_for_all);
        match self.minutes_for_all {
            Some(minutes) => format!(
                "To ask everybody takes {questions} requests, {} h {:02} min at the least.",
                minutes / 60,
                minutes % 60
            ),
            None => format!("To ask everybody takes {questions} requests."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        assert_eq!(
            [0, 999, 1000, 1_234_567].map(number),
            ["0", "999", "1,000", "1,234,567"]
        );
    }

    #[test]
    fn every_rejection_of_a_list_has_a_meaning() {
        use idbridge_source::Rejection;
        // Of a check, and of the gate, which a list passes by.
        let never_listed = [
            Rejection::InvalidCredentials,
            Rejection::NotInCohort,
            Rejection::UnknownUser,
            Rejection::WrongPassword,
        ];
        for rejection in Rejection::ALL
            .iter()
            .filter(|rejection| !never_listed.contains(rejection))
        {
            assert_ne!(meaning(rejection.name()), meaning(""), "{}", rejection.name());
        }
    }
}
