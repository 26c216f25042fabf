//! Rate limits with fixed windows, as Okta's headers tell them.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use jiff::Timestamp;

use super::route::Route;

/// So high that nothing meets it.
const UNLIMITED: u32 = 1_000_000_000;

/// What the three headers say, and when.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Gauge {
    pub(super) limit: u32,
    pub(super) remaining: u32,
    /// Seconds since the epoch.
    pub(super) reset: i64,
    /// Seconds since the epoch.
    pub(super) now: i64,
}

impl Gauge {
    pub(super) fn unlimited(now: Timestamp) -> Self {
        let now = now.as_second();
        Self {
            limit: UNLIMITED,
            remaining: UNLIMITED - 1,
            reset: now - now.rem_euclid(60) + 60,
            now,
        }
    }
}

/// What became of the log-ins of one window.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Tally {
    pub(super) admitted: u32,
    pub(super) throttled: u32,
    /// Calls that arrived after an answer had said that nothing remains.
    pub(super) ignored: u32,
}

/// Counts calls in windows that begin at multiples of their length since the epoch.
pub(super) struct Limiter {
    /// `None`: nothing is limited.
    limit: Option<u32>,
    all: bool,
    seconds: i64,
    windows: HashMap<&'static str, Window>,
    /// Of the log-ins, by the second in which a window begins.
    history: BTreeMap<i64, Tally>,
}

#[derive(Default)]
struct Window {
    begins: i64,
    used: u32,
    /// An answer has said that nothing remains.
    told: bool,
}

impl Limiter {
    pub(super) fn new(limit: Option<u32>, all: bool, window: Duration) -> Self {
        Self {
            limit,
            all,
            seconds: i64::try_from(window.as_secs()).unwrap_or(i64::MAX).max(1),
            windows: HashMap::new(),
            history: BTreeMap::new(),
        }
    }

    /// Counts a call that arrives; `Err` if the window is used up.
    pub(super) fn take(&mut self, route: &Route, now: Timestamp) -> Result<Gauge, Gauge> {
        let Some(limit) = self.limit_of(route) else {
            return Ok(Gauge::unlimited(now));
        };
        let now = now.as_second();
        let begins = now - now.rem_euclid(self.seconds);
        let window = self.windows.entry(route.name()).or_default();
        if window.begins != begins {
            *window = Window {
                begins,
                ..Window::default()
            };
        }
        let admitted = window.used < limit;
        window.used += u32::from(admitted);
        let gauge = Gauge {
            limit,
            remaining: limit - window.used,
            reset: begins + self.seconds,
            now,
        };
        if *route == Route::Authn {
            let tally = self.history.entry(begins).or_default();
            tally.admitted += u32::from(admitted);
            tally.throttled += u32::from(!admitted);
            tally.ignored += u32::from(window.told);
        }
        if admitted { Ok(gauge) } else { Err(gauge) }
    }

    /// An answer with this gauge leaves.
    pub(super) fn told(&mut self, route: &Route, gauge: &Gauge) {
        if gauge.remaining > 0 || self.limit_of(route).is_none() {
            return;
        }
        let seconds = self.seconds;
        if let Some(window) = self.windows.get_mut(route.name())
            && window.begins + seconds == gauge.reset
        {
            window.told = true;
        }
    }

    /// What became of the log-ins, window by window.
    pub(super) fn history(&self) -> &BTreeMap<i64, Tally> {
        &self.history
    }

    /// Drops the history. The windows go on: the org's clock doesn't stop.
    pub(super) fn forget(&mut self) {
        self.history.clear();
    }

    fn limit_of(&self, route: &Route) -> Option<u32> {
        self.limit.filter(|_| self.all || *route == Route::Authn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn limiter(all: bool, window: u64) -> Limiter {
        Limiter::new(Some(2), all, Duration::from_secs(window))
    }

    #[test]
    fn a_window_admits_its_limit_and_the_next_one_as_many_again() {
        let mut limiter = limiter(false, 10);
        let gauges: Vec<_> = [1003, 1004, 1009, 1010]
            .map(|second| limiter.take(&Route::Authn, at(second)))
            .into();
        let gauge = |remaining, reset, now| Gauge {
            limit: 2,
            remaining,
            reset,
            now,
        };
        assert_eq!(
            gauges,
            [
                Ok(gauge(1, 1010, 1003)),
                Ok(gauge(0, 1010, 1004)),
                Err(gauge(0, 1010, 1009)),
                Ok(gauge(1, 1020, 1010)),
            ]
        );
        let tally = |admitted, throttled| Tally {
            admitted,
            throttled,
            ignored: 0,
        };
        assert_eq!(
            limiter.history(),
            &BTreeMap::from([(1000, tally(2, 1)), (1010, tally(1, 0))])
        );
    }

    #[test]
    fn a_call_ignores_what_was_told_and_not_what_was_only_counted() {
        let mut limiter = limiter(false, 1);
        let first = limiter.take(&Route::Authn, at(7)).unwrap();
        let last = limiter.take(&Route::Authn, at(7)).unwrap();
        assert!(
            limiter.take(&Route::Authn, at(7)).is_err(),
            "on its way before anybody knew"
        );
        limiter.told(&Route::Authn, &first);
        assert!(limiter.take(&Route::Authn, at(7)).is_err(), "one remained, it was said");
        limiter.told(&Route::Authn, &last);
        assert!(limiter.take(&Route::Authn, at(7)).is_err());
        assert_eq!(
            limiter.history()[&7],
            Tally {
                admitted: 2,
                throttled: 3,
                ignored: 1
            }
        );
        limiter.take(&Route::Authn, at(8)).unwrap();
        limiter.told(&Route::Authn, &last);
        limiter.take(&Route::Authn, at(8)).unwrap();
        assert_eq!(limiter.history()[&8].ignored, 0, "what was told of the window before");
    }

    #[test]
    fn other_routes_are_limited_on_their_own_and_only_if_told_so() {
        let user = Route::User("a".to_owned());
        let mut logins = limiter(false, 1);
        let mut all = limiter(true, 1);
        for _ in 0..2 {
            assert!(all.take(&user, at(1)).is_ok());
        }
        assert!(all.take(&user, at(1)).is_err());
        assert!(all.take(&Route::Authn, at(1)).is_ok());
        assert!(all.history()[&1].admitted == 1, "log-ins only");
        for _ in 0..5 {
            assert_eq!(logins.take(&user, at(61)), Ok(Gauge::unlimited(at(61))));
        }
        assert_eq!(Gauge::unlimited(at(61)).reset, 120);
    }

    #[test]
    fn the_history_is_forgotten_and_the_window_is_not() {
        let mut limiter = limiter(false, 10);
        let _ = (limiter.take(&Route::Authn, at(1)), limiter.take(&Route::Authn, at(1)));
        limiter.forget();
        assert!(limiter.history().is_empty());
        assert!(limiter.take(&Route::Authn, at(2)).is_err());
    }
}
