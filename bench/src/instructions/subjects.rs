//! What is counted: the shipped functions, called as the service calls them.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use idbridge::directory::routing::{Destination, Domain, Route, Routing};
use idbridge::directory::{Answer, Failure};
use idbridge::grpc::convert;
use idbridge::grpc::status::Refusal;
use idbridge::rest::{self, Outcome, Profile};
use idbridge_okta::measured::Mapping;
use idbridge_source::{
    Authentication, ErrorKind, Lookup, Node, Origin, Reader, RequestId, SecretFiles, SourceError, Value,
};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::{TIMES, ada};
use crate::Error;

pub(super) struct Subject {
    pub(super) name: &'static str,
    pub(super) work: &'static str,
    /// Does the work so many times; an error if its result is wrong.
    pub(super) run: fn(usize) -> Result<(), Error>,
}

/// In the order of a call.
pub(super) const ALL: [Subject; 6] = [
    Subject {
        name: "route",
        work: "an address to its source, the last of 50 routes",
        run: route,
    },
    Subject {
        name: "okta_log_in",
        work: "Okta's transaction as JSON to the user who logged in",
        run: okta_log_in,
    },
    Subject {
        name: "okta_look_up",
        work: "Okta's user record as JSON to the user who was found, with three attributes",
        run: okta_look_up,
    },
    Subject {
        name: "answer",
        work: "the user who logged in to the message on the wire",
        run: answer,
    },
    Subject {
        name: "status_of_error",
        work: "a source's error to a status with its details",
        run: status_of_error,
    },
    Subject {
        name: "profile",
        work: "the user to the JSON that Auth0's script reads",
        run: profile,
    },
];

fn route(times: usize) -> Result<(), Error> {
    let route = |number| Route {
        domains: vec![Domain::Exactly(format!("tenant-{number:02}.example"))],
        callers: None,
        to: Destination::Source(format!("source-{number:02}").into()),
    };
    let routing = Routing::new((1..=50).map(route).collect());
    repeat(
        times,
        || "ada@tenant-50.example",
        |identifier| routing.find(identifier, "auth0"),
        |found| found.is_some_and(|(place, _)| place == 49),
    )
}

fn okta_log_in(times: usize) -> Result<(), Error> {
    let ignore = Value::Text("ignore".to_owned());
    let mapping = mapping([("login_is_email", Value::Bool(true)), ("on_second_factor", ignore)])?;
    let right = Authentication::Accept(ada::as_told_by_authn()?);
    repeat(
        times,
        || ada::AUTHN,
        |transaction| mapping.log_in(transaction),
        |outcome| outcome.as_ref().is_ok_and(|outcome| *outcome == right),
    )
}

fn okta_look_up(times: usize) -> Result<(), Error> {
    let keys = ada::ATTRIBUTES.map(|key| node(Value::Text(key.to_owned())));
    let mapping = mapping([("attributes", Value::List(keys.to_vec()))])?;
    let right = Lookup::Found(ada::as_told_by_a_record()?);
    repeat(
        times,
        || ada::RECORD,
        |record| mapping.look_up(record),
        |outcome| outcome.as_ref().is_ok_and(|outcome| *outcome == right),
    )
}

fn answer(times: usize) -> Result<(), Error> {
    use idbridge::pb::authenticate_response::Outcome::User;
    let (name, ada): (Arc<str>, _) = ("okta".into(), ada::as_told_by_a_record()?);
    let answer = || Answer {
        source: Arc::clone(&name),
        id_prefix: Arc::clone(&name),
        outcome: Authentication::Accept(ada.clone()),
    };
    let right = idbridge::pb::AuthenticateResponse {
        outcome: Some(User(ada::on_the_wire())),
        source: "okta".to_owned(),
    };
    repeat(times, answer, convert::authenticate_response, |message| {
        *message == right
    })
}

fn status_of_error(times: usize) -> Result<(), Error> {
    let request_id = request_id()?;
    let name: Arc<str> = "okta".into();
    let throttled = ErrorKind::Throttled {
        retry_after: Some(Duration::from_secs(7)),
    };
    let failure = || Failure::Source {
        name: Arc::clone(&name),
        error: SourceError::new(throttled, "POST /api/v1/authn"),
    };
    let is_right = |status: &Status| {
        let details = status.get_error_details();
        let told = details.error_info().is_some_and(|info| {
            let says = |key: &str, value: &str| info.metadata.get(key).is_some_and(|said| said == value);
            info.reason == "SOURCE_THROTTLED" && says("source", "okta") && says("request_id", request_id.as_str())
        });
        let patience = details.retry_info().and_then(|info| info.retry_delay);
        status.code() == Code::ResourceExhausted && told && patience == Some(Duration::from_secs(7))
    };
    repeat(
        times,
        failure,
        |failure| Refusal::from(failure).status(&request_id),
        is_right,
    )
}

fn profile(times: usize) -> Result<(), Error> {
    let settings = rest::Settings::default();
    let request_id = request_id()?;
    let body = |user| {
        let profile = Profile::new(user, "okta".to_owned(), ada::EMAIL, &settings).ok()?;
        let outcome = Outcome::Authenticated {
            profile: Box::new(profile),
        };
        let answer = rest::Answer {
            request_id: request_id.clone(),
            result: Ok(outcome),
        };
        Some(answer.to_json())
    };
    repeat(times, ada::on_the_wire, body, |body| body.as_deref() == Some(ada::BODY))
}

/// Does the work so many times, each with an input of its own, and looks at the last result. However few times it is,
/// all inputs are made and those that are left stay: making them is in every run and so in no figure.
fn repeat<I, O>(
    times: usize,
    input: impl Fn() -> I,
    work: impl Fn(I) -> O,
    is_right: impl FnOnce(&O) -> bool,
) -> Result<(), Error> {
    let inputs: Vec<I> = (0..2 * TIMES).map(|_| input()).collect();
    let mut inputs = inputs.into_iter();
    let mut last = None;
    for input in inputs.by_ref().take(times) {
        last = Some(black_box(work(black_box(input))));
    }
    std::mem::forget(inputs);
    match last {
        Some(result) if is_right(&result) => Ok(()),
        _ => Err("the result is wrong".into()),
    }
}

/// The mapping by these settings. Nobody is asked, so nobody has to be there.
fn mapping<const N: usize>(more: [(&str, Value); N]) -> Result<Mapping, Error> {
    let text = |text: &str| Value::Text(text.to_owned());
    let always = [
        ("org_url", text("http://127.0.0.1:1")),
        ("api_token", text("00token")),
        ("canary", text("canary@acme.com")),
    ];
    let entries = always.into_iter().chain(more);
    let tree = Node::table(
        Path::new("bench"),
        entries.map(|(key, value)| (key.to_owned(), node(value))),
    );
    let reader = Reader::new(SecretFiles::Read);
    let mapping = Mapping::new(&reader.root(&tree));
    let mistakes = reader.into_mistakes();
    mapping
        .filter(|_| mistakes.is_empty())
        .ok_or_else(|| format!("the settings are wrong: {mistakes:?}").into())
}

fn node(value: Value) -> Node {
    Node {
        origin: Origin::File("bench".into(), 1),
        value,
    }
}

fn request_id() -> Result<RequestId, Error> {
    RequestId::parse("4f1c7a52-9d3e-4b8a-8f60-2c5d7e9b1a34").ok_or_else(|| "no request id".into())
}
