use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use idbridge_source::{Lookup, SourceError};
use tokio::sync::watch;
use tokio::time::Instant;

/// How many answers are remembered at the most. One that finds nobody takes about 500 bytes, a plain user 900, and
/// an identifier of 1 KiB, the longest there is, takes that on top.
pub(super) const REMEMBERED: usize = 5_000;

/// An error is for those who wait, and isn't remembered.
pub(super) type Answer = Result<Arc<Lookup>, SourceError>;

/// Questions in flight by one method, and answers that are still remembered.
pub(super) struct Recent {
    ttl: Duration,
    state: Mutex<State>,
}

/// What becomes of somebody who asks.
pub(super) enum Place {
    /// Another asks the same: wait with them.
    Follows(Waiting),
    /// Nobody has asked: do, and answer this.
    Leads(Question),
    Remembered(Arc<Lookup>),
}

/// A question that is being asked. However it ends, it is over for those who wait, too.
pub(super) struct Question {
    recent: Arc<Recent>,
    identifier: Arc<str>,
    waiting: watch::Sender<Option<Answer>>,
    answer: Option<Answer>,
    /// How often everything had been forgotten when it was asked.
    asked_in: u64,
}

/// Somebody who waits for the answer. Dropped, they don't any more.
pub(super) struct Waiting(watch::Receiver<Option<Answer>>);

#[derive(Default)]
struct State {
    entries: HashMap<Arc<str>, Entry>,
    /// When each answer is forgotten. All are remembered for as long, so the oldest stands first.
    ends: VecDeque<(Instant, Arc<str>)>,
    /// How often everything was forgotten.
    forgotten: u64,
}

enum Entry {
    InFlight(watch::Sender<Option<Answer>>),
    Remembered(Arc<Lookup>),
}

impl Recent {
    pub(super) fn new(ttl: Duration) -> Self {
        Self {
            ttl,
            state: Mutex::default(),
        }
    }

    pub(super) fn place(self: &Arc<Self>, identifier: &str) -> Place {
        let mut state = self.state();
        state.forget(Instant::now());
        match state.entries.get(identifier) {
            Some(Entry::InFlight(waiting)) => Place::Follows(Waiting(waiting.subscribe())),
            Some(Entry::Remembered(answer)) => Place::Remembered(Arc::clone(answer)),
            None => {
                let identifier: Arc<str> = identifier.into();
                let waiting = watch::Sender::new(None);
                let entry = Entry::InFlight(waiting.clone());
                state.entries.insert(Arc::clone(&identifier), entry);
                Place::Leads(Question {
                    recent: Arc::clone(self),
                    identifier,
                    waiting,
                    answer: None,
                    asked_in: state.forgotten,
                })
            }
        }
    }

    /// Drops what has been remembered for long enough.
    pub(super) fn forget(&self) {
        self.state().forget(Instant::now());
    }

    /// Drops all that is remembered. Who waits for an answer gets it, and it isn't remembered either.
    pub(super) fn forget_all(&self) {
        let mut state = self.state();
        state.forgotten += 1;
        state.ends.clear();
        state.entries.retain(|_, entry| matches!(entry, Entry::InFlight(_)));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> (usize, usize) {
        let state = self.state();
        (state.entries.len(), state.ends.len())
    }
}

impl Question {
    pub(super) fn wait(&self) -> Waiting {
        Waiting(self.waiting.subscribe())
    }

    pub(super) async fn nobody_waits(&self) {
        self.waiting.closed().await;
    }

    pub(super) fn answered(mut self, answer: Answer) {
        self.answer = Some(answer);
    }
}

/// Also where the source panicked, or the runtime that asked it has ended.
impl Drop for Question {
    fn drop(&mut self) {
        let answer = self.answer.take();
        let mut state = self.recent.state();
        let remembered = match &answer {
            Some(Ok(answer)) if !self.recent.ttl.is_zero() && state.forgotten == self.asked_in => {
                Some(Arc::clone(answer))
            }
            _ => None,
        };
        match remembered {
            Some(answer) => state.remember(&self.identifier, answer, Instant::now() + self.recent.ttl),
            None => _ = state.entries.remove(&self.identifier),
        }
        drop(state);
        // Only now: whoever hears of it and asks again must not meet this question.
        if answer.is_some() {
            self.waiting.send_replace(answer);
        }
    }
}

impl Waiting {
    /// `None`: the question is over without one.
    pub(super) async fn answer(mut self) -> Option<Answer> {
        let answer = self.0.wait_for(Option::is_some).await;
        answer.ok().and_then(|answer| answer.clone())
    }
}

impl State {
    fn forget(&mut self, now: Instant) {
        while self.ends.front().is_some_and(|(end, _)| *end <= now) {
            self.forget_oldest();
        }
    }

    fn remember(&mut self, identifier: &Arc<str>, answer: Arc<Lookup>, end: Instant) {
        // The oldest goes early: strangers who ask for many addresses cost calls, and no memory.
        if self.ends.len() == REMEMBERED {
            self.forget_oldest();
        }
        self.ends.push_back((end, Arc::clone(identifier)));
        self.entries.insert(Arc::clone(identifier), Entry::Remembered(answer));
    }

    fn forget_oldest(&mut self) {
        if let Some((_, identifier)) = self.ends.pop_front() {
            self.entries.remove(&identifier);
        }
    }
}
