//! Keeps within Okta's rate limits instead of running into them.
//!
//! Every answer tells how much of its bucket is left and when the bucket is filled again. A call for which there is
//! room goes at once. One for which there will be room before its caller leaves waits for its turn, log-ins before
//! look-ups, lists last. Any other is told at once how long to stay away. Nothing is asked of a bucket that is known to be empty.

mod bucket;
mod clock;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use idbridge_outbound::Response;
use idbridge_source::{Call, ErrorKind, SourceError};
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use crate::limits::{self, Notice};
use bucket::{Bucket, Patience};
use clock::OrgClock;

/// What Okta counts together (<https://developer.okta.com/docs/reference/rl2-limits/>).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Counted {
    /// `POST /api/v1/authn`
    Authn,
    /// What has no bucket of its own: a user's factors and groups.
    Other,
    /// `GET /api/v1/users/{idOrLogin}`
    User,
    /// `GET /api/v1/users`
    Users,
}

/// Whose turn comes first: somebody sits before the log-in box.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Purpose {
    /// An assessment: nobody sits before it.
    List,
    LogIn,
    LookUp,
}

/// Lists stop when this part of a bucket is left: half of it.
pub(crate) const LEFT_BY_LISTS: u32 = 2;

/// The budget of one source, shared by all workers.
pub(crate) struct Pacer {
    state: Mutex<State>,
    /// For those who wait: when there will be room is another moment now.
    changes: [Notify; 4],
}

struct State {
    clock: OrgClock,
    buckets: [Bucket; 4],
}

/// The right to send one request. Dropped without an answer, it counts as spent: Okta may have counted it.
pub(crate) struct Turn {
    pacer: Arc<Pacer>,
    counted: Counted,
    sent: Instant,
    answered: bool,
}

impl Pacer {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                clock: OrgClock::new(),
                buckets: Default::default(),
            }),
            changes: Default::default(),
        })
    }

    /// Waits for a turn, at most until the call's caller leaves.
    pub(crate) async fn turn(
        self: &Arc<Self>,
        counted: Counted,
        purpose: Purpose,
        call: &Call,
    ) -> Result<Turn, SourceError> {
        let granted = {
            let mut state = self.lock();
            let State { clock, buckets } = &mut *state;
            let bucket = &mut buckets[counted as usize];
            let now = Instant::now();
            if bucket.take(purpose, clock, now) {
                return Ok(self.grant(counted, now));
            }
            if let Patience::Leave(wait) = bucket.patience(purpose, clock, now, call.begin_by) {
                return Err(throttled(wait));
            }
            let (grant, granted) = oneshot::channel();
            bucket.queue(purpose, grant);
            granted
        };
        // In a box of its own: most don't wait.
        Box::pin(self.wait(counted, purpose, call.begin_by, granted)).await
    }

    async fn wait(
        self: &Arc<Self>,
        counted: Counted,
        purpose: Purpose,
        begin_by: Instant,
        mut granted: oneshot::Receiver<Turn>,
    ) -> Result<Turn, SourceError> {
        loop {
            let change = self.changes[counted as usize].notified();
            let wake = self.opens(counted, purpose).unwrap_or(begin_by).min(begin_by);
            tokio::select! {
                biased;
                turn = &mut granted => return turn.map_err(|_| throttled(None)),
                () = change => {}
                () = tokio::time::sleep_until(wake) => {}
            }
            self.pass_on(counted);
            let opens = self.opens(counted, purpose);
            if Instant::now() >= begin_by || opens.is_some_and(|opens| opens > begin_by) {
                // A turn that came this very moment is taken: it is counted already.
                return granted.try_recv().map_err(|_| self.late(counted, opens));
            }
        }
    }

    /// Whether a turn could be had by then. Asked before a password is submitted, of what has to follow it: a log-in
    /// that can't be finished should not be begun.
    pub(crate) fn foresee(&self, counted: Counted, purpose: Purpose, begin_by: Instant) -> Result<(), SourceError> {
        let mut state = self.lock();
        let State { clock, buckets } = &mut *state;
        match buckets[counted as usize].patience(purpose, clock, Instant::now(), begin_by) {
            Patience::Leave(wait) => Err(throttled(wait)),
            Patience::Wait => Ok(()),
        }
    }

    /// What an answer named as the limit of this bucket.
    pub(crate) fn limit(&self, counted: Counted) -> Option<u32> {
        self.lock().buckets[counted as usize].limit()
    }

    /// When there will be room without any answer coming in before.
    fn opens(&self, counted: Counted, purpose: Purpose) -> Option<Instant> {
        let state = self.lock();
        state.buckets[counted as usize].opens(purpose, &state.clock)
    }

    /// Why a turn did not come in time: for want of room, or of any answer at all.
    fn late(&self, counted: Counted, opens: Option<Instant>) -> SourceError {
        if self.lock().buckets[counted as usize].is_known() {
            throttled(opens.map(|opens| opens.saturating_duration_since(Instant::now())))
        } else {
            SourceError::new(ErrorKind::TimedOut, WAITING)
        }
    }

    /// Gives the turns that there is room for to those who wait.
    fn pass_on(self: &Arc<Self>, counted: Counted) {
        loop {
            let now = Instant::now();
            let next = {
                let mut state = self.lock();
                let State { clock, buckets } = &mut *state;
                buckets[counted as usize].next(clock, now)
            };
            let Some(grant) = next else { return };
            // Outside the lock: if nobody waits any more, the turn comes back and gives its place up.
            if let Err(mut turn) = grant.send(self.grant(counted, now)) {
                turn.answered = true;
                self.lock().buckets[counted as usize].unused();
            }
        }
    }

    fn grant(self: &Arc<Self>, counted: Counted, sent: Instant) -> Turn {
        Turn {
            pacer: Arc::clone(self),
            counted,
            sent,
            answered: false,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // What stands behind it are numbers, whole after every step.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// Learns from the answer.
    pub(crate) fn answered(self, response: &Response) {
        self.told(limits::notice(response.status(), response.headers()));
    }

    fn told(mut self, notice: Notice) {
        self.answered = true;
        self.end(Some(notice));
    }

    fn end(&self, notice: Option<Notice>) {
        let changed = {
            let mut state = self.pacer.lock();
            let State { clock, buckets } = &mut *state;
            let now = Instant::now();
            if let Some(Notice::Window(gauge)) = &notice {
                clock.learn(gauge.date, self.sent, now);
            }
            buckets[self.counted as usize].ended(notice, clock, now)
        };
        if changed {
            self.pacer.changes[self.counted as usize].notify_waiters();
        }
        self.pacer.pass_on(self.counted);
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if !self.answered {
            self.end(None);
        }
    }
}

const WAITING: &str = "waiting for a turn at Okta";

fn throttled(retry_after: Option<Duration>) -> SourceError {
    let error = SourceError::new(ErrorKind::Throttled { retry_after }, WAITING);
    error.with_source("the rate limit is used up, and the caller can't wait for the next window")
}

impl fmt::Debug for Pacer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pacer").finish_non_exhaustive()
    }
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn")
            .field("counted", &self.counted)
            .finish_non_exhaustive()
    }
}
