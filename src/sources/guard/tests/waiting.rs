//! How long is waited, and what silence says.

use tokio_util::task::TaskTracker;

use super::super::super::run_to_end::RunToEnd;
use super::*;

#[tokio::test(start_paused = true)]
async fn the_time_limit_ends_a_callers_wait_and_no_password_check() {
    let settings = Settings {
        time_limit: Duration::from_secs(2),
        ..NO_RETRIES
    };
    let world = world(Says::Late(Duration::from_secs(10)), settings);
    let began = Instant::now();
    let error = world.look_up("ada", 30).await.expect_err("late");
    assert_eq!(
        (error.kind(), began.elapsed()),
        (ErrorKind::TimedOut, Duration::from_secs(2))
    );
    assert_eq!(world.upstream.answered(), 0, "a look-up is dropped");

    let tasks = TaskTracker::new();
    let source = RunToEnd::new(Arc::clone(&world.guard), tasks.clone()).within(settings.time_limit);
    let began = Instant::now();
    let error = log_in(&source, 30).await.expect_err("late");
    assert_eq!(
        (error.kind(), began.elapsed()),
        (ErrorKind::TimedOut, Duration::from_secs(2))
    );
    tasks.close();
    tasks.wait().await;
    assert_eq!(
        (began.elapsed(), world.upstream.answered()),
        (Duration::from_secs(10), 1)
    );
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
