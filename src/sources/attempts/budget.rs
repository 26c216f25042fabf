//! How many attempts a user has left.
//!
//! Of users nothing is kept but their keyed hash, while an attempt is in flight and for the second in which it was
//! submitted. What they have spent stands in a sketch of fixed size (count-min with conservative update, each count a
//! leaky bucket): a user has one cell in each row, shared with others, and the emptiest of them counts. It never counts
//! too little, so nobody's budget comes back because a stranger asks for many; it may count too much when very many users
//! fail at once. Nobody can choose whose cells they share: the hash has a key.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use super::Limits;

/// One row for each 16 bits of a user's hash.
const ROWS: usize = 4;
const COLUMNS: usize = 1 << 16;

/// How many attempts a second are submitted at the most, of all users.
const MOST: usize = 1 << 16;
const SECOND: Duration = Duration::from_secs(1);

pub(super) struct Budget {
    began: Instant,
    per_second: u32,
    /// Those of whom anything is in flight or was submitted within the last second.
    users: HashMap<u64, User>,
    /// What was submitted within the last second, the oldest first.
    submitted: VecDeque<(Instant, u64)>,
    /// What didn't end in a yes.
    failed: Sketch,
}

#[derive(Clone, Copy, Default)]
struct User {
    /// Taken from the budget until it is known how they end.
    in_flight: u32,
    submitted: u32,
}

impl Budget {
    pub(super) fn new(limits: Limits, began: Instant) -> Self {
        Self {
            began,
            per_second: limits.per_second,
            users: HashMap::new(),
            submitted: VecDeque::new(),
            failed: Sketch::new(limits.burst, limits.refill),
        }
    }

    /// One attempt, or how long until there is one again.
    pub(super) fn take(&mut self, user: u64, now: Instant) -> Result<(), Duration> {
        self.forget(now);
        let User { in_flight, submitted } = self.users.get(&user).copied().unwrap_or_default();
        self.failed.has_room(user, in_flight + 1, self.time(now))?;
        if submitted >= self.per_second || self.submitted.len() >= MOST {
            return Err(SECOND);
        }
        self.submitted.push_back((now, user));
        let user = self.users.entry(user).or_default();
        user.submitted += 1;
        user.in_flight += 1;
        Ok(())
    }

    /// An attempt that was taken has ended.
    pub(super) fn settle(&mut self, user: u64, now: Instant, counts: bool) {
        if counts {
            self.failed.add(user, self.time(now));
        }
        self.update(user, |user| user.in_flight -= 1);
    }

    /// What was submitted a second ago.
    fn forget(&mut self, now: Instant) {
        while let Some(&(at, user)) = self.submitted.front()
            && at + SECOND <= now
        {
            self.submitted.pop_front();
            self.update(user, |user| user.submitted -= 1);
        }
    }

    fn update(&mut self, user: u64, change: impl FnOnce(&mut User)) {
        let Some(known) = self.users.get_mut(&user) else { return };
        change(known);
        if known.in_flight == 0 && known.submitted == 0 {
            self.users.remove(&user);
        }
    }

    /// In nanoseconds, which end in 500 years.
    fn time(&self, now: Instant) -> u64 {
        nanoseconds(now.saturating_duration_since(self.began))
    }

    #[cfg(test)]
    pub(super) fn in_flight(&self) -> usize {
        self.users.values().filter(|user| user.in_flight > 0).count()
    }
}

/// What was taken, draining by one every `period`; so much at the most.
struct Sketch {
    capacity: u64,
    period: u64,
    /// When each will have drained, row by row.
    empty_at: Box<[u64]>,
}

impl Sketch {
    fn new(burst: u32, period: Duration) -> Self {
        let period = nanoseconds(period);
        Self {
            capacity: period * u64::from(burst),
            period,
            // Zeroed by the system: what isn't used takes no memory.
            empty_at: vec![0; ROWS * COLUMNS].into_boxed_slice(),
        }
    }

    /// Whether so many more fit in now, or when they will.
    fn has_room(&self, user: u64, more: u32, now: u64) -> Result<(), Duration> {
        let full = self.empty_at(user, now) + self.period * u64::from(more);
        let wait = full.saturating_sub(now + self.capacity);
        if wait == 0 {
            return Ok(());
        }
        Err(Duration::from_nanos(wait))
    }

    fn add(&mut self, user: u64, now: u64) {
        let empty_at = self.empty_at(user, now) + self.period;
        for cell in cells(user) {
            self.empty_at[cell] = self.empty_at[cell].max(empty_at);
        }
    }

    /// When what this user has taken will have drained: now, or later by no less than that.
    fn empty_at(&self, user: u64, now: u64) -> u64 {
        let [a, b, c, d] = cells(user).map(|cell| self.empty_at[cell]);
        a.min(b).min(c).min(d).max(now)
    }
}

fn cells(user: u64) -> [usize; ROWS] {
    let [a, b, c, d, e, f, g, h] = user.to_ne_bytes();
    let cell = |row: usize, column: [u8; 2]| row * COLUMNS + usize::from(u16::from_ne_bytes(column));
    [cell(0, [a, b]), cell(1, [c, d]), cell(2, [e, f]), cell(3, [g, h])]
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
