//! The org's own time: what `Date`, `X-Rate-Limit-Reset` and every timestamp are read from.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// The machine's clock, or one that stands still; either may be moved.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    stopped_at: Option<Timestamp>,
    offset: SignedDuration,
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Clock {
        Clock {
            stopped_at: None,
            offset: SignedDuration::ZERO,
        }
    }

    /// A clock that moves only when told: rate-limit windows then hold still under a test.
    pub fn stopped() -> Clock {
        // 2026-01-15T09:00:00Z
        Clock {
            stopped_at: Timestamp::from_second(1_768_467_600).ok(),
            offset: SignedDuration::ZERO,
        }
    }

    /// This clock, set ahead.
    #[must_use]
    pub fn ahead(mut self, by: Duration) -> Clock {
        self.offset = self.offset.saturating_add(signed(by));
        self
    }

    /// This clock, set back.
    #[must_use]
    pub fn behind(mut self, by: Duration) -> Clock {
        self.offset = self.offset.saturating_sub(signed(by));
        self
    }

    pub(crate) fn now(self) -> Timestamp {
        let base = self.stopped_at.unwrap_or_else(Timestamp::now);
        base.saturating_add(self.offset).unwrap_or(base)
    }
}

/// `2026-01-15T09:00:00.000Z`, as Okta writes times in bodies.
pub(crate) fn iso(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// `Thu, 15 Jan 2026 09:00:00 GMT`, as HTTP writes times in headers (RFC 9110, section 5.6.7).
pub(crate) fn http_date(time: Timestamp) -> String {
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn signed(by: Duration) -> SignedDuration {
    SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX)
}
