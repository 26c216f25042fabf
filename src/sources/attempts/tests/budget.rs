//! What spends a user's budget, and what comes back.

use super::*;

/// A source that hangs: each repeat waits with the one that was sent. One that fails is asked again, on the budget.
#[tokio::test(start_paused = true)]
async fn an_error_is_not_remembered_and_spends_the_budget() {
    let (upstream, submissions) = (Upstream::new(), submissions(Limits::default()));
    let stack = stack(&upstream, &submissions);
    upstream.open.send_replace(false);
    for _ in 0..7 {
        let said = ask_as(&stack, call("auth0", 2), ADA, WRONG).await;
        assert_eq!(word(&said), "timed_out");
    }
    assert_eq!(upstream.submitted(), 1, "14 s, and the check runs for 15");
    advance(Duration::from_secs(2)).await;
    upstream.open.send_replace(true);
    for left in (0..4).rev() {
        assert_eq!(ask(&stack, ADA, BROKEN).await, "unavailable", "{left} left");
        advance(Duration::from_secs(1)).await;
    }
    assert_eq!(ask(&stack, ADA, BROKEN).await, "over budget");
    assert_eq!(upstream.submitted(), 5);
}

#[tokio::test(start_paused = true)]
async fn what_was_not_submitted_spends_nothing() {
    let (upstream, submissions) = (Upstream::new(), submissions(Limits { burst: 1, ..ample() }));
    let stack = stack(&upstream, &submissions);
    for (password, outcome) in [
        (BUSY, "unavailable"),
        (LIMITED, "throttled"),
        (NOT_THERE, "unavailable"),
        (RIGHT, "yes"),
    ] {
        assert_eq!(ask(&stack, ADA, password).await, outcome);
    }
    assert_eq!(ask(&stack, ADA, WRONG).await, "no");
    assert_eq!(ask(&stack, ADA, RIGHT).await, "yes", "told again");
    assert_eq!(ask(&stack, ADA, "another").await, "over budget");
}

#[tokio::test(start_paused = true)]
async fn over_the_budget_right_and_wrong_are_the_same() {
    let (upstream, submissions) = (Upstream::new(), submissions(Limits::default()));
    let stack = stack(&upstream, &submissions);
    for number in 0..5 {
        assert_eq!(ask(&stack, ADA, &format!("wrong {number}")).await, "no");
        advance(Duration::from_secs(1)).await;
    }
    for (login, password) in [
        (ADA, RIGHT),
        (ADA, WRONG),
        ("ADA@example.com", RIGHT),
        (" ada@example.com ", RIGHT),
    ] {
        let said = ask_as(&stack, call("billing", 5), login, password).await;
        assert_eq!(word(&said), "over budget", "{login} {password}, whoever calls");
        let Err(error) = said else { panic!("no error") };
        let ErrorKind::Throttled {
            retry_after: Some(wait),
        } = error.kind()
        else {
            panic!("{error:?}")
        };
        assert_eq!(wait.as_secs(), 15 * 60 - 5, "one comes back {wait:?} from now");
    }
    assert_eq!(ask(&stack, ADA, "wrong 4").await, "no", "told again");
    assert_eq!((upstream.submitted(), submissions.over_budget.get()), (5, 4));
    assert_eq!(ask(&stack, "bob@example.com", RIGHT).await, "yes", "another user");

    advance(Duration::from_secs(15 * 60 - 5)).await;
    assert_eq!(ask(&stack, ADA, RIGHT).await, "yes", "one came back");
    advance(Duration::from_secs(6)).await;
    assert_eq!(ask(&stack, ADA, WRONG).await, "no", "the yes spent none");
    advance(Duration::from_secs(6)).await;
    assert_eq!(ask(&stack, ADA, WRONG).await, "over budget");
    advance(Duration::from_secs(5 * 15 * 60)).await;
    for number in 0..5 {
        assert_eq!(
            ask(&stack, ADA, &format!("wrong {number}")).await,
            "no",
            "all came back"
        );
        advance(Duration::from_secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn attempts_in_flight_are_off_the_budget_already() {
    let limits = Limits {
        per_second: 1_000,
        ..Limits::default()
    };
    let (upstream, submissions) = (Upstream::new(), submissions(limits));
    let stack = stack(&upstream, &submissions);
    upstream.open.send_replace(false);
    let mut asking = JoinSet::new();
    for password in ["a", "b", "c", "d", "e"] {
        asking.spawn(begin(&stack, call("auth0", 5), ADA, password).await);
    }
    assert_eq!(ask(&stack, ADA, RIGHT).await, "over budget");
    upstream.open.send_replace(true);
    assert_eq!(asking.join_all().await.len(), 5);
    assert_eq!(upstream.submitted(), 5);
}

#[tokio::test(start_paused = true)]
async fn within_any_second_three_are_submitted() {
    let limits = Limits {
        replay: Duration::ZERO,
        ..Limits::default()
    };
    let (upstream, submissions) = (Upstream::new(), submissions(limits));
    let stack = stack(&upstream, &submissions);
    let mut submitted = Vec::new();
    for tick in 0..500_u32 {
        if ask(&stack, ADA, RIGHT).await == "yes" {
            submitted.push(tick);
        }
        advance(Duration::from_millis(10)).await;
    }
    assert_eq!(upstream.submitted(), submitted.len());
    for (number, begin) in submitted.iter().enumerate() {
        let within = submitted[number..].iter().filter(|tick| *tick - begin < 100);
        assert!(within.count() <= 3, "{submitted:?}");
    }
    assert_eq!(submitted.len(), 15, "{submitted:?}");
}

/// Memory has an end, and whoever fills it brings nobody's budget back.
#[test]
fn a_million_logins_take_no_more_memory_and_give_no_attempt_back() {
    let (submissions, now) = (submissions(Limits::default()), Instant::now());
    let hash = |login: &str| submissions.user(&Login::parse(login).expect("a login"));
    let victim = hash(ADA);
    let mut state = submissions.state();
    for second in 0..5 {
        let now = now + Duration::from_secs(second);
        state.budget.take(victim, now).expect("an attempt");
        state.budget.settle(victim, now, true);
    }
    let now = now + Duration::from_secs(5);
    assert!(state.budget.take(victim, now).is_err());
    let mut refused = 0;
    for number in 0..1_000_000 {
        let now = now + Duration::from_secs(number / 50_000);
        let stranger = hash(&format!("{number}@example.com"));
        match state.budget.take(stranger, now) {
            Ok(()) => state.budget.settle(stranger, now, true),
            Err(_) => refused += 1,
        }
    }
    let now = now + Duration::from_secs(20);
    assert!(state.budget.take(victim, now).is_err(), "as before");
    assert_eq!(state.budget.in_flight(), 0);
    assert!(refused > 0, "a million at once are more than it can tell apart");
    // None of it lasts longer than a whole budget takes to come back.
    let later = now + Duration::from_secs(6 * 15 * 60);
    for number in 0..1_000 {
        let stranger = hash(&format!("{number}@example.com"));
        assert_eq!(state.budget.take(stranger, later), Ok(()), "{number}");
    }
}
