//! A home-made login API: what many companies have, and what the README's example describes.

use idbridge_source::same_identifier;
use idbridge_testkit::upstreams::http::{Double, Reply, Request};
use idbridge_testkit::world::{ADA, PEOPLE, Person, Status};
use serde_json::{Value, json};

pub(crate) const TOKEN: &str = "s3cret-token";
pub(crate) const LOG_IN: &str = "/api/login";
/// The README's.
pub(crate) const CANARY: Person = Person {
    login: "idbridge-canary@acme.com",
    email: "idbridge-canary@acme.com",
    password: "hunter2-canary",
    ..ADA
};

pub(crate) async fn start() -> Double {
    Double::start(answer).await
}

fn answer(request: &Request) -> Reply {
    if request.header("authorization") != Some(&format!("Bearer {TOKEN}")) {
        return Reply::json(401, json!({"error": "unauthorized"}));
    }
    match (request.method.as_str(), request.path()) {
        ("POST", LOG_IN) => log_in(&request.json()),
        ("GET", "/api/users") => {
            let asked = request.query("email").expect("an address");
            let found: Vec<Value> = everybody()
                .filter(|(_, person)| same_identifier(person.email, &asked))
                .map(|(index, person)| record(index, &person))
                .collect();
            Reply::json(200, json!({"count": found.len(), "users": found}))
        }
        ("GET", "/api/everybody") => page(request),
        ("GET", path) if path.starts_with("/api/users/") => match named(&request.segment(2).expect("a login")) {
            Some((index, person)) => Reply::json(200, record(index, &person)),
            None => Reply::json(404, json!({"error": "no_such_user"})),
        },
        _ => Reply::typed(404, "text/html", "<h1>Not found</h1>"),
    }
}

/// One page, with whatever a caller may find the next one by.
fn page(request: &Request) -> Reply {
    let number = |name: &str| request.query(name).and_then(|text| text.parse::<usize>().ok());
    let size = number("limit").expect("a limit");
    let after = request
        .query("after")
        .map(|after| after.trim_start_matches("p ").parse());
    let begin = match (after, number("offset"), number("page")) {
        (Some(Ok(begin)), _, _) | (_, Some(begin), _) => begin,
        (Some(Err(_)), _, _) => return Reply::json(400, json!({"error": "no_such_page"})),
        (_, _, Some(page)) => (page - 1) * size,
        _ => 0,
    };
    let people: Vec<Value> = everybody().map(|(index, person)| record(index, &person)).collect();
    let end = people.len().min(begin + size);
    let mut body = json!({"total": people.len(), "users": people.get(begin..end).unwrap_or_default()});
    if end < people.len() {
        body["next"] = format!("p {end}").into();
        body["link"] = format!("/api/everybody?limit={size}&offset={end}").into();
    }
    Reply::json(200, body)
}

fn log_in(body: &Value) -> Reply {
    let text = |key: &str| body[key].as_str().expect("a text");
    let refused = |error: &str| Reply::json(403, json!({"error": error}));
    match named(text("login")) {
        None => refused("no_such_user"),
        Some((_, person)) if person.password != text("password") => refused("wrong_password"),
        Some((index, person)) => Reply::json(200, json!({"result": "ok", "user": record(index, &person)})),
    }
}

fn named(login: &str) -> Option<(usize, Person)> {
    everybody().find(|(_, person)| same_identifier(person.login, login))
}

fn everybody() -> impl Iterator<Item = (usize, Person)> {
    PEOPLE.into_iter().chain([CANARY]).enumerate()
}

/// The record of a person, the parts that nobody says left out or null, as it comes.
pub(crate) fn record(index: usize, person: &Person) -> Value {
    let mut record = json!({
        "id": 1000 + index,
        "login": person.login,
        "email": person.email,
        "first_name": person.given_name,
        "last_name": person.family_name.unwrap_or_default(),
        "groups": ["staff", "all"],
        "department": "engines",
        "mfa": person.second_factor,
        "password_expired": person.password_expired,
        "status": match person.status {
            Status::Active => "active",
            Status::Deactivated => "left",
            Status::Federated => "federated",
            Status::Inactive => "invited",
            Status::Locked => "locked",
            Status::Suspended => "suspended",
        },
    });
    if let Some(verified) = person.email_verified {
        record["email_verified"] = verified.into();
    }
    record
}
