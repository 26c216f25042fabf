//! `examples/scim.toml` before a double of a SCIM 2.0 directory (RFC 7644) and of its token endpoint (RFC 6749).

use std::sync::Arc;

use idbridge_source::{Authentication, ErrorKind, IdentitySource, Lookup, Rejection};
use idbridge_testkit::upstreams::http::{Double, Reply, Request};
use serde_json::{Value, json};

use crate::listing::everybody;
use crate::world::{PASSWORD, by_email, by_login, example, log_in, source};

const SCIM: &str = "application/scim+json";

/// Id, user name, primary address, another address.
const PEOPLE: [(&str, &str, &str, &str); 5] = [
    ("2819", "bjensen", "bjensen@example.com", "babs@home.example.com"),
    (
        "2820",
        "idbridge-canary",
        "idbridge-canary@acme.com",
        "c@home.example.com",
    ),
    ("2821", "gone", "gone@example.com", "g@home.example.com"),
    ("2822", "twin1", "twins@example.com", "t1@home.example.com"),
    ("2823", "twin2", "twins@example.com", "t2@home.example.com"),
];

fn record((id, name, email, other): (&str, &str, &str, &str)) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": id,
        "userName": name,
        "name": {"formatted": "Ms. Barbara J Jensen", "familyName": "Jensen", "givenName": "Barbara"},
        "displayName": "Babs Jensen",
        "emails": [
            {"value": other, "type": "home"},
            {"value": email, "type": "work", "primary": true},
        ],
        "phoneNumbers": [{"value": "555-555-5555", "type": "work"}, {"value": "555-555-4444", "type": "mobile"}],
        "groups": [{"value": "e9e3", "display": "Tour Guides"}, {"value": "fc34", "display": "Employees"}],
        "preferredLanguage": "en-US",
        "active": name != "gone",
    })
}

fn refused(status: u16) -> Reply {
    let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": status.to_string()});
    Reply::typed(status, SCIM, body)
}

fn answer(request: &Request) -> Reply {
    let authorization = request.header("authorization").unwrap_or_default();
    match request.path() {
        "/oauth/token" => {
            assert_eq!(authorization, "Basic aWRicmlkZ2U6czNjcmV0LXRva2Vu");
            assert_eq!(request.text(), "grant_type=client_credentials&scope=scim.read");
            Reply::json(
                200,
                json!({"access_token": "t1", "token_type": "Bearer", "expires_in": 3600}),
            )
        }
        // base64 of bjensen:correct horse battery staple
        "/scim/v2/Me" if authorization == "Basic YmplbnNlbjpjb3JyZWN0IGhvcnNlIGJhdHRlcnkgc3RhcGxl" => {
            Reply::typed(200, SCIM, record(PEOPLE[0]))
        }
        "/scim/v2/Users" if authorization == "Bearer t1" => {
            let Some(filter) = request.query("filter") else {
                return page(request);
            };
            let (attribute, value) = filter.split_once(" eq ").expect("one comparison");
            let value: String = serde_json::from_str(value).expect("a JSON string, and nothing after it");
            let found: Vec<Value> = PEOPLE
                .into_iter()
                .filter(|(_, name, email, other)| match attribute {
                    "userName" => *name == value,
                    _ => [email, other].contains(&&value.as_str()),
                })
                .map(record)
                .collect();
            let list = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
            Reply::typed(
                200,
                SCIM,
                json!({"schemas": [list], "totalResults": found.len(), "Resources": found}),
            )
        }
        _ => refused(401),
    }
}

/// Counted from 1, and two at a time whatever was asked for (section 3.4.2.4).
fn page(request: &Request) -> Reply {
    let number = |name| request.query(name).and_then(|text| text.parse::<usize>().ok());
    assert_eq!(number("count"), Some(100));
    let before = number("startIndex").expect("a number") - 1;
    let people: Vec<Value> = PEOPLE.into_iter().skip(before).take(2).map(record).collect();
    Reply::typed(
        200,
        SCIM,
        json!({"totalResults": PEOPLE.len(), "startIndex": before + 1, "Resources": people}),
    )
}

async fn start() -> (Double, Arc<dyn IdentitySource>) {
    let double = Double::start(answer).await;
    let source = source(&example(include_str!("../../examples/scim.toml"), &double.url()));
    (double, source)
}

#[tokio::test]
async fn people_are_found_by_address_and_by_name() {
    let (double, source) = start().await;
    let Ok(Lookup::Found(user)) = by_email(&source, "bjensen@example.com").await else {
        panic!("she is there");
    };
    assert_eq!((user.id.as_str(), user.login.as_str()), ("2819", "bjensen"));
    assert_eq!(user.email, "bjensen@example.com");
    assert_eq!(user.groups, ["Employees", "Tour Guides"]);
    assert_eq!(user.phone_number.as_deref(), Some("555-555-5555"));
    assert_eq!(user.email_verified, None);
    assert_eq!(
        by_login(&source, "bjensen").await.expect("an answer"),
        Lookup::Found(user.clone())
    );
    assert_eq!(
        log_in(&source, "bjensen", PASSWORD).await.expect("an answer"),
        Authentication::Accept(user)
    );
    let tokens = double
        .received()
        .iter()
        .filter(|sent| sent.path() == "/oauth/token")
        .count();
    assert_eq!(tokens, 1, "one token for all");
}

#[tokio::test]
async fn everybody_is_listed_by_offset() {
    let (double, source) = start().await;
    let ids: Vec<String> = everybody(&source)
        .await
        .iter()
        .map(|one| one.id().as_str().to_owned())
        .collect();
    assert_eq!(ids, PEOPLE.map(|person| person.0));
    let sent = double.received();
    let starts: Vec<String> = sent.iter().filter_map(|sent| sent.query("startIndex")).collect();
    assert_eq!(starts, ["1", "3", "5"]);
}

#[tokio::test]
async fn a_filter_stays_one_comparison() {
    let (_double, source) = start().await;
    for login in ["x\"or\"1\"eq\"1", "bjensen\")", "*", "bjensen\u{e9}"] {
        assert_eq!(
            by_login(&source, login).await.expect("an answer"),
            Lookup::Absent,
            "{login}"
        );
    }
    let address = "x'or'1'='1@example.com";
    assert_eq!(by_email(&source, address).await.expect("an answer"), Lookup::Absent);
}

#[tokio::test]
async fn nobody_is_taken_for_another() {
    let (_double, source) = start().await;
    let error = by_email(&source, "twins@example.com").await.expect_err("two");
    assert_eq!(error.kind(), ErrorKind::Ambiguous);
    let error = by_email(&source, "babs@home.example.com")
        .await
        .expect_err("not her first address");
    assert_eq!(error.kind(), ErrorKind::Protocol);
    let gone = by_email(&source, "gone@example.com").await.expect("an answer");
    assert_eq!(gone, Lookup::Ineligible(Rejection::AccountDisabled));
    let wrong = log_in(&source, "bjensen", "wrong").await.expect("an answer");
    assert_eq!(wrong, Authentication::Reject(Rejection::InvalidCredentials));
    let error = log_in(&source, "a:b", "wrong").await.expect_err("no Basic credentials");
    assert_eq!(error.kind(), ErrorKind::Protocol);
}
