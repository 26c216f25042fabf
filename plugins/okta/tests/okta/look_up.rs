use std::time::Duration;

use bytes::Bytes;
use idbridge_okta_simulator::{CANARY, Endpoint, Fault, Org, Rights, Status, TOKEN};
use idbridge_source::{ErrorKind, Lookup, Rejection};

use crate::world::{World, call, org, person, text, yes};

#[tokio::test]
async fn whoever_has_the_address_is_found() {
    let world = World::demo().await;
    assert_eq!(world.found("ADA@example.com").await.login, "ada@example.com");
    assert_eq!(world.found("grace@example.com").await.login, "grace", "by search alone");
    assert_eq!(
        world.found("hugo@example.com").await.login,
        "hugo.new@example.com",
        "not by login"
    );
    assert_eq!(world.found("hanna@example.com").await.login, "hugo@example.com");
    world.absent("hugo.new@example.com").await;
    world.absent("nobody@example.com").await;
}

#[tokio::test]
async fn a_rehire_takes_over_the_address() {
    let world = World::demo().await;
    assert_eq!(world.found("rhea@example.com").await.login, "rhea2@example.com");
    world
        .control()
        .person("rhea2@example.com", |rhea| rhea.status = Status::Deprovisioned);
    assert_eq!(
        world.ineligible("rhea@example.com").await,
        Rejection::AccountDisabled,
        "two who left"
    );
    world.control().remove("rhea2@example.com");
    assert_eq!(
        world.ineligible("rhea@example.com").await,
        Rejection::AccountDisabled,
        "one who left"
    );
    world.control().remove("rhea@example.com");
    world.absent("rhea@example.com").await;
}

#[tokio::test]
async fn two_claimants_are_ambiguous_whatever_their_state() {
    for status in [
        Status::Active,
        Status::Suspended,
        Status::Staged,
        Status::LockedOut,
        Status::Other("NEW".to_owned()),
    ] {
        let world = World::demo().await;
        world
            .control()
            .person("toni@example.com", |toni| toni.status = status.clone());
        assert_eq!(
            world.look_up_fails("twins@example.com").await,
            ErrorKind::Ambiguous,
            "{status:?}"
        );
    }
}

#[tokio::test]
async fn a_crowd_is_ambiguous_and_costs_no_crowd_of_calls() {
    let people = (0..30).map(|n| {
        person(&format!("p{n}@example.com"))
            .email("crowd@example.com")
            .status(Status::Deprovisioned)
    });
    let world = World::new(org(people), &[]).await;
    assert_eq!(world.look_up_fails("crowd@example.com").await, ErrorKind::Ambiguous);
    assert!(world.count(Endpoint::User) <= 1);
}

#[tokio::test]
async fn search_is_stale_and_not_believed() {
    let world = World::demo().await;
    world.control().freeze_search();
    let change = |change: fn(&mut idbridge_okta_simulator::Person)| world.control().person("grace", change);

    change(|grace| grace.status = Status::Suspended);
    assert_eq!(
        world.ineligible("grace@example.com").await,
        Rejection::AccountDisabled,
        "suspended since"
    );
    change(|grace| grace.status = Status::Active);
    assert_eq!(world.found("grace@example.com").await.login, "grace");

    change(|grace| grace.email = "hopper@example.com".to_owned());
    world.absent("grace@example.com").await;
    world.control().hide(CANARY);
    assert_eq!(
        world.look_up_fails("grace@example.com").await,
        ErrorKind::CredentialRefused
    );
    world.control().show_all();

    world.control().remove("grace");
    world.absent("grace@example.com").await;
}

#[tokio::test]
async fn who_was_reactivated_or_left_since_counts_as_now() {
    let world = World::demo().await;
    world.control().freeze_search();
    world
        .control()
        .person("rhea@example.com", |rhea| rhea.status = Status::Active);
    assert_eq!(world.look_up_fails("rhea@example.com").await, ErrorKind::Ambiguous);
    world
        .control()
        .person("rhea2@example.com", |rhea| rhea.status = Status::Deprovisioned);
    assert_eq!(world.found("rhea@example.com").await.login, "rhea@example.com");
    world
        .control()
        .person("toni@example.com", |toni| toni.email = "toni@example.com".to_owned());
    assert_eq!(world.found("twins@example.com").await.login, "tina@example.com");
}

