//! What is asked once more, and how often.

use tokio::time::advance;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_look_up_is_asked_once_more_and_a_password_never() {
    let world = world(Says::Absent, USUAL);
    for _ in 0..5 {
        drop(world.look_up("ada", 5).await.expect("nobody"));
    }
    world.upstream.says_once(DOWN);
    let began = Instant::now();
    assert_eq!(world.look_up("ada", 5).await.expect("nobody"), Lookup::Absent);
    assert_eq!(world.upstream.lookups(), 7);
    let waited = began.elapsed();
    assert!(
        waited >= Duration::from_millis(25) && waited <= Duration::from_millis(80),
        "{waited:?}"
    );
    assert_eq!(world.metrics.retries.get(), 1);

    for _ in 0..20 {
        for _ in 0..3 {
            drop(world.look_up("ada", 5).await.expect("nobody"));
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
            drop(world.look_up("ada", 5).await.expect("nobody"));
        }
        world.upstream.says_once(Says::Fails(kind));
        world.look_up("ada", 5).await.expect_err("once");
        assert_eq!(world.metrics.retries.get(), 0, "{kind:?}");
    }
    let world = world(Says::Absent, USUAL);
    for _ in 0..50 {
        drop(world.look_up("ada", 5).await.expect("nobody"));
    }
    world.upstream.says_once(DOWN);
    let late = Call::new(call(0).request_id, Instant::now() + Duration::from_millis(20));
    let email = Email::parse("ada@example.com").expect("an address");
    world
        .guard
        .user_by_email(&late, &email)
        .await
        .expect_err("no time for it");
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
        assert!(
            asked <= most && asked >= 1000 + (most - 1000) * 3 / 4,
            "{retry_percent} %: {asked}"
        );
        assert_eq!(world.metrics.opens.get(), 0, "turned off");
    }
}

/// With the breaker, whatever was earned before: the failures that open it are five.
#[tokio::test(start_paused = true)]
async fn retries_count_as_failures() {
    let world = world(Says::Absent, USUAL);
    for _ in 0..500 {
        drop(world.look_up("ada", 5).await.expect("nobody"));
    }
    world.upstream.says(DOWN);
    for _ in 0..100 {
        world.look_up("ada", 5).await.expect_err("down");
    }
    assert_eq!(world.upstream.lookups(), 505);
}
