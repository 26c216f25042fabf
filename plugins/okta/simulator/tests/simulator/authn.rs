//! `POST /api/v1/authn`, state by state.

use idbridge_okta_simulator::{Denial, Endpoint, Factor, Lockout, Mfa, Org, PASSWORD, Person, Provider, Status, TOKEN};
use serde_json::{Value, json};

use crate::{Answer, Okta, Outcome};

fn ada() -> Person {
    Person::new("ada@example.com").name("Ada", "Lovelace").password("right")
}

#[tokio::test]
async fn everyone_in_the_demo_gets_the_answer_of_their_state() -> Outcome {
    let okta = Okta::demo().await?;
    for (login, verdict) in [
        ("ada@example.com", "200 SUCCESS"),
        ("ADA@Example.COM", "200 SUCCESS"),
        ("ada", "200 SUCCESS"),
        ("bob@example.com", "200 SUCCESS"),
        ("grace", "200 SUCCESS"),
        ("grace@example.com", "401 E0000004"),
        ("zoe@example.com", "200 SUCCESS"),
        ("norma@example.com", "200 SUCCESS"),
        ("mia@example.com", "200 MFA_REQUIRED"),
        ("ted@example.com", "200 SUCCESS"),
        ("emil@example.com", "200 SUCCESS"),
        ("enno@example.com", "200 MFA_ENROLL"),
        ("seq@example.com", "200 MFA_REQUIRED"),
        ("eve@example.com", "200 PASSWORD_EXPIRED"),
        ("walt@example.com", "200 SUCCESS"),
        ("lou@example.com", "401 E0000004"),
        ("sam@example.com", "401 E0000004"),
        ("dan@example.com", "401 E0000004"),
        ("stan@example.com", "401 E0000004"),
        ("pia@example.com", "401 E0000004"),
        ("rita@example.com", "401 E0000004"),
        ("polly@example.com", "403 E0000085"),
        ("fred@example.com", "401 E0000004"),
        ("sofia@example.com", "401 E0000004"),
        ("adam@example.com", "200 SUCCESS"),
        ("lena@example.com", "200 SUCCESS"),
        ("ian@example.com", "200 SUCCESS"),
        ("nobody@example.com", "401 E0000004"),
    ] {
        assert_eq!(okta.log_in(login, PASSWORD).await?.verdict(), verdict, "{login}");
    }
    let imported = okta.get("/users/ian@example.com").await?;
    assert_eq!(
        imported.text("/credentials/provider/type"),
        "OKTA",
        "an imported password is Okta's after its first use"
    );
    Ok(())
}

#[tokio::test]
async fn success_names_the_user_with_five_keys_and_no_email() -> Outcome {
    let okta = Okta::with(ada()).await?;
    let answer = okta.log_in("ada@example.com", "right").await?;
    let profile = answer
        .body
        .pointer("/_embedded/user/profile")
        .and_then(Value::as_object);
    let keys: Vec<&str> = profile
        .into_iter()
        .flat_map(|profile| profile.keys().map(String::as_str))
        .collect();
    assert_eq!(keys, ["firstName", "lastName", "locale", "login", "timeZone"]);
    assert_eq!(answer.text("/_embedded/user/id").len(), 20);
    assert!(!answer.text("/sessionToken").is_empty());
    assert_eq!(answer.text("/expiresAt"), "2026-01-15T09:05:00.000Z");
    assert_eq!(answer.header("date"), "Thu, 15 Jan 2026 09:00:00 GMT");
    assert!(!answer.header("x-okta-request-id").is_empty());
    assert!(
        answer
            .headers
            .get_all("set-cookie")
            .iter()
            .any(|cookie| cookie.as_bytes().starts_with(b"JSESSIONID="))
    );
    Ok(())
}

#[tokio::test]
async fn success_may_come_without_a_session_token() -> Outcome {
    let okta = Okta::start(Org::new().person(ada()).session_tokens(false)).await?;
    let answer = okta.log_in("ada@example.com", "right").await?;
    assert_eq!(
        (answer.verdict().as_str(), answer.text("/sessionToken")),
        ("200 SUCCESS", "")
    );
    Ok(())
}

#[tokio::test]
async fn the_nth_wrong_password_locks_out_and_shows_as_the_org_says() -> Outcome {
    for (lockout, verdict) in [
        (Lockout::Forbidden, "403 E0000069"),
        (Lockout::Hidden, "401 E0000004"),
        (Lockout::Shown, "200 LOCKED_OUT"),
    ] {
        let okta = Okta::start(Org::new().token(TOKEN).person(ada()).lockout(3, lockout)).await?;
        for _ in 0..2 {
            assert_eq!(okta.log_in("ada@example.com", "wrong").await?.verdict(), "401 E0000004");
        }
        let third = okta.log_in("ada@example.com", "wrong").await?;
        assert_eq!(third.verdict(), verdict);
        assert!(third.body.pointer("/_embedded/user").is_none());
        assert_eq!(
            okta.log_in("ada@example.com", "right").await?.verdict(),
            verdict,
            "the right password as well"
        );
        assert_eq!(okta.get("/users/ada@example.com").await?.text("/status"), "LOCKED_OUT");
    }
    Ok(())
}

