//! Asks each source now and then whether it is well, so that health tells before a user does. At Okta it also keeps an
//! API token from expiring for want of use.

use std::sync::Arc;
use std::time::Duration;

use idbridge_source::{Call, IdentitySource};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::request_id;

/// Seldom enough to cost nothing of an upstream's budget, often enough to be news.
const EVERY: Duration = Duration::from_secs(30);
/// Longer than any answer that is of use to a log-in.
const WITHIN: Duration = Duration::from_secs(10);

/// Probes once, then at intervals, for ever. What it finds, the source's decorators tell.
pub(super) async fn forever(source: Arc<dyn IdentitySource>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let _observed = source.probe(&call()).await;
    }
}

/// A call of the broker's own.
pub fn call() -> Call {
    Call::new(request_id::make(), Instant::now() + WITHIN)
}
