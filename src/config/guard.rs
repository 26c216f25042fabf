//! Of `[sources.NAME.guard]`: how long it is waited for, when it is left alone, how many look-ups are asked once more.

use std::time::Duration;

use idbridge_source::Table;

use crate::sources::guard::Settings;

const TIME_LIMITS: std::ops::RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(30);
const PROBATIONS: std::ops::RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_mins(5);

pub(super) fn read(source: &Table<'_>) -> Settings {
    let usual = Settings::default();
    let Some(table) = source.table("guard") else {
        return usual;
    };
    let probation = table.duration("probation", PROBATIONS).or(usual.probation);
    let longest_probation = table.duration("longest_probation", PROBATIONS);
    let longest_probation = longest_probation.or(usual.longest_probation.max(probation));
    if longest_probation < probation {
        table.mistake("longest_probation", "is shorter than `probation`");
    }
    let number = |key, range, usual| {
        let number = table.integer(key, range).optional();
        number.and_then(|number| u32::try_from(number).ok()).unwrap_or(usual)
    };
    let settings = Settings {
        time_limit: table.duration("time_limit", TIME_LIMITS).or(usual.time_limit),
        open_after: number("open_after", 0..=100, usual.open_after),
        probation,
        longest_probation,
        retry_percent: number("retry_percent", 0..=100, usual.retry_percent),
    };
    table.finish();
    settings
}