/// The index doesn't know a new user yet; their login tells.
#[tokio::test]
async fn who_is_not_in_the_index_yet_is_found_by_login() {
    let world = World::demo().await;
    world.control().freeze_search();
    world.control().add(person("new@example.com"));
    assert_eq!(world.found("new@example.com").await.login, "new@example.com");
}

#[tokio::test]
async fn not_found_means_nothing_while_the_canary_is_hidden() {
    let world = World::demo().await;
    world.absent("nobody@example.com").await;
    let canary =
        |request: &&idbridge_okta_simulator::Request| request.target.ends_with("idbridge-canary%40example.com");
    assert_eq!(world.org.received().at(Endpoint::User).filter(canary).count(), 1);
    world.absent("nobody@example.com").await;
    assert_eq!(
        world.org.received().at(Endpoint::User).filter(canary).count(),
        2,
        "it is asked afresh"
    );

    world.control().hide(CANARY);
    assert_eq!(
        world.look_up_fails("nobody@example.com").await,
        ErrorKind::CredentialRefused
    );
    assert_eq!(
        world.found("ada@example.com").await.login,
        "ada@example.com",
        "who is seen is seen"
    );
    assert_eq!(probe(&world).await, Err(ErrorKind::CredentialRefused));
}

#[tokio::test]
async fn a_token_without_a_role_finds_nobody_absent() {
    for rights in [Rights::Nobody, Rights::Forbidden] {
        let people = Org::new()
            .token_with(TOKEN, rights)
            .person(person(CANARY))
            .person(person("ada@example.com"));
        let world = World::new(people, &[("lookup_by_login", yes())]).await;
        for address in ["ada@example.com", "nobody@example.com"] {
            assert_eq!(
                world.look_up_fails(address).await,
                ErrorKind::CredentialRefused,
                "{rights:?}"
            );
            let by_login = world.look_up_login(address).await.expect_err("an error").kind();
            assert_eq!(by_login, ErrorKind::CredentialRefused, "{rights:?}");
        }
        assert_eq!(probe(&world).await, Err(ErrorKind::CredentialRefused));
    }
}

#[tokio::test]
async fn a_dead_token_is_ours() {
    let world = World::demo().await;
    assert_eq!(probe(&world).await, Ok(()));
    world.control().revoke_tokens();
    for address in ["ada@example.com", "nobody@example.com", "grace@example.com"] {
        assert_eq!(world.look_up_fails(address).await, ErrorKind::CredentialRefused);
    }
    assert_eq!(probe(&world).await, Err(ErrorKind::CredentialRefused));
}

#[tokio::test]
async fn by_login_only_the_login_itself_counts() {
    let world = World::demo().await;
    let kind = world.look_up_login("grace").await.expect_err("an error").kind();
    assert_eq!(kind, ErrorKind::Unsupported, "unless the settings say so");

    let world = World::new(Org::demo(), &[("lookup_by_login", yes())]).await;
    let grace = world.look_up_login("GRACE").await;
    assert!(
        matches!(&grace, Ok(Lookup::Found(user)) if user.email == "grace@example.com"),
        "{grace:?}"
    );
    let id = world.found("bob@example.com").await.id;
    for other in ["ada", id.as_str(), "grace@example.com", "nobody"] {
        let answer = world.look_up_login(other).await;
        assert!(matches!(answer, Ok(Lookup::Absent)), "{other}: {answer:?}");
    }
    let sam = world.look_up_login("sam@example.com").await;
    assert!(
        matches!(sam, Ok(Lookup::Ineligible(Rejection::AccountDisabled))),
        "{sam:?}"
    );
    let lena = world.look_up_login("lena@example.com").await;
    assert!(
        matches!(lena, Ok(Lookup::Ineligible(Rejection::NoPassword))),
        "{lena:?}"
    );
}

#[tokio::test]
async fn directory_users_are_found_where_the_settings_say_so() {
    let world = World::new(Org::demo(), &[("directory_users", text("accept"))]).await;
    for address in ["adam@example.com", "lena@example.com"] {
        assert!(world.found(address).await == world.accepted(address).await);
    }
    assert_eq!(world.ineligible("fred@example.com").await, Rejection::NoPassword);
}

