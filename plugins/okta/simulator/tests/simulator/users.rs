//! `GET /api/v1/users/{id or login}`, factors, groups, lists and paging.

use idbridge_okta_simulator::{Endpoint, Org, Person, Pipeline, Rights, Status, TOKEN};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::{Answer, Okta, Outcome};

#[tokio::test]
async fn a_user_is_found_by_id_login_and_short_name() -> Outcome {
    let okta = Okta::demo().await?;
    let id = okta.get("/users/ada@example.com").await?.text("/id").to_owned();
    assert!(id.len() == 20 && id.starts_with("00u"), "{id}");
    for key in [id.as_str(), "ADA%40example.com", "ada", "Ada@Example.com"] {
        let answer = okta.get(&format!("/users/{key}")).await?;
        assert_eq!((answer.status, answer.text("/id")), (200, id.as_str()), "{key}");
        assert!(answer.header("etag").starts_with("W/\""));
    }
    assert_eq!(
        okta.get("/users/grace").await?.text("/profile/email"),
        "grace@example.com"
    );
    assert_eq!(okta.get("/users/sam@example.com").await?.text("/status"), "SUSPENDED");
    assert_eq!(
        okta.get("/users/dan@example.com").await?.text("/status"),
        "DEPROVISIONED"
    );
    let nobody = okta.get("/users/nobody@example.com").await?;
    assert_eq!(nobody.verdict(), "404 E0000007");
    assert_eq!(
        nobody.text("/errorSummary"),
        "Not found: Resource not found: nobody@example.com (User)"
    );
    assert_eq!(
        okta.get("/users/grace@example.com").await?.verdict(),
        "404 E0000007",
        "an e-mail address is no login"
    );
    assert_eq!(okta.get("/users/00u00000000000000000").await?.verdict(), "404 E0000007");
    Ok(())
}

#[tokio::test]
async fn a_short_name_that_two_share_finds_nobody() -> Outcome {
    let okta = Okta::demo().await?;
    okta.control().add(Person::new("ada@example.org"));
    assert_eq!(okta.get("/users/ada").await?.verdict(), "404 E0000007");
    Ok(())
}

#[tokio::test]
async fn keys_that_are_no_key_do_what_a_server_does_with_paths() -> Outcome {
    let okta = Okta::demo().await?;
    assert_eq!(
        okta.get("/users/me").await?.text("/profile/login"),
        "api-admin@example.com"
    );
    assert_eq!(okta.get("/users/a%2Fb").await?.verdict(), "405 E0000022");
    assert!(
        okta.get("/users/").await?.logins().contains(&"ada@example.com"),
        "an empty key is the list"
    );
    assert_eq!(okta.get("/nothing").await?.verdict(), "404 E0000007");
    assert_eq!(
        okta.get("/users/ada@example.com/nothing").await?.verdict(),
        "404 E0000007"
    );
    let delete = okta.client.delete(format!("{}/api/v1/users/ada", okta.simulator.url()));
    assert_eq!(Answer::of(delete).await?.verdict(), "405 E0000022");
    Ok(())
}

/// Asked over a bare socket: clients resolve dots themselves, even encoded ones.
#[tokio::test]
async fn dots_in_a_path_are_resolved() -> Outcome {
    let okta = Okta::demo().await?;
    let address = okta.simulator.url().trim_start_matches("http://").to_owned();
    for (target, endpoint, status) in [
        ("/api/v1/users/.", Endpoint::Users, "HTTP/1.1 200"),
        ("/api/v1/users/%2e", Endpoint::Users, "HTTP/1.1 200"),
        ("/api/v1/users/%2E%2e", Endpoint::Other, "HTTP/1.1 404"),
        ("/api/v1/users/ada/../me", Endpoint::Me, "HTTP/1.1 200"),
    ] {
        let mut socket = TcpStream::connect(&address).await?;
        let head =
            format!("GET {target} HTTP/1.1\r\nhost: okta\r\nauthorization: SSWS {TOKEN}\r\nconnection: close\r\n\r\n");
        socket.write_all(head.as_bytes()).await?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await?;
        assert!(answer.starts_with(status), "{target}: {answer}");
        let received = okta.received();
        let last = received
            .requests()
            .next_back()
            .map(|request| (request.endpoint, request.target.as_str()));
        assert_eq!(last, Some((endpoint, target)));
    }
    Ok(())
}

