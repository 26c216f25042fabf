//! Whether everybody can come at once: first log-ins that the source lets through, against the busiest hour.

use idbridge_source::Budget;
use serde::Serialize;

/// "N first log-ins an hour; your peak is M."
#[derive(Debug, Serialize)]
pub(super) struct Storm {
    pub(super) limits: Vec<Limit>,
    /// N: log-ins an hour, each with the look-up that Auth0 makes before it. `None`: the source names no limit.
    pub(super) first_log_ins_an_hour: Option<u64>,
    /// The same without the look-up.
    pub(super) without_look_up: Option<u64>,
    /// M.
    pub(super) peak_an_hour: Option<u64>,
    /// Whose figure M is: `given`, or `last_login`, which is a lower bound.
    pub(super) peak_from: Option<&'static str>,
    /// The hour that `last_login` speaks of.
    pub(super) peak_hour: Option<String>,
    /// Whether N is at least M. `None`: one of them isn't known.
    pub(super) fits: Option<bool>,
    /// The largest part of the people who may be let in at the peak, in percent.
    pub(super) cohort_percent: Option<u64>,
    /// Hours until everybody who can move could have, if they came evenly.
    pub(super) hours_for_all: Option<u64>,
}

#[derive(Debug, Serialize)]
pub(super) struct Limit {
    pub(super) name: String,
    pub(super) per_minute: u32,
    pub(super) per_log_in: u32,
    pub(super) with_look_up: u32,
    /// `answer`: the source's own; `default`: the published one.
    pub(super) from: &'static str,
}

impl Storm {
    pub(super) fn new(budget: Budget, given: Option<u64>, seen: Option<(String, u64)>, movable: u64) -> Self {
        let limits: Vec<Limit> = budget.limits.into_iter().map(Limit::new).collect();
        let hourly = |takes: fn(&Limit) -> u32| {
            let limits = limits.iter().filter(|limit| takes(limit) > 0);
            limits
                .map(|limit| u64::from(limit.per_minute) * 60 / u64::from(takes(limit)))
                .min()
        };
        let first_log_ins_an_hour = hourly(|limit| limit.with_look_up);
        let without_look_up = hourly(|limit| limit.per_log_in);
        let peak_an_hour = given.or(seen.as_ref().map(|(_, people)| *people));
        let both = first_log_ins_an_hour.zip(peak_an_hour);
        let percent = |(most, peak): (u64, u64)| (most * 100).checked_div(peak).map_or(100, |percent| percent.min(100));
        Self {
            first_log_ins_an_hour,
            without_look_up,
            peak_an_hour,
            peak_from: peak_an_hour.map(|_| if given.is_some() { "given" } else { "last_login" }),
            peak_hour: seen.filter(|_| given.is_none()).map(|(hour, _)| hour),
            fits: both.map(|(most, peak)| most >= peak),
            cohort_percent: both.map(percent),
            hours_for_all: first_log_ins_an_hour
                .filter(|most| *most > 0)
                .map(|most| movable.div_ceil(most)),
            limits,
        }
    }
}

impl Limit {
    fn new(limit: idbridge_source::RateLimit) -> Self {
        Self {
            name: limit.name,
            per_minute: limit.per_minute,
            per_log_in: limit.per_log_in,
            with_look_up: limit.with_look_up,
            from: if limit.is_measured { "answer" } else { "default" },
        }
    }
}

#[cfg(test)]
mod tests {
    use idbridge_source::RateLimit;

    use super::*;

    fn budget() -> Budget {
        let limit = |name: &str, per_minute, per_log_in, with_look_up| RateLimit {
            name: name.to_owned(),
            per_minute,
            per_log_in,
            with_look_up,
            per_factors: 0,
            is_measured: false,
        };
        Budget {
            limits: vec![
                limit("authn", 500, 1, 1),
                limit("search", 300, 0, 1),
                limit("other", 600, 1, 2),
            ],
            for_lists: 50,
        }
    }

    #[test]
    fn the_narrowest_limit_decides() {
        let storm = Storm::new(budget(), None, Some(("9".to_owned(), 40_000)), 90_000);
        assert_eq!(storm.first_log_ins_an_hour, Some(300 * 60));
        assert_eq!(storm.without_look_up, Some(500 * 60));
        assert_eq!(
            (storm.fits, storm.cohort_percent, storm.hours_for_all),
            (Some(false), Some(45), Some(5))
        );
        assert_eq!(storm.peak_from, Some("last_login"));
    }

    #[test]
    fn a_given_peak_counts_and_what_is_not_known_is_not_judged() {
        let storm = Storm::new(budget(), Some(100), Some(("9".to_owned(), 40_000)), 1);
        assert_eq!(
            (storm.peak_an_hour, storm.fits, storm.cohort_percent),
            (Some(100), Some(true), Some(100))
        );
        let storm = Storm::new(Budget::default(), None, None, 1);
        assert_eq!(
            (storm.fits, storm.hours_for_all, storm.cohort_percent),
            (None, None, None)
        );
    }
}
