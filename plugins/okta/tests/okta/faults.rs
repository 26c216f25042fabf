//! An outage is never a no, and a password goes out once.

use std::time::Duration;

use idbridge_okta_simulator::{Clock, Endpoint, Fault, Org};
use idbridge_source::{ErrorKind, SourceError};

use crate::world::{PASSWORD, World, org, person, yes};

const UNAVAILABLE: ErrorKind = ErrorKind::Unavailable { retry_after: None };

/// Where an answer comes, nobody has to hurry. Where none comes, the wait is short.
fn patience(expected: ErrorKind) -> Duration {
    match expected {
        ErrorKind::TimedOut => Duration::from_millis(400),
        _ => Duration::from_secs(10),
    }
}

fn faults() -> Vec<(Fault, ErrorKind)> {
    let json = |status, body: &str| Fault::json(status, body);
    vec![
        (Fault::Close, UNAVAILABLE),
        (Fault::ConcurrencyLimit, ErrorKind::Throttled { retry_after: None }),
        (Fault::EmptyBody, ErrorKind::Protocol),
        (Fault::Flood, ErrorKind::Protocol),
        (Fault::Garbage, ErrorKind::Protocol),
        (Fault::Hang, ErrorKind::TimedOut),
        (Fault::Html(200), ErrorKind::Protocol),
        (Fault::Html(401), ErrorKind::Protocol),
        (Fault::Html(403), ErrorKind::Protocol),
        (Fault::Html(404), ErrorKind::Protocol),
        (Fault::Html(429), ErrorKind::Throttled { retry_after: None }),
        (Fault::Html(502), UNAVAILABLE),
        (Fault::Redirect(302, "/login".to_owned()), ErrorKind::Protocol),
        (Fault::Redirect(307, "/api/v1/authn".to_owned()), ErrorKind::Protocol),
        (Fault::Redirect(308, "/api/v1/users".to_owned()), ErrorKind::Protocol),
        (Fault::Reset, UNAVAILABLE),
        (Fault::ResetMidBody, UNAVAILABLE),
        (Fault::Slow(Duration::from_secs(60)), ErrorKind::TimedOut),
        (Fault::SlowDrip(Duration::from_millis(10)), ErrorKind::TimedOut),
        (Fault::Truncated, UNAVAILABLE),
        (Fault::WrongContentType, ErrorKind::Protocol),
        (Fault::status(400, "E0000001"), ErrorKind::Protocol),
        (Fault::status(401, "E0000011"), ErrorKind::CredentialRefused),
        (Fault::status(404, "E0000008"), ErrorKind::Protocol),
        (Fault::status(405, "E0000022"), ErrorKind::Protocol),
        (Fault::status(500, "E0000009"), UNAVAILABLE),
        // A code of a no, with the status of an outage.
        (Fault::status(500, "E0000004"), UNAVAILABLE),
        (Fault::status(500, "E0000007"), UNAVAILABLE),
        (Fault::status(502, "E0000240"), UNAVAILABLE),
        (Fault::status(503, "E0000010"), UNAVAILABLE),
        (Fault::status(504, "E0000241"), UNAVAILABLE),
        (json(404, ""), ErrorKind::Protocol),
        // Arrays, which a derived deserialiser would take for the objects that they should be.
        (
            json(200, r#"["SUCCESS", {"user": {"id": "00u1"}}]"#),
            ErrorKind::Protocol,
        ),
        (
            json(401, r#"["E0000004", "Authentication failed"]"#),
            ErrorKind::Protocol,
        ),
        (json(404, r#"["E0000007", "Not found"]"#), ErrorKind::Protocol),
        (json(404, "{\"errorCode\": \"E0000007\"}"), ErrorKind::Protocol),
        (json(200, "null"), ErrorKind::Protocol),
        (json(200, "{\"status\": \"SUCCESS\""), ErrorKind::Protocol),
    ]
}

fn kind<T: std::fmt::Debug>(answer: Result<T, SourceError>, what: &str) -> ErrorKind {
    let error = answer.expect_err(what);
    let chain = error.chain();
    for personal in ["ada", "nobody", "127.0.0.1", PASSWORD, "%40"] {
        assert!(!chain.contains(personal), "{chain}");
    }
    error.kind()
}

#[tokio::test]
async fn on_a_log_in() {
    for endpoint in [Endpoint::Authn, Endpoint::User, Endpoint::Factors, Endpoint::Groups] {
        for (fault, expected) in faults() {
            let what = format!("{endpoint:?} {fault:?}");
            let world = World::new(org([person("ada@example.com")]), &[("groups", yes())]).await;
            world.control().fault(endpoint, fault);
            let answer = world
                .log_in_within(patience(expected), "ada@example.com", PASSWORD)
                .await;
            assert_eq!(kind(answer, &what), expected, "{what}");
            assert_eq!(world.org.received().passwords(), 1, "{what}");
            assert!(world.count(endpoint) == 1, "{what}: asked again");
        }
    }
}

#[tokio::test]
async fn on_a_look_up() {
    for (endpoint, address) in [
        (Endpoint::User, "ada@example.com"),
        (Endpoint::User, "nobody@example.com"),
        (Endpoint::Search, "ada@example.com"),
        (Endpoint::Search, "nobody@example.com"),
        (Endpoint::Factors, "ada@example.com"),
        (Endpoint::Groups, "ada@example.com"),
    ] {
        for (fault, expected) in faults() {
            let what = format!("{endpoint:?} {fault:?} {address}");
            let world = World::new(org([person("ada@example.com")]), &[("groups", yes())]).await;
            world.control().fault(endpoint, fault);
            let answer = world.look_up_within(patience(expected), address).await;
            assert_eq!(kind(answer, &what), expected, "{what}");
            assert_eq!(world.org.received().passwords(), 0, "{what}");
        }
    }
}

/// The search answered "nobody", and then the canary can't be read.
#[tokio::test]
async fn on_the_canary() {
    for (fault, expected) in faults() {
        let what = format!("{fault:?}");
        let world = World::demo().await;
        world.control().fault("idbridge-canary", fault);
        let answer = world.look_up_within(patience(expected), "nobody@example.com").await;
        assert_eq!(kind(answer, &what), expected, "{what}");
    }
}

#[tokio::test]
async fn on_a_kept_connection_the_password_still_goes_out_once() {
    for (fault, expected) in faults() {
        let what = format!("{fault:?}");
        let world = World::demo().await;
        world.accepted("bob@example.com").await;
        world.control().fault(Endpoint::Authn, fault);
        let answer = world
            .log_in_within(patience(expected), "ada@example.com", PASSWORD)
            .await;
        assert_eq!(kind(answer, &what), expected, "{what}");
        assert_eq!(world.org.received().passwords_for("ada@example.com"), 1, "{what}");
        world.control().clear_faults();
        world.accepted("ada@example.com").await;
    }
}

#[tokio::test]
async fn a_redirect_leads_nowhere() {
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = World::demo().await;
        let world = World::demo().await;
        let location = format!("{}/api/v1/authn", elsewhere.org.url());
        world
            .control()
            .fault(Endpoint::Authn, Fault::Redirect(status, location));
        assert_eq!(
            world.log_in_fails("ada@example.com").await,
            ErrorKind::Protocol,
            "{status}"
        );
        assert_eq!(elsewhere.org.received().total(), 0, "{status}");
    }
}

#[tokio::test]
async fn patience_as_okta_asks_for_it() {
    for (fault, seconds) in [
        (Fault::RateLimit(Duration::from_secs(48)), Some(48)),
        (Fault::RateLimit(Duration::ZERO), Some(1)),
        (Fault::RateLimit(Duration::from_secs(600)), Some(60)),
        (Fault::RateLimit(Duration::from_secs(1_000_000)), None),
        (Fault::ConcurrencyLimit, None),
    ] {
        let world = World::new(Org::demo().clock(Clock::stopped()), &[]).await;
        let what = format!("{fault:?}");
        world.control().fault("/api/v1/", fault);
        let throttled = ErrorKind::Throttled {
            retry_after: seconds.map(Duration::from_secs),
        };
        assert_eq!(world.log_in_fails("ada@example.com").await, throttled, "{what}");
        assert_eq!(world.look_up_fails("ada@example.com").await, throttled, "{what}");
    }
}

#[tokio::test]
async fn the_orgs_own_limits_are_patience_too() {
    let mut limits = idbridge_okta_simulator::Limits::none();
    limits.username_per_second = 1;
    let world = World::new(Org::demo().limits(limits).clock(Clock::stopped()), &[]).await;
    world.accepted("ada@example.com").await;
    let again = world.log_in_fails("ada@example.com").await;
    let throttled = ErrorKind::Throttled {
        retry_after: Some(Duration::from_secs(1)),
    };
    assert_eq!(again, throttled, "a fast second attempt is not a wrong password");
}

#[tokio::test]
async fn nobody_there() {
    let world = World::demo().await;
    let source = std::sync::Arc::clone(&world.source);
    let gone = World {
        source,
        ..World::demo().await
    };
    world.org.shutdown().await;
    assert_eq!(gone.log_in_fails("ada@example.com").await, UNAVAILABLE);
    assert_eq!(gone.look_up_fails("nobody@example.com").await, UNAVAILABLE);
}
