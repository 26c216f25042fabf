use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http_body::Body;
use tokio::time::{Instant, timeout_at};
use tonic::client::GrpcService;
use tonic::metadata::MetadataMap;
use tonic::{Extensions, Request, Response, Status};
use zeroize::Zeroizing;

use super::auth0::{IDENTIFIER_NOT_PORTABLE, Operation, PASSWORD_NOT_ACCEPTED, Said};
use super::{Answer, Call, Outcome, Problem, Settings, problem};
use crate::pb::{self, identity_service_client::IdentityServiceClient};

type StdError = Box<dyn std::error::Error + Send + Sync>;

/// Whatever carries a gRPC call: a `tonic` channel, or the service itself as an `axum` router.
pub trait Transport:
    Clone
    + GrpcService<
        tonic::body::Body,
        Error: Into<StdError>,
        Future: Send,
        ResponseBody: Body<Data = Bytes, Error: Into<StdError> + Send> + Send + 'static,
    > + Send
    + Sync
    + 'static
{
}

impl<T> Transport for T where
    T: Clone
        + GrpcService<
            tonic::body::Body,
            Error: Into<StdError>,
            Future: Send,
            ResponseBody: Body<Data = Bytes, Error: Into<StdError> + Send> + Send + 'static,
        > + Send
        + Sync
        + 'static
{
}

/// The two questions of Auth0's scripts, asked over gRPC.
pub struct Gateway<T> {
    client: IdentityServiceClient<T>,
    settings: Settings,
}

/// How long the broker's own word that time is up is waited for.
const GRACE: Duration = Duration::from_millis(250);

impl<T: Transport> Gateway<T> {
    pub fn new(transport: T, settings: Settings) -> Self {
        let client = IdentityServiceClient::new(transport);
        Self { client, settings }
    }

    /// Is this person who they say they are?
    pub async fn login(&self, call: Call, identifier: String, mut password: Zeroizing<String>) -> Answer {
        // Found out before the password goes out, so that none of it stays; told only to whom the source lets in.
        let accepted = self.settings.password.accepts(&password);
        let question = pb::AuthenticateRequest {
            login: identifier.clone(),
            password: std::mem::take(&mut *password),
            source: None,
        };
        let mut client = self.client.clone();
        let result = match self
            .within(&call, client.authenticate(self.request(&call, question)))
            .await
        {
            Ok(reply) => {
                let said = reply.outcome.map(Said::from);
                match self.outcome(&call, Operation::Login, said, reply.source, &identifier) {
                    Ok(Outcome::Authenticated { .. }) if !accepted => Ok(Outcome::Rejected {
                        reason: PASSWORD_NOT_ACCEPTED.to_owned(),
                    }),
                    outcome => outcome,
                }
            }
            Err(status) => Err(self.problem(&call, &status)),
        };
        tell_own_refusal(&call, &result);
        Answer {
            request_id: call.request_id,
            result,
        }
    }

    /// Who has this address?
    pub async fn get_user(&self, call: Call, identifier: String) -> Answer {
        let question = pb::GetUserByEmailRequest {
            email: identifier.clone(),
            source: None,
        };
        let mut client = self.client.clone();
        let result = match self
            .within(&call, client.get_user_by_email(self.request(&call, question)))
            .await
        {
            Ok(reply) => {
                let said = reply.outcome.map(Said::from);
                self.outcome(&call, Operation::GetUser, said, reply.source, &identifier)
            }
            Err(status) if problem::is_user_not_found(&status) => Ok(Outcome::NotFound),
            Err(status) => Err(self.problem(&call, &status)),
        };
        tell_own_refusal(&call, &result);
        Answer {
            request_id: call.request_id,
            result,
        }
    }

    /// When the time for this call is up.
    pub(super) fn deadline(&self, call: &Call) -> Instant {
        call.received + self.settings.deadline
    }

    fn request<Q>(&self, call: &Call, question: Q) -> Request<Q> {
        let metadata = MetadataMap::from_headers(call.metadata.clone());
        let mut request = Request::from_parts(metadata, Extensions::new(), question);
        request.set_timeout(self.deadline(call).saturating_duration_since(Instant::now()));
        request
    }

    /// The broker ends its calls itself. This is for one that doesn't.
    async fn within<R>(
        &self,
        call: &Call,
        reply: impl Future<Output = Result<Response<R>, Status>>,
    ) -> Result<R, Status> {
        match timeout_at(self.deadline(call) + GRACE, reply).await {
            Ok(reply) => reply.map(Response::into_inner),
            Err(_) => Err(Status::deadline_exceeded("")),
        }
    }

    fn outcome(
        &self,
        call: &Call,
        operation: Operation,
        said: Option<Said>,
        source: String,
        typed: &str,
    ) -> Result<Outcome, Problem> {
        operation
            .outcome(said, source, typed, &self.settings)
            .map_err(|malformed| {
                tracing::warn!(request_id = %call.request_id, what = malformed.0, "the broker's answer is malformed");
                Problem::SOURCE_PROTOCOL
            })
    }

    fn problem(&self, call: &Call, status: &Status) -> Problem {
        // A timer may be early by a fraction of its tick.
        let late = Instant::now() + Duration::from_millis(1) >= self.deadline(call);
        Problem::from_status(status, late)
    }
}

/// The audit record is the broker's, and says that all is well.
fn tell_own_refusal(call: &Call, result: &Result<Outcome, Problem>) {
    if let Ok(Outcome::Rejected { reason }) = result
        && [IDENTIFIER_NOT_PORTABLE, PASSWORD_NOT_ACCEPTED].contains(&reason.as_str())
    {
        tracing::info!(request_id = %call.request_id, %reason, "The gateway refuses whom the broker found.");
    }
}

impl<T> fmt::Debug for Gateway<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
