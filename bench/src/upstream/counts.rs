//! What reached the org.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use super::answer::Attempt;
use super::limit::Limiter;
use super::route::Route;

/// Calls of each route, submissions of each login, and calls in flight.
#[derive(Default)]
pub(super) struct Counts {
    connections: Level,
    routes: BTreeMap<&'static str, u64>,
    /// Passwords submitted for each login, throttled ones included.
    submissions: HashMap<String, u64>,
    in_flight: Level,
    log_ins_in_flight: Level,
}

#[derive(Clone, Copy, Default)]
struct Level {
    now: u64,
    most: u64,
}

impl Counts {
    pub(super) fn connected(&mut self) {
        self.connections.rise();
    }

    pub(super) fn disconnected(&mut self) {
        self.connections.now -= 1;
    }

    pub(super) fn arrive(&mut self, route: &Route, body: &[u8]) {
        *self.routes.entry(route.name()).or_default() += 1;
        self.in_flight.rise();
        if *route != Route::Authn {
            return;
        }
        self.log_ins_in_flight.rise();
        if let Some(attempt) = Attempt::parse(body) {
            *self.submissions.entry(attempt.username.into_owned()).or_default() += 1;
        }
    }

    pub(super) fn leave(&mut self, is_log_in: bool) {
        self.in_flight.now -= 1;
        self.log_ins_in_flight.now -= u64::from(is_log_in);
    }

    /// Begins anew; calls in flight stay in flight.
    pub(super) fn reset(&mut self) {
        *self = Self {
            connections: self.connections.begun_anew(),
            in_flight: self.in_flight.begun_anew(),
            log_ins_in_flight: self.log_ins_in_flight.begun_anew(),
            ..Self::default()
        };
    }

    /// `GET /_bench/counts`.
    pub(super) fn report(&self, limiter: &Limiter) -> Value {
        let windows: Vec<Value> = limiter
            .history()
            .iter()
            .map(|(begins, tally)| {
                json!({"begins": begins, "admitted": tally.admitted, "throttled": tally.throttled, "ignored": tally.ignored})
            })
            .collect();
        let sum = |of: fn(&super::limit::Tally) -> u32| {
            limiter
                .history()
                .values()
                .map(|tally| u64::from(of(tally)))
                .sum::<u64>()
        };
        json!({
            "routes": {
                "authn": self.route("authn"),
                "factors": self.route("factors"),
                "organization": self.route("organization"),
                "search": self.route("search"),
                "user": self.route("user"),
            },
            "submissions": {
                "total": self.submissions.values().sum::<u64>(),
                "distinct": self.submissions.len(),
                "most_per_login": self.submissions.values().copied().max().unwrap_or(0),
            },
            "connections": {"now": self.connections.now, "most": self.connections.most},
            "in_flight": {"now": self.in_flight.now, "most": self.in_flight.most},
            "log_ins_in_flight": {"now": self.log_ins_in_flight.now, "most": self.log_ins_in_flight.most},
            // Answers 429 to log-ins, and log-ins that came although an answer had said that nothing remains.
            "throttled": sum(|tally| tally.throttled),
            "after_exhaustion": sum(|tally| tally.ignored),
            "windows": windows,
        })
    }

    /// `GET /_bench/submissions`: how often each login's password came.
    pub(super) fn submissions(&self) -> Value {
        json!(self.submissions)
    }

    fn route(&self, name: &str) -> u64 {
        self.routes.get(name).copied().unwrap_or(0)
    }
}

impl Level {
    fn rise(&mut self) {
        self.now += 1;
        self.most = self.most.max(self.now);
    }

    fn begun_anew(self) -> Self {
        Self {
            now: self.now,
            most: self.now,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn everything_that_arrives_is_counted_once() {
        let mut counts = Counts::default();
        let ada = br#"{"username": "ada@bench.test", "password": "x"}"#;
        let bob = br#"{"username": "bob@bench.test", "password": "x"}"#;
        counts.arrive(&Route::Authn, ada);
        counts.arrive(&Route::Authn, ada);
        counts.leave(true);
        counts.arrive(&Route::Authn, bob);
        counts.arrive(&Route::User("ada@bench.test".to_owned()), b"");
        let report = counts.report(&Limiter::new(None, false, Duration::ZERO));
        assert_eq!(report["routes"]["authn"], 3);
        assert_eq!(report["routes"]["user"], 1);
        assert_eq!(
            report["submissions"],
            json!({"total": 3, "distinct": 2, "most_per_login": 2})
        );
        assert_eq!(report["in_flight"], json!({"now": 3, "most": 3}));
    }

    #[test]
    fn a_reset_keeps_what_is_in_flight() {
        let mut counts = Counts::default();
        counts.arrive(&Route::Organization, b"");
        counts.reset();
        let report = counts.report(&Limiter::new(None, false, Duration::ZERO));
        assert_eq!(report["in_flight"], json!({"now": 1, "most": 1}));
        assert_eq!(report["routes"]["organization"], 0);
    }
}
