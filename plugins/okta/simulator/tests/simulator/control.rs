//! Holding, hiding, counting, stopping.

use idbridge_okta_simulator::{CANARY, Endpoint, Org, PASSWORD, Person, Simulator};

use crate::{Answer, Okta, Outcome};

#[tokio::test]
async fn held_requests_arrive_and_wait() -> Outcome {
    let okta = Okta::demo().await?;
    let hold = okta.control().hold(Endpoint::User);
    let requests: Vec<_> = (0..3)
        .map(|_| tokio::spawn(okta.request("/api/v1/users/ada").send()))
        .collect();
    okta.control().arrived(Endpoint::User, 3).await;
    assert_eq!(
        (okta.received().in_flight(), okta.received().answered(Endpoint::User)),
        (3, 0)
    );
    hold.release();
    for request in requests {
        assert_eq!(request.await??.status().as_u16(), 200);
    }
    okta.control().answered(Endpoint::User, 3).await;
    assert_eq!(okta.get("/users/ada").await?.status, 200, "later ones pass");
    Ok(())
}

#[tokio::test]
async fn a_hidden_user_is_invisible_to_tokens_only() -> Outcome {
    let okta = Okta::demo().await?;
    okta.control()
        .person(CANARY, |canary| canary.password = Some(PASSWORD.to_owned()));
    okta.control().hide(CANARY);
    let by_email = format!(r#"profile.email eq "{CANARY}""#);
    assert_eq!(okta.get(&format!("/users/{CANARY}")).await?.verdict(), "404 E0000007");
    assert_eq!(okta.search(&by_email).await?.logins().len(), 0);
    assert_eq!(okta.log_in(CANARY, PASSWORD).await?.verdict(), "200 SUCCESS");
    okta.control().show_all();
    assert_eq!(okta.search(&by_email).await?.logins(), [CANARY]);
    Ok(())
}

#[tokio::test]
async fn people_come_change_and_go() -> Outcome {
    let okta = Okta::demo().await?;
    let control = okta.control();
    control.add(Person::new("new@example.com"));
    assert_eq!(okta.get("/users/new@example.com").await?.status, 200);
    assert!(control.person("NEW@example.com", |person| person.first_name = Some("New".to_owned())));
    assert_eq!(
        okta.get("/users/new@example.com").await?.text("/profile/firstName"),
        "New"
    );
    control.remove("new@example.com");
    assert_eq!(okta.get("/users/new@example.com").await?.status, 404);
    assert!(!control.person("new@example.com", |_| {}));
    control.revoke_tokens();
    assert_eq!(okta.get("/users/ada").await?.verdict(), "401 E0000011");
    Ok(())
}

#[tokio::test]
async fn what_came_is_counted_and_kept_as_it_came() -> Outcome {
    let okta = Okta::demo().await?;
    let body = r#"{ "username": "ada@example.com",  "password": "pass\u0077ord" }"#;
    Answer::of(okta.post(body).header("x-test", "here")).await?;
    okta.log_in("bob@example.com", "any").await?;
    Answer::of(okta.post("{}")).await?;
    okta.get("/users/%61da%40example.com?x=%20").await?;
    let received = okta.received();
    assert_eq!(
        (
            received.total(),
            received.count(Endpoint::Authn),
            received.count(Endpoint::User)
        ),
        (4, 3, 1)
    );
    assert_eq!(received.passwords(), 2, "an attempt without a password submits none");
    assert_eq!(
        (
            received.passwords_for("ada@example.com"),
            received.passwords_for("eve@example.com")
        ),
        (1, 0)
    );
    assert_eq!(received.connections(), 1, "one connection was used again");
    let first = received.at(Endpoint::Authn).next().ok_or("nothing kept")?;
    assert_eq!(
        (first.body.as_ref(), first.header("x-test")),
        (body.as_bytes(), Some("here"))
    );
    let last = received.requests().next_back().ok_or("nothing kept")?;
    assert_eq!(
        (last.number, last.target.as_str()),
        (4, "/api/v1/users/%61da%40example.com?x=%20")
    );
    Ok(())
}

#[tokio::test]
async fn nothing_personal_is_printed() -> Outcome {
    let okta = Okta::demo().await?;
    okta.log_in("ada@example.com", PASSWORD).await?;
    okta.get("/users/ada@example.com").await?;
    let received = okta.received();
    let requests: Vec<_> = received.requests().collect();
    let printed = format!(
        "{:?} {received:?} {requests:?} {:?}",
        okta.simulator,
        Org::demo().people()
    );
    for secret in ["ada@", PASSWORD, idbridge_okta_simulator::TOKEN, "Lovelace"] {
        assert!(!printed.contains(secret), "{secret}");
    }
    Ok(())
}

#[tokio::test]
async fn a_stopped_org_is_gone() -> Outcome {
    let Okta { simulator, client } = Okta::demo().await?;
    let url = simulator.url();
    let address = url.trim_start_matches("http://").to_owned();
    let control = simulator.control();
    let hold = control.hold(Endpoint::Organization);
    let waiting = tokio::spawn(client.get(format!("{url}/.well-known/okta-organization")).send());
    control.arrived(Endpoint::Organization, 1).await;
    simulator.shutdown().await;
    assert!(waiting.await?.is_err(), "calls in flight end");
    drop(hold);
    let listener = tokio::net::TcpListener::bind(&address).await?;
    let again = Simulator::start_on(listener, Org::new()).await?;
    assert_eq!(again.url(), url);
    Ok(())
}

#[test]
fn every_person_of_the_demo_has_a_note_and_an_id_of_their_own() {
    let org = Org::demo();
    let ids: std::collections::BTreeSet<&str> = org.people().iter().map(|person| person.id.as_str()).collect();
    let logins: std::collections::BTreeSet<String> =
        org.people().iter().map(|person| person.login.to_lowercase()).collect();
    assert_eq!((ids.len(), logins.len()), (org.people().len(), org.people().len()));
    assert!(org.people().iter().all(|person| !person.note.is_empty()));
    assert!(org.people().iter().all(|person| person.id.len() == 20));
}