#[tokio::test]
async fn the_shape_of_a_user_follows_the_person() -> Outcome {
    let okta = Okta::demo().await?;
    let ada = okta.get("/users/ada@example.com").await?;
    assert_eq!(ada.body["credentials"]["password"], json!({}));
    let address = json!([{"value": "ada@example.com", "status": "VERIFIED", "type": "PRIMARY"}]);
    assert_eq!(ada.body["credentials"]["emails"], address);
    assert_eq!(
        ada.body["credentials"]["provider"],
        json!({"type": "OKTA", "name": "OKTA"})
    );
    assert_eq!(ada.body["profile"]["department"], json!("Analytical Engines"));
    assert_eq!(ada.body["profile"]["mobilePhone"], json!(null));
    assert_eq!(ada.body["lastLogin"], json!(null));
    let pia = okta.get("/users/pia@example.com").await?;
    assert_eq!(
        pia.body["credentials"],
        json!({"provider": {"type": "OKTA", "name": "OKTA"}})
    );
    assert_eq!(
        okta.get("/users/norma@example.com").await?.body["profile"]["firstName"],
        json!(null)
    );
    assert_eq!(
        okta.get("/users/adam@example.com")
            .await?
            .text("/credentials/provider/type"),
        "ACTIVE_DIRECTORY"
    );
    okta.control()
        .person("ada@example.com", |ada| ada.status = Status::Other("FROZEN".to_owned()));
    assert_eq!(okta.get("/users/ada@example.com").await?.text("/status"), "FROZEN");
    Ok(())
}

#[tokio::test]
async fn factors_show_all_and_groups_begin_with_everyone() -> Outcome {
    let okta = Okta::demo().await?;
    let id = okta.get("/users/mia@example.com").await?.text("/id").to_owned();
    let factors = okta.get(&format!("/users/{id}/factors")).await?;
    assert_eq!(factors.body.as_array().map(Vec::len), Some(2));
    assert_eq!(
        (factors.text("/0/factorType"), factors.text("/0/status")),
        ("sms", "ACTIVE")
    );
    assert_eq!(
        factors.text("/0/profile/phoneNumber"),
        "+15554157922",
        "unmasked, unlike on /authn"
    );
    assert_eq!(
        okta.get("/users/mia@example.com/factors").await?.verdict(),
        "404 E0000007",
        "by id only"
    );
    let first = okta.get("/users/ada@example.com/groups?limit=1").await?;
    assert_eq!(first.text("/0/profile/name"), "Everyone");
    let next = first.link(&okta, "next").ok_or("no next page")?;
    assert_eq!(okta.get(&next).await?.text("/0/profile/name"), "Engineering");
    Ok(())
}

#[tokio::test]
async fn lists_are_paged_by_an_opaque_cursor() -> Outcome {
    let mut org = Org::new().token(TOKEN);
    org.people.clear();
    org.people.extend(
        [
            "api-admin@example.com",
            "b@example.com",
            "c@example.com",
            "d@example.com",
        ]
        .map(Person::new),
    );
    let okta = Okta::start(org).await?;
    let first = okta.get("/users?limit=2").await?;
    assert_eq!(first.logins(), ["api-admin@example.com", "b@example.com"]);
    assert_eq!(first.headers.get_all("link").iter().count(), 2, "two headers, not one");
    assert_eq!(first.link(&okta, "self").as_deref(), Some("/users?limit=2"));
    let second = okta.get(&first.link(&okta, "next").ok_or("no second page")?).await?;
    assert_eq!(second.logins(), ["c@example.com", "d@example.com"]);
    let third = okta.get(&second.link(&okta, "next").ok_or("no third page")?).await?;
    assert_eq!(
        (third.logins().len(), third.link(&okta, "next")),
        (0, None),
        "a full page may be followed by an empty one"
    );
    assert_eq!(okta.get("/users?after=nonsense").await?.verdict(), "400 E0000029");
    assert_eq!(okta.get("/users?limit=none").await?.verdict(), "400 E0000001");
    Ok(())
}

