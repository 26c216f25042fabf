use std::time::Duration;

use idbridge_okta_simulator::{Denial, Endpoint, Fault, Lockout, Mfa, Org, Provider, Status};
use idbridge_source::{Authentication, ErrorKind, Rejection};
use serde_json::json;

use crate::world::{PASSWORD, World, call, list, org, person, text, yes};

#[tokio::test]
async fn a_log_in_and_a_look_up_tell_the_same_user() {
    let ada = person("ada@example.com")
        .email("Ada.L@example.com")
        .name("Ada", "Lovelace")
        .group("Engineering")
        .group("Analysts")
        .attribute("department", "Engines")
        .attribute("mobilePhone", "+1 555 1")
        .attribute("secret", "hidden")
        .locale("en_GB")
        .email_verified(true);
    let settings = [("attributes", list(&["department"])), ("groups", yes())];
    let world = World::new(org([ada]), &settings).await;
    let user = world.accepted("ada@example.com").await;
    assert!(user == world.found("ada.l@example.com").await);
    assert_eq!(
        (user.login.as_str(), user.email.as_str()),
        ("ada@example.com", "Ada.L@example.com")
    );
    assert_eq!(user.name.as_deref(), Some("Ada Lovelace"));
    assert_eq!(user.locale.as_deref(), Some("en-GB"));
    assert_eq!(user.email_verified, Some(true));
    assert_eq!(user.groups, ["Analysts", "Engineering", "Everyone"]);
    assert_eq!(
        serde_json::Value::Object(user.attributes),
        json!({"department": "Engines"})
    );
    assert!(user.id.as_str().starts_with("00u") && user.picture.is_none());
    assert!(!user.second_factor && !user.password_expired);
}

#[tokio::test]
async fn the_answers_of_authn() {
    let world = World::demo().await;
    for login in [
        "ada@example.com",
        "ADA@Example.com",
        "grace",
        "walt@example.com",
        "adam@example.com",
        "lena@example.com",
        "ian@example.com",
    ] {
        world.accepted(login).await;
    }
    for (login, rejection) in [
        ("nobody@example.com", Rejection::InvalidCredentials),
        ("eve@example.com", Rejection::PasswordExpired),
        ("lou@example.com", Rejection::InvalidCredentials),
        ("sam@example.com", Rejection::InvalidCredentials),
        ("dan@example.com", Rejection::InvalidCredentials),
        ("stan@example.com", Rejection::InvalidCredentials),
        ("pia@example.com", Rejection::InvalidCredentials),
        ("fred@example.com", Rejection::InvalidCredentials),
        ("polly@example.com", Rejection::DeniedByPolicy),
    ] {
        assert_eq!(world.rejected(login).await, rejection, "{login}");
    }
    let wrong = world.log_in("ada@example.com", "wrong").await;
    assert!(
        matches!(wrong, Ok(Authentication::Reject(Rejection::InvalidCredentials))),
        "{wrong:?}"
    );
}

#[tokio::test]
async fn lockouts_as_the_org_shows_them() {
    for (lockout, rejection) in [
        (Lockout::Forbidden, Rejection::AccountLocked),
        (Lockout::Hidden, Rejection::InvalidCredentials),
        (Lockout::Shown, Rejection::AccountLocked),
    ] {
        let lou = person("lou@example.com").status(Status::LockedOut);
        let world = World::new(org([lou]).lockout(10, lockout), &[]).await;
        assert_eq!(world.rejected("lou@example.com").await, rejection, "{lockout:?}");
    }
}

#[tokio::test]
async fn policies_deny() {
    let people = [
        person("breached@example.com").denied(Denial::BreachedPassword),
        person("polly@example.com").denied(Denial::SignOnPolicy),
    ];
    let world = World::new(org(people), &[]).await;
    for login in ["breached@example.com", "polly@example.com"] {
        assert_eq!(world.rejected(login).await, Rejection::DeniedByPolicy);
    }
    world.control().change(|org| org.threat_insight = true);
    assert_eq!(world.rejected("nobody@example.com").await, Rejection::DeniedByPolicy);
}

#[tokio::test]
async fn an_expired_password_is_accepted_where_the_settings_say_so() {
    let people = || {
        org([
            person("eve@example.com").status(Status::PasswordExpired),
            person("old@example.com").password_aged(),
        ])
    };
    let world = World::new(people(), &[]).await;
    for login in ["eve@example.com", "old@example.com"] {
        assert_eq!(world.rejected(login).await, Rejection::PasswordExpired, "{login}");
    }
    assert_eq!(world.count(Endpoint::User), 0, "the answer is known without the user");

    let world = World::new(people(), &[("on_password_expired", text("accept"))]).await;
    for login in ["eve@example.com", "old@example.com"] {
        let user = world.accepted(login).await;
        assert!(user.password_expired, "{login}");
        assert!(user == world.found(login).await, "{login}");
    }
}

