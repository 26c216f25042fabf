//! Changes a running org.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::faults::{Effect, Rule};
use crate::org::same;
use crate::state::Shared;
use crate::{Endpoint, Fault, On, Org, Person, Received};

/// Changes an org while it runs. Every change holds for the next request.
#[derive(Clone, Debug)]
pub struct Control {
    shared: Arc<Shared>,
}

/// Requests wait while this lives. Dropping it lets them go, and later ones pass.
#[derive(Debug)]
pub struct Hold {
    go: watch::Sender<bool>,
}

impl Control {
    pub(crate) fn new(shared: Arc<Shared>) -> Control {
        Control { shared }
    }

    /// Changes anything of the org: people, tokens, limits, lockout, clock.
    pub fn change<T>(&self, change: impl FnOnce(&mut Org) -> T) -> T {
        change(&mut self.shared.lock().org)
    }

    /// Changes the user with this login. `false`: there is none.
    pub fn person(&self, login: &str, change: impl FnOnce(&mut Person)) -> bool {
        self.change(|org| {
            org.people
                .iter_mut()
                .find(|person| same(&person.login, login))
                .map(change)
                .is_some()
        })
    }

    pub fn add(&self, person: Person) {
        self.change(|org| org.people.push(person));
    }

    /// Deletes the user with this login.
    pub fn remove(&self, login: &str) {
        self.change(|org| org.people.retain(|person| !same(&person.login, login)));
    }

    /// Every matching request meets this fault, until [`Control::clear_faults`].
    pub fn fault(&self, on: impl Into<On>, fault: Fault) {
        self.rule(on.into(), Effect::Fault(fault), None);
    }

    /// The next `times` matching requests meet this fault. Of several faults for a request the first given wins; waits
    /// add up.
    pub fn fault_times(&self, on: impl Into<On>, fault: Fault, times: u32) {
        if times > 0 {
            self.rule(on.into(), Effect::Fault(fault), Some(times));
        }
    }

    pub fn clear_faults(&self) {
        self.shared
            .lock()
            .rules
            .retain(|rule| matches!(rule.effect, Effect::Hold(_)));
    }

    /// Matching requests arrive, are counted, and wait for the [`Hold`] to be dropped.
    #[must_use = "dropping it lets the requests go"]
    pub fn hold(&self, on: impl Into<On>) -> Hold {
        let (go, gate) = watch::channel(false);
        self.rule(on.into(), Effect::Hold(gate), None);
        Hold { go }
    }

    /// From now on search sees the people as they are now, whatever changes.
    pub fn freeze_search(&self) {
        let mut state = self.shared.lock();
        state.indexed = Some(state.org.people.clone());
    }

    /// Search sees the people as they are, now and later.
    pub fn refresh_search(&self) {
        self.shared.lock().indexed = None;
    }

    /// Makes a user invisible to every token, as a role that doesn't reach him does. `/authn` still knows him.
    pub fn hide(&self, login: &str) {
        let mut state = self.shared.lock();
        if let Some(id) = state.org.find(login).map(|person| person.id.clone()) {
            state.hidden.insert(id);
        }
    }

    /// Undoes every [`Control::hide`].
    pub fn show_all(&self) {
        self.shared.lock().hidden.clear();
    }

    /// Every token is dead: 401 E0000011.
    pub fn revoke_tokens(&self) {
        self.change(|org| org.tokens.clear());
    }

    /// Moves the org's clock.
    pub fn advance(&self, by: Duration) {
        self.change(|org| org.clock = org.clock.ahead(by));
    }

    /// What has reached the org so far.
    pub fn received(&self) -> Received {
        self.shared.lock().received.clone()
    }

    /// Waits until `count` requests in all have arrived at `endpoint` (answered or not).
    pub async fn arrived(&self, endpoint: Endpoint, count: u64) {
        self.until(|received| received.count(endpoint) >= count).await;
    }

    /// Waits until `count` requests in all have been answered at `endpoint`.
    pub async fn answered(&self, endpoint: Endpoint, count: u64) {
        self.until(|received| received.answered(endpoint) >= count).await;
    }

    /// Waits until no request is in flight.
    pub async fn idle(&self) {
        self.until(|received| received.in_flight() == 0).await;
    }

    /// Waits until what was received meets `condition`.
    pub async fn until(&self, condition: impl Fn(&Received) -> bool) {
        loop {
            let changed = self.shared.changed.notified();
            tokio::pin!(changed);
            // Listening before looking: nothing is missed between the two.
            changed.as_mut().enable();
            if condition(&self.shared.lock().received) {
                return;
            }
            changed.await;
        }
    }

    fn rule(&self, on: On, effect: Effect, left: Option<u32>) {
        let mut state = self.shared.lock();
        state.rules.retain(|rule| !rule.is_over());
        state.rules.push(Rule { on, effect, left });
    }
}

impl Hold {
    /// Lets the requests go; the same as dropping.
    pub fn release(self) {}
}

impl Drop for Hold {
    fn drop(&mut self) {
        // Nobody may be waiting: that is fine.
        let _ = self.go.send(true);
    }
}

impl Rule {
    /// A hold that was let go.
    fn is_over(&self) -> bool {
        matches!(&self.effect, Effect::Hold(gate) if gate.has_changed().is_err())
    }
}
