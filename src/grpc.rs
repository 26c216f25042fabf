//! The service: read, convert, ask the directory, convert, write.

pub mod convert;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
pub mod status;
pub(crate) mod unary;

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use idbridge_source::{Authentication, Call, Lookup, TraceContext};
use tonic::Status;

use crate::directory::{Directory, Permission};
use crate::pb;
use crate::telemetry::audit::{Attempt, Hasher};
use crate::telemetry::metrics::Operation;
use status::{Reason, Refusal};

/// The most that a request may take: the longest login and password fit many times over.
pub const MAX_REQUEST_BYTES: usize = 64 * 1024;

/// The metadata that tells the user's address, for sources whose settings allow it.
pub const CLIENT_ADDRESS: &str = "x-idbridge-client-address";

/// `idbridge.v1.IdentityService` over a [`Directory`].
#[derive(Clone, Debug)]
pub struct Service {
    directory: Arc<Directory>,
    hasher: Hasher,
}

/// What the caller may ask.
pub type Allowed = Arc<dyn Permission + Send + Sync>;

/// What the stack around the service found out about a call.
pub struct Context {
    pub caller: Allowed,
    pub attempt: Arc<Attempt>,
    pub call: Call,
}

impl Service {
    pub fn new(directory: Arc<Directory>, hasher: Hasher) -> Self {
        Self { directory, hasher }
    }

    /// The response to a request. What isn't needed while a source is asked is gone by then, the request above all.
    pub async fn answer(&self, operation: Operation, context: &mut Context, request: Box<Request>) -> Response {
        let body = context.open(request);
        match operation {
            Operation::Authenticate => unary::write(self.authenticate(context, body).await),
            Operation::LookUp => unary::write(self.get_user_by_email(context, body).await),
        }
    }

    async fn authenticate(&self, context: &mut Context, body: Body) -> Result<pb::AuthenticateResponse, Status> {
        let pb::AuthenticateRequest {
            login,
            password,
            source,
        } = Box::pin(unary::read(body)).await?;
        context.attempt.identifier(self.hasher.hash(&login));

        let Context { caller, call, .. } = context;
        let answer = self
            .directory
            .authenticate(call, &**caller, &login, password, source.as_deref())
            .await;
        let answer = answer.map_err(|failure| refuse(failure, context))?;

        context.attempt.source(&answer.source);
        context.attempt.outcome(match &answer.outcome {
            Authentication::Accept(_) => "authenticated",
            Authentication::Reject(rejection) => rejection.name(),
        });
        Ok(convert::authenticate_response(answer))
    }

    async fn get_user_by_email(&self, context: &mut Context, body: Body) -> Result<pb::GetUserByEmailResponse, Status> {
        let pb::GetUserByEmailRequest { email, source } = Box::pin(unary::read(body)).await?;
        context.attempt.identifier(self.hasher.hash(&email));

        let Context { caller, call, .. } = context;
        let answer = self
            .directory
            .user_by_email(call, &**caller, &email, source.as_deref())
            .await;
        let answer = answer.map_err(|failure| refuse(failure, context))?;

        context.attempt.source(&answer.source);
        context.attempt.outcome(match &answer.outcome {
            Lookup::Absent => "not_found",
            Lookup::Found(_) => "found",
            Lookup::Ineligible(rejection) => rejection.name(),
        });
        convert::get_user_by_email_response(answer).map_err(|source| {
            Refusal::new(Reason::UserNotFound)
                .source(source)
                .status(&context.call.request_id)
        })
    }
}

fn refuse(failure: crate::directory::Failure, context: &Context) -> Status {
    let refusal = Refusal::from(failure);
    if let Some(source) = refusal.source_name() {
        context.attempt.source(source);
    }
    context.attempt.outcome(refusal.reason().name_in_lower_case());
    refusal.status(&context.call.request_id)
}

impl Context {
    /// Takes what a source may be told from the request's head, and leaves the body.
    fn open(&mut self, request: Box<Request>) -> Body {
        let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        self.call.client_address = text(CLIENT_ADDRESS).and_then(|address| address.parse::<IpAddr>().ok());
        self.call.trace = TraceContext::parse(text("traceparent"), text("tracestate"));
        request.into_body()
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("call", &self.call)
            .finish_non_exhaustive()
    }
}
