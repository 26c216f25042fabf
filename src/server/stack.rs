//! The stacks: what a call passes on its way to a service, outermost first.

use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use idbridge_source::{Call, RequestId};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tower::Service as _;
use tracing::Instrument as _;

use super::callers::Callers;
use super::layers::{self, Method, Record};
use crate::grpc::status::Reason;
use crate::grpc::{self, Allowed, Context};
use crate::request_id;
use crate::telemetry::audit::Attempt;
use crate::telemetry::metrics::Metrics;

/// What the layers share across workers.
#[derive(Debug)]
pub struct Shared {
    pub callers: Callers,
    pub metrics: Arc<Metrics>,
    /// The longest that a call may take, whatever its caller asks for.
    pub max_deadline: Duration,
    /// Cancelled when calls still in flight are to be cut.
    pub cut: CancellationToken,
}

/// Around the services.
pub fn grpc(identity: grpc::Service, others: Routes, shared: &Arc<Shared>) -> Router {
    Router::new().fallback_service(Grpc {
        identity,
        others: others.into_axum_router(),
        shared: Arc::clone(shared),
    })
}

/// The stack around the services, as one service. A library's layers would each put the call into a box of its own.
#[derive(Clone)]
struct Grpc {
    identity: grpc::Service,
    /// Health and reflection.
    others: Router,
    shared: Arc<Shared>,
}

impl tower::Service<Request> for Grpc {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut task::Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let stack = self.clone();
        // In a box of its own, so that it can go while the call waits.
        let request = Box::new(request);
        Box::pin(async move { Ok(stack.pass(request).await) })
    }
}

impl Grpc {
    async fn pass(&self, request: Box<Request>) -> Response {
        let method = Method::of(request.uri().path());
        // First, so that every record and every answer below carries the id.
        let id = request_id::take_or_make(request.headers());
        let span = tracing::debug_span!("call", request_id = %id, method = method.name());
        // Above all that refuses, so that refusals are counted and audited too.
        let record = Record::begin(&self.shared.metrics, method, &id);
        let not_grpc = layers::not_grpc(&request);
        let answer = if not_grpc.is_some() {
            Err(Reason::InvalidRequest)
        } else {
            let answer = pin!(self.answer(method, &id, record.attempt.as_ref(), request));
            // Above what may panic: our bug costs one call, not the connection that others share.
            layers::catch_panic(&id, answer).instrument(span).await
        };
        let mut response = record.end(answer, &id);
        if let Some(status) = not_grpc {
            *response.status_mut() = status;
        }
        layers::identify(response, &id)
    }

    async fn answer(
        &self,
        method: Method,
        id: &RequestId,
        attempt: Option<&Arc<Attempt>>,
        request: Box<Request>,
    ) -> Result<Response, Reason> {
        let shared = &self.shared;
        // Before any work is done for the call, reading its body included. A stream, such as a health watch, has ended
        // for this stack when it begins to answer.
        let deadline = layers::deadline(request.headers(), shared.max_deadline)?;
        layers::encoding(request.headers())?;
        // Health and reflection need no key, and neither does being told that there is no such method. Before the body is
        // read: an unknown caller costs a hash and no memory.
        let caller = match attempt {
            Some(_) => Some(layers::authenticate_caller(&shared.callers, request.headers())?),
            None => None,
        };
        // After the caller is known, since the limit is the caller's.
        let _permit = caller.as_deref().map(layers::limit_caller).transpose()?;
        let response = async {
            match (method, attempt, &caller) {
                (Method::Asks(operation), Some(attempt), Some(caller)) => {
                    attempt.caller(&caller.name);
                    let mut context = Context {
                        caller: Arc::clone(caller) as Allowed,
                        attempt: Arc::clone(attempt),
                        call: Call::new(id.clone(), deadline),
                    };
                    Ok(self.identity.answer(operation, &mut context, request).await)
                }
                _ => self.others.clone().call(*request).await,
            }
        };
        tokio::select! {
            response = timeout_at(deadline, response) => {
                let Ok(response) = response.map_err(|_| Reason::DeadlineExceeded)?;
                // Next to the services, whose own refusals it puts into the table's words.
                layers::rewrite_refusal(method, response)
            }
            // What is cut at the end of a drain is told so, instead of losing its connection.
            () = shared.cut.cancelled() => Err(Reason::ShuttingDown),
        }
    }
}

/// Around the REST gateway, which is a client of the stack above and leaves callers, deadlines and limits to it.
pub fn rest<G, A>(gateway: G, metrics: &Arc<Metrics>) -> Router
where
    G: Fn(Request) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Response> + Send + 'static,
{
    Router::new().fallback_service(Rest {
        gateway,
        metrics: Arc::clone(metrics),
    })
}

/// One service, too.
#[derive(Clone)]
struct Rest<G> {
    gateway: G,
    metrics: Arc<Metrics>,
}

impl<G, A> tower::Service<Request> for Rest<G>
where
    G: Fn(Request) -> A,
    A: Future<Output = Response> + Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut task::Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let (started, route) = (Instant::now(), layers::route(request.uri().path()));
        let (answer, metrics) = ((self.gateway)(request), Arc::clone(&self.metrics));
        Box::pin(async move {
            let response = answer.await;
            metrics.request(route, response.status().as_u16(), started.elapsed());
            Ok(response)
        })
    }
}
