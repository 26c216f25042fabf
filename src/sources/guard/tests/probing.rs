//! Who finds out whether a source is back, and when.

use tokio::task::JoinSet;
use tokio::time::advance;

use super::*;

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
    drop(world.log_in(5).await.expect("an answer"));
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
    assert!(was_left_alone(
        &world.log_in(5).await.expect_err("it has the probe made")
    ));
    tokio::task::yield_now().await;
    drop(world.log_in(5).await.expect("an answer"));
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
        assert!(
            took >= whole / 2 && took <= whole + Duration::from_millis(10),
            "{took:?}"
        );
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
    drop(world.look_up("ada", 5).await.expect("the next one probes"));
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
    assert_eq!(
        (error.kind(), began.elapsed()),
        (ErrorKind::TimedOut, Duration::from_secs(3))
    );
    assert!(world.is_open());
}

#[tokio::test(start_paused = true)]
async fn answers_from_before_say_nothing_of_now() {
    let world = Arc::new(world(Says::Late(Duration::from_secs(2)), NO_RETRIES));
    let early = Arc::clone(&world);
    let early = tokio::spawn(async move { early.look_up("early", 5).await });
    tokio::task::yield_now().await;
    world.fail().await;
    drop(early.await.expect("no panic").expect("an answer"));
    assert!(world.is_open(), "only a probe closes");
}
