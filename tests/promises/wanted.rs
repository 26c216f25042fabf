//! What an answer must be, on each transport: the contract's tables, written down a second time.

use std::fmt::Write as _;

use idbridge::pb;
use prost_types::value::Kind;
use serde_json::{Map, Value, json};
use tonic::Code;

use super::case::{Case, Want};
use super::clients::{Answer, Said, reason};

/// Reason, gRPC code, HTTP status, whether the source is named (`None`: it may be).
#[rustfmt::skip] // a row a line
pub(crate) const STATUSES: [(&str, Code, u16, Option<bool>); 20] = [
    ("INVALID_REQUEST", Code::InvalidArgument, 400, Some(false)),
    ("INVALID_IDENTIFIER", Code::InvalidArgument, 400, Some(false)),
    ("INVALID_PASSWORD", Code::InvalidArgument, 400, Some(false)),
    ("CALLER_UNAUTHENTICATED", Code::Unauthenticated, 401, Some(false)),
    ("CALLER_NOT_ALLOWED", Code::PermissionDenied, 403, Some(false)),
    ("USER_NOT_FOUND", Code::NotFound, 200, Some(true)),
    ("CALLER_THROTTLED", Code::ResourceExhausted, 429, Some(false)),
    ("SOURCE_THROTTLED", Code::ResourceExhausted, 429, Some(true)),
    ("SOURCE_UNAVAILABLE", Code::Unavailable, 503, Some(true)),
    ("OVERLOADED", Code::Unavailable, 503, Some(true)),
    ("SHUTTING_DOWN", Code::Unavailable, 503, None),
    ("DEADLINE_EXCEEDED", Code::DeadlineExceeded, 504, None),
    ("SOURCE_CREDENTIAL_REFUSED", Code::Internal, 502, Some(true)),
    ("SOURCE_PROTOCOL", Code::Internal, 502, Some(true)),
    ("AMBIGUOUS_USER", Code::Internal, 502, Some(true)),
    ("INTERNAL", Code::Internal, 500, None),
    ("OPERATION_UNSUPPORTED", Code::FailedPrecondition, 501, Some(true)),
    ("UNKNOWN_SOURCE", Code::FailedPrecondition, 400, None),
    ("ENCODING_UNSUPPORTED", Code::Unimplemented, 0, Some(false)),
    ("UNKNOWN_METHOD", Code::Unimplemented, 0, Some(false)),
];

/// The differences between what was wanted and what came; empty is good.
#[derive(Default)]
pub(crate) struct Differences(pub(crate) String);

impl Differences {
    pub(crate) fn same<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, wanted: T, came: T) {
        if wanted != came {
            _ = write!(self.0, "\n    {what}: wanted {wanted:?}, came {came:?}");
        }
    }
}

pub(crate) fn row(reason: &str) -> (Code, u16, Option<bool>) {
    let row = STATUSES.iter().find(|row| row.0 == reason);
    row.map_or_else(|| panic!("no such reason: {reason}"), |row| (row.1, row.2, row.3))
}

/// Whether this error names a wait.
pub(crate) fn waits(code: Code) -> bool {
    matches!(code, Code::ResourceExhausted | Code::Unavailable)
}

