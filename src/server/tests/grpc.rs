//! gRPC through the whole of it, with tonic's client.

use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status};

use super::*;
use crate::pb::identity_service_client::IdentityServiceClient;
use crate::pb::identity_service_server::{IdentityService, IdentityServiceServer};
use crate::pb::{AuthenticateRequest, AuthenticateResponse, GetUserByEmailRequest, GetUserByEmailResponse};

/// Answers with what it was asked.
struct Echo;

#[tonic::async_trait]
impl IdentityService for Echo {
    async fn authenticate(
        &self,
        request: Request<AuthenticateRequest>,
    ) -> Result<Response<AuthenticateResponse>, Status> {
        tokio::task::yield_now().await;
        Ok(Response::new(AuthenticateResponse {
            source: request.into_inner().login,
            ..Default::default()
        }))
    }

    async fn get_user_by_email(
        &self,
        _: Request<GetUserByEmailRequest>,
    ) -> Result<Response<GetUserByEmailResponse>, Status> {
        Err(Status::unimplemented("this service only echoes"))
    }
}

fn echo() -> Workers {
    Workers::start(NonZeroUsize::new(2).unwrap(), |_| {
        let grpc = tonic::service::Routes::new(IdentityServiceServer::new(Echo)).into_axum_router();
        Ok::<_, std::convert::Infallible>(Services {
            grpc,
            ..Services::default()
        })
    })
    .unwrap()
}

async fn connect(running: &Running) -> IdentityServiceClient<Channel> {
    let endpoint = Endpoint::from_shared(format!("http://{}", running.address)).unwrap();
    IdentityServiceClient::new(endpoint.connect().await.unwrap())
}

async fn call(client: &mut IdentityServiceClient<Channel>, login: String) -> Result<String, Status> {
    let request = AuthenticateRequest {
        login,
        password: "x".to_owned(),
        source: None,
    };
    Ok(client.authenticate(request).await?.into_inner().source)
}

#[tokio::test]
async fn twenty_thousand_calls_at_once_on_one_connection_succeed() {
    let running = run(listener(), Protocol::Grpc, echo());
    let client = connect(&running).await;
    let calls: Vec<_> = (0..20_000)
        .map(|n| {
            let mut client = client.clone();
            tokio::spawn(async move { call(&mut client, n.to_string()).await })
        })
        .collect();
    for (n, answer) in calls.into_iter().enumerate() {
        assert_eq!(
            in_time(answer).await.unwrap().expect("every call must succeed"),
            n.to_string()
        );
    }
    assert_eq!(
        running.workers.open().iter().sum::<usize>(),
        1,
        "it must have been one connection"
    );
}

#[tokio::test]
async fn a_drain_closes_an_idle_channel() {
    let running = run(listener(), Protocol::Grpc, echo());
    let mut client = connect(&running).await;
    assert_eq!(call(&mut client, "ada".to_owned()).await.unwrap(), "ada");
    assert_eq!(in_time(running.drain.finished(PATIENCE)).await, Ok(()));
    assert!(call(&mut client, "ada".to_owned()).await.is_err());
}

#[tokio::test]
async fn http1_is_closed() {
    let running = run(listener(), Protocol::Grpc, echo());
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = in_time(stream.read_to_end(&mut answer)).await;
    assert!(!answer.starts_with(b"HTTP"));
    let mut client = connect(&running).await;
    assert_eq!(call(&mut client, "ada".to_owned()).await.unwrap(), "ada");
}
