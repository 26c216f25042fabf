//! The loopback port that changes the chain while it runs.
//!
//! | call | does |
//! | --- | --- |
//! | `POST /okta/fault` `{"endpoint","fault","times"}` | requests meet the fault: the next `times`, or all |
//! | `POST /okta/hold` `{"endpoint"}` | requests arrive and wait |
//! | `POST /okta/arrived` `{"endpoint","count"}` | answers when this many requests in all have arrived |
//! | `POST /okta/clear` | no faults, no hold, tokens good again |
//! | `POST /okta/received-at` `{"endpoint"}` | `{"count"}`: requests that have arrived there so far |
//! | `GET /okta/received` | `{"submissions","requests"}` so far; a password met by a fault counts |
//! | `POST /okta/revoke-tokens` | the org refuses the broker's token |
//! | `POST /broker/stop`, `/gateway/stop` | `SIGTERM`; answers `{"code"}` when the process has ended |
//! | `POST /broker/start`, `/gateway/start` `{"VARIABLE": "value"}` | answers when it listens, at the address it had |

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use bytes::Bytes;
use idbridge_okta_simulator::{Control, Endpoint, Fault, Hold, On};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::process::Part;
use crate::{Error, people};

/// Longer than any limit of the product.
const ARRIVAL: Duration = Duration::from_secs(30);
/// Slow, and well within every limit.
const SLOW: Duration = Duration::from_millis(300);