/// Compares a gRPC answer.
pub(crate) fn grpc(case: &Case, want: &Value, said: &Said, id: &str, differences: &mut Differences) {
    differences.same("x-request-id", Some(id), said.header("x-request-id"));
    let error = if case.want.absent {
        Some("USER_NOT_FOUND")
    } else {
        case.want.error.as_deref()
    };
    let Some(wanted) = error else {
        differences.same("code", Code::Ok, said.code);
        if said.code == Code::Ok {
            let (came, source) = outcome(case.login.is_some(), said);
            differences.same("answer", want, &came);
            differences.same("source", case.want.source.as_deref().unwrap_or("okta"), &source);
        } else {
            differences.same("reason", "", said.reason());
        }
        return;
    };
    let (code, _, named) = row(wanted);
    differences.same("code", code, said.code);
    if said.code == Code::Ok {
        return;
    }
    differences.same("reason", wanted, said.reason());
    differences.same("a message", false, said.message.is_empty());
    differences.same(
        "metadata.request_id",
        Some(id),
        said.metadata.get("request_id").map(String::as_str),
    );
    let source = said.metadata.get("source").map(String::as_str);
    match named {
        Some(true) => differences.same(
            "metadata.source",
            Some(case.want.source.as_deref().unwrap_or("okta")),
            source,
        ),
        Some(false) => differences.same("metadata.source", None, source),
        None => {}
    }
    differences.same("RetryInfo", waits(code), said.retry.is_some());
    if let Some(retry) = said.retry {
        differences.same("nanoseconds of RetryInfo", 0, retry.subsec_nanos());
        wait(&case.want, retry.as_secs(), differences);
    }
}

/// Compares a REST answer.
pub(crate) fn rest(case: &Case, want: &Value, answer: &Answer, id: &str, differences: &mut Differences) {
    differences.same("x-request-id", Some(id), answer.header("x-request-id"));
    differences.same("cache-control", Some("no-store"), answer.header("cache-control"));
    let own = case.want.rest.clone().unwrap_or_default();
    for (name, value) in &own.headers {
        differences.same(name, Some(&**value), answer.header(name));
    }
    let error = own.error.clone().or_else(|| {
        let reason = case.want.error.as_deref()?;
        Some((row(reason).1, reason.to_lowercase()))
    });
    let Some((status, code)) = error else {
        differences.same("status", 200, answer.status);
        differences.same("content-type", Some("application/json"), answer.header("content-type"));
        let want = match own.rejected {
            Some(reason) => json!({"outcome": "rejected", "reason": reason}),
            None if case.want.absent => json!({"outcome": "not_found"}),
            None => rest_answer(case, want),
        };
        differences.same("body", &want, &answer.json());
        return;
    };
    differences.same("status", status, answer.status);
    differences.same(
        "content-type",
        Some("application/problem+json"),
        answer.header("content-type"),
    );
    let mut body = answer.json();
    let title = body.as_object_mut().and_then(|body| body.remove("title"));
    differences.same(
        "a title",
        true,
        title.is_some_and(|title| title.as_str().is_some_and(|text| !text.is_empty())),
    );
    let problem = json!({"type": "about:blank", "status": status, "code": code, "request_id": id});
    differences.same("body", &problem, &body);
    let retry = answer.header("retry-after");
    differences.same("Retry-After", matches!(status, 429 | 503), retry.is_some());
    if let Some(retry) = retry {
        wait(&case.want, retry.parse().expect("whole seconds"), differences);
    }
}

fn wait(want: &Want, seconds: u64, differences: &mut Differences) {
    let (from, to) = want.retry.unwrap_or((1, 1));
    if !(from..=to).contains(&seconds) {
        differences.same("seconds to wait", format!("{from} to {to}"), seconds.to_string());
    }
}

/// The outcome as JSON with the names of the proto file, and the source.
pub(crate) fn outcome(login: bool, said: &Said) -> (Value, String) {
    use pb::{authenticate_response as one, get_user_by_email_response as other};
    let of = |user: Option<pb::User>, rejection: Option<pb::Rejection>| match (user, rejection) {
        (Some(user), _) => user_json(user),
        (_, Some(rejection)) => json!({"rejected": reason(rejection.reason)}),
        _ => json!("nothing"),
    };
    if login {
        let answer: pb::AuthenticateResponse = said.decode();
        let outcome = match answer.outcome {
            Some(one::Outcome::User(user)) => of(Some(user), None),
            Some(one::Outcome::Rejection(rejection)) => of(None, Some(rejection)),
            None => of(None, None),
        };
        (outcome, answer.source)
    } else {
        let answer: pb::GetUserByEmailResponse = said.decode();
        let outcome = match answer.outcome {
            Some(other::Outcome::User(user)) => of(Some(user), None),
            Some(other::Outcome::Rejection(rejection)) => of(None, Some(rejection)),
            None => of(None, None),
        };
        (outcome, answer.source)
    }
}

