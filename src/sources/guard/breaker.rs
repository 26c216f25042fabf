//! Whether a source is asked at all. Closed: it is. Open: it isn't, until the probation ends. Then one call probes.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tower::util::rng::{HasherRng, Rng as _};

use super::Settings;
use crate::telemetry::metrics::GuardMetrics;

/// How long somebody is told to wait who comes during the probe.
pub(super) const A_MOMENT: Duration = Duration::from_secs(1);

/// The success rate is that of so many calls, one bit each. Half of them failed: it opens.
const RECENT: u32 = u32::BITS;

/// So many users whose answers can't be read are told apart.
const ODD_USERS: usize = 4;

/// Of one source, shared by all workers. Locked twice a call, for a few comparisons.
pub(super) struct Breaker {
    source: Arc<str>,
    settings: Settings,
    patience: Duration,
    metrics: GuardMetrics,
    users: RandomState,
    state: Mutex<State>,
}

/// What a call says of the source.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Weight {
    /// It is there. Whether it is well, others say.
    Alive,
    Ill,
    /// Either the source can't be understood, or one user at it: five attempts of one such user must not shut out all.
    IllOrOddUser,
    Nothing,
    /// Ill, if it had been waited for.
    Silent,
    Well,
}

/// A call that may be made. Dropped without an answer it counts as silence.
pub(super) struct Turn {
    breaker: Arc<Breaker>,
    began: Instant,
    generation: u64,
    is_probe: bool,
    is_settled: bool,
}

struct State {
    phase: Phase,
    /// How often it changed its phase: an answer to a call from before says nothing of now.
    generation: u64,
    in_a_row: u32,
    /// The last calls, the youngest in the lowest bit; one: it failed.
    recent: u32,
    counted: u32,
    /// Probations in a row.
    probations: u32,
    odd_users: [Option<u64>; ODD_USERS],
    next_odd_user: usize,
    random: HasherRng,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Phase {
    Closed,
    Open { until: Instant },
    Probing,
}

impl Breaker {
    pub(super) fn new(source: Arc<str>, settings: Settings, patience: Duration, metrics: GuardMetrics) -> Self {
        metrics.state.set(Phase::Closed.number());
        Self {
            source,
            settings,
            patience,
            metrics,
            users: RandomState::new(),
            state: Mutex::new(State {
                phase: Phase::Closed,
                generation: 0,
                in_a_row: 0,
                recent: 0,
                counted: 0,
                probations: 0,
                odd_users: [None; ODD_USERS],
                next_odd_user: 0,
                random: HasherRng::new(),
            }),
        }
    }

    /// The turn of a call, or how long there is none. After a probation the first one is the probe, and the only one.
    pub(super) fn admit(self: &Arc<Self>) -> Result<Turn, Duration> {
        let began = Instant::now();
        let mut state = self.lock();
        let left = match state.phase {
            Phase::Closed => None,
            Phase::Open { until } if until <= began => {
                self.enter(&mut state, Phase::Probing);
                None
            }
            Phase::Open { until } => Some(until - began),
            Phase::Probing => Some(A_MOMENT),
        };
        if let Some(left) = left {
            self.metrics.refused.inc();
            return Err(left);
        }
        Ok(Turn {
            breaker: Arc::clone(self),
            began,
            generation: state.generation,
            is_probe: state.phase == Phase::Probing,
            is_settled: false,
        })
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().phase == Phase::Closed
    }

    fn settle(&self, generation: u64, weight: Weight) {
        let mut state = self.lock();
        if self.settings.open_after == 0 || generation != state.generation {
            return;
        }
        match (state.phase, weight) {
            (Phase::Closed, Weight::Well) => {
                state.count(false);
                state.probations = 0;
            }
            (Phase::Closed, Weight::Ill) => {
                state.count(true);
                if state.in_a_row >= self.settings.open_after || state.fails_too_often() {
                    self.metrics.opens.inc();
                    tracing::warn!(source = %self.source, "The source fails, and is left alone.");
                    self.open(&mut state);
                }
            }
            (Phase::Probing, Weight::Alive | Weight::Well) => {
                tracing::info!(source = %self.source, "The source is asked again.");
                state.forget();
                self.enter(&mut state, Phase::Closed);
            }
            (Phase::Probing, Weight::Ill) => self.open(&mut state),
            // Nobody has found out: the next one may.
            (Phase::Probing, _) => {
                let until = Instant::now();
                self.enter(&mut state, Phase::Open { until });
            }
            (Phase::Closed | Phase::Open { .. }, _) => {}
        }
    }

    fn open(&self, state: &mut State) {
        let until = Instant::now() + state.probation(&self.settings);
        state.probations = state.probations.saturating_add(1);
        self.enter(state, Phase::Open { until });
    }

    fn enter(&self, state: &mut State, phase: Phase) {
        state.phase = phase;
        state.generation += 1;
        self.metrics.state.set(phase.number());
    }

    /// Whether this user's answers were among the last that couldn't be read.
    fn is_known_as_odd(&self, user: &str) -> bool {
        let user = Some(self.users.hash_one(user));
        let mut state = self.lock();
        if state.odd_users.contains(&user) {
            return true;
        }
        let at = state.next_odd_user;
        state.odd_users[at] = user;
        state.next_odd_user = (at + 1) % ODD_USERS;
        false
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn count(&mut self, failed: bool) {
        self.in_a_row = if failed { self.in_a_row + 1 } else { 0 };
        self.recent = self.recent << 1 | u32::from(failed);
        self.counted = (self.counted + 1).min(RECENT);
    }

    fn fails_too_often(&self) -> bool {
        self.counted == RECENT && self.recent.count_ones() >= RECENT / 2
    }

    fn forget(&mut self) {
        (self.in_a_row, self.recent, self.counted) = (0, 0, 0);
    }

    /// Doubled with each one in a row, and between half of that and the whole: instances don't come back together.
    fn probation(&mut self, settings: &Settings) -> Duration {
        let doubled = settings.probation.saturating_mul(1 << self.probations.min(16));
        let capped = doubled.min(settings.longest_probation);
        capped.mul_f64((1.0 + self.random.next_f64()) / 2.0)
    }
}

impl Phase {
    /// In the metric.
    fn number(self) -> i64 {
        match self {
            Self::Closed => 0,
            Self::Probing => 1,
            Self::Open { .. } => 2,
        }
    }
}

impl Turn {
    pub(super) fn is_probe(&self) -> bool {
        self.is_probe
    }

    pub(super) fn began(&self) -> Instant {
        self.began
    }

    /// How it went, for whom.
    pub(super) fn settle(mut self, weight: Weight, user: &str) {
        let weight = match weight {
            Weight::IllOrOddUser if !user.is_empty() && self.breaker.is_known_as_odd(user) => Weight::Nothing,
            Weight::IllOrOddUser => Weight::Ill,
            Weight::Silent => self.silence(),
            other => other,
        };
        self.end(weight);
    }

    fn silence(&self) -> Weight {
        if self.began.elapsed() >= self.breaker.patience {
            Weight::Ill
        } else {
            Weight::Nothing
        }
    }

    fn end(&mut self, weight: Weight) {
        self.is_settled = true;
        self.breaker.settle(self.generation, weight);
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if !self.is_settled {
            self.end(self.silence());
        }
    }
}

impl fmt::Debug for Breaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breaker")
            .field("source", &self.source)
            .field("phase", &self.lock().phase)
            .finish_non_exhaustive()
    }
}
