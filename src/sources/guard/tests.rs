mod model;
mod upstream;

use idbridge_source::{Rejection, RequestId, UserId};
use tokio::task::JoinSet;
use tokio::time::advance;
use tokio_util::task::TaskTracker;

use super::super::run_to_end::RunToEnd;
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
            world.look_up("ada", 5).await.expect("a good day");
            world.log_in(5).await.expect("a good day");
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
        let ErrorKind::Unavailable { retry_after: Some(wait) } = error.kind() else {
            panic!("{error:?}")
        };
        assert!(wait >= Duration::from_millis(500) && wait <= Duration::from_secs(1), "{wait:?}");
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
async fn after_the_probation_one_of_a_hundred_probes() {
    let world = Arc::new(world(DOWN, NO_RETRIES));
    world.fail().await;
    advance(Duration::from_secs(1)).await;
    world.upstream.says(Says::Late(Duration::from_secs(1)));
    let mut asking = JoinSet::new();
    for _ in 0..100 {
        let (one, other) = (Arc::clone(&world), Arc::clone(&world));
        asking.spawn(async move { one.look_up("ada", 5).await.is_ok() });
        asking.spawn(async move { other.log_in(5).await.is_ok() });
    }
    let answered = asking.join_all().await.into_iter().filter(|answered| *answered);
    assert_eq!(answered.count(), 1);
    let (lookups, passwords, probes) = world.upstream.asked();
    assert_eq!((lookups + probes, passwords), (5 + 1, 0));
    assert_eq!(world.metrics.state.get(), 0, "closed");
    world.log_in(5).await.expect("an answer");
}

#[tokio::test(start_paused = true)]
async fn no_password_probes_and_the_source_is_back_without_look_ups() {
    let world = world(DOWN, NO_RETRIES);
    world.fail().await;
    for _ in 0..20 {
        assert!(was_left_alone(&world.log_in(5).await.expect_err("open")));
        advance(Duration::from_secs(1)).await;
    }
    let (_, passwords, probes) = world.upstream.asked();
    assert_eq!(passwords, 0);
    assert!((2..=6).contains(&probes), "{probes}: at 1, 2, 4, 8 seconds and less");

    world.upstream.says(Says::Absent);
    advance(Duration::from_secs(8)).await;
    assert!(was_left_alone(&world.log_in(5).await.expect_err("it has the probe made")));
    tokio::task::yield_now().await;
    world.log_in(5).await.expect("an answer");
    assert_eq!(world.upstream.asked().1, 1);
    assert_eq!(world.metrics.opens.get(), 1, "an outage is counted once");
}

