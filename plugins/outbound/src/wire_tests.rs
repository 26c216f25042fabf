//! The client over real TCP and real TLS, against upstreams that do exactly what they are told.

mod answers;
mod concurrency;
mod handshakes;
mod upstream;

use std::time::Duration;

use idbridge_source::{Call, ErrorKind, RequestId, SourceError};
use tokio::time::Instant;
use upstream::{Protocol, Upstream};

use crate::{Client, Limits, Origin, Request, Response};

const UNAVAILABLE: ErrorKind = ErrorKind::Unavailable { retry_after: None };
const LIMITS: Limits = Limits {
    body: 64 * 1024,
    connect: Duration::from_secs(5),
    total: Duration::from_secs(20),
};

fn client(upstream: &Upstream, protocol: Protocol) -> Client {
    client_at(upstream, protocol, "localhost")
}

fn client_at(upstream: &Upstream, protocol: Protocol, host: &str) -> Client {
    client_with(upstream, protocol, host, LIMITS)
}

fn client_with(upstream: &Upstream, protocol: Protocol, host: &str, limits: Limits) -> Client {
    let scheme = if protocol.is_tls() { "https" } else { "http" };
    let origin = Origin::parse(&format!("{scheme}://{host}:{}", upstream.port)).expect("an origin");
    let mut client = Client::new(origin, limits).expect("a client");
    if protocol.is_tls() {
        client.trust(upstream.authority.clone());
    }
    client
}

async fn send(client: &Client, password: &str) -> Result<Response, SourceError> {
    send_within(client, password, LIMITS.total).await
}

async fn send_within(client: &Client, password: &str, within: Duration) -> Result<Response, SourceError> {
    let request = Request::post("/authn").json(&password);
    let call = Call::new(RequestId::parse("req-1").expect("an id"), Instant::now() + within);
    client.send(&call, request).await
}

/// The status of an answer, or the kind of the failure.
fn ended(result: Result<Response, SourceError>) -> Result<u16, ErrorKind> {
    match result {
        Ok(response) => Ok(response.status().as_u16()),
        Err(error) => {
            let said = error.chain();
            assert!(!said.contains("hunter2") && !said.contains("127.0.0.1"), "{said}");
            Err(error.kind())
        }
    }
}
