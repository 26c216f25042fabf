//! A broker that says one thing, keeps what it is asked, and is reached in memory or over a socket.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use tonic::metadata::MetadataMap;
use tonic::transport::{Channel, Endpoint};
use tonic::{Response, Status};
use tower::ServiceExt as _;

use crate::pb::identity_service_server::{IdentityService, IdentityServiceServer};
use crate::pb::{self, authenticate_response, get_user_by_email_response};
use crate::rest::{EmailFrom, Gateway, Settings, Transport};

pub(super) const SETTINGS: Settings = Settings {
    deadline: Duration::from_secs(5),
    email_from: EmailFrom::Email,
    send_username: false,
    username_length: crate::rest::USERNAME_LENGTH,
    password: crate::rest::PasswordPolicy::ANY,
};

#[derive(Clone)]
pub(super) enum Says {
    Hang,
    No(i32),
    Nothing,
    Panic,
    Status(Status),
    Yes(Box<pb::User>),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Asked {
    pub(super) identifier: String,
    pub(super) password: Option<String>,
    pub(super) source: Option<String>,
    pub(super) metadata: HeaderMap,
}

#[derive(Clone)]
pub(super) struct Double {
    says: Says,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Double {
    pub(super) fn new(says: Says) -> Self {
        Self {
            says,
            asked: Arc::default(),
        }
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("no test panicked with it").clone()
    }

    pub(super) fn in_memory(&self) -> Router {
        let service = IdentityServiceServer::new(self.clone());
        tonic::service::Routes::new(service).into_axum_router()
    }

    pub(super) async fn over_a_socket(&self) -> Channel {
        channel_to(self.in_memory()).await
    }

    /// The gateway over either, each with its name.
    pub(super) async fn gateways(&self, settings: Settings) -> [(&'static str, Router); 2] {
        [
            ("in memory", router(self.in_memory(), settings)),
            ("over a socket", router(self.over_a_socket().await, settings)),
        ]
    }

    fn keep(&self, metadata: &MetadataMap, identifier: String, password: Option<String>, source: Option<String>) {
        let asked = Asked {
            identifier,
            password,
            source,
            metadata: metadata.clone().into_headers(),
        };
        self.asked.lock().expect("no test panicked with it").push(asked);
    }

    /// `None` is a reply without an outcome.
    async fn say(&self) -> Result<Option<Result<pb::User, pb::Rejection>>, Status> {
        match &self.says {
            Says::Hang => std::future::pending().await,
            Says::No(reason) => Ok(Some(Err(pb::Rejection { reason: *reason }))),
            Says::Nothing => Ok(None),
            Says::Panic => panic!("as the test asks"),
            Says::Status(status) => Err(status.clone()),
            Says::Yes(user) => Ok(Some(Ok((**user).clone()))),
        }
    }
}

#[async_trait::async_trait]
impl IdentityService for Double {
    async fn authenticate(
        &self,
        request: tonic::Request<pb::AuthenticateRequest>,
    ) -> Result<Response<pb::AuthenticateResponse>, Status> {
        let (metadata, _, question) = request.into_parts();
        self.keep(&metadata, question.login, Some(question.password), question.source);
        let outcome = self.say().await?.map(|outcome| match outcome {
            Ok(user) => authenticate_response::Outcome::User(user),
            Err(rejection) => authenticate_response::Outcome::Rejection(rejection),
        });
        Ok(Response::new(pb::AuthenticateResponse {
            outcome,
            source: "okta".to_owned(),
        }))
    }

    async fn get_user_by_email(
        &self,
        request: tonic::Request<pb::GetUserByEmailRequest>,
    ) -> Result<Response<pb::GetUserByEmailResponse>, Status> {
        let (metadata, _, question) = request.into_parts();
        self.keep(&metadata, question.email, None, question.source);
        let outcome = self.say().await?.map(|outcome| match outcome {
            Ok(user) => get_user_by_email_response::Outcome::User(user),
            Err(rejection) => get_user_by_email_response::Outcome::Rejection(rejection),
        });
        Ok(Response::new(pb::GetUserByEmailResponse {
            outcome,
            source: "okta".to_owned(),
        }))
    }
}

/// Serves it on a free port of loopback until the test's runtime ends.
pub(super) async fn channel_to(service: Router) -> Channel {
    let listener = listener().await;
    let channel = channel(&listener);
    tokio::spawn(async move { axum::serve(listener, service).await });
    channel
}

pub(super) async fn listener() -> tokio::net::TcpListener {
    tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port of loopback")
}

pub(super) fn channel(listener: &tokio::net::TcpListener) -> Channel {
    let address = listener.local_addr().expect("it is bound");
    Endpoint::from_shared(format!("http://{address}"))
        .expect("an address")
        .connect_lazy()
}

/// An answer as it is on the wire.
#[derive(Debug, PartialEq)]
pub(super) struct Seen {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Seen {
    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body))
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("ASCII"))
    }

    pub(super) fn problem(&self) -> (u16, String) {
        let code = self.json()["code"].as_str().unwrap_or_default().to_owned();
        (self.status.as_u16(), code)
    }
}

pub(super) async fn send(gateway: &Router, request: Request<Body>) -> Seen {
    let (head, body) = gateway.clone().oneshot(request).await.expect("infallible").into_parts();
    let body = body.collect().await.expect("a whole body").to_bytes();
    Seen {
        status: head.status,
        headers: head.headers,
        body: String::from_utf8(body.to_vec()).expect("UTF-8"),
    }
}

/// A good request, to be spoilt.
pub(super) fn post(path: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(path)
        .header("authorization", "Bearer the-key")
        .header("content-type", "application/json")
        .header("x-request-id", "req-1")
        .body(body.into())
        .expect("a request")
}

pub(super) fn login() -> Request<Body> {
    post(
        "/auth0/v1/login",
        r#"{"identifier":"ada@example.com","password":"correct horse"}"#,
    )
}

pub(super) fn get_user() -> Request<Body> {
    post("/auth0/v1/get-user", r#"{"identifier":"ada@example.com"}"#)
}

pub(super) fn ada() -> Box<pb::User> {
    Box::new(pb::User {
        id: "okta|00u1".to_owned(),
        login: "ada".to_owned(),
        email: "Ada@example.com".to_owned(),
        ..Default::default()
    })
}

/// The gateway as a test asks it.
pub(super) fn router<T: Transport>(transport: T, settings: Settings) -> Router {
    let gateway = Arc::new(Gateway::new(transport, settings));
    Router::new().fallback(move |request: Request<Body>| async move { gateway.serve(request).await })
}
