//! The tonic service: convert, ask the directory, convert.

pub mod convert;
pub mod status;

use std::net::IpAddr;
use std::sync::Arc;

use idbridge_source::{Authentication, Call, Lookup, RequestId, TraceContext};
use tokio::time::Instant;
use tonic::{Request, Response, Status};

use crate::directory::{Directory, Permission};
use crate::pb;
use crate::pb::identity_service_server::IdentityService;
use crate::telemetry::audit::{Attempt, Hasher};
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

/// What the stack around the service found out about a call, in the request's extensions.
#[derive(Clone)]
pub struct Context {
    pub caller: Allowed,
    pub attempt: Arc<Attempt>,
    pub request_id: RequestId,
    /// When the call ends.
    pub deadline: Instant,
}

impl Service {
    pub fn new(directory: Arc<Directory>, hasher: Hasher) -> Self {
        Self { directory, hasher }
    }
}

#[tonic::async_trait]
impl IdentityService for Service {
    async fn authenticate(
        &self,
        mut request: Request<pb::AuthenticateRequest>,
    ) -> Result<Response<pb::AuthenticateResponse>, Status> {
        let (context, call) = Context::take(&mut request)?;
        let Context {
            caller,
            attempt,
            request_id,
            ..
        } = context;
        let pb::AuthenticateRequest {
            login,
            password,
            source,
        } = request.into_inner();
        attempt.identifier(self.hasher.hash(&login));

        let answer = self
            .directory
            .authenticate(call, &*caller, &login, password, source.as_deref())
            .await;
        let answer = answer.map_err(|failure| refuse(failure, &request_id, &attempt))?;

        attempt.source(&answer.source);
        attempt.outcome(match &answer.outcome {
            Authentication::Accept(_) => "authenticated",
            Authentication::Reject(rejection) => rejection.name(),
        });
        Ok(Response::new(convert::authenticate_response(answer)))
    }

    async fn get_user_by_email(
        &self,
        mut request: Request<pb::GetUserByEmailRequest>,
    ) -> Result<Response<pb::GetUserByEmailResponse>, Status> {
        let (context, call) = Context::take(&mut request)?;
        let Context {
            caller,
            attempt,
            request_id,
            ..
        } = context;
        let pb::GetUserByEmailRequest { email, source } = request.into_inner();
        attempt.identifier(self.hasher.hash(&email));

        let answer = self
            .directory
            .user_by_email(call, &*caller, &email, source.as_deref())
            .await;
        let answer = answer.map_err(|failure| refuse(failure, &request_id, &attempt))?;

        attempt.source(&answer.source);
        attempt.outcome(match &answer.outcome {
            Lookup::Absent => "not_found",
            Lookup::Found(_) => "found",
            Lookup::Ineligible(rejection) => rejection.name(),
        });
        match convert::get_user_by_email_response(answer) {
            Ok(response) => Ok(Response::new(response)),
            Err(source) => Err(Refusal::new(Reason::UserNotFound).source(source).status(&request_id)),
        }
    }
}

fn refuse(failure: crate::directory::Failure, request_id: &RequestId, attempt: &Attempt) -> Status {
    let refusal = Refusal::from(failure);
    if let Some(source) = refusal.source_name() {
        attempt.source(source);
    }
    attempt.outcome(refusal.reason().name_in_lower_case());
    refusal.status(request_id)
}

impl Context {
    fn take<T>(request: &mut Request<T>) -> Result<(Self, Call), Status> {
        // Without its stack the service answers nobody.
        let without = || Status::internal("the service was built without its stack");
        let context: Self = request.extensions_mut().remove().ok_or_else(without)?;
        let text = |name: &str| request.metadata().get(name).and_then(|value| value.to_str().ok());
        let call = Call {
            client_address: text(CLIENT_ADDRESS).and_then(|address| address.parse::<IpAddr>().ok()),
            trace: TraceContext::parse(text("traceparent"), text("tracestate")),
            ..Call::new(context.request_id.clone(), context.deadline)
        };
        Ok((context, call))
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("request_id", &self.request_id)
            .finish_non_exhaustive()
    }
}
