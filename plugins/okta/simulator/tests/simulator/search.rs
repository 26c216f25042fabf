//! `search=`, `filter=` and `q=`.

use idbridge_okta_simulator::{Org, Person, TOKEN};

use crate::{Okta, Outcome};

#[tokio::test]
async fn search_finds_by_any_attribute_in_any_case() -> Outcome {
    let okta = Okta::demo().await?;
    for (expression, logins) in [
        (r#"profile.email eq "ADA@EXAMPLE.COM""#, &["ada@example.com"][..]),
        (r#"profile.login eq "grace""#, &["grace"]),
        (
            r#"profile.email eq "twins@example.com""#,
            &["tina@example.com", "toni@example.com"],
        ),
        (
            r#"profile.email eq "rhea@example.com""#,
            &["rhea@example.com", "rhea2@example.com"],
        ),
        (r#"profile.email eq "hugo@example.com""#, &["hugo.new@example.com"]),
        (r#"status eq "SUSPENDED""#, &["sam@example.com"]),
        (
            r#"status eq "suspended" or profile.department eq "analytical engines""#,
            &["ada@example.com", "sam@example.com"],
        ),
        (
            r#"profile.email eq "rhea@example.com" and status eq "ACTIVE""#,
            &["rhea2@example.com"],
        ),
        (
            r#"(status eq "STAGED" or status eq "PROVISIONED") and profile.firstName sw "P""#,
            &["pia@example.com"],
        ),
        (
            r#"profile.login co "HUGO""#,
            &["hugo.new@example.com", "hugo@example.com"],
        ),
        (r#"profile.lastName eq "Lukasiewicz-Nandu""#, &[]),
        (r#"profile.email eq "nobody@example.com""#, &[]),
    ] {
        let answer = okta.search(expression).await?;
        assert_eq!(
            (answer.status, answer.logins().as_slice()),
            (200, logins),
            "{expression}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn quotes_and_backslashes_are_escaped() -> Outcome {
    let odd = r#"a"b\c@example.com"#;
    let okta = Okta::start(
        Org::new()
            .token(TOKEN)
            .person(Person::new("odd@example.com").email(odd)),
    )
    .await?;
    assert_eq!(
        okta.search(r#"profile.email eq "a\"b\\c@example.com""#).await?.logins(),
        ["odd@example.com"]
    );
    assert_eq!(
        okta.search(r#"profile.email eq "a"b\c@example.com""#).await?.verdict(),
        "400 E0000031"
    );
    Ok(())
}

#[tokio::test]
async fn nonsense_is_refused() -> Outcome {
    let okta = Okta::demo().await?;
    for expression in [
        "",
        "ada",
        "profile.email",
        "profile.email eq",
        "profile.email eq ada",
        r#"profile.emial eq "x""#,
        r#"profile.email like "x""#,
        r#"profile.department co "x""#,
        r#"profile.email eq "x"#,
        r#"(profile.email eq "x""#,
        r#"profile.email eq "x" and"#,
        r#"profile.email eq "x" "y""#,
        r#"profile.email eq "\x""#,
    ] {
        assert_eq!(okta.search(expression).await?.verdict(), "400 E0000031", "{expression}");
    }
    assert_eq!(
        okta.get("/users?filter=profile.department%20eq%20%22x%22")
            .await?
            .verdict(),
        "400 E0000031"
    );
    Ok(())
}

#[tokio::test]
async fn a_plus_in_a_query_is_a_space() -> Outcome {
    let okta = Okta::start(Org::new().token(TOKEN).person(Person::new("a+b@example.com"))).await?;
    for (query, count) in [("%22a%2Bb@example.com%22", 1), ("%22a+b@example.com%22", 0)] {
        let answer = okta.get(&format!("/users?search=profile.email+eq+{query}")).await?;
        assert_eq!((answer.status, answer.logins().len()), (200, count), "{query}");
    }
    assert_eq!(
        okta.get("/users/a+b@example.com").await?.status,
        200,
        "but not in a path"
    );
    Ok(())
}

#[tokio::test]
async fn filter_minds_case_and_q_takes_any_beginning() -> Outcome {
    let okta = Okta::start(
        Org::new()
            .token(TOKEN)
            .person(Person::new("Ann@example.com").name("Ann", "Other"))
            .person(Person::new("annabel@example.com").name("Bel", "Annabelsson")),
    )
    .await?;
    let filter = |value: &str| format!("/users?filter=profile.email%20eq%20%22{value}%22");
    assert_eq!(okta.get(&filter("Ann@example.com")).await?.logins().len(), 1);
    assert_eq!(okta.get(&filter("ann@example.com")).await?.logins().len(), 0);
    assert_eq!(
        okta.get("/users?q=ann").await?.logins(),
        ["Ann@example.com", "annabel@example.com"]
    );
    assert_eq!(okta.get("/users?q=example").await?.logins().len(), 0);
    Ok(())
}

#[tokio::test]
async fn search_sees_the_past_until_refreshed() -> Outcome {
    let okta = Okta::start(Org::demo().stale_search()).await?;
    okta.control()
        .person("ada@example.com", |ada| ada.email = "countess@example.com".to_owned());
    let old = r#"profile.email eq "ada@example.com""#;
    let new = r#"profile.email eq "countess@example.com""#;
    assert_eq!(okta.search(old).await?.logins(), ["ada@example.com"]);
    assert_eq!(okta.search(new).await?.logins().len(), 0);
    assert_eq!(
        okta.get("/users/ada@example.com").await?.text("/profile/email"),
        "countess@example.com"
    );
    okta.control().refresh_search();
    assert_eq!(okta.search(old).await?.logins().len(), 0);
    assert_eq!(okta.search(new).await?.logins(), ["ada@example.com"]);
    Ok(())
}