#[tokio::test]
async fn a_right_password_forgets_the_wrong_ones() -> Outcome {
    let okta = Okta::start(Org::new().person(ada()).lockout(2, Lockout::Shown)).await?;
    for password in ["wrong", "right", "wrong"] {
        let wanted = if password == "right" {
            "200 SUCCESS"
        } else {
            "401 E0000004"
        };
        assert_eq!(okta.log_in("ada@example.com", password).await?.verdict(), wanted);
    }
    Ok(())
}

#[tokio::test]
async fn a_factor_is_asked_for_before_an_expired_password_is_told() -> Outcome {
    let expired = ada().status(Status::PasswordExpired);
    let okta = Okta::with(expired.clone()).await?;
    assert_eq!(
        okta.log_in("ada@example.com", "right").await?.verdict(),
        "200 PASSWORD_EXPIRED"
    );
    let okta = Okta::with(expired.factor(Factor::sms("+15554157922")).mfa(Mfa::Required)).await?;
    let answer = okta.log_in("ada@example.com", "right").await?;
    assert_eq!(answer.verdict(), "200 MFA_REQUIRED");
    assert_eq!(
        answer.text("/_embedded/factors/0/profile/phoneNumber"),
        "+1 XXX-XXX-7922"
    );
    assert_eq!(okta.log_in("ada@example.com", "wrong").await?.verdict(), "401 E0000004");
    Ok(())
}

#[tokio::test]
async fn a_policy_without_an_enrolled_factor_asks_for_enrolment() -> Outcome {
    let pending = Factor::totp("OKTA", "ada").status("PENDING_ACTIVATION");
    let okta = Okta::with(ada().factor(pending).mfa(Mfa::Required)).await?;
    assert_eq!(
        okta.log_in("ada@example.com", "right").await?.verdict(),
        "200 MFA_ENROLL"
    );
    Ok(())
}

#[tokio::test]
async fn an_open_password_factor_proves_nothing() -> Outcome {
    let okta = Okta::with(ada().mfa(Mfa::PasswordOpen)).await?;
    let answer = okta.log_in("ada@example.com", "wrong").await?;
    assert_eq!(answer.verdict(), "200 MFA_REQUIRED");
    assert_eq!(answer.text("/_embedded/factors/0/factorType"), "password");
    assert!(!answer.text("/_embedded/user/id").is_empty());
    Ok(())
}

#[tokio::test]
async fn a_password_that_aged_out_is_noticed_at_log_in() -> Outcome {
    let okta = Okta::with(ada().password_aged()).await?;
    assert_eq!(okta.get("/users/ada@example.com").await?.text("/status"), "ACTIVE");
    assert_eq!(
        okta.log_in("ada@example.com", "right").await?.verdict(),
        "200 PASSWORD_EXPIRED"
    );
    assert_eq!(
        okta.get("/users/ada@example.com").await?.text("/status"),
        "PASSWORD_EXPIRED"
    );
    Ok(())
}

#[tokio::test]
async fn a_warning_is_given_only_when_asked_for() -> Outcome {
    let okta = Okta::with(ada().password_warn(5)).await?;
    assert_eq!(okta.log_in("ada@example.com", "right").await?.verdict(), "200 SUCCESS");
    let options = json!({"warnBeforePasswordExpired": true});
    let body = json!({"username": "ada@example.com", "password": "right", "options": options});
    let answer = Answer::of(okta.post(body.to_string())).await?;
    assert_eq!(answer.verdict(), "200 PASSWORD_WARN");
    assert_eq!(
        answer.body.pointer("/_embedded/policy/expiration/passwordExpireDays"),
        Some(&json!(5))
    );
    Ok(())
}

#[tokio::test]
async fn policies_refuse_after_the_password_and_threat_insight_before() -> Outcome {
    for (denial, verdict) in [
        (Denial::BreachedPassword, "403 E0000259"),
        (Denial::SignOnPolicy, "403 E0000085"),
    ] {
        let okta = Okta::with(ada().denied(denial)).await?;
        assert_eq!(okta.log_in("ada@example.com", "right").await?.verdict(), verdict);
        assert_eq!(okta.log_in("ada@example.com", "wrong").await?.verdict(), "401 E0000004");
    }
    let okta = Okta::start(Org::new().person(ada()).threat_insight(true)).await?;
    assert_eq!(
        okta.log_in("nobody@example.com", "any").await?.verdict(),
        "403 E0000006"
    );
    Ok(())
}

