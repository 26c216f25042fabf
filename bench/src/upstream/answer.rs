//! What the org answers, in the shapes of Okta's answers.

use std::borrow::Cow;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, DATE, EXPIRES, PRAGMA, SERVER, SET_COOKIE};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use hyper::body::{Body, Frame};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::limit::Gauge;
use super::person::Person;
use super::route::Route;

const MADE: &str = "2024-03-19T08:01:45.000Z";

/// An answer without its headers.
pub(super) struct Answer {
    status: StatusCode,
    body: String,
}

/// What a sign-in page sends.
#[derive(Deserialize)]
pub(super) struct Attempt<'a> {
    #[serde(borrow)]
    pub(super) username: Cow<'a, str>,
    #[serde(borrow)]
    password: Cow<'a, str>,
}

/// A body of one piece whose length isn't told in advance.
pub(super) struct Chunk(Option<Bytes>);

/// The org's answer to an admitted call.
pub(super) fn of(route: &Route, body: &[u8], url: &str) -> Answer {
    let person = match route {
        Route::Authn => return authn(body, url),
        Route::Organization => {
            return Answer::ok(format!(
                r#"{{"id":"00obench000000000000","cell":"ok12","_links":{{"organization":{{"href":"{url}"}}}},"pipeline":"idx"}}"#
            ));
        }
        Route::Search(expression) => return search(expression, url),
        Route::Factors(id) => {
            return Person::by_id(id).map_or_else(|| Answer::not_found(id), |_| Answer::ok("[]".to_owned()));
        }
        Route::User(key) => Person::named(key).ok_or_else(|| Answer::not_found(key)),
    };
    person.map_or_else(|answer| answer, |person| Answer::ok(user(&person, url)))
}

/// JSON without Okta's headers.
pub(super) fn bare(value: &Value) -> Response<Chunk> {
    let mut response = Response::new(Chunk(Some(Bytes::from(value.to_string()))));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn authn(body: &[u8], url: &str) -> Answer {
    let Some(attempt) = Attempt::parse(body) else {
        return Answer::error(StatusCode::BAD_REQUEST, "E0000003");
    };
    let Some(person) = Person::by_login(&attempt.username).filter(|_| attempt.password != "wrong") else {
        return Answer::error(StatusCode::UNAUTHORIZED, "E0000004");
    };
    let (id, login) = (person.id(), person.login());
    let expires = Timestamp::now().as_second() + 300;
    let expires = Timestamp::from_second(expires).unwrap_or_default();
    Answer::ok(format!(
        r#"{{"expiresAt":"{expires}","status":"SUCCESS","sessionToken":"20111bench00000000000000000000000000000000000000000000","_embedded":{{"user":{{"id":"{id}","passwordChanged":"{MADE}","profile":{{"login":"{login}","firstName":"Ada","lastName":"Bench","locale":"en_US","timeZone":"America/Los_Angeles"}}}}}},"_links":{{"cancel":{{"href":"{url}/api/v1/authn/cancel","hints":{{"allow":["POST"]}}}}}}}}"#
    ))
}

/// The one user whom the expression's first value names, if there is one.
fn search(expression: &str, url: &str) -> Answer {
    let value = expression.split('"').nth(1).unwrap_or_default();
    let person = match expression.split(' ').next() {
        Some("profile.email") => Person::by_email(value),
        Some("profile.login") => Person::by_login(value),
        _ => return Answer::error(StatusCode::BAD_REQUEST, "E0000031"),
    };
    Answer::ok(person.map_or_else(|| "[]".to_owned(), |person| format!("[{}]", user(&person, url))))
}

fn user(person: &Person, url: &str) -> String {
    let (id, login, email) = (person.id(), person.login(), person.email());
    format!(
        r#"{{"id":"{id}","status":"ACTIVE","created":"{MADE}","activated":"{MADE}","statusChanged":"{MADE}","lastLogin":"{MADE}","lastUpdated":"{MADE}","passwordChanged":"{MADE}","type":{{"id":"otybench000000000000"}},"profile":{{"firstName":"Ada","lastName":"Bench","mobilePhone":null,"secondEmail":null,"login":"{login}","email":"{email}"}},"credentials":{{"password":{{}},"emails":[{{"value":"{email}","status":"VERIFIED","type":"PRIMARY"}}],"provider":{{"type":"OKTA","name":"OKTA"}}}},"_links":{{"suspend":{{"href":"{url}/api/v1/users/{id}/lifecycle/suspend","method":"POST"}},"resetPassword":{{"href":"{url}/api/v1/users/{id}/lifecycle/reset_password","method":"POST"}},"expirePassword":{{"href":"{url}/api/v1/users/{id}/lifecycle/expire_password","method":"POST"}},"changePassword":{{"href":"{url}/api/v1/users/{id}/credentials/change_password","method":"POST"}},"deactivate":{{"href":"{url}/api/v1/users/{id}/lifecycle/deactivate","method":"POST"}},"self":{{"href":"{url}/api/v1/users/{id}"}}}}}}"#
    )
}

impl<'a> Attempt<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }
}

