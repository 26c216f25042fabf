//! The REST gateway for Auth0's custom database scripts.
//!
//! It is a client of the gRPC service and knows nothing else of the broker: whatever carries a gRPC call carries its
//! questions, the service itself in memory or a channel to a remote broker. A question goes out only once it is whole
//! and valid. "No" is 200 with an outcome; any other status means that nobody found out.

mod answer;
mod attributes;
mod auth0;
mod body;
mod call;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod gateway;
mod openapi;
mod password;
mod problem;
mod profile;
#[cfg(test)]
mod tests;

use std::pin::pin;
use std::time::Duration;

use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use http::Method;

use auth0::Operation;
use idbridge_source::RequestId;

use crate::unwind::caught;

pub use answer::{Answer, Outcome};
pub use call::Call;
pub use gateway::{Gateway, Transport};
pub use openapi::document as openapi;
pub use password::{CharacterTypes, PasswordPolicy};
pub use problem::Problem;
pub use profile::{Profile, Unfit, is_username};

/// What the settings say of the gateway.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// From the request's head to the answer, reading the body included.
    pub deadline: Duration,
    pub email_from: EmailFrom,
    /// Whether profiles have a `username`.
    pub send_username: bool,
    /// How long a user name may be, from and to.
    pub username_length: (usize, usize),
    /// The target's rules for passwords.
    pub password: PasswordPolicy,
}

/// The widest that Auth0 can be set to.
pub const USERNAME_LENGTH: (usize, usize) = (1, 128);

/// Which of the source's fields becomes the profile's `email`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EmailFrom {
    Email,
    Login,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(5),
            email_from: EmailFrom::Email,
            send_username: false,
            username_length: USERNAME_LENGTH,
            password: PasswordPolicy::ANY,
        }
    }
}

impl<T: Transport> Gateway<T> {
    /// A question over REST, or a path that there isn't.
    pub async fn serve(&self, request: Request) -> Response {
        let request_id = crate::request_id::take_or_make(request.headers());
        if request.uri().path() == openapi::PATH {
            return openapi::serve(request.method(), request_id);
        }
        let result = match caught(pin!(answer(self, request, &request_id))).await {
            Some(result) => result,
            None => {
                tracing::error!(%request_id, "answering a request panicked");
                Err(Problem::INTERNAL)
            }
        };
        Answer { request_id, result }.into_response()
    }
}

/// The order of these checks is public.
async fn answer<T: Transport>(
    gateway: &Gateway<T>,
    request: Request,
    request_id: &RequestId,
) -> Result<Outcome, Problem> {
    let operation = match request.uri().path() {
        "/auth0/v1/get-user" => Operation::GetUser,
        "/auth0/v1/login" => Operation::Login,
        _ => return Err(Problem::NOT_FOUND),
    };
    if request.method() != Method::POST {
        return Err(Problem::METHOD_NOT_ALLOWED);
    }
    let (head, body) = request.into_parts();
    let call = Call::from_headers(&head.headers, request_id.clone())?;
    body::check_type(&head.headers)?;
    let body = tokio::time::timeout_at(gateway.deadline(&call), body::read(&head.headers, body))
        .await
        .unwrap_or(Err(Problem::DEADLINE_EXCEEDED))?;

    match operation {
        Operation::GetUser => {
            let body::GetUser { identifier } = body::parse(body)?;
            gateway.get_user(call, identifier).await.result
        }
        Operation::Login => {
            let body::Login { identifier, password } = body::parse(body)?;
            gateway.login(call, identifier, password).await.result
        }
    }
}