#[tokio::test]
async fn a_success_needs_no_session_token() {
    let world = World::new(org([person("ada@example.com")]).session_tokens(false), &[]).await;
    world.accepted("ada@example.com").await;
}

#[tokio::test]
async fn a_200_that_proves_nothing_is_an_error() {
    let world = World::demo().await;
    let user = world.accepted("ada@example.com").await;
    let named = json!({"user": {"id": user.id.as_str(), "profile": {"login": "ada@example.com"}}});
    let open_password = json!({"user": named["user"], "factors": [{"factorType": "sms"}, {"factorType": "password"}]});
    let open_factor = json!({"user": named["user"], "factor": {"factorType": "password"}});
    for body in [
        json!({"status": "UNAUTHENTICATED", "_embedded": named}),
        json!({"status": "FACTOR_REQUIRED", "_embedded": named}),
        json!({"status": "MFA_CHALLENGE", "_embedded": named}),
        json!({"status": "RECOVERY", "_embedded": named}),
        json!({"status": "SOME_STATUS", "_embedded": named}),
        json!({"status": "success", "_embedded": named}),
        json!({"status": null, "_embedded": named}),
        json!({"_embedded": named}),
        json!({"status": "SUCCESS"}),
        json!({"status": "SUCCESS", "_embedded": null}),
        json!({"status": "SUCCESS", "_embedded": {}}),
        json!({"status": "SUCCESS", "_embedded": {"user": {"profile": {}}}}),
        json!({"status": "SUCCESS", "_embedded": {"user": {"id": "me"}}}),
        json!({"status": "SUCCESS", "_embedded": {"user": {"id": ".."}}}),
        json!({"status": "SUCCESS", "_embedded": {"user": {"id": "a/b"}}}),
        json!({"status": "PASSWORD_EXPIRED"}),
        json!({"status": "MFA_REQUIRED", "_embedded": {"factors": []}}),
        json!({"status": "MFA_REQUIRED", "_embedded": open_password}),
        json!({"status": "MFA_ENROLL", "_embedded": open_factor}),
        json!([]),
        json!("SUCCESS"),
    ] {
        world.control().clear_faults();
        world
            .control()
            .fault(Endpoint::Authn, Fault::json(200, &body.to_string()));
        assert_eq!(
            world.log_in_fails("ada@example.com").await,
            ErrorKind::Protocol,
            "{body}"
        );
    }
    let success = json!({"status": "SUCCESS", "_embedded": named}).to_string();
    let doubled = success.replacen("\"status\"", "\"status\":\"LOCKED_OUT\",\"status\"", 1);
    for (status, body) in [(200, doubled.as_str()), (201, &success), (204, ""), (206, &success)] {
        world.control().clear_faults();
        world.control().fault(Endpoint::Authn, Fault::json(status, body));
        assert_eq!(
            world.log_in_fails("ada@example.com").await,
            ErrorKind::Protocol,
            "{status} {body}"
        );
    }
    assert!(
        world
            .control()
            .received()
            .at(Endpoint::User)
            .all(|request| request.target.contains(user.id.as_str()))
    );
}

#[tokio::test]
async fn factor_sequencing_proves_no_password() {
    for choice in ["reject", "accept", "ignore"] {
        let seq = person("seq@example.com").mfa(Mfa::PasswordOpen);
        let world = World::new(org([seq]), &[("on_second_factor", text(choice))]).await;
        assert_eq!(world.log_in_fails("seq@example.com").await, ErrorKind::Protocol);
        let wrong = world.log_in("seq@example.com", "wrong").await;
        assert!(wrong.is_err(), "{wrong:?}");
    }
}

#[tokio::test]
async fn the_user_read_is_the_one_who_logged_in() {
    let world = World::demo().await;
    let bob = world.found("bob@example.com").await;
    let record = json!({
        "id": bob.id.as_str(), "status": "ACTIVE", "profile": {"login": "ada@example.com", "email": "ada@example.com"},
        "credentials": {"provider": {"type": "OKTA", "name": "OKTA"}},
    });
    world
        .control()
        .fault(Endpoint::User, Fault::json(200, &record.to_string()));
    assert_eq!(world.log_in_fails("ada@example.com").await, ErrorKind::Protocol);
}

#[tokio::test]
async fn a_proved_user_whom_the_token_does_not_see_is_no_no() {
    let world = World::demo().await;
    world.control().hide("ada@example.com");
    assert_eq!(world.log_in_fails("ada@example.com").await, ErrorKind::Protocol);
    world.control().revoke_tokens();
    assert_eq!(
        world.log_in_fails("ada@example.com").await,
        ErrorKind::CredentialRefused
    );
    assert_eq!(
        world.rejected("nobody@example.com").await,
        Rejection::InvalidCredentials,
        "that needs no token"
    );
}