#[tokio::test(start_paused = true)]
async fn probations_double_up_to_the_longest_and_never_all_at_once() {
    let world = world(DOWN, NO_RETRIES);
    world.fail().await;
    let mut waited = Vec::new();
    for seconds in [1, 2, 4, 8, 8, 8] {
        let (began, before) = (Instant::now(), world.upstream.lookups());
        while world.upstream.lookups() == before {
            advance(Duration::from_millis(5)).await;
            world.look_up("ada", 5).await.expect_err("down");
        }
        let (took, whole) = (began.elapsed(), Duration::from_secs(seconds));
        assert!(took >= whole / 2 && took <= whole + Duration::from_millis(10), "{took:?}");
        waited.push(took);
    }
    assert!(waited[3] != waited[4] || waited[4] != waited[5], "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_probe_whose_caller_goes_leaves_its_turn_to_the_next() {
    let world = world(DOWN, NO_RETRIES);
    world.fail().await;
    advance(Duration::from_secs(1)).await;
    world.upstream.says(Says::Late(Duration::from_secs(1)));
    let gone = tokio::time::timeout(Duration::from_millis(100), world.look_up("ada", 5)).await;
    gone.expect_err("it hung up");
    world.look_up("ada", 5).await.expect("the next one probes");
    assert_eq!(world.metrics.state.get(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_hung_probe_holds_up_nobody_for_long() {
    let world = world(DOWN, NO_RETRIES);
    world.fail().await;
    advance(Duration::from_secs(1)).await;
    world.upstream.says(Says::Hangs);
    let began = Instant::now();
    let error = world.look_up("ada", 30).await.expect_err("silence");
    assert_eq!((error.kind(), began.elapsed()), (ErrorKind::TimedOut, Duration::from_secs(3)));
    assert!(world.is_open());
}

#[tokio::test(start_paused = true)]
async fn the_time_limit_ends_a_callers_wait_and_no_password_check() {
    let settings = Settings {
        time_limit: Duration::from_secs(2),
        ..NO_RETRIES
    };
    let world = world(Says::Late(Duration::from_secs(10)), settings);
    let began = Instant::now();
    let error = world.look_up("ada", 30).await.expect_err("late");
    assert_eq!((error.kind(), began.elapsed()), (ErrorKind::TimedOut, Duration::from_secs(2)));
    assert_eq!(world.upstream.answered(), 0, "a look-up is dropped");

    let tasks = TaskTracker::new();
    let source = RunToEnd::new(Arc::clone(&world.guard), tasks.clone()).within(settings.time_limit);
    let began = Instant::now();
    let error = log_in(&source, 30).await.expect_err("late");
    assert_eq!((error.kind(), began.elapsed()), (ErrorKind::TimedOut, Duration::from_secs(2)));
    tasks.close();
    tasks.wait().await;
    assert_eq!((began.elapsed(), world.upstream.answered()), (Duration::from_secs(10), 1));
    assert_eq!(world.upstream.asked(), (1, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_caller_in_a_hurry_opens_nothing_and_silence_does() {
    let world = world(Says::Hangs, NO_RETRIES);
    for _ in 0..100 {
        world.look_up("ada", 2).await.expect_err("silence");
        let gone = tokio::time::timeout(Duration::from_secs(1), world.look_up("ada", 5)).await;
        gone.expect_err("it hung up");
    }
    assert_eq!(world.metrics.opens.get(), 0);
    for _ in 0..5 {
        world.look_up("ada", 3).await.expect_err("silence");
    }
    assert!(world.is_open());
}

/// A hung source is noticed when the callers leave, and not at the end of what they had begun.
#[tokio::test(start_paused = true)]
async fn silent_password_checks_open_as_their_callers_leave() {
    let world = world(Says::Hangs, NO_RETRIES);
    let tasks = TaskTracker::new();
    let source = RunToEnd::new(Arc::clone(&world.guard), tasks.clone());
    let began = Instant::now();
    let checks = std::array::from_fn::<_, 5, _>(|_| log_in(&source, 4));
    for check in futures_util::future::join_all(checks).await {
        check.expect_err("silence");
    }
    tokio::task::yield_now().await;
    assert_eq!(began.elapsed(), Duration::from_secs(4));
    assert!(world.is_open());
    assert_eq!(tasks.len(), 5, "they run on");
}

#[tokio::test(start_paused = true)]
async fn answers_from_before_say_nothing_of_now() {
    let world = Arc::new(world(Says::Late(Duration::from_secs(2)), NO_RETRIES));
    let early = Arc::clone(&world);
    let early = tokio::spawn(async move { early.look_up("early", 5).await });
    tokio::task::yield_now().await;
    world.fail().await;
    early.await.expect("no panic").expect("an answer");
    assert!(world.is_open(), "only a probe closes");
}

#[tokio::test(start_paused = true)]
async fn a_look_up_is_asked_once_more_and_a_password_never() {
    let world = world(Says::Absent, USUAL);
    for _ in 0..5 {
        world.look_up("ada", 5).await.expect("nobody");
    }
    world.upstream.says_once(DOWN);
    let began = Instant::now();
    assert_eq!(world.look_up("ada", 5).await.expect("nobody"), Lookup::Absent);
    assert_eq!(world.upstream.lookups(), 7);
    let waited = began.elapsed();
    assert!(waited >= Duration::from_millis(25) && waited <= Duration::from_millis(80), "{waited:?}");
    assert_eq!(world.metrics.retries.get(), 1);

    for _ in 0..20 {
        for _ in 0..3 {
            world.look_up("ada", 5).await.expect("nobody");
        }
        world.upstream.says_once(DOWN);
        world.log_in(5).await.expect_err("down");
    }
    assert_eq!(world.upstream.asked().1, 20);
    assert_eq!(world.metrics.retries.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_worth_it_is_not_asked_again() {
    let retry_after = Some(Duration::from_secs(1));
    for kind in [
        ErrorKind::Protocol,
        ErrorKind::Throttled { retry_after: None },
        ErrorKind::TimedOut,
        ErrorKind::Unavailable { retry_after },
    ] {
        let world = world(Says::Absent, USUAL);
        for _ in 0..50 {
            world.look_up("ada", 5).await.expect("nobody");
        }
        world.upstream.says_once(Says::Fails(kind));
        world.look_up("ada", 5).await.expect_err("once");
        assert_eq!(world.metrics.retries.get(), 0, "{kind:?}");
    }
    let world = world(Says::Absent, USUAL);
    for _ in 0..50 {
        world.look_up("ada", 5).await.expect("nobody");
    }
    world.upstream.says_once(DOWN);
    let late = Call::new(call(0).request_id, Instant::now() + Duration::from_millis(20));
    let email = Email::parse("ada@example.com").expect("an address");
    world.guard.user_by_email(&late, &email).await.expect_err("no time for it");
    assert_eq!(world.metrics.retries.get(), 0);
}

/// Without the breaker, which would end it sooner.
#[tokio::test(start_paused = true)]
async fn an_outage_is_asked_no_more_than_its_share() {
    for (retry_percent, most) in [(0, 1000), (1, 1010), (20, 1200), (30, 1300), (100, 2000)] {
        let settings = Settings {
            open_after: 0,
            retry_percent,
            ..USUAL
        };
        let world = world(DOWN, settings);
        let mut calls = 0;
        for _ in 0..1000 {
            calls += 1;
            world.look_up("ada", 5).await.expect_err("down");
            assert!(world.upstream.lookups() * 100 <= calls * (100 + retry_percent as usize));
            advance(Duration::from_millis(1)).await;
        }
        let asked = world.upstream.lookups();
        assert!(asked <= most && asked >= 1000 + (most - 1000) * 3 / 4, "{retry_percent} %: {asked}");
        assert_eq!(world.metrics.opens.get(), 0, "turned off");
    }
}

/// With the breaker, whatever was earned before: the failures that open it are five.
#[tokio::test(start_paused = true)]
async fn retries_count_as_failures() {
    let world = world(Says::Absent, USUAL);
    for _ in 0..500 {
        world.look_up("ada", 5).await.expect("nobody");
    }
    world.upstream.says(DOWN);
    for _ in 0..100 {
        world.look_up("ada", 5).await.expect_err("down");
    }
    assert_eq!(world.upstream.lookups(), 505);
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
    let world = world(DOWN, Settings {
        probation: Duration::from_secs(60),
        longest_probation: Duration::from_secs(60),
        ..NO_RETRIES
    });
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
