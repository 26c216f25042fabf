//! The counts. Their size doesn't grow with the number of people.

use std::collections::BTreeMap;

use idbridge_source::{Factors, Listed, UserId};
use serde::{Deserialize, Serialize};

use super::last_login::LastLogin;
use super::person::{Address, Judged, LoginName};

/// Of each reason so many people are named.
const EXAMPLES: usize = 10;
/// Rows of a table whose words are the upstream's. What comes later is counted as `other`.
const ROWS: usize = 500;

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Tally {
    pub(super) people: u64,
    pub(super) rows: Vec<Row>,
    pub(super) logins: Logins,
    pub(super) missing: u64,
    pub(super) malformed: u64,
    pub(super) verified: Verified,
    /// Who can't move by a log-in, by reason.
    pub(super) reasons: BTreeMap<String, Refused>,
    /// Of these, who could come by a password reset.
    pub(super) come_by_reset: u64,
    pub(super) lose_a_field: u64,
    pub(super) last_login: LastLogin,
    pub(super) factors: FactorCount,
    /// Those with the smallest hashes, in their order: a fair sample, and the same one in a second run.
    sample: Vec<(u64, String)>,
    /// How many of them were asked.
    sampled: usize,
}

/// People of one sort.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Row {
    pub(super) status: String,
    pub(super) provider: String,
    /// `none`, kinds joined by `+`, or `not asked`.
    pub(super) factors: String,
    pub(super) people: u64,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Logins {
    pub(super) email: u64,
    pub(super) other_address: u64,
    pub(super) user_name: u64,
    pub(super) user_name_long: u64,
    pub(super) user_name_refused: u64,
}

/// What the source says of addresses, and what the target would be told of them.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Verified {
    pub(super) verified: u64,
    pub(super) unverified: u64,
    pub(super) unsaid: u64,
    pub(super) told_verified: u64,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Refused {
    pub(super) people: u64,
    pub(super) examples: Vec<String>,
}

/// What was found out about second factors.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct FactorCount {
    pub(super) known_of: u64,
    pub(super) with_one: u64,
    /// Whom the settings refuse for it.
    pub(super) refused: u64,
    pub(super) kinds: BTreeMap<String, u64>,
}

impl Tally {
    pub(super) fn new(began: i64) -> Self {
        Self {
            last_login: LastLogin::new(began),
            ..Self::default()
        }
    }

    pub(super) fn count(&mut self, listed: &Listed, judged: &Judged, label: String) {
        self.people += 1;
        self.row(listed);
        match judged.login {
            LoginName::Email => self.logins.email += 1,
            LoginName::OtherAddress => self.logins.other_address += 1,
            LoginName::UserName => self.logins.user_name += 1,
            LoginName::UserNameLong => self.logins.user_name_long += 1,
            LoginName::UserNameRefused => self.logins.user_name_refused += 1,
        }
        match judged.address {
            Address::Fine => {}
            Address::Malformed => self.malformed += 1,
            Address::Missing => self.missing += 1,
        }
        match listed.address_verified {
            Some(true) => self.verified.verified += 1,
            Some(false) => self.verified.unverified += 1,
            None => self.verified.unsaid += 1,
        }
        self.verified.told_verified += u64::from(listed.user.email_verified == Some(true));
        if let Some(reason) = judged.reason {
            let refused = self.reasons.entry(reason.to_owned()).or_default();
            refused.people += 1;
            if refused.examples.len() < EXAMPLES {
                refused.examples.push(label);
            }
        }
        self.come_by_reset += u64::from(judged.comes_by_reset);
        self.lose_a_field += u64::from(judged.loses_a_field);
        self.last_login.count(listed.last_login);
        if let Some(factors) = &listed.factors {
            self.factors.count(factors);
        }
    }

    /// Takes this person into the sample, if the hash is among the smallest.
    pub(super) fn sample(&mut self, hash: u64, id: &UserId, size: usize) {
        let place = self.sample.partition_point(|(other, _)| *other < hash);
        if place < size {
            self.sample.insert(place, (hash, id.to_string()));
            self.sample.truncate(size);
        }
    }

    /// The next of the sample to be asked.
    pub(super) fn next_of_sample(&self) -> Option<UserId> {
        let (_, id) = self.sample.get(self.sampled)?;
        UserId::parse(id).ok()
    }

    pub(super) fn sampled(&mut self, factors: &Factors) {
        self.sampled += 1;
        self.factors.count(factors);
    }

    fn row(&mut self, listed: &Listed) {
        let factors = match &listed.factors {
            None => "not asked".to_owned(),
            Some(factors) if factors.kinds.is_empty() => "none".to_owned(),
            Some(factors) => factors.kinds.join("+"),
        };
        let (mut status, mut provider, mut factors) =
            (listed.status.as_str(), listed.provider.as_str(), factors.as_str());
        if self.rows.len() >= ROWS {
            let known = self.rows.iter().any(|row| row.is(status, provider, factors));
            (status, provider, factors) = if known {
                (status, provider, factors)
            } else {
                ("other", "other", "other")
            };
        }
        match self.rows.iter_mut().find(|row| row.is(status, provider, factors)) {
            Some(row) => row.people += 1,
            None => self.rows.push(Row {
                status: status.to_owned(),
                provider: provider.to_owned(),
                factors: factors.to_owned(),
                people: 1,
            }),
        }
    }
}

impl Row {
    fn is(&self, status: &str, provider: &str, factors: &str) -> bool {
        self.status == status && self.provider == provider && self.factors == factors
    }
}

impl FactorCount {
    fn count(&mut self, factors: &Factors) {
        self.known_of += 1;
        self.with_one += u64::from(!factors.kinds.is_empty());
        self.refused += u64::from(factors.admission != idbridge_source::Admission::Admitted);
        for kind in &factors.kinds {
            let known = self.kinds.contains_key(kind) || self.kinds.len() < ROWS;
            *self
                .kinds
                .entry(if known { kind.clone() } else { "other".to_owned() })
                .or_default() += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_those_with_the_smallest_hashes_whatever_the_order() {
        let sample = |hashes: &[u64]| {
            let mut tally = Tally::default();
            for hash in hashes {
                tally.sample(*hash, &UserId::parse(&format!("u{hash}")).expect("an id"), 3);
            }
            tally.sample
        };
        let taken = sample(&[5, 9, 1, 7, 3]);
        assert_eq!(taken.iter().map(|(hash, _)| *hash).collect::<Vec<_>>(), [1, 3, 5]);
        assert_eq!(taken, sample(&[3, 1, 9, 7, 5]));
    }

    #[test]
    fn an_upstream_that_makes_words_up_fills_no_memory() {
        let mut tally = Tally::default();
        for number in 0..2 * ROWS {
            let user = idbridge_source::User::new(UserId::parse("1").expect("an id"), "a", "a@x.org");
            tally.row(&Listed::new(user, format!("STATUS{number}"), "OKTA"));
        }
        assert_eq!(tally.rows.len(), ROWS + 1);
        assert_eq!(tally.rows.last().map(|row| row.people), Some(ROWS as u64));
    }
}
