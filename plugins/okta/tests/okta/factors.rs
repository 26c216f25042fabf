//! Second factors, the same in both RPCs.

use idbridge_okta_simulator::{Endpoint, Factor, Mfa, Org};
use idbridge_source::Rejection;

use crate::world::{World, org, person, text};

/// Has a factor that counts.
const HOLDERS: [&str; 2] = ["mia@example.com", "ted@example.com"];
/// Has none, or one that doesn't.
const OTHERS: [&str; 3] = ["ada@example.com", "emil@example.com", "petra@example.com"];

async fn world(choice: &str) -> World {
    World::new(Org::demo(), &[("on_second_factor", text(choice))]).await
}

#[tokio::test]
async fn reject() {
    let world = world("reject").await;
    for address in HOLDERS {
        assert_eq!(
            world.rejected(address).await,
            Rejection::SecondFactorRequired,
            "{address}"
        );
        assert_eq!(
            world.ineligible(address).await,
            Rejection::SecondFactorRequired,
            "{address}"
        );
    }
    assert_eq!(
        world.rejected("enno@example.com").await,
        Rejection::SecondFactorRequired,
        "must set one up"
    );
    for address in OTHERS {
        let user = world.accepted(address).await;
        assert!(user == world.found(address).await && !user.second_factor, "{address}");
    }
}

#[tokio::test]
async fn accept() {
    let world = world("accept").await;
    for address in HOLDERS {
        let user = world.accepted(address).await;
        assert!(user == world.found(address).await && user.second_factor, "{address}");
    }
    for address in OTHERS.into_iter().chain(["enno@example.com"]) {
        let user = world.accepted(address).await;
        assert!(user == world.found(address).await && !user.second_factor, "{address}");
    }
}

#[tokio::test]
async fn ignore() {
    let world = world("ignore").await;
    for address in HOLDERS.into_iter().chain(OTHERS) {
        let user = world.accepted(address).await;
        assert!(user == world.found(address).await && !user.second_factor, "{address}");
    }
    assert_eq!(world.count(Endpoint::Factors), 0, "nobody asked");
}

#[tokio::test]
async fn every_factor_but_mailbox_and_question_counts() {
    let kinds = [
        (Factor::question(), false),
        (Factor::email("x@example.com"), false),
        (Factor::push("x"), true),
        (Factor::sms("+1"), true),
        (Factor::totp("OKTA", "x"), true),
        (Factor::new("something:new", serde_json::json!({})), true),
        (Factor::sms("+1").status("INACTIVE"), false),
    ];
    for (factor, counts) in kinds {
        let kind = format!("{} {}", factor.kind, factor.status);
        let world = World::new(org([person("x@example.com").factor(factor)]), &[]).await;
        let expected = counts.then_some(Rejection::SecondFactorRequired);
        if let Some(rejection) = expected {
            assert_eq!(world.rejected("x@example.com").await, rejection, "{kind}");
            assert_eq!(world.ineligible("x@example.com").await, rejection, "{kind}");
        } else {
            assert!(
                world.accepted("x@example.com").await == world.found("x@example.com").await,
                "{kind}"
            );
        }
    }
}

/// MFA_REQUIRED hides an expired password (Okta asks for the factor first): the record tells.
#[tokio::test]
async fn a_factor_hides_an_expired_password() {
    let status = idbridge_okta_simulator::Status::PasswordExpired;
    let eve = person("eve@example.com")
        .factor(Factor::sms("+1"))
        .mfa(Mfa::Required)
        .status(status);
    let world = World::new(org([eve]), &[("on_second_factor", text("accept"))]).await;
    assert_eq!(world.rejected("eve@example.com").await, Rejection::PasswordExpired);
}
