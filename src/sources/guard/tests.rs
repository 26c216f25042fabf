mod model;
mod probing;
mod retrying;
mod upstream;
mod waiting;

use idbridge_source::{Rejection, RequestId};

use super::*;
use upstream::{Says, Upstream};

const DOWN: Says = Says::Fails(ErrorKind::Unavailable { retry_after: None });
const GARBAGE: Says = Says::Fails(ErrorKind::Protocol);

/// Breaker only: what is asked is what a test asks.
const NO_RETRIES: Settings = Settings {
    retry_percent: 0,
    ..USUAL
};

const USUAL: Settings = Settings {
    time_limit: Duration::from_secs(15),
    open_after: 5,
    probation: Duration::from_secs(1),
    longest_probation: Duration::from_secs(8),
    retry_percent: 20,
};

struct World {
    upstream: Arc<Upstream>,
    metrics: GuardMetrics,
    guard: Arc<Guard<Arc<Upstream>>>,
}

fn world(says: Says, settings: Settings) -> World {
    let (upstream, metrics) = (Upstream::new(says), GuardMetrics::default());
    let protection = Arc::new(Protection::new("memory".into(), settings, metrics.clone()));
    World {
        guard: Arc::new(Guard::new(Arc::clone(&upstream), protection)),
        upstream,
        metrics,
    }
}

impl World {
    fn is_open(&self) -> bool {
        self.metrics.state.get() == 2
    }

    async fn look_up(&self, who: &str, seconds: u64) -> Result<Lookup, SourceError> {
        let email = Email::parse(&format!("{who}@example.com")).expect("an address");
        self.guard.user_by_email(&call(seconds), &email).await
    }

    async fn log_in(&self, seconds: u64) -> Result<Authentication, SourceError> {
        log_in(&*self.guard, seconds).await
    }

    /// As many failures as it takes.
    async fn fail(&self) {
        self.upstream.says(DOWN);
        for _ in 0..5 {
            assert!(!self.is_open());
            self.look_up("ada", 5).await.expect_err("it is down");
        }
        assert!(self.is_open());
    }
}

fn call(seconds: u64) -> Call {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    Call::new(RequestId::parse("r").expect("an id"), deadline)
}

async fn log_in(source: &impl IdentitySource, seconds: u64) -> Result<Authentication, SourceError> {
    let login = Login::parse("ada@example.com").expect("a login");
    let password = Password::parse("secret".to_owned()).expect("a password");
    source.authenticate(&call(seconds), &login, &password).await
}

fn was_left_alone(error: &SourceError) -> bool {
    std::error::Error::source(error).is_some_and(|cause| cause.is::<LeftAlone>())
}

#[test]
fn the_defaults_are_those_of_these_tests() {
    assert_eq!(Settings::default(), USUAL);
}

/// A new kind of error has to be put somewhere here.
fn counts(kind: ErrorKind) -> bool {
    match kind {
        ErrorKind::Protocol | ErrorKind::Unavailable { .. } => true,
        // If it was waited for: below.
        ErrorKind::TimedOut
        | ErrorKind::Ambiguous
        | ErrorKind::CredentialRefused
        | ErrorKind::Throttled { .. }
        | ErrorKind::Unsupported => false,
    }
}