/// An address may hold what ends or climbs a path. No such text becomes a path of its own.
#[tokio::test]
async fn hostile_addresses_stay_one_segment_and_one_value() {
    let addresses = [
        "../ada@example.com",
        "a/b@example.com",
        "%2e%2e@example.com",
        "..@example.com",
        "me@example.com",
        "a?b@example.com",
        "a#b@example.com",
        "a%2fb@example.com",
        "a\\b@example.com",
        "a+b@example.com",
        "a&search=x@example.com",
        "é@example.com",
    ];
    let world = World::new(
        org(addresses.map(|address| person(&format!("{address}.login")).email(address))),
        &[],
    )
    .await;
    for address in addresses {
        assert_eq!(world.found(address).await.email, address);
    }
    let received = world.org.received();
    for wrong in [Endpoint::Me, Endpoint::Users, Endpoint::Other, Endpoint::Groups] {
        assert_eq!(received.count(wrong), 0, "{wrong:?}");
    }
    let slashes = |target: &str| target.split('?').next().unwrap_or_default().matches('/').count();
    assert!(received.at(Endpoint::User).all(|request| slashes(&request.target) == 4));
    let encoded = |target: &str| target.to_ascii_lowercase().contains("%2f");
    assert!(
        received.at(Endpoint::User).all(|request| !encoded(&request.target)),
        "Okta answers 405 to that"
    );
}

#[tokio::test]
async fn logins_that_are_paths_go_in_the_body() {
    let world = World::demo().await;
    for login in ["me", ".", "..", "a/b", "%2e%2e", "../users/me", "?", " "] {
        assert_eq!(world.rejected(login).await, Rejection::InvalidCredentials, "{login:?}");
    }
    assert_eq!(world.org.received().total(), world.count(Endpoint::Authn));
}

async fn probe(world: &World) -> Result<(), ErrorKind> {
    let probed = world.source.probe(&call(Duration::from_secs(5))).await;
    probed.map_err(|error| error.kind())
}

fn page(links: &[&str], body: &str) -> Fault {
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    headers.extend(links.iter().map(|link| ("link".to_owned(), (*link).to_owned())));
    Fault::Exact {
        status: 200,
        headers,
        body: Bytes::copy_from_slice(body.as_bytes()),
    }
}

#[tokio::test]
async fn pages_are_followed_by_their_cursor_alone() {
    let elsewhere = World::demo().await;
    let next = format!(
        "<{}/api/v1/users?after=CURSOR&limit=20>; rel=\"next\"",
        elsewhere.org.url()
    );
    let this = "<https://example.com/api/v1/users?limit=20>; rel=\"self\"";
    let joined = format!("{this}, {next}");
    for links in [vec![this, next.as_str()], vec![joined.as_str()]] {
        let world = World::demo().await;
        world.control().fault_times(Endpoint::Search, page(&links, "[]"), 1);
        world.control().fault("after=CURSOR", page(&[this], "[]"));
        world.absent("nobody@example.com").await;
        let searches: Vec<String> = world
            .org
            .received()
            .at(Endpoint::Search)
            .map(|request| request.target.clone())
            .collect();
        assert_eq!(searches.len(), 2);
        assert_eq!(searches[1], format!("{}&after=CURSOR", searches[0]));
    }
    assert_eq!(elsewhere.org.received().total(), 0, "the token went elsewhere");
}

#[tokio::test]
async fn a_list_without_end_is_not_read_for_ever() {
    let world = World::new(Org::demo(), &[("groups", yes())]).await;
    let endless = || page(&["<https://example.com/?after=x>; rel=\"next\""], "[]");
    world.control().fault(Endpoint::Search, endless());
    assert_eq!(world.look_up_fails("nobody@example.com").await, ErrorKind::Ambiguous);
    assert_eq!(world.count(Endpoint::Search), 5);
    world.control().fault(Endpoint::Groups, endless());
    assert_eq!(world.log_in_fails("ada@example.com").await, ErrorKind::Protocol);

    world.control().clear_faults();
    world
        .control()
        .fault(Endpoint::Search, page(&["<https://example.com/>; rel=\"next\""], "[]"));
    assert_eq!(
        world.look_up_fails("nobody@example.com").await,
        ErrorKind::Protocol,
        "a next page without a cursor"
    );
}

#[tokio::test]
async fn many_groups_are_read_page_by_page() {
    let ada = (0..250).fold(person("ada@example.com"), |ada, n| ada.group(&format!("g{n:03}")));
    let world = World::new(org([ada]), &[("groups", yes())]).await;
    let groups = world.accepted("ada@example.com").await.groups;
    assert_eq!(
        (groups.len(), groups[1].as_str(), groups[250].as_str()),
        (251, "g000", "g249")
    );
}
