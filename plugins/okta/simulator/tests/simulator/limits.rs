//! Rate limits: the org's, a token's, a user name's, and concurrency.

use std::time::Duration;

use idbridge_okta_simulator::{Endpoint, Limits, Org, TOKEN};

use crate::{Okta, Outcome};

/// 2026-01-15T09:00:00Z, where the tests' clock stands.
const NOW: &str = "1768467600";
const IN_A_MINUTE: &str = "1768467660";

#[tokio::test]
async fn every_answer_says_what_is_left() -> Outcome {
    let okta = Okta::demo().await?;
    let first = okta.get("/users/ada@example.com").await?;
    assert_eq!(first.header("x-rate-limit-limit"), "1000", "half of the org's 2000");
    assert_eq!(first.header("x-rate-limit-remaining"), "999");
    assert_eq!(first.header("x-rate-limit-reset"), IN_A_MINUTE);
    assert_eq!(
        okta.get("/users/nobody").await?.header("x-rate-limit-remaining"),
        "998",
        "errors as well"
    );
    assert_eq!(okta.get("/users").await?.header("x-rate-limit-limit"), "300");
    let log_in = okta.log_in("nobody", "any").await?;
    assert_eq!(
        (
            log_in.header("x-rate-limit-limit"),
            log_in.header("x-rate-limit-remaining")
        ),
        ("500", "499")
    );
    Ok(())
}

#[tokio::test]
async fn a_token_has_its_share_until_the_minute_ends() -> Outcome {
    let okta = Okta::start(Org::demo().limits(Limits {
        users: 4,
        ..Limits::workforce()
    }))
    .await?;
    for _ in 0..2 {
        assert_eq!(okta.get("/users").await?.status, 200);
    }
    let refused = okta.get("/users").await?;
    assert_eq!(refused.verdict(), "429 E0000047");
    assert_eq!(refused.header("x-rate-limit-limit"), "2");
    assert_eq!(refused.header("x-rate-limit-remaining"), "0");
    assert_eq!(refused.header("x-rate-limit-reset"), IN_A_MINUTE);
    assert_eq!(refused.header("retry-after"), "", "Okta never sends it");
    assert_eq!(okta.get("/users/ada@example.com").await?.status, 200, "another bucket");
    okta.control().advance(Duration::from_secs(59));
    assert_eq!(okta.get("/users").await?.status, 429);
    okta.control().advance(Duration::from_secs(1));
    assert_eq!(okta.get("/users").await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn the_org_has_a_limit_on_log_ins() -> Outcome {
    let okta = Okta::start(Org::demo().limits(Limits {
        authn: 2,
        ..Limits::workforce()
    }))
    .await?;
    assert_eq!(okta.log_in("one", "any").await?.status, 401);
    assert_eq!(okta.log_in("two", "any").await?.status, 401);
    assert_eq!(okta.log_in("three", "any").await?.verdict(), "429 E0000047");
    Ok(())
}

#[tokio::test]
async fn a_user_name_has_four_attempts_a_second() -> Outcome {
    let okta = Okta::demo().await?;
    for _ in 0..4 {
        assert_eq!(okta.log_in("ada@example.com", "wrong").await?.status, 401);
    }
    let fifth = okta.log_in("ADA@example.com", "wrong").await?;
    assert_eq!(fifth.verdict(), "429 E0000047");
    assert_eq!(fifth.headers.get_all("x-rate-limit-limit").iter().count(), 1);
    assert_eq!(okta.log_in("bob@example.com", "wrong").await?.status, 401);
    okta.control().advance(Duration::from_secs(1));
    assert_eq!(okta.log_in("ada@example.com", "wrong").await?.status, 401);
    Ok(())
}

#[tokio::test]
async fn too_many_at_once_meet_a_limit_of_zero() -> Outcome {
    let okta = Okta::start(Org::demo().limits(Limits {
        concurrency: 1,
        ..Limits::workforce()
    }))
    .await?;
    let hold = okta.control().hold(Endpoint::Users);
    let waiting = tokio::spawn(okta.request("/api/v1/users").send());
    okta.control().arrived(Endpoint::Users, 1).await;
    let refused = okta.get("/users/ada@example.com").await?;
    assert_eq!(refused.verdict(), "429 E0000047");
    assert_eq!(refused.header("x-rate-limit-limit"), "0");
    assert_eq!(refused.header("x-rate-limit-remaining"), "0");
    assert!(refused.header("x-rate-limit-reset") > NOW);
    hold.release();
    assert_eq!(waiting.await??.status().as_u16(), 200);
    assert_eq!(okta.get("/users/ada@example.com").await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn an_org_may_be_without_limits() -> Outcome {
    let okta = Okta::start(Org::new().token(TOKEN).limits(Limits::none())).await?;
    for _ in 0..20 {
        assert_eq!(okta.log_in("nobody", "any").await?.status, 401);
    }
    Ok(())
}
