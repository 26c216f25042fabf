//! Okta's clock, as far as its answers tell it.

use std::time::Duration;

use tokio::time::Instant;

/// Maps the seconds that Okta counts in to our own time.
///
/// A `Date` is cut to the second, so one answer places Okta's clock within a second and its own travelling time. The
/// latest bound of many answers is nearer than any single one, and is never ahead: a window is never taken for over
/// before it is.
pub(super) struct OrgClock {
    base: Instant,
    known: Option<Known>,
}

#[derive(Clone, Copy)]
struct Known {
    /// Okta's time at `base` in nanoseconds since the epoch, at least.
    at_base: i128,
    /// When the answer that told it came in.
    since: Instant,
}

impl OrgClock {
    pub(super) fn new() -> Self {
        Self {
            base: Instant::now(),
            known: None,
        }
    }

    /// An answer that was made between these two moments says that it is this second.
    pub(super) fn learn(&mut self, second: i64, sent: Instant, received: Instant) {
        let date = i128::from(second) * NANOS;
        let below = date + NANOS - self.since_base(sent);
        let told = Known {
            at_base: date - self.since_base(received),
            since: received,
        };
        self.known = match self.known {
            // Still possible, so the greater bound is the better one.
            Some(known) if known.at_base < below && told.at_base <= known.at_base => Some(known),
            // One of the two clocks was set. But an answer that was on its way since before that is only late.
            Some(known) if known.at_base >= below && sent <= known.since => Some(known),
            _ => Some(told),
        };
    }

    /// When it will have become this second, by our time. `None` before the first answer.
    pub(super) fn when(&self, second: i64) -> Option<Instant> {
        let ahead = i128::from(second) * NANOS - self.known?.at_base;
        let ahead = u64::try_from(ahead.max(0)).unwrap_or(u64::MAX);
        Some(self.base + Duration::from_nanos(ahead))
    }

    fn since_base(&self, instant: Instant) -> i128 {
        let nanos = instant.saturating_duration_since(self.base).as_nanos();
        i128::try_from(nanos).unwrap_or(i128::MAX)
    }
}

const NANOS: i128 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_dates_are_nearer_than_one_and_never_ahead() {
        let mut clock = OrgClock::new();
        let base = clock.base;
        // At our 0 s it is 100.7 s there. A question takes 20 ms each way.
        let mut ask = |at: u64| {
            let made = at + 20;
            let second = i64::try_from((100_700 + made) / 1000).unwrap();
            clock.learn(
                second,
                base + Duration::from_millis(at),
                base + Duration::from_millis(made + 20),
            );
            let when = clock.when(200).unwrap() - base;
            assert!(when >= Duration::from_millis(99_300), "never ahead");
            when.as_millis() - 99_300
        };
        assert_eq!(ask(0), 740, "cut to the second");
        assert_eq!(ask(150), 740, "an earlier part of a second tells nothing");
        assert_eq!(ask(290), 30, "just after a second has begun");
        assert_eq!(ask(900), 30);
    }

    #[test]
    fn a_clock_that_was_set_is_believed_again() {
        let mut clock = OrgClock::new();
        let base = clock.base;
        let at = |seconds| base + Duration::from_secs(seconds);
        clock.learn(5_000, base, base);
        clock.learn(100, at(1), at(1));
        assert_eq!(clock.when(110), Some(at(11)), "set back");
        clock.learn(9_000, at(2), at(2));
        assert_eq!(clock.when(9_010), Some(at(12)), "set forward");
    }

    #[test]
    fn an_answer_that_comes_late_sets_no_clock_back() {
        let mut clock = OrgClock::new();
        let base = clock.base;
        let at = |seconds| base + Duration::from_secs(seconds);
        clock.learn(700, at(1), at(2));
        clock.learn(100, at(0), at(3));
        assert_eq!(clock.when(730), Some(at(32)), "it was sent before the other one came");
        clock.learn(104, at(4), at(4));
        assert_eq!(clock.when(110), Some(at(10)), "and this one was sent after it");
    }
}