#[tokio::test]
async fn a_status_that_no_document_knows_can_be_answered() -> Outcome {
    let okta = Okta::with(ada().authn_status("SOME_STATUS")).await?;
    let answer = okta.log_in("ada@example.com", "right").await?;
    assert_eq!(answer.verdict(), "200 SOME_STATUS");
    assert!(!answer.text("/_embedded/user/id").is_empty());
    Ok(())
}

#[tokio::test]
async fn a_federated_user_has_no_password_even_if_one_is_left() -> Outcome {
    let okta = Okta::with(ada().provider(Provider::new("FEDERATION", "FEDERATION"))).await?;
    assert_eq!(okta.log_in("ada@example.com", "right").await?.verdict(), "401 E0000004");
    Ok(())
}

#[tokio::test]
async fn a_short_name_works_while_one_user_has_it() -> Outcome {
    let okta = Okta::with(ada()).await?;
    assert_eq!(okta.log_in("Ada", "right").await?.verdict(), "200 SUCCESS");
    okta.control().add(Person::new("ada@example.org").password("right"));
    assert_eq!(okta.log_in("Ada", "right").await?.verdict(), "401 E0000004");
    Ok(())
}

#[tokio::test]
async fn what_is_no_attempt_gets_its_error() -> Outcome {
    let okta = Okta::with(ada()).await?;
    for (body, verdict) in [
        (r#"{"username":"","password":"x"}"#, "400 E0000001"),
        (r#"{"username":"ada@example.com","password":""}"#, "400 E0000001"),
        (r#"{"username":"ada@example.com","password":null}"#, "400 E0000001"),
        ("{}", "400 E0000001"),
        ("{", "400 E0000003"),
        ("[]", "400 E0000003"),
        ("", "400 E0000003"),
        (r#"{"username":1,"password":"x"}"#, "400 E0000003"),
        (r#"{"stateToken":"00x"}"#, "401 E0000011"),
        (r#"{"token":"x"}"#, "401 E0000004"),
    ] {
        assert_eq!(Answer::of(okta.post(body)).await?.verdict(), verdict, "{body}");
    }
    let url = format!("{}/api/v1/authn", okta.simulator.url());
    let form = okta.client.post(&url).header("content-type", "text/plain").body("{}");
    assert_eq!(Answer::of(form).await?.verdict(), "400 E0000021");
    assert_eq!(
        Answer::of(okta.post("{}").header("accept", "text/html"))
            .await?
            .verdict(),
        "406 E0000122"
    );
    assert_eq!(Answer::of(okta.client.get(&url)).await?.verdict(), "405 E0000022");
    Ok(())
}

#[tokio::test]
async fn a_bad_token_is_ignored() -> Outcome {
    let okta = Okta::with(ada()).await?;
    let body = json!({"username": "ada@example.com", "password": "right"}).to_string();
    let answer = Answer::of(okta.post(body.clone()).header("authorization", "SSWS nonsense")).await?;
    assert_eq!(
        (answer.verdict().as_str(), answer.header("x-rate-limit-limit")),
        ("200 SUCCESS", "500")
    );
    let answer = Answer::of(okta.post(body).header("authorization", format!("SSWS {TOKEN}"))).await?;
    assert_eq!(
        (answer.verdict().as_str(), answer.header("x-rate-limit-limit")),
        ("200 SUCCESS", "250")
    );
    Ok(())
}

#[tokio::test]
async fn passwords_are_compared_and_recorded_byte_for_byte() -> Outcome {
    for password in [" spaces ", "quote\"back\\slash", "e\u{301}", "🦀🔑", &"x".repeat(80)] {
        let okta = Okta::with(ada().password(password)).await?;
        assert_eq!(okta.log_in("ada@example.com", password).await?.verdict(), "200 SUCCESS");
        assert_eq!(
            okta.log_in("ada@example.com", &format!("{password} ")).await?.verdict(),
            "401 E0000004"
        );
        let received = okta.received();
        let first = received.at(Endpoint::Authn).next().and_then(|request| request.json());
        assert_eq!(
            first.as_ref().and_then(|body| body["password"].as_str()),
            Some(password)
        );
    }
    let okta = Okta::with(ada().password("\u{e9}")).await?;
    assert_eq!(
        okta.log_in("ada@example.com", "e\u{301}").await?.verdict(),
        "401 E0000004",
        "nothing is normalised"
    );
    Ok(())
}
