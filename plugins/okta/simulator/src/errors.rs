//! Answers and Okta's error bodies.

use std::borrow::Cow;

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

use crate::ids;

/// An answer before it is put on the wire.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(Cow<'static, str>, String)>,
    pub(crate) body: Bytes,
}

/// An error of Okta's: HTTP status, code, summary, causes.
#[derive(Debug)]
pub(crate) struct OktaError {
    status: StatusCode,
    code: String,
    summary: String,
    causes: Vec<String>,
}

impl Answer {
    pub(crate) fn json(status: StatusCode, body: &Value) -> Answer {
        Answer {
            status,
            headers: vec![("content-type".into(), "application/json".to_owned())],
            body: Bytes::from(body.to_string()),
        }
    }

    pub(crate) fn ok(body: &Value) -> Answer {
        Answer::json(StatusCode::OK, body)
    }

    #[must_use]
    pub(crate) fn header(mut self, name: impl Into<Cow<'static, str>>, value: String) -> Answer {
        self.headers.push((name.into(), value));
        self
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
    }
}

impl OktaError {
    /// The error with this code, as Okta's catalogue of errors words it. An unknown code is 500.
    pub(crate) fn new(code: &str) -> OktaError {
        let (status, summary) = CATALOGUE
            .iter()
            .find(|(known, _, _)| *known == code)
            .map_or((500, "Internal Server Error"), |(_, status, summary)| {
                (*status, summary)
            });
        OktaError {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            code: code.to_owned(),
            summary: summary.to_owned(),
            causes: Vec::new(),
        }
    }

    #[must_use]
    pub(crate) fn status(mut self, status: StatusCode) -> OktaError {
        self.status = status;
        self
    }

    /// Puts `detail` where the catalogue's summary leaves a place.
    #[must_use]
    pub(crate) fn detail(mut self, detail: &str) -> OktaError {
        self.summary = self.summary.replace("{0}", detail);
        self
    }

    #[must_use]
    pub(crate) fn cause(mut self, cause: &str) -> OktaError {
        self.causes.push(cause.to_owned());
        self
    }

    pub(crate) fn answer(self, minted: &mut u64) -> Answer {
        let causes: Vec<Value> = self.causes.iter().map(|cause| json!({"errorSummary": cause})).collect();
        Answer::json(
            self.status,
            &json!({
                "errorCode": self.code,
                "errorSummary": self.summary,
                "errorLink": self.code,
                "errorId": ids::mint(minted, "oae", 25),
                "errorCauses": causes,
            }),
        )
    }
}

/// The part of Okta's catalogue that this org answers with (developer.okta.com/docs/reference/error-codes).
const CATALOGUE: &[(&str, u16, &str)] = &[
    ("E0000001", 400, "Api validation failed: {0}"),
    ("E0000003", 400, "The request body was not well-formed."),
    ("E0000004", 401, "Authentication failed"),
    (
        "E0000006",
        403,
        "You do not have permission to perform the requested action",
    ),
    ("E0000007", 404, "Not found: {0}"),
    ("E0000009", 500, "Internal Server Error"),
    ("E0000010", 503, "Service is in read only mode"),
    ("E0000011", 401, "Invalid token provided"),
    (
        "E0000015",
        401,
        "You do not have permission to access the feature you are requesting",
    ),
    (
        "E0000021",
        400,
        "Bad request.  Accept and/or Content-Type headers likely do not match supported values.",
    ),
    (
        "E0000022",
        405,
        "The endpoint does not support the provided HTTP method",
    ),
    ("E0000029", 400, "Invalid paging request."),
    ("E0000031", 400, "Invalid search criteria."),
    (
        "E0000047",
        429,
        "API call exceeded rate limit due to too many requests.",
    ),
    ("E0000064", 401, "Password is expired and must be changed."),
    ("E0000069", 403, "User Locked"),
    (
        "E0000085",
        403,
        "You do not have permission to access your account at this time.",
    ),
    ("E0000100", 503, "Unable to perform search query."),
    (
        "E0000119",
        403,
        "Your account is locked. Please contact your administrator.",
    ),
    (
        "E0000122",
        406,
        "Accept Header did not contain supported media type 'application/json'",
    ),
    (
        "E0000207",
        401,
        "The username and/or the password you entered is incorrect. Please try again.",
    ),
    ("E0000240", 502, "Request timed out waiting for agent."),
    ("E0000241", 504, "No connected agents."),
    (
        "E0000259",
        403,
        "Login not allowed at this time. Reset your password or contact your administrator for further assistance.",
    ),
    (
        "E0000260",
        403,
        "This developer org has been deactivated. If you need access or have questions, please contact your org admin.",
    ),
];
