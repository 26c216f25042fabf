//! What a source with a limit could have admitted at best.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;

/// How many of those who arrived at these times could have been admitted, `limit` in each second of the clock, before
/// their patience ended.
pub(super) fn most_admitted(arrivals: &[Timestamp], patience: Duration, limit: usize) -> usize {
    let mut arrivals = arrivals.to_vec();
    arrivals.sort();
    let (Some(first), Some(last)) = (arrivals.first(), arrivals.last()) else {
        return 0;
    };
    let end = last.as_second() + i64::try_from(patience.as_secs()).unwrap_or(i64::MAX - last.as_second()) + 1;
    let windows = first.as_second()..=end;
    let mut coming = VecDeque::from(arrivals);
    let mut waiting = VecDeque::new();
    let mut admitted = 0;
    for window in windows {
        while let Some(arrival) = coming.pop_front_if(|arrival| arrival.as_second() <= window) {
            waiting.push_back(arrival);
        }
        waiting.retain(|arrival: &Timestamp| has_patience(*arrival, patience, window));
        let now = waiting.len().min(limit);
        waiting.drain(..now);
        admitted += now;
    }
    admitted
}

/// Whether the deadline is after the window's beginning.
fn has_patience(arrival: Timestamp, patience: Duration, window: i64) -> bool {
    let deadline = arrival.as_nanosecond() + i128::try_from(patience.as_nanos()).unwrap_or(i128::MAX / 2);
    deadline > i128::from(window) * 1_000_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(arrivals_ms: impl IntoIterator<Item = i64>, patience_ms: u64) -> usize {
        let arrivals: Vec<_> = arrivals_ms
            .into_iter()
            .map(|ms| Timestamp::from_millisecond(ms).unwrap())
            .collect();
        most_admitted(&arrivals, Duration::from_millis(patience_ms), 10)
    }

    #[test]
    fn whoever_can_wait_is_admitted_in_a_later_window() {
        assert_eq!(admitted([], 5000), 0);
        assert_eq!(admitted(vec![500; 7], 0), 7, "there is room at once");
        assert_eq!(admitted(vec![500; 25], 400), 10, "their patience ends with the window");
        assert_eq!(admitted(vec![500; 25], 600), 20, "and here in the next one");
        assert_eq!(admitted(vec![500; 25], 5000), 25, "not more than there are");
    }

    #[test]
    fn a_storm_of_ten_seconds_goes_on_until_its_last_deadline() {
        let evenly = (0..300).map(|number| 10_000 * number / 300);
        assert_eq!(admitted(evenly, 5000), 150);
    }
}
