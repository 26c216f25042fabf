//! One bucket: what is left of it, who waits for it, and when it is filled again.

use std::collections::VecDeque;
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::clock::OrgClock;
use super::{LEFT_BY_LISTS, Purpose, Turn};
use crate::limits::{Gauge, Notice};

/// Requests in flight while nothing is known of the limit. The first answer tells it.
const FEELING_THE_WAY: u32 = 4;

/// Look-ups that may wait at once. Each holds one of the source's permits, which log-ins need too.
const LOOK_UPS_WAITING: usize = 16;

/// Part of a bucket that look-ups leave to log-ins.
const LEFT_TO_LOG_INS: u32 = 10;

/// Okta's windows last a minute, so no later reset is waited for.
const MINUTE: i64 = 60;

#[derive(Default)]
pub(super) struct Bucket {
    known: Known,
    /// Sent, and not yet answered. Okta may have counted them or not.
    in_flight: u32,
    /// Set by the concurrency limit, which has no window, and by a bucket that others have emptied.
    paused_until: Option<Instant>,
    log_ins: VecDeque<Grant>,
    look_ups: VecDeque<Grant>,
    lists: VecDeque<Grant>,
}

type Grant = oneshot::Sender<Turn>;

#[derive(Default)]
enum Known {
    /// No answer yet.
    #[default]
    Nothing,
    /// Its answers name no limit.
    NoLimit,
    Window(Window),
}

struct Window {
    limit: u32,
    /// The least that an answer of this window named.
    remaining: u32,
    /// When the window is over, in Okta's seconds.
    reset: i64,
    /// That moment has passed, and no answer of the next window has come yet.
    over: bool,
    /// The shortest step between two resets, in seconds.
    length: i64,
}

/// What one who finds no room should do.
pub(super) enum Patience {
    Leave(Option<Duration>),
    Wait,
}

impl Bucket {
    /// Takes a turn if there is room and nobody is before us.
    pub(super) fn take(&mut self, purpose: Purpose, clock: &OrgClock, now: Instant) -> bool {
        // Those who left before their turn came.
        self.log_ins.retain(|grant| !grant.is_closed());
        self.look_ups.retain(|grant| !grant.is_closed());
        self.lists.retain(|grant| !grant.is_closed());
        let first = self.ahead(purpose) == 0;
        let taken = first && self.has_room(purpose, clock, now);
        self.in_flight += u32::from(taken);
        taken
    }

    /// The next of those who wait, if there is room for them; log-ins first.
    pub(super) fn next(&mut self, clock: &OrgClock, now: Instant) -> Option<Grant> {
        let purpose = if !self.log_ins.is_empty() {
            Purpose::LogIn
        } else if !self.look_ups.is_empty() {
            Purpose::LookUp
        } else {
            Purpose::List
        };
        if self.ahead(purpose) == 0 || !self.has_room(purpose, clock, now) {
            return None;
        }
        self.in_flight += 1;
        match purpose {
            Purpose::List => self.lists.pop_front(),
            Purpose::LogIn => self.log_ins.pop_front(),
            Purpose::LookUp => self.look_ups.pop_front(),
        }
    }

    pub(super) fn queue(&mut self, purpose: Purpose, grant: Grant) {
        match purpose {
            Purpose::List => self.lists.push_back(grant),
            Purpose::LogIn => self.log_ins.push_back(grant),
            Purpose::LookUp => self.look_ups.push_back(grant),
        }
    }

    /// Whether to wait, by what is known now.
    pub(super) fn patience(&mut self, purpose: Purpose, clock: &OrgClock, now: Instant, until: Instant) -> Patience {
        // Room for those before as well: they are being let go this very moment.
        let ahead = u32::try_from(self.ahead(purpose)).unwrap_or(u32::MAX);
        if self.has_room(purpose, clock, now) && self.room(purpose) > ahead {
            return Patience::Wait;
        }
        // While nothing is known, the wait is for one answer.
        let is_full = purpose == Purpose::LookUp && self.look_ups.len() >= LOOK_UPS_WAITING && self.is_known();
        match self.expected(purpose, clock, now) {
            Some(expected) if expected > until || is_full => Patience::Leave(Some(expected - now)),
            None if is_full => Patience::Leave(None),
            _ => Patience::Wait,
        }
    }

    /// When there will be room even if no answer comes in before. `None`: answers alone make room.
    pub(super) fn opens(&self, purpose: Purpose, clock: &OrgClock) -> Option<Instant> {
        let reset = match &self.known {
            Known::Window(window) if !window.over && !self.fits(purpose) => clock.when(window.reset),
            Known::Nothing | Known::NoLimit | Known::Window(_) => None,
        };
        self.paused_until.max(reset)
    }

    /// What its answers name as the limit.
    pub(super) fn limit(&self) -> Option<u32> {
        match &self.known {
            Known::Window(window) => Some(window.limit),
            Known::Nothing | Known::NoLimit => None,
        }
    }

    /// Whether any answer has told of it.
    pub(super) fn is_known(&self) -> bool {
        !matches!(self.known, Known::Nothing)
    }

