//! Of `[sources.NAME]`: how often a user's password is submitted.

use std::ops::RangeInclusive;
use std::time::Duration;

use idbridge_source::Table;

use crate::sources::attempts::Limits;

/// A verdict is for whoever repeats the call, and not for the next log-in.
const LONGEST_REPLAY: Duration = Duration::from_secs(60);
const REFILL: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(24 * 60 * 60);
const MOST: i64 = 100_000;

pub(super) fn read(source: &Table<'_>) -> Limits {
    let usual = Limits::default();
    let Some(table) = source.table("attempts") else {
        return usual;
    };
    let number = |key, usual: u32| {
        let number = table.integer(key, 1..=MOST).optional();
        number.and_then(|number| u32::try_from(number).ok()).unwrap_or(usual)
    };
    let limits = Limits {
        replay: table
            .duration("replay", Duration::ZERO..=LONGEST_REPLAY)
            .or(usual.replay),
        burst: number("burst", usual.burst),
        refill: table.duration("refill", REFILL).or(usual.refill),
        per_second: number("per_second", usual.per_second),
    };
    table.finish();
    limits
}
