//! How many look-ups may be asked once more: a share of those that there are, so that an outage isn't made worse.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use tokio::time::Instant;
use tower::retry::budget::{Budget as _, TpsBudget};
use tower::util::rng::{HasherRng, Rng as _};

/// For how long a look-up counts towards the next one's second attempt. The longest that the budget takes.
const EARNED_FOR: Duration = Duration::from_secs(60);

/// Before it is asked again, in milliseconds. Long enough for a connection to be dropped and made anew.
const BACK_OFF: std::ops::Range<u64> = 25..75;

/// The budget of one source, shared by all workers. Empty at the start.
#[derive(Debug)]
pub(super) struct Retries {
    budget: Option<TpsBudget>,
    random: Mutex<HasherRng>,
    made: Counter,
}

impl Retries {
    pub(super) fn new(percent: u32, made: Counter) -> Self {
        // The budget counts whole look-ups for each retry. In between, so that its division can't fall short of one.
        #[expect(clippy::cast_precision_loss, reason = "100 at the most")]
        let share = |percent: u32| 1.0 / (100_u32.div_ceil(percent) as f32 + 0.5);
        Self {
            budget: (percent > 0).then(|| TpsBudget::new(EARNED_FOR, 0, share(percent))),
            random: Mutex::default(),
            made,
        }
    }

    /// Of each look-up.
    pub(super) fn earn(&self) {
        if let Some(budget) = &self.budget {
            budget.deposit();
        }
    }

    /// How long to wait before it is asked again, if there is something left for that, and time.
    pub(super) fn spend(&self, begin_by: Instant) -> Option<Duration> {
        let budget = self.budget.as_ref()?;
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = Duration::from_millis(random.next_range(BACK_OFF));
        drop(random);
        let in_time = Instant::now() + wait < begin_by;
        let granted = in_time && budget.withdraw();
        if granted {
            self.made.inc();
        }
        granted.then_some(wait)
    }
}
