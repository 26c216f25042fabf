//! Okta's own rate limits, met by a source that knows them.

use std::sync::Arc;
use std::time::Duration;

use idbridge_okta_simulator::{CANARY, Endpoint, Limits, Org, Simulator, TOKEN};
use idbridge_source::{Authentication, ErrorKind, Login, Password, SourceError};
use tokio::task::JoinSet;

use crate::world::{PASSWORD, World, call, plan, text};

async fn world(change: impl FnOnce(&mut Limits)) -> Arc<World> {
    let mut limits = Limits::none();
    change(&mut limits);
    Arc::new(World::new(Org::demo().limits(limits), &[]).await)
}

async fn log_in_at_once(world: &Arc<World>, times: usize) -> Vec<Result<Authentication, SourceError>> {
    let mut callers = JoinSet::new();
    for _ in 0..times {
        let world = Arc::clone(world);
        callers.spawn(async move { world.log_in("ada@example.com", PASSWORD).await });
    }
    callers.join_all().await
}

#[tokio::test]
async fn log_ins_past_the_limit_are_not_sent() {
    let world = world(|limits| limits.authn = 6).await;
    let answers = log_in_at_once(&world, 40).await;
    let accepted = answers
        .iter()
        .filter(|answer| matches!(answer, Ok(Authentication::Accept(_))));
    assert_eq!(accepted.count(), 6, "all that the org admits");
    for error in answers.into_iter().filter_map(Result::err) {
        let ErrorKind::Throttled {
            retry_after: Some(wait),
        } = error.kind()
        else {
            panic!("{error:?}")
        };
        assert!((50..=61).contains(&wait.as_secs()), "{wait:?}");
    }
    assert_eq!(world.count(Endpoint::Authn), 6, "the org was not asked in vain");

    // Its minute is over, which any of its answers tells.
    world.control().advance(Duration::from_secs(60));
    world.found("ada@example.com").await;
    world.accepted("ada@example.com").await;
    assert_eq!(world.count(Endpoint::Authn), 7);
}

#[tokio::test]
async fn a_log_in_that_could_not_be_finished_is_not_begun() {
    let world = world(|limits| limits.user = 2).await;
    // The name, the search and the canary: two of three count for the same bucket.
    world.absent("nobody@example.com").await;
    let error = world.log_in_fails("ada@example.com").await;
    assert!(
        matches!(error, ErrorKind::Throttled { retry_after: Some(_) }),
        "{error:?}"
    );
    assert_eq!(world.count(Endpoint::Authn), 0, "no attempt is spent");
    let error = world.look_up_fails("nobody@example.com").await;
    assert!(
        matches!(error, ErrorKind::Throttled { retry_after: Some(_) }),
        "{error:?}"
    );
    assert_eq!(world.count(Endpoint::User), 2);
}

#[tokio::test]
async fn look_ups_leave_a_tenth_to_log_ins() {
    let world = world(|limits| limits.user = 20).await;
    let mut found = 0;
    while world.look_up("ada@example.com").await.is_ok() {
        found += 1;
        assert!(found < 20, "never used up");
    }
    assert_eq!(found, 18);
    world.accepted("ada@example.com").await;
    world.accepted("ada@example.com").await;
    assert!(matches!(
        world.log_in_fails("ada@example.com").await,
        ErrorKind::Throttled { .. }
    ));
}

#[tokio::test]
async fn lists_leave_half_to_everybody_else() {
    let world = world(|limits| limits.users = 8).await;
    let patience = Duration::from_secs(5);
    let mut pages = 0;
    let error = loop {
        match world.source.list(&call(patience), None).await {
            Ok(_page) => pages += 1,
            Err(error) => break error,
        }
        assert!(pages < 8, "never used up");
    };
    assert_eq!(pages, 4);
    assert!(
        matches!(error.kind(), ErrorKind::Throttled { retry_after: Some(_) }),
        "{error:?}"
    );
    // A look-up still searches.
    world.found("ada@example.com").await;
    assert_eq!(world.count(Endpoint::Users) + world.count(Endpoint::Search), 5);
}

#[tokio::test]
async fn workers_share_one_budget() {
    let mut limits = Limits::none();
    limits.authn = 6;
    let org = Simulator::start(Org::demo().limits(limits)).await.expect("an org");
    let plan = plan(&[
        ("org_url", text(&org.url())),
        ("api_token", text(TOKEN)),
        ("canary", text(CANARY)),
    ]);
    let (login, password) = (Login::parse("ada@example.com"), Password::parse(PASSWORD.to_owned()));
    let (login, password) = (login.expect("a login"), password.expect("a password"));
    let (one, other) = (plan.build().expect("a source"), plan.build().expect("a source"));
    for _ in 0..3 {
        for worker in [&one, &other] {
            let answer = worker
                .authenticate(&call(Duration::from_secs(10)), &login, &password)
                .await;
            assert!(matches!(answer, Ok(Authentication::Accept(_))), "{answer:?}");
        }
    }
    for worker in [&one, &other] {
        let answer = worker
            .authenticate(&call(Duration::from_secs(10)), &login, &password)
            .await;
        let kind = answer.expect_err("a seventh").kind();
        assert!(matches!(kind, ErrorKind::Throttled { .. }), "{kind:?}");
    }
    assert_eq!(org.received().count(Endpoint::Authn), 6);
}