impl Answer {
    fn ok(body: String) -> Self {
        Self {
            status: StatusCode::OK,
            body,
        }
    }

    pub(super) fn error(status: StatusCode, code: &str) -> Self {
        let summary = match code {
            "E0000003" => "The request body was not well-formed.",
            "E0000004" => "Authentication failed",
            "E0000031" => "Invalid search criteria.",
            "E0000047" => "API call exceeded rate limit due to too many requests.",
            _ => "Not found",
        };
        Self::refusal(status, code, summary)
    }

    pub(super) fn unknown_endpoint() -> Self {
        Self::refusal(
            StatusCode::NOT_FOUND,
            "E0000022",
            "The endpoint does not support the provided HTTP method",
        )
    }

    fn not_found(key: &str) -> Self {
        let summary = format!("Not found: Resource not found: {key} (User)");
        Self::refusal(StatusCode::NOT_FOUND, "E0000007", &summary)
    }

    fn refusal(status: StatusCode, code: &str, summary: &str) -> Self {
        let summary = Value::from(summary);
        let body = format!(
            r#"{{"errorCode":"{code}","errorSummary":{summary},"errorLink":"{code}","errorId":"oaebench0000000000000000","errorCauses":[]}}"#
        );
        Self { status, body }
    }

    /// The answer with the headers that Okta puts on everything.
    pub(super) fn dressed(self, gauge: &Gauge) -> Response<Chunk> {
        const LIMIT: HeaderName = HeaderName::from_static("x-rate-limit-limit");
        const REMAINING: HeaderName = HeaderName::from_static("x-rate-limit-remaining");
        const RESET: HeaderName = HeaderName::from_static("x-rate-limit-reset");
        let mut response = Response::new(Chunk(Some(Bytes::from(self.body))));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.reserve(14);
        headers.insert(DATE, date(gauge.now));
        for (name, value) in FIXED {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers.append(
            SET_COOKIE,
            HeaderValue::from_static("sid=\"\";Version=1;Path=/;Max-Age=0"),
        );
        headers.append(
            SET_COOKIE,
            HeaderValue::from_static("JSESSIONID=BENCH0000000000000000000000000000; Path=/; Secure; HttpOnly"),
        );
        headers.insert(LIMIT, HeaderValue::from(gauge.limit));
        headers.insert(REMAINING, HeaderValue::from(gauge.remaining));
        headers.insert(RESET, HeaderValue::from(gauge.reset));
        response
    }
}

const FIXED: [(HeaderName, &str); 7] = [
    (CACHE_CONTROL, "no-cache, no-store"),
    (CONTENT_TYPE, "application/json"),
    (EXPIRES, "0"),
    (PRAGMA, "no-cache"),
    (SERVER, "nginx"),
    (HeaderName::from_static("x-content-type-options"), "nosniff"),
    (
        HeaderName::from_static("x-okta-request-id"),
        "benchbenchbenchbenchbenchbenchbe",
    ),
];

/// `Thu, 15 Jan 2026 09:00:00 GMT` (RFC 9110, section 5.6.7), written once a second.
fn date(second: i64) -> HeaderValue {
    static LAST: Mutex<Option<(i64, HeaderValue)>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some((of, text)) = last.as_ref()
        && *of == second
    {
        return text.clone();
    }
    let time = Timestamp::from_second(second).unwrap_or_default();
    let text = time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let text = HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""));
    *last = Some((second, text.clone()));
    text
}

