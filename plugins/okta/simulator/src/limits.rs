//! Okta's rate limits: a window of a minute for each bucket, a share of it for each token, and a few a second for each
//! user name.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::Endpoint;
use crate::errors::{Answer, OktaError};

/// The org's limits.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// `POST /authn`, a minute.
    pub authn: u32,
    /// `GET /users/{id}`, a minute.
    pub user: u32,
    /// `GET /users`, a minute.
    pub users: u32,
    /// The other API calls, a minute.
    pub other: u32,
    /// What one token may use of a bucket, in percent.
    pub token_share: u32,
    /// Attempts a second for one user name.
    pub username_per_second: u32,
    /// Requests in flight.
    pub concurrency: u32,
}

impl Limits {
    /// A Workforce org's defaults.
    pub fn workforce() -> Limits {
        Limits {
            authn: 500,
            user: 2000,
            users: 600,
            other: 1200,
            token_share: 50,
            username_per_second: 4,
            concurrency: 75,
        }
    }

    /// An Integrator Free org's defaults.
    pub fn integrator_free() -> Limits {
        Limits {
            authn: 100,
            user: 100,
            users: 100,
            other: 100,
            concurrency: 35,
            ..Limits::workforce()
        }
    }

    /// So high that nothing meets them.
    pub fn none() -> Limits {
        Limits {
            authn: 1_000_000,
            user: 1_000_000,
            users: 1_000_000,
            other: 1_000_000,
            token_share: 100,
            username_per_second: 1_000_000,
            concurrency: 1_000_000,
        }
    }

    fn share(&self, limit: u32) -> u32 {
        u32::try_from(u64::from(limit) * u64::from(self.token_share) / 100).unwrap_or(u32::MAX)
    }

    fn of(&self, bucket: Bucket) -> u32 {
        match bucket {
            Bucket::Authn => self.authn,
            Bucket::Other => self.other,
            Bucket::User => self.user,
            Bucket::Users => self.users,
        }
    }
}

/// What the three headers say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gauge {
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
    pub(crate) reset: i64,
}

impl Gauge {
    /// A concurrency limit's headers: no limit is named, and the reset is "only an estimate" (two minutes ahead, as
    /// clients that trusted it came to wait).
    pub(crate) fn concurrency(now: Timestamp) -> Gauge {
        Gauge {
            limit: 0,
            remaining: 0,
            reset: now.as_second() + 120,
        }
    }

    pub(crate) fn put_on(self, answer: Answer) -> Answer {
        answer
            .header("x-rate-limit-limit", self.limit.to_string())
            .header("x-rate-limit-remaining", self.remaining.to_string())
            .header("x-rate-limit-reset", self.reset.to_string())
    }

    /// The 429. It never carries `Retry-After`.
    pub(crate) fn exceeded(self, minted: &mut u64) -> Answer {
        self.put_on(OktaError::new("E0000047").answer(minted))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Bucket {
    Authn,
    Other,
    User,
    Users,
}

impl Bucket {
    fn of(endpoint: Endpoint) -> Bucket {
        match endpoint {
            Endpoint::Authn => Bucket::Authn,
            Endpoint::Me | Endpoint::User => Bucket::User,
            Endpoint::Search | Endpoint::Users => Bucket::Users,
            Endpoint::Factors | Endpoint::Groups | Endpoint::Organization | Endpoint::Other => Bucket::Other,
        }
    }
}

#[derive(Default)]
pub(crate) struct Limiter {
    windows: HashMap<(Bucket, Option<String>), Window>,
    second: i64,
    usernames: HashMap<String, u32>,
}

#[derive(Default)]
struct Window {
    ends: i64,
    used: u32,
}

impl Limiter {
    /// Counts a call; `Err` when the org's bucket or the token's share of it is used up.
    pub(crate) fn take(
        &mut self,
        endpoint: Endpoint,
        token: Option<&str>,
        limits: &Limits,
        now: Timestamp,
    ) -> Result<Gauge, Gauge> {
        let bucket = Bucket::of(endpoint);
        let limit = limits.of(bucket);
        let gauge = self.count((bucket, None), limit, now)?;
        match token {
            None => Ok(gauge),
            Some(token) => self.count((bucket, Some(token.to_owned())), limits.share(limit), now),
        }
    }

    /// Counts an attempt for a user name.
    pub(crate) fn attempt(&mut self, username: &str, limits: &Limits, now: Timestamp) -> Result<(), Gauge> {
        if self.second != now.as_second() {
            self.second = now.as_second();
            self.usernames.clear();
        }
        let used = self.usernames.entry(username.to_lowercase()).or_default();
        if *used >= limits.username_per_second {
            return Err(Gauge {
                limit: limits.username_per_second,
                remaining: 0,
                reset: self.second + 1,
            });
        }
        *used += 1;
        Ok(())
    }

    fn count(&mut self, key: (Bucket, Option<String>), limit: u32, now: Timestamp) -> Result<Gauge, Gauge> {
        let window = self.windows.entry(key).or_default();
        if now.as_second() >= window.ends {
            *window = Window {
                ends: now.as_second() + 60,
                used: 0,
            };
        }
        if window.used >= limit {
            return Err(Gauge {
                limit,
                remaining: 0,
                reset: window.ends,
            });
        }
        window.used += 1;
        Ok(Gauge {
            limit,
            remaining: limit - window.used,
            reset: window.ends,
        })
    }
}