#[tokio::test]
async fn login_is_email_needs_no_token_and_no_second_call() {
    let ada = || {
        person("ada@example.com")
            .email("other@example.com")
            .name("Ada", "L")
            .attribute("displayName", "Countess")
    };
    let world = World::bare(org([ada()]), &[("login_is_email", yes())]).await;
    let user = world.accepted("ada@example.com").await;
    assert_eq!(
        (user.email.as_str(), user.name.as_deref()),
        ("ada@example.com", Some("Ada L"))
    );
    assert_eq!(world.org.received().total(), 1);
    assert_eq!(world.look_up_fails("ada@example.com").await, ErrorKind::Unsupported);
    assert_eq!(world.org.received().total(), 1);
    assert!(world.source.probe(&call(Duration::from_secs(5))).await.is_ok());
    assert_eq!(world.count(Endpoint::Organization), 1);

    // With a token look-ups work, and tell the same.
    let settings = [("login_is_email", yes()), ("on_second_factor", text("ignore"))];
    let world = World::new(org([ada()]), &settings).await;
    let user = world.accepted("ada@example.com").await;
    assert_eq!(world.org.received().total(), 1);
    assert!(user == world.found("ada@example.com").await);
    world.absent("other@example.com").await;
}

#[tokio::test]
async fn login_is_email_asks_for_factors_where_it_can() {
    let ted = || person("ted@example.com").factor(idbridge_okta_simulator::Factor::sms("+1-555-415-7922"));
    let mia = || ted().mfa(Mfa::Required);
    let world = World::new(org([ted()]), &[("login_is_email", yes())]).await;
    assert_eq!(world.rejected("ted@example.com").await, Rejection::SecondFactorRequired);
    assert_eq!(
        world.ineligible("ted@example.com").await,
        Rejection::SecondFactorRequired
    );

    let world = World::bare(org([mia()]), &[("login_is_email", yes())]).await;
    assert_eq!(
        world.rejected("ted@example.com").await,
        Rejection::SecondFactorRequired,
        "by its status alone"
    );
}

#[tokio::test]
async fn federated_people_have_no_password_even_if_authn_says_so() {
    let mut fred = person("fred@example.com").provider(Provider::new("FEDERATION", "FEDERATION"));
    fred.authn_status = None;
    let world = World::new(org([fred]), &[]).await;
    assert_eq!(world.rejected("fred@example.com").await, Rejection::InvalidCredentials);
    assert_eq!(world.ineligible("fred@example.com").await, Rejection::NoPassword);
}

#[tokio::test]
async fn a_check_runs_on_when_its_caller_hangs_up() {
    let world = World::demo().await;
    let hold = world.control().hold(Endpoint::Authn);
    let source = std::sync::Arc::clone(&world.source);
    let waiting = tokio::spawn(async move {
        let login = idbridge_source::Login::parse("ada@example.com").expect("a login");
        let password = idbridge_source::Password::parse(PASSWORD.to_owned()).expect("a password");
        source
            .authenticate(&call(Duration::from_secs(10)), &login, &password)
            .await
    });
    world.control().arrived(Endpoint::Authn, 1).await;
    waiting.abort();
    assert!(waiting.await.expect_err("aborted").is_cancelled());
    hold.release();
    let answered = async {
        world.control().answered(Endpoint::Authn, 1).await;
        world.control().idle().await;
    };
    let heard = tokio::time::timeout(Duration::from_secs(5), answered).await;
    assert!(heard.is_ok(), "the check ended with its caller");
    assert_eq!(world.org.received().abandoned(), 0);
    assert_eq!(world.org.received().passwords(), 1);
}

#[tokio::test]
async fn an_org_without_people_says_no() {
    let world = World::new(Org::new().token(idbridge_okta_simulator::TOKEN), &[]).await;
    assert_eq!(world.rejected("ada@example.com").await, Rejection::InvalidCredentials);
}

/// Okta always lists the factors that it asks for. Where it doesn't, what is open might be the password.
#[tokio::test]
async fn an_open_factor_that_nobody_names_is_no_proof() {
    for factors in [
        "",
        r#", "factors": []"#,
        r#", "factors": null"#,
        r#", "factors": [{"factorType": " PASSWORD "}]"#,
    ] {
        let body = format!(
            r#"{{"status": "MFA_REQUIRED", "_embedded": {{"user": {{"id": "00u1", "profile": {{}}}}{factors}}}}}"#
        );
        let world = World::new(
            org([person("ada@example.com")]),
            &[("on_second_factor", text("accept"))],
        )
        .await;
        world.control().fault(Endpoint::Authn, Fault::json(200, &body));
        assert_eq!(
            world.log_in_fails("ada@example.com").await,
            ErrorKind::Protocol,
            "{factors}"
        );
    }
}
