//! The one piece of shared state, behind one lock that is never held across an await.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::Notify;

use crate::faults::{self, Effect, Rule};
use crate::limits::Limiter;
use crate::received::{Received, Request};
use crate::{Org, Person};

pub(crate) struct Shared {
    pub(crate) url: String,
    /// Told whenever a request arrives or leaves.
    pub(crate) changed: Notify,
    state: Mutex<State>,
}

pub(crate) struct State {
    pub(crate) org: Org,
    /// What search sees; `None`: the people as they are.
    pub(crate) indexed: Option<Vec<Person>>,
    /// Ids of the people whom no token sees.
    pub(crate) hidden: HashSet<String>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) limiter: Limiter,
    pub(crate) received: Received,
    pub(crate) minted: u64,
}

impl Shared {
    pub(crate) fn new(url: String, org: Org) -> Shared {
        let indexed = org.stale_search.then(|| org.people.clone());
        let state = State {
            org,
            indexed,
            hidden: HashSet::new(),
            rules: Vec::new(),
            limiter: Limiter::default(),
            received: Received::default(),
            minted: 0,
        };
        Shared {
            url,
            changed: Notify::new(),
            state: Mutex::new(state),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves counts and people as usable as before.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a request and draws what it meets.
    pub(crate) fn arrive(self: &Arc<Self>, request: Request) -> Visit {
        let mut guard = self.lock();
        let state = &mut *guard;
        let request = state.received.arrive(request);
        let over_concurrency = state.received.in_flight() > u64::from(state.org.limits.concurrency);
        let effects = if over_concurrency {
            Vec::new()
        } else {
            faults::draw(&mut state.rules, &request)
        };
        drop(guard);
        self.changed.notify_waiters();
        Visit {
            request,
            effects,
            over_concurrency,
            answered: false,
            shared: Arc::clone(self),
        }
    }
}

/// What is shared is full of names and passwords.
impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("url", &self.url).finish_non_exhaustive()
    }
}

impl State {
    pub(crate) fn now(&self) -> Timestamp {
        self.org.clock.now()
    }
}

/// A request in flight; it leaves when this is dropped.
pub(crate) struct Visit {
    pub(crate) request: Arc<Request>,
    pub(crate) effects: Vec<Effect>,
    pub(crate) over_concurrency: bool,
    pub(crate) answered: bool,
    shared: Arc<Shared>,
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.shared.lock().received.leave(self.request.endpoint, self.answered);
        self.shared.changed.notify_waiters();
    }
}