#[tokio::test]
async fn a_page_holds_200_and_ten_for_q() -> Outcome {
    let mut org = Org::new().token(TOKEN);
    org.people
        .extend((0..250).map(|number| Person::new(&format!("user{number}@example.com"))));
    let okta = Okta::start(org).await?;
    for (query, count) in [
        ("", 200),
        ("?limit=1000", 200),
        ("?limit=7", 7),
        ("?q=user", 10),
        ("?q=user&limit=20", 20),
    ] {
        assert_eq!(
            okta.get(&format!("/users{query}")).await?.logins().len(),
            count,
            "{query}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn q_has_one_page_only() -> Outcome {
    let okta = Okta::demo().await?;
    let answer = okta.get("/users?q=T&limit=2").await?;
    assert_eq!((answer.logins().len(), answer.link(&okta, "next")), (2, None));
    Ok(())
}

#[tokio::test]
async fn search_sorts_when_asked() -> Outcome {
    let okta = Okta::demo().await?;
    let target = "/users?search=profile.lastName%20eq%20%22twin%22&sortBy=profile.login";
    assert_eq!(
        okta.get(target).await?.logins(),
        ["tina@example.com", "toni@example.com"]
    );
    let reversed = okta.get(&format!("{target}&sortOrder=desc")).await?;
    assert_eq!(reversed.logins(), ["toni@example.com", "tina@example.com"]);
    Ok(())
}

#[tokio::test]
async fn only_search_and_filter_show_the_deactivated() -> Outcome {
    let okta = Okta::demo().await?;
    for query in ["", "?q=dan@"] {
        assert!(
            !okta
                .get(&format!("/users{query}"))
                .await?
                .logins()
                .contains(&"dan@example.com"),
            "{query}"
        );
    }
    assert_eq!(
        okta.search(r#"profile.email eq "dan@example.com""#).await?.logins(),
        ["dan@example.com"]
    );
    let filtered = okta
        .get("/users?filter=profile.email%20eq%20%22dan@example.com%22")
        .await?;
    assert_eq!(filtered.logins(), ["dan@example.com"]);
    Ok(())
}

#[tokio::test]
async fn a_token_opens_what_its_rights_say() -> Outcome {
    let org = Org::demo()
        .token_with("weak", Rights::Forbidden)
        .token_with("roleless", Rights::Nobody);
    let okta = Okta::start(org).await?;
    let ask = |token: &str, target: &str| {
        let url = format!("{}/api/v1{target}", okta.simulator.url());
        Answer::of(okta.client.get(url).header("authorization", token))
    };
    for token in ["SSWS nonsense", "Bearer nonsense", "SSWS"] {
        assert_eq!(ask(token, "/users/ada@example.com").await?.verdict(), "401 E0000011");
    }
    assert_eq!(
        ask(&format!("SSWS{TOKEN}"), "/users/me").await?.status,
        200,
        "Okta's Python client sends no space"
    );
    assert_eq!(ask("SSWS weak", "/users").await?.verdict(), "403 E0000006");
    let empty = ask("SSWS roleless", "/users").await?;
    assert_eq!((empty.status, empty.body), (200, json!([])));
    assert_eq!(
        ask("SSWS roleless", "/users/ada@example.com").await?.verdict(),
        "404 E0000007"
    );
    Ok(())
}

#[tokio::test]
async fn a_token_dies_with_its_maker() -> Outcome {
    let okta = Okta::demo().await?;
    okta.control()
        .person("api-admin@example.com", |admin| admin.status = Status::Deprovisioned);
    assert_eq!(okta.get("/users/me").await?.verdict(), "401 E0000011");
    Ok(())
}

#[tokio::test]
async fn the_organization_names_its_engine_to_anyone() -> Outcome {
    for (pipeline, name) in [(Pipeline::Classic, "v1"), (Pipeline::IdentityEngine, "idx")] {
        let okta = Okta::start(Org::new().pipeline(pipeline)).await?;
        let url = format!("{}/.well-known/okta-organization", okta.simulator.url());
        assert_eq!(Answer::of(okta.client.get(url)).await?.text("/pipeline"), name);
    }
    Ok(())
}
