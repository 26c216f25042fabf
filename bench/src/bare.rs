//! "bare": the pass-through that somebody would write in an afternoon. tonic on tokio's multi-threaded runtime, one
//! `reqwest::Client` with its defaults, JSON into structs, and one upstream call after the other. No caller keys, no
//! limits, no metrics, no audit.

mod okta;

use idbridge::pb;
use pb::authenticate_response::Outcome as Proved;
use pb::get_user_by_email_response::Outcome as Found;
use pb::identity_service_server::{IdentityService, IdentityServiceServer};
use tonic::{Request, Response, Status, async_trait};

use crate::Error;
use crate::bare::okta::Okta;
use crate::echo::listen;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The source
    #[arg(long)]
    org_url: String,
    /// A log-in reads the user and their factors, too
    #[arg(long)]
    full: bool,
}

pub(crate) fn serve(args: &Args) -> Result<(), Error> {
    let service = Bare {
        okta: Okta::new(&args.org_url)?,
        full: args.full,
    };
    tokio::runtime::Runtime::new()?.block_on(listen(IdentityServiceServer::new(service)))
}

struct Bare {
    okta: Okta,
    full: bool,
}

#[async_trait]
impl IdentityService for Bare {
    async fn authenticate(
        &self,
        request: Request<pb::AuthenticateRequest>,
    ) -> Result<Response<pb::AuthenticateResponse>, Status> {
        let asked = request.into_inner();
        let proved = self.okta.authn(&asked.login, &asked.password).await.map_err(status)?;
        let user = if self.full {
            let record = self.okta.user(&proved.id).await.map_err(status)?;
            let record = record.ok_or_else(|| Status::internal("the user is gone"))?;
            let second_factor = self.okta.has_factor(&record.id).await.map_err(status)?;
            record.into_user(second_factor)
        } else {
            proved.into_user()
        };
        Ok(Response::new(pb::AuthenticateResponse {
            outcome: Some(Proved::User(user)),
            source: "okta".to_owned(),
        }))
    }

    async fn get_user_by_email(
        &self,
        request: Request<pb::GetUserByEmailRequest>,
    ) -> Result<Response<pb::GetUserByEmailResponse>, Status> {
        let email = request.into_inner().email;
        let record = match self.okta.user(&email).await.map_err(status)? {
            Some(record) => Some(record),
            None => match self.okta.search(&email).await.map_err(status)? {
                Some(found) => self.okta.user(&found.id).await.map_err(status)?,
                None => None,
            },
        };
        let record = record.ok_or_else(|| Status::not_found("nobody"))?;
        let second_factor = self.okta.has_factor(&record.id).await.map_err(status)?;
        Ok(Response::new(pb::GetUserByEmailResponse {
            outcome: Some(Found::User(record.into_user(second_factor))),
            source: "okta".to_owned(),
        }))
    }
}

fn status(error: reqwest::Error) -> Status {
    Status::unavailable(error.to_string())
}
