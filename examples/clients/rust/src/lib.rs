//! A caller of idbridge: yes, no and "I don't know" told apart, and calls repeated that a broker's stop caught.

mod answer;
mod drain;

use std::fmt;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};
use tonic::metadata::{Ascii, MetadataValue, errors::InvalidMetadataValue};
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

pub use answer::{Answer, Unknown};
use pb::identity_service_client::IdentityServiceClient;

#[expect(
    clippy::all,
    clippy::allow_attributes_without_reason,
    missing_debug_implementations,
    reason = "generated code isn't ours to style"
)]
pub mod pb {
    tonic::include_proto!("idbridge.v1");
}

/// Between two attempts of one call: doubled each time, up to the last.
const PAUSES: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(1)];

/// Clones share a connection.
#[derive(Clone)]
pub struct Client {
    stub: IdentityServiceClient<Channel>,
    authorization: MetadataValue<Ascii>,
    patience: Duration,
}

impl Client {
    /// `patience` is the deadline of a call, all its attempts included.
    pub fn new(channel: Channel, key: &str, patience: Duration) -> Result<Self, InvalidMetadataValue> {
        let mut authorization = MetadataValue::try_from(format!("Bearer {key}"))?;
        authorization.set_sensitive(true);
        Ok(Self {
            stub: IdentityServiceClient::new(channel),
            authorization,
            patience,
        })
    }

    /// Is this person who they say they are?
    ///
    /// A password is counted at the source: this is asked again only where nobody can have begun it.
    pub async fn log_in(&self, request_id: &str, login: &str, password: &str) -> Answer {
        let question = pb::AuthenticateRequest {
            login: login.to_owned(),
            password: password.to_owned(),
            source: None,
        };
        let ask = |request| {
            let mut stub = self.stub.clone();
            async move { stub.authenticate(request).await }
        };
        let reply = self.ask(request_id, &question, drain::never_begun, ask).await;
        reply.map_or_else(Answer::from, |reply| reply.outcome.map(Into::into).unwrap_or_default())
    }

    /// Who has this address? A look-up changes nothing, so it is asked again whatever the stop did to it.
    pub async fn look_up(&self, request_id: &str, email: &str) -> Answer {
        let question = pb::GetUserByEmailRequest {
            email: email.to_owned(),
            source: None,
        };
        let ask = |request| {
            let mut stub = self.stub.clone();
            async move { stub.get_user_by_email(request).await }
        };
        let reply = self.ask(request_id, &question, drain::caught, ask).await;
        reply.map_or_else(Answer::from, |reply| reply.outcome.map(Into::into).unwrap_or_default())
    }

    async fn ask<Q: Clone, R, F: Future<Output = Result<Response<R>, Status>>>(
        &self,
        request_id: &str,
        question: &Q,
        may_repeat: fn(&Status) -> bool,
        ask: impl Fn(Request<Q>) -> F,
    ) -> Result<R, Status> {
        let until = Instant::now() + self.patience;
        let [mut pause, longest] = PAUSES;
        loop {
            let request = self.request(request_id, question.clone(), until)?;
            // tonic's own time limit begins only once it is connected.
            let result = timeout_at(until, ask(request)).await;
            match result.unwrap_or_else(|_| Err(Status::deadline_exceeded("out of time"))) {
                Err(status) if may_repeat(&status) && Instant::now() + pause < until => sleep(pause).await,
                result => return result.map(Response::into_inner),
            }
            pause = longest.min(pause * 2);
        }
    }

    fn request<Q>(&self, request_id: &str, question: Q, until: Instant) -> Result<Request<Q>, Status> {
        let request_id = request_id.parse();
        let request_id = request_id.map_err(|_| Status::invalid_argument("no request id"))?;
        let mut request = Request::new(question);
        request.set_timeout(until.saturating_duration_since(Instant::now()));
        let metadata = request.metadata_mut();
        metadata.insert("authorization", self.authorization.clone());
        metadata.insert("x-request-id", request_id);
        Ok(request)
    }
}

impl fmt::Debug for Client {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}