    /// One of those in flight has ended; `None`: without an answer. Whether those who wait have to think again:
    /// another window is known, or this one is used up.
    pub(super) fn ended(&mut self, notice: Option<Notice>, clock: &OrgClock, now: Instant) -> bool {
        self.in_flight = self.in_flight.saturating_sub(1);
        match (notice, &mut self.known) {
            (Some(Notice::Concurrency), _) => self.paused_until = Some(now + a_moment()),
            (Some(Notice::Window(gauge)), known) => {
                if known.learn(&gauge) {
                    return true;
                }
                if known.is_emptied_by_others(&gauge) {
                    self.paused_until = self.paused_until.max(clock.when(gauge.reset));
                }
            }
            (Some(Notice::Nothing) | None, Known::Window(window)) => {
                window.roll(clock, now);
                // Okta may have counted it.
                window.remaining = window.remaining.saturating_sub(1);
            }
            (Some(Notice::Nothing), known) => *known = Known::NoLimit,
            (None, Known::Nothing | Known::NoLimit) => {}
        }
        // Whoever finds room finds it for all others too.
        !self.fits(Purpose::List)
    }

    /// One that was let go was never sent.
    pub(super) fn unused(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    fn has_room(&mut self, purpose: Purpose, clock: &OrgClock, now: Instant) -> bool {
        if self.paused_until.is_some_and(|until| now < until) {
            return false;
        }
        self.paused_until = None;
        if let Known::Window(window) = &mut self.known {
            window.roll(clock, now);
        }
        self.fits(purpose)
    }

    /// Whether the budget has room for one more.
    fn fits(&self, purpose: Purpose) -> bool {
        self.room(purpose) > 0
    }

    /// For how many more the budget has room.
    fn room(&self, purpose: Purpose) -> u32 {
        match &self.known {
            Known::Nothing => FEELING_THE_WAY.saturating_sub(self.in_flight),
            Known::NoLimit => u32::MAX,
            Known::Window(window) => {
                let kept = match purpose {
                    Purpose::List => window.limit / LEFT_BY_LISTS,
                    Purpose::LogIn => 0,
                    Purpose::LookUp => window.limit / LEFT_TO_LOG_INS,
                };
                window.remaining.saturating_sub(kept).saturating_sub(self.in_flight)
            }
        }
    }

    /// When a newcomer's turn would come: each window lets as many through as its limit says.
    fn expected(&self, purpose: Purpose, clock: &OrgClock, now: Instant) -> Option<Instant> {
        let opens = self.opens(purpose, clock)?.max(now);
        let Known::Window(window) = &self.known else {
            return Some(opens);
        };
        let windows = i64::try_from(self.ahead(purpose)).ok()? / i64::from(window.limit.max(1));
        let further = u64::try_from(windows.saturating_mul(window.length)).ok()?;
        Some(opens + Duration::from_secs(further))
    }

    fn ahead(&self, purpose: Purpose) -> usize {
        match purpose {
            Purpose::List => self.log_ins.len() + self.look_ups.len() + self.lists.len(),
            Purpose::LogIn => self.log_ins.len(),
            Purpose::LookUp => self.log_ins.len() + self.look_ups.len(),
        }
    }
}

impl Known {
    /// Whether the window is another one.
    fn learn(&mut self, gauge: &Gauge) -> bool {
        let reset = gauge.reset.min(gauge.date + MINUTE);
        let length = match self {
            // A late answer of a window that is over.
            Self::Window(window) if reset < window.reset || reset == window.reset && window.over => return false,
            Self::Window(window) if reset == window.reset => {
                window.limit = gauge.limit;
                window.remaining = window.remaining.min(gauge.remaining);
                return false;
            }
            Self::Window(window) => window.length.min(reset - window.reset),
            Self::Nothing | Self::NoLimit => MINUTE,
        };
        *self = Self::Window(Window {
            limit: gauge.limit,
            remaining: gauge.remaining,
            reset,
            over: false,
            length,
        });
        true
    }
}

impl Known {
    /// Whether this is the org's whole bucket, which others have emptied while our token's share of it lasts. A limit
    /// that is much smaller is another one: that of one user name.
    fn is_emptied_by_others(&self, gauge: &Gauge) -> bool {
        matches!(self, Self::Window(window)
            if gauge.remaining == 0 && gauge.reset < window.reset && gauge.limit >= window.limit)
    }
}

impl Window {
    /// Fills the bucket when its time has come.
    fn roll(&mut self, clock: &OrgClock, now: Instant) {
        if !self.over && clock.when(self.reset).is_some_and(|reset| reset <= now) {
            self.over = true;
            self.remaining = self.limit;
        }
    }
}

/// How long the concurrency limit is left alone: its reset is an estimate of minutes, while the crowd is gone in a
/// moment. Not the same for all, or they would come back together.
fn a_moment() -> Duration {
    Duration::from_millis(250 + RandomState::new().hash_one(()) % 250)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_while_a_queue_is_let_go_is_sent_away_only_if_the_budget_ends_before() {
        let (mut bucket, clock, now) = (Bucket::default(), OrgClock::new(), Instant::now());
        let until = now + Duration::from_secs(1);
        for _ in 0..FEELING_THE_WAY {
            assert!(bucket.take(Purpose::LookUp, &clock, now));
        }
        let waiting: Vec<oneshot::Receiver<Turn>> = (0..60)
            .map(|_| {
                let (grant, granted) = oneshot::channel();
                bucket.queue(Purpose::LookUp, grant);
                granted
            })
            .collect();
        // A tenth of the window is left to log-ins, and three are still in flight.
        for (remaining, waits) in [(100 + 3 + 61, true), (100 + 3 + 60, false)] {
            let gauge = Gauge {
                limit: 1000,
                remaining,
                reset: 60,
                date: 0,
            };
            bucket.in_flight = 4;
            bucket.ended(Some(Notice::Window(gauge)), &clock, now);
            let patience = bucket.patience(Purpose::LookUp, &clock, now, until);
            assert_eq!(matches!(patience, Patience::Wait), waits, "{remaining}");
        }
        assert_eq!(waiting.len(), 60);
    }
}
