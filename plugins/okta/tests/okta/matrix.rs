//! Every status with every provider, in both RPCs.

use idbridge_okta_simulator::{Endpoint, Fault, Provider, Status};
use idbridge_source::{Authentication, ErrorKind, Lookup, Rejection};
use serde_json::json;

use crate::world::{PASSWORD, World, org, person};

const STATUSES: [&str; 9] = [
    "ACTIVE",
    "DEPROVISIONED",
    "LOCKED_OUT",
    "PASSWORD_EXPIRED",
    "PROVISIONED",
    "RECOVERY",
    "STAGED",
    "SUSPENDED",
    "SOMETHING_NEW",
];
const PROVIDERS: [&str; 7] = [
    "OKTA",
    "ACTIVE_DIRECTORY",
    "LDAP",
    "FEDERATION",
    "SOCIAL",
    "IMPORT",
    "SOMETHING_NEW",
];

/// What is to come out: a user, a no, or `None` for an error that says that the answer can't be judged.
type Expected = Option<Result<(), Rejection>>;

fn at_log_in(status: &str, provider: &str) -> Expected {
    Some(match status {
        "ACTIVE" => return by_provider(provider, &["OKTA", "IMPORT", "ACTIVE_DIRECTORY", "LDAP"]),
        "PASSWORD_EXPIRED" => Err(Rejection::PasswordExpired),
        "PROVISIONED" | "STAGED" => Err(Rejection::AccountInactive),
        "RECOVERY" => Err(Rejection::DeniedByPolicy),
        "LOCKED_OUT" => Err(Rejection::AccountLocked),
        "SUSPENDED" | "DEPROVISIONED" => Err(Rejection::AccountDisabled),
        _ => return None,
    })
}

fn at_look_up(status: &str, provider: &str) -> Expected {
    Some(match status {
        "ACTIVE" | "PASSWORD_EXPIRED" | "PROVISIONED" | "RECOVERY" => {
            return by_provider(provider, &["OKTA", "IMPORT"]);
        }
        "STAGED" => Err(Rejection::AccountInactive),
        "LOCKED_OUT" => Err(Rejection::AccountLocked),
        "SUSPENDED" | "DEPROVISIONED" => Err(Rejection::AccountDisabled),
        _ => return None,
    })
}

fn by_provider(provider: &str, good: &[&str]) -> Expected {
    match provider {
        "SOMETHING_NEW" => None,
        good_one if good.contains(&good_one) => Some(Ok(())),
        _ => Some(Err(Rejection::NoPassword)),
    }
}

fn status(name: &str) -> Status {
    let known = [
        Status::Active,
        Status::Deprovisioned,
        Status::LockedOut,
        Status::PasswordExpired,
        Status::Provisioned,
        Status::Recovery,
        Status::Staged,
        Status::Suspended,
    ];
    let found = known.into_iter().find(|status| status.as_str() == name);
    found.unwrap_or_else(|| Status::Other(name.to_owned()))
}

#[tokio::test]
async fn statuses_and_providers() {
    let world = World::new(org([person("ada@example.com").email("ada.l@example.com")]), &[]).await;
    let id = world
        .control()
        .change(|org| org.find("ada@example.com").expect("ada").id.clone());
    // Whatever the user's record says, the password was right.
    let proved =
        json!({"status": "SUCCESS", "_embedded": {"user": {"id": id, "profile": {"login": "ada@example.com"}}}});
    world
        .control()
        .fault(Endpoint::Authn, Fault::json(200, &proved.to_string()));

    for status_name in STATUSES {
        for provider in PROVIDERS {
            world.control().person("ada@example.com", |ada| {
                ada.status = status(status_name);
                ada.provider = Provider::new(provider, "X");
            });
            let log_in = match world.log_in("ada@example.com", PASSWORD).await {
                Ok(Authentication::Accept(_)) => Some(Ok(())),
                Ok(Authentication::Reject(rejection)) => Some(Err(rejection)),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Protocol);
                    None
                }
            };
            assert_eq!(
                log_in,
                at_log_in(status_name, provider),
                "log-in: {status_name} {provider}"
            );
            let look_up = match world.look_up("ada.l@example.com").await {
                Ok(Lookup::Found(user)) => {
                    assert_eq!(user.password_expired, status_name == "PASSWORD_EXPIRED");
                    Some(Ok(()))
                }
                Ok(Lookup::Ineligible(rejection)) => Some(Err(rejection)),
                Ok(Lookup::Absent) => panic!("{status_name} {provider} is absent"),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Protocol);
                    None
                }
            };
            assert_eq!(
                look_up,
                at_look_up(status_name, provider),
                "look-up: {status_name} {provider}"
            );
        }
    }
}

#[tokio::test]
async fn without_a_provider_nothing_is_known_of_the_password() {
    let world = World::new(org([person("ada@example.com")]), &[]).await;
    let id = world
        .control()
        .change(|org| org.find("ada@example.com").expect("ada").id.clone());
    for credentials in [
        json!(null),
        json!({}),
        json!({"provider": null}),
        json!({"password": {}}),
    ] {
        let profile = json!({"login": "ada@example.com", "email": "ada@example.com"});
        let record = json!({"id": id, "status": "ACTIVE", "profile": profile, "credentials": credentials});
        world.control().clear_faults();
        world
            .control()
            .fault(Endpoint::User, Fault::json(200, &record.to_string()));
        assert_eq!(
            world.log_in_fails("ada@example.com").await,
            ErrorKind::Protocol,
            "{credentials}"
        );
        assert_eq!(
            world.look_up_fails("ada@example.com").await,
            ErrorKind::Protocol,
            "{credentials}"
        );
    }
}
