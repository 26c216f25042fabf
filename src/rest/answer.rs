use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use idbridge_source::RequestId;
use serde::Serialize;

use super::{Problem, Profile};
use crate::request_id;

/// What the gateway says: an outcome, or why there is none.
#[derive(Debug)]
pub struct Answer {
    pub request_id: RequestId,
    pub result: Result<Outcome, Problem>,
}

/// A yes or a no. Both are 200.
#[derive(Debug, PartialEq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    Authenticated { profile: Box<Profile> },
    Found { profile: Box<Profile> },
    NotFound,
    Rejected { reason: String },
}

/// RFC 9457, with two members of our own.
#[derive(Serialize)]
struct ProblemBody<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    code: &'static str,
    request_id: &'a str,
}

impl Answer {
    pub fn status(&self) -> StatusCode {
        self.result
            .as_ref()
            .map_or_else(|problem| problem.status, |_| StatusCode::OK)
    }

    /// The body.
    pub fn to_json(&self) -> String {
        let json = match &self.result {
            Ok(outcome) => serde_json::to_string(outcome),
            Err(problem) => serde_json::to_string(&ProblemBody {
                r#type: "about:blank",
                title: problem.status.canonical_reason().unwrap_or_default(),
                status: problem.status.as_u16(),
                code: problem.code,
                request_id: self.request_id.as_str(),
            }),
        };
        #[expect(
            clippy::expect_used,
            reason = "the keys are texts and nothing here fails to serialise"
        )]
        json.expect("serialisable")
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.to_json()));
        *response.status_mut() = self.status();

        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Ok(id) = HeaderValue::from_str(self.request_id.as_str()) {
            headers.insert(HeaderName::from_static(request_id::HEADER), id);
        }
        let content_type = match &self.result {
            Ok(_) => "application/json",
            Err(_) => "application/problem+json",
        };
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        if let Err(problem) = self.result {
            if let Some(methods) = problem.allow {
                headers.insert(header::ALLOW, HeaderValue::from_static(methods));
            }
            if let Some(seconds) = problem.retry_after {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            if problem.status == StatusCode::UNAUTHORIZED {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
        }
        response
    }
}
