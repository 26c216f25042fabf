//! Attempts in flight, and verdicts that are still remembered.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use idbridge_source::{Authentication, SourceError};
use tokio::sync::watch;
use tokio::time::Instant;

use super::Code;

/// How many verdicts are remembered at the most. A yes takes about 900 bytes, a no a tenth of that.
pub(super) const REMEMBERED: usize = 5_000;

type Answer = Result<Authentication, SourceError>;

pub(super) struct Verdicts {
    replay: Duration,
    entries: HashMap<Code, Entry>,
    /// When each verdict is forgotten. All are remembered for as long, so the oldest stands first.
    ends: VecDeque<(Instant, Code)>,
    /// How often everything was forgotten.
    forgotten: u64,
}

/// Where an attempt finds its answer.
pub(super) enum Place {
    /// An equal one is in flight.
    Follows(Waiting),
    /// Nowhere, yet.
    New {
        /// How often everything had been forgotten.
        asked_in: u64,
    },
    Remembered(Box<Authentication>),
}

/// Somebody who waits for the answer.
pub(super) struct Waiting(watch::Receiver<Option<Answer>>);

enum Entry {
    /// Most are alone, and need no channel.
    InFlight(Option<watch::Sender<Option<Answer>>>),
    Remembered {
        verdict: Box<Authentication>,
        until: Instant,
    },
}

impl Verdicts {
    pub(super) fn new(replay: Duration) -> Self {
        Self {
            replay,
            entries: HashMap::new(),
            ends: VecDeque::new(),
            forgotten: 0,
        }
    }

    /// A yes is told again once, as a target needs that lost it. More would be log-ins that the source hears nothing of.
    pub(super) fn place(&mut self, code: &Code, now: Instant) -> Place {
        self.forget(now);
        match self.entries.get_mut(code) {
            None => Place::New {
                asked_in: self.forgotten,
            },
            Some(Entry::InFlight(waiting)) => {
                let waiting = waiting.get_or_insert_with(|| watch::Sender::new(None));
                Place::Follows(Waiting(waiting.subscribe()))
            }
            Some(Entry::Remembered { verdict, .. }) => {
                let told = verdict.clone();
                if matches!(*told, Authentication::Accept(_)) {
                    self.entries.remove(code);
                }
                Place::Remembered(told)
            }
        }
    }

    pub(super) fn begin(&mut self, code: Code) {
        self.entries.insert(code, Entry::InFlight(None));
    }

    /// An attempt has ended, with this verdict to remember. Who waits is to be told by what is returned.
    pub(super) fn end(
        &mut self,
        code: Code,
        verdict: Option<Box<Authentication>>,
        asked_in: u64,
        now: Instant,
    ) -> Option<watch::Sender<Option<Answer>>> {
        let Some(Entry::InFlight(waiting)) = self.entries.remove(&code) else {
            return None;
        };
        if let Some(verdict) = verdict
            && self.forgotten == asked_in
        {
            self.remember(code, verdict, now + self.replay);
        }
        waiting
    }

    /// Drops what has been remembered for long enough.
    pub(super) fn forget(&mut self, now: Instant) {
        while self.ends.front().is_some_and(|(end, _)| *end <= now) {
            self.forget_oldest();
        }
    }

    /// Who waits for an answer gets it, and it isn't remembered either.
    pub(super) fn forget_all(&mut self) {
        self.forgotten += 1;
        self.ends.clear();
        self.entries.retain(|_, entry| matches!(entry, Entry::InFlight(_)));
    }

    fn remember(&mut self, code: Code, verdict: Box<Authentication>, until: Instant) {
        // The oldest goes early: who is told nothing of it asks the source, on the budget.
        if self.ends.len() == REMEMBERED {
            self.forget_oldest();
        }
        self.ends.push_back((until, code));
        self.entries.insert(code, Entry::Remembered { verdict, until });
    }

    fn forget_oldest(&mut self) {
        let Some((end, code)) = self.ends.pop_front() else {
            return;
        };
        // A yes that was told again is gone already, and an equal attempt may stand in its place.
        if matches!(self.entries.get(&code), Some(Entry::Remembered { until, .. }) if *until == end) {
            self.entries.remove(&code);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> (usize, usize) {
        (self.entries.len(), self.ends.len())
    }
}

impl Waiting {
    /// `None`: it ended without one.
    pub(super) async fn answer(mut self) -> Option<Answer> {
        let answer = self.0.wait_for(Option::is_some).await;
        answer.ok().and_then(|answer| answer.clone())
    }
}