/// Only what is there.
fn user_json(user: pb::User) -> Value {
    let mut json = Map::new();
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            json.insert(key.to_owned(), value);
        }
    };
    put("id", Some(user.id.into()));
    put("login", Some(user.login.into()));
    put("email", Some(user.email.into()));
    put("email_verified", user.email_verified.map(Value::from));
    for (key, text) in [
        ("name", user.name),
        ("given_name", user.given_name),
        ("family_name", user.family_name),
        ("nickname", user.nickname),
        ("picture", user.picture),
        ("phone_number", user.phone_number),
        ("locale", user.locale),
    ] {
        put(key, text.map(Value::from));
    }
    put(
        "groups",
        Some(user.groups).filter(|groups| !groups.is_empty()).map(Value::from),
    );
    put("attributes", user.attributes.map(|fields| structure(&fields)));
    put("second_factor", user.second_factor.then_some(Value::Bool(true)));
    put("password_expired", user.password_expired.then_some(Value::Bool(true)));
    json.into()
}

fn structure(fields: &prost_types::Struct) -> Value {
    let fields = fields.fields.iter().map(|(key, value)| (key.clone(), loose(value)));
    Value::Object(fields.collect())
}

fn loose(value: &prost_types::Value) -> Value {
    match value.kind.as_ref().expect("a value has a kind") {
        Kind::BoolValue(value) => json!(value),
        Kind::ListValue(list) => list.values.iter().map(loose).collect(),
        Kind::NullValue(_) => Value::Null,
        Kind::NumberValue(number) if number.fract() == 0.0 => json!(*number as i64),
        Kind::NumberValue(number) => json!(number),
        Kind::StringValue(text) => json!(text),
        Kind::StructValue(fields) => structure(fields),
    }
}

/// What REST says of the wanted gRPC answer, by the contract's words.
fn rest_answer(case: &Case, want: &Value) -> Value {
    if want.get("rejected").is_some() {
        return json!({"outcome": "rejected", "reason": want["rejected"]});
    }
    let (id, text) = (want["id"].as_str().unwrap_or(""), |key: &str| {
        want[key].as_str().unwrap_or("")
    });
    let mut profile = json!({
        "user_id": id,
        "email": text("email").to_lowercase(),
        "email_verified": want["email_verified"].as_bool().unwrap_or(false),
        "app_metadata": {"idbridge": {
            "source": case.want.source.as_deref().unwrap_or("okta"),
            "source_id": id.split_once('|').map_or(id, |(_, id)| id),
            "login": want["login"],
            "groups": want.get("groups").cloned().unwrap_or(json!([])),
            "attributes": want.get("attributes").cloned().unwrap_or(json!({})),
            "second_factor": want["second_factor"].as_bool().unwrap_or(false),
            "password_expired": want["password_expired"].as_bool().unwrap_or(false),
        }},
    });
    for key in [
        "name",
        "given_name",
        "family_name",
        "nickname",
        "picture",
        "phone_number",
    ] {
        if let Some(value) = want.get(key) {
            profile[key] = value.clone();
        }
    }
    // What the case says beside it; "" leaves a key out.
    for (key, value) in case.want.profile.iter().flatten() {
        if value.as_str() == Some("") {
            profile.as_object_mut().expect("an object").remove(key);
        } else {
            merge(&mut profile[key], serde_json::to_value(value).expect("TOML fits JSON"));
        }
    }
    let outcome = if case.login.is_some() { "authenticated" } else { "found" };
    json!({"outcome": outcome, "profile": profile})
}

fn merge(under: &mut Value, over: Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (key, value) in over {
                merge(under.entry(key).or_insert(Value::Null), value);
            }
        }
        (under, over) => *under = over,
    }
}