#[tokio::test(start_paused = true)]
async fn what_counts_opens_after_five_and_what_does_not_never_does() {
    let retry_after = Some(Duration::from_secs(9));
    for kind in [
        ErrorKind::Ambiguous,
        ErrorKind::CredentialRefused,
        ErrorKind::Protocol,
        ErrorKind::Throttled { retry_after },
        ErrorKind::TimedOut,
        ErrorKind::Unavailable { retry_after },
        ErrorKind::Unavailable { retry_after: None },
        ErrorKind::Unsupported,
    ] {
        let world = world(Says::Fails(kind), NO_RETRIES);
        for user in 0..100 {
            let error = world.look_up(&format!("u{user}"), 5).await.expect_err("an error");
            assert_eq!(was_left_alone(&error), counts(kind) && user >= 5, "{kind:?}, {user}");
        }
        assert_eq!(world.upstream.lookups(), if counts(kind) { 5 } else { 100 }, "{kind:?}");
        assert_eq!(world.metrics.opens.get(), u64::from(counts(kind)), "{kind:?}");
    }
    for answer in [Says::Absent, Says::Refuses] {
        let world = world(answer, NO_RETRIES);
        for _ in 0..100 {
            drop(world.look_up("ada", 5).await.expect("a good day"));
            drop(world.log_in(5).await.expect("a good day"));
        }
        assert_eq!((world.metrics.opens.get(), world.metrics.refused.get()), (0, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_says_when_to_come_back_and_is_no_answer() {
    let world = world(DOWN, NO_RETRIES);
    world.fail().await;
    let said = [
        world.look_up("ada", 5).await.expect_err("open"),
        world.log_in(5).await.expect_err("open"),
        world.guard.probe(&call(5)).await.expect_err("open"),
    ];
    for error in said {
        let ErrorKind::Unavailable {
            retry_after: Some(wait),
        } = error.kind()
        else {
            panic!("{error:?}")
        };
        assert!(
            wait >= Duration::from_millis(500) && wait <= Duration::from_secs(1),
            "{wait:?}"
        );
        assert!(was_left_alone(&error), "{error:?}");
    }
    assert_eq!(world.upstream.asked(), (5, 0, 0));
    assert_eq!(world.metrics.refused.get(), 3);
}

#[tokio::test(start_paused = true)]
async fn half_of_the_last_calls_are_enough() {
    let world = world(DOWN, NO_RETRIES);
    for number in 0..32 {
        assert!(!world.is_open(), "{number}");
        world.upstream.says(if number % 2 == 0 { Says::Absent } else { DOWN });
        let _ = world.look_up("ada", 5).await;
    }
    assert!(world.is_open(), "sixteen of thirty-two");
}

#[tokio::test(start_paused = true)]
async fn a_share_below_half_is_no_outage() {
    let world = world(DOWN, NO_RETRIES);
    for number in 0..300 {
        world.upstream.says(if number % 3 == 0 { DOWN } else { Says::Absent });
        let _ = world.look_up("ada", 5).await;
    }
    assert_eq!(world.metrics.opens.get(), 0);
}

/// Okta's policy for one user, say: whoever can make a user unreadable must not shut out the others by it.
#[tokio::test(start_paused = true)]
async fn one_users_unreadable_answers_shut_out_nobody() {
    let world = world(GARBAGE, NO_RETRIES);
    for _ in 0..50 {
        for user in ["a", "b", "c"] {
            world.look_up(user, 5).await.expect_err("unreadable");
        }
        world.log_in(5).await.expect_err("unreadable");
    }
    assert!(!world.is_open(), "four users");
    world.look_up("e", 5).await.expect_err("unreadable");
    assert!(world.is_open(), "five are no chance");
}

#[tokio::test(start_paused = true)]
async fn all_workers_copies_share_one_breaker() {
    let world = world(DOWN, NO_RETRIES);
    let other = Upstream::new(Says::Absent);
    let copy = Guard::new(Arc::clone(&other), Arc::clone(&world.guard.protection));
    world.fail().await;
    assert!(was_left_alone(&log_in(&copy, 5).await.expect_err("open")));
    assert_eq!(other.asked(), (0, 0, 0));
}

/// On the machine's own clock.
#[tokio::test]
async fn refusals_are_made_at_once() {
    let world = world(
        DOWN,
        Settings {
            probation: Duration::from_secs(60),
            longest_probation: Duration::from_secs(60),
            ..NO_RETRIES
        },
    );
    world.fail().await;
    let mut took = Vec::new();
    for _ in 0..1000 {
        let began = Instant::now();
        world.look_up("ada", 5).await.expect_err("open");
        world.log_in(5).await.expect_err("open");
        took.push(began.elapsed());
    }
    took.sort();
    assert!(took[500] < Duration::from_millis(5), "{:?}", took[500]);
    assert_eq!(world.upstream.lookups(), 5);
}
