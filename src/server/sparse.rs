//! A message that any peer can provoke is logged sparsely.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use super::limits::LOG_INTERVAL;

/// Lets one message through every [`LOG_INTERVAL`] and counts those in between.
#[derive(Debug, Default)]
pub(super) struct Sparse(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    last: Option<Instant>,
    held_back: u64,
}

impl Sparse {
    /// `Some` with the number of messages held back since the last one, if this one may be logged.
    pub(super) fn pass(&self) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if state.last.is_some_and(|last| now < last + LOG_INTERVAL) {
            state.held_back += 1;
            return None;
        }
        state.last = Some(now);
        Some(std::mem::take(&mut state.held_back))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_message_a_second() {
        let sparse = Sparse::default();
        assert_eq!(sparse.pass(), Some(0));
        assert_eq!(sparse.pass(), None);
        assert_eq!(sparse.pass(), None);
        tokio::time::advance(LOG_INTERVAL).await;
        assert_eq!(sparse.pass(), Some(2));
        assert_eq!(sparse.pass(), None);
    }
}