/// All that runs.
pub(crate) struct Chain {
    okta: Control,
    broker: tokio::sync::Mutex<Part>,
    gateway: tokio::sync::Mutex<Part>,
    holds: Mutex<Vec<Hold>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultOrder {
    endpoint: String,
    fault: String,
    times: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EndpointOrder {
    endpoint: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ArrivalOrder {
    endpoint: String,
    count: u64,
}

type Answer = Result<String, (StatusCode, String)>;
type Doors = State<Arc<Chain>>;

impl Chain {
    pub(crate) fn new(okta: Control, broker: Part, gateway: Part) -> Arc<Chain> {
        Arc::new(Chain {
            okta,
            broker: broker.into(),
            gateway: gateway.into(),
            holds: Mutex::default(),
        })
    }

    /// Stops what runs. Both must end well.
    pub(crate) async fn stop(&self) -> Result<(), Error> {
        for (name, part) in [("gateway", &self.gateway), ("broker", &self.broker)] {
            let mut part = part.lock().await;
            if part.is_running() {
                let code = part.stop().await?;
                if code != 0 {
                    return Err(format!("the {name} ended with {code} on SIGTERM").into());
                }
            }
        }
        Ok(())
    }

    fn clear(&self) {
        self.holds.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.okta.clear_faults();
        let tokens = people::org().tokens;
        self.okta.change(|org| org.tokens = tokens);
    }
}

pub(crate) async fn serve(listener: TcpListener, chain: Arc<Chain>) -> io::Result<()> {
    let doors = Router::new()
        .route("/okta/arrived", post(arrived))
        .route("/okta/clear", post(clear))
        .route("/okta/fault", post(fault))
        .route("/okta/hold", post(hold))
        .route("/okta/received", get(received))
        .route("/okta/received-at", post(received_at))
        .route("/okta/revoke-tokens", post(revoke_tokens))
        .route(
            "/broker/start",
            post(|State(chain): Doors, body| start(chain, |it| &it.broker, body)),
        )
        .route("/broker/stop", post(|State(chain): Doors| stop(chain, |it| &it.broker)))
        .route(
            "/gateway/start",
            post(|State(chain): Doors, body| start(chain, |it| &it.gateway, body)),
        )
        .route(
            "/gateway/stop",
            post(|State(chain): Doors| stop(chain, |it| &it.gateway)),
        )
        .with_state(chain);
    axum::serve(listener, doors).await
}

async fn fault(State(chain): Doors, body: Bytes) -> Answer {
    let order: FaultOrder = read(&body)?;
    let (on, fault) = (on(&order.endpoint)?, fault_named(&order.fault)?);
    match order.times {
        None => chain.okta.fault(on, fault),
        Some(times) => chain.okta.fault_times(on, fault, times),
    }
    Ok(String::new())
}

async fn hold(State(chain): Doors, body: Bytes) -> Answer {
    let order: EndpointOrder = read(&body)?;
    let hold = chain.okta.hold(on(&order.endpoint)?);
    chain.holds.lock().unwrap_or_else(PoisonError::into_inner).push(hold);
    Ok(String::new())
}

async fn arrived(State(chain): Doors, body: Bytes) -> Answer {
    let order: ArrivalOrder = read(&body)?;
    let endpoint = endpoint(&order.endpoint)?.ok_or_else(|| bad("one endpoint, please"))?;
    match timeout(ARRIVAL, chain.okta.arrived(endpoint, order.count)).await {
        Ok(()) => Ok(String::new()),
        Err(_) => Err(failed(&format!(
            "only {} arrived",
            chain.okta.received().count(endpoint)
        ))),
    }
}

async fn clear(State(chain): Doors) -> Answer {
    chain.clear();
    Ok(String::new())
}

async fn received(State(chain): Doors) -> Answer {
    let received = chain.okta.received();
    Ok(json!({"submissions": received.passwords(), "requests": received.total()}).to_string())
}

async fn received_at(State(chain): Doors, body: Bytes) -> Answer {
    let order: EndpointOrder = read(&body)?;
    let count = match endpoint(&order.endpoint)? {
        Some(endpoint) => chain.okta.received().count(endpoint),
        None => chain.okta.received().total(),
    };
    Ok(json!({"count": count}).to_string())
}

async fn revoke_tokens(State(chain): Doors) -> Answer {
    chain.okta.revoke_tokens();
    Ok(String::new())
}

async fn stop(chain: Arc<Chain>, part: fn(&Chain) -> &tokio::sync::Mutex<Part>) -> Answer {
    let code = part(&chain)
        .lock()
        .await
        .stop()
        .await
        .map_err(|error| failed(&error.to_string()))?;
    Ok(json!({"code": code}).to_string())
}

async fn start(chain: Arc<Chain>, part: fn(&Chain) -> &tokio::sync::Mutex<Part>, body: Bytes) -> Answer {
    let settings: BTreeMap<String, String> = if body.is_empty() { BTreeMap::new() } else { read(&body)? };
    let started = part(&chain).lock().await.restart(settings).await;
    started
        .map(|()| String::new())
        .map_err(|error| failed(&error.to_string()))
}

fn on(name: &str) -> Result<On, (StatusCode, String)> {
    Ok(endpoint(name)?.map_or(On::All, On::Endpoint))
}

/// `None` is any.
fn endpoint(name: &str) -> Result<Option<Endpoint>, (StatusCode, String)> {
    Ok(Some(match name {
        "any" => return Ok(None),
        "authn" => Endpoint::Authn,
        "factors" => Endpoint::Factors,
        "search" => Endpoint::Search,
        "user" => Endpoint::User,
        _ => return Err(bad("no such endpoint")),
    }))
}

fn fault_named(name: &str) -> Result<Fault, (StatusCode, String)> {
    Ok(match name {
        "concurrency" => Fault::ConcurrencyLimit,
        "flood" => Fault::Flood,
        "hang" => Fault::Hang,
        "html" => Fault::Html(200),
        "reset" => Fault::Reset,
        "slow" => Fault::Slow(SLOW),
        "truncated" => Fault::Truncated,
        "status:401" => Fault::status(401, "E0000011"),
        "status:403" => Fault::status(403, "E0000006"),
        "status:429" => Fault::RateLimit(Duration::from_secs(1)),
        _ => match name.strip_prefix("status:").and_then(|status| status.parse().ok()) {
            Some(status) if status >= 500 => Fault::status(status, "E0000009"),
            _ => return Err(bad("no such fault")),
        },
    })
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, (StatusCode, String)> {
    serde_json::from_slice(body).map_err(|error| bad(&error.to_string()))
}

fn bad(problem: &str) -> (StatusCode, String) {
    (StatusCode::BAD_REQUEST, problem.to_owned())
}

fn failed(problem: &str) -> (StatusCode, String) {
    (StatusCode::INTERNAL_SERVER_ERROR, problem.to_owned())
}
