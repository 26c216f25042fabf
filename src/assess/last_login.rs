//! When people were last here. Saved at once: every log-in through the broker moves it.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// Hours are counted as far back as this. Longer ago, a last log-in says little of the hour's others.
const HOURS_FOR: i64 = 28 * DAY;

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct LastLogin {
    never: u64,
    /// By days since 1970, UTC. There are as many as the calendar has.
    days: BTreeMap<i64, u64>,
    /// By hours since 1970, of the last four weeks.
    hours: BTreeMap<i64, u64>,
    began: i64,
}

#[derive(Debug, Serialize)]
pub(super) struct Histogram {
    pub(super) never: u64,
    pub(super) months: Vec<Bar>,
    pub(super) days: Vec<Bar>,
}

/// How many people were last here in this day or month.
#[derive(Debug, Serialize)]
pub(super) struct Bar {
    pub(super) at: String,
    pub(super) people: u64,
}

impl LastLogin {
    pub(super) fn new(began: i64) -> Self {
        Self {
            began,
            ..Self::default()
        }
    }

    pub(super) fn count(&mut self, last: Option<SystemTime>) {
        let Some(second) = last.and_then(seconds) else {
            self.never += 1;
            return;
        };
        // A clock ahead of ours is as good as now.
        let second = second.min(self.began);
        *self.days.entry(second.div_euclid(DAY)).or_default() += 1;
        if self.began - second < HOURS_FOR {
            *self.hours.entry(second.div_euclid(HOUR)).or_default() += 1;
        }
    }

    /// The hour in which most people were last here, and how many they are. As many log-ins there were at the least:
    /// whoever came again later is counted later.
    pub(super) fn peak(&self) -> Option<(String, u64)> {
        let first_of_most = self.hours.iter().max_by_key(|(hour, people)| (**people, -**hour));
        first_of_most.map(|(hour, people)| (stamp(hour * HOUR, "%Y-%m-%dT%H:00Z"), *people))
    }

    pub(super) fn histogram(&self) -> Histogram {
        let mut months: BTreeMap<String, u64> = BTreeMap::new();
        for (day, people) in &self.days {
            *months.entry(stamp(day * DAY, "%Y-%m")).or_default() += people;
        }
        let days = self.days.iter();
        Histogram {
            never: self.never,
            months: months.into_iter().map(|(at, people)| Bar { at, people }).collect(),
            days: days
                .map(|(day, people)| Bar {
                    at: stamp(day * DAY, "%Y-%m-%d"),
                    people: *people,
                })
                .collect(),
        }
    }
}

pub(super) fn stamp(second: i64, format: &str) -> String {
    Timestamp::from_second(second).map_or_else(|_| "?".to_owned(), |time| time.strftime(format).to_string())
}

fn seconds(time: SystemTime) -> Option<i64> {
    let since = time.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: i64 = 1_768_467_600; // 2026-01-15T09:00:00Z

    fn at(second: i64) -> Option<SystemTime> {
        Some(UNIX_EPOCH + Duration::from_secs(second.try_into().expect("after 1970")))
    }

    #[test]
    fn people_are_counted_by_day_month_and_recent_hour() {
        let mut last = LastLogin::new(NOW);
        for second in [NOW - 10, NOW - 20, NOW - 2 * HOUR, NOW + 500, NOW - 40 * DAY] {
            last.count(at(second));
        }
        last.count(None);
        let told = last.histogram();
        let bars = |bars: &[Bar]| bars.iter().map(|bar| (bar.at.clone(), bar.people)).collect::<Vec<_>>();
        assert_eq!(told.never, 1);
        assert_eq!(
            bars(&told.days),
            [("2025-12-06".to_owned(), 1), ("2026-01-15".to_owned(), 4)]
        );
        assert_eq!(
            bars(&told.months),
            [("2025-12".to_owned(), 1), ("2026-01".to_owned(), 4)]
        );
        assert_eq!(
            last.peak(),
            Some(("2026-01-15T08:00Z".to_owned(), 2)),
            "the hour, not the day"
        );
    }
}
