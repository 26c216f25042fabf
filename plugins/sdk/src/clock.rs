use std::fmt::Debug;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

/// The time of day. Handed in, so that tests decide it.
///
/// It is for dates that an upstream sends: when a password expires, when a limit is lifted. It may jump, so durations are
/// measured with `tokio::time::Instant`, which tests pause. Where an answer carries a `Date` of its own (RFC 9110
/// §6.6.1), that is the better measure for the other dates in it: two machines' clocks differ.
pub trait Clock: Debug + Send + Sync {
    fn now(&self) -> SystemTime;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the machine")]
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// A clock that stands still until it is told otherwise.
#[derive(Debug)]
pub struct ManualClock(Mutex<SystemTime>);

impl ManualClock {
    pub fn at(now: SystemTime) -> Self {
        Self(Mutex::new(now))
    }

    pub fn advance(&self, by: Duration) {
        let mut now = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *now += by;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> SystemTime {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
