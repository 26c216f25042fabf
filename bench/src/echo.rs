//! "echo": tonic alone. It answers every call with a user made of the identifier, and asks nobody.

use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use idbridge::pb;
use pb::identity_service_server::{IdentityService, IdentityServiceServer};
use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tokio::net::UnixListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, async_trait};

use crate::Error;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Listen on this Unix socket instead of a port
    #[arg(long)]
    socket: Option<PathBuf>,
}

pub(crate) fn serve(args: Args) -> Result<(), Error> {
    let service = IdentityServiceServer::new(Echo);
    let runtime = tokio::runtime::Runtime::new()?;
    match args.socket {
        Some(socket) => runtime.block_on(listen_on_socket(service, &socket)),
        None => runtime.block_on(listen(service)),
    }
}

async fn listen_on_socket<S: IdentityService>(service: IdentityServiceServer<S>, socket: &Path) -> Result<(), Error> {
    let listener = UnixListener::bind(socket)?;
    ready(&socket.display().to_string())?;
    let incoming = futures_util::stream::unfold(listener, async |listener| {
        let accepted = listener.accept().await.map(|(stream, _)| stream);
        Some((accepted, listener))
    });
    let server = Server::builder().add_service(service);
    Ok(server.serve_with_incoming_shutdown(incoming, closed()).await?)
}

/// Serves on a free port, as tonic serves by default, until standard input is closed.
pub(crate) async fn listen<S: IdentityService>(service: IdentityServiceServer<S>) -> Result<(), Error> {
    let incoming = TcpIncoming::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?.with_nodelay(Some(true));
    let address = incoming.local_addr()?;
    ready(&address.to_string())?;
    let server = Server::builder().add_service(service);
    Ok(server.serve_with_incoming_shutdown(incoming, closed()).await?)
}

fn ready(address: &str) -> Result<(), Error> {
    let mut stdout = io::stdout();
    writeln!(stdout, "{}", json!({"listening": address}))?;
    Ok(stdout.flush()?)
}

async fn closed() {
    let mut byte = [0];
    // An error is an end as well.
    let _end = tokio::io::stdin().read(&mut byte).await;
}

struct Echo;

#[async_trait]
impl IdentityService for Echo {
    async fn authenticate(
        &self,
        request: Request<pb::AuthenticateRequest>,
    ) -> Result<Response<pb::AuthenticateResponse>, Status> {
        let login = request.into_inner().login;
        Ok(Response::new(pb::AuthenticateResponse {
            outcome: Some(pb::authenticate_response::Outcome::User(user(login))),
            source: "echo".to_owned(),
        }))
    }

    async fn get_user_by_email(
        &self,
        request: Request<pb::GetUserByEmailRequest>,
    ) -> Result<Response<pb::GetUserByEmailResponse>, Status> {
        Ok(Response::new(pb::GetUserByEmailResponse {
            outcome: Some(pb::get_user_by_email_response::Outcome::User(user(
                request.into_inner().email,
            ))),
            source: "echo".to_owned(),
        }))
    }
}

fn user(login: String) -> pb::User {
    pb::User {
        id: format!("echo|{login}"),
        email: login.clone(),
        login,
        ..pb::User::default()
    }
}