impl Body for Chunk {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "http://127.0.0.1:1";

    fn json(answer: &Answer) -> Value {
        serde_json::from_str(&answer.body).unwrap()
    }

    #[test]
    fn a_log_in_is_about_the_login_that_was_sent() {
        let right = of(
            &Route::Authn,
            br#"{"username": "ada@bench.test", "password": "right"}"#,
            URL,
        );
        assert_eq!(json(&right)["_embedded"]["user"]["profile"]["login"], "ada@bench.test");
        assert_eq!(
            json(&right)["_embedded"]["user"]["id"],
            "00u6164614062656e63682e74657374"
        );
        for refused in [
            &br#"{"username": "ada@bench.test", "password": "wrong"}"#[..],
            br#"{"username": "unknown-1@bench.test", "password": "right"}"#,
            br#"{"username": "elsewhere-1@bench.test", "password": "right"}"#,
        ] {
            let answer = of(&Route::Authn, refused, URL);
            assert_eq!(
                (answer.status, json(&answer)["errorCode"].as_str()),
                (StatusCode::UNAUTHORIZED, Some("E0000004"))
            );
        }
        assert_eq!(of(&Route::Authn, b"[]", URL).status, StatusCode::BAD_REQUEST);
    }

    #[test]
    fn people_are_found_as_okta_finds_them() {
        let user = |key: &str| of(&Route::User(key.to_owned()), b"", URL);
        let found = |value: &str| json(&of(&Route::Search(format!("profile.email eq \"{value}\"")), b"", URL));
        assert_eq!(json(&user("ada@bench.test"))["profile"]["email"], "ada@bench.test");
        assert_eq!(json(&user("elsewhere-1@bench.test"))["errorCode"], "E0000007");
        let elsewhere = found("elsewhere-1@bench.test");
        assert_eq!(elsewhere[0]["profile"]["login"], "login.elsewhere-1@bench.test");
        assert_eq!(elsewhere[0]["credentials"]["provider"]["type"], "OKTA");
        let id = elsewhere[0]["id"].as_str().unwrap();
        assert_eq!(json(&user(id)), elsewhere[0]);
        assert_eq!(
            json(&of(&Route::Factors(id.to_owned()), b"", URL)),
            Value::Array(Vec::new())
        );
        assert_eq!(user("unknown-1@bench.test").status, StatusCode::NOT_FOUND);
        assert_eq!(found("unknown-1@bench.test"), Value::Array(Vec::new()));
    }

    #[test]
    fn every_answer_tells_the_limit_and_the_time() {
        let gauge = Gauge {
            limit: 10,
            remaining: 0,
            reset: 1_768_467_601,
            now: 1_768_467_600,
        };
        let response = Answer::error(StatusCode::TOO_MANY_REQUESTS, "E0000047").dressed(&gauge);
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("date"), "Thu, 15 Jan 2026 09:00:00 GMT");
        assert_eq!(header("x-rate-limit-limit"), "10");
        assert_eq!(header("x-rate-limit-remaining"), "0");
        assert_eq!(header("x-rate-limit-reset"), "1768467601");
        assert!(response.headers().get("retry-after").is_none());
    }
}
