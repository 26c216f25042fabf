//! The stacks: what a call passes on its way to a service, outermost first.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use idbridge_source::RequestId;
use tokio::time::timeout_at;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::callers::Callers;
use super::layers::{self, Method, Record};
use crate::grpc::status::Reason;
use crate::grpc::{Allowed, Context};
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

/// Around the tonic services.
pub fn grpc(routes: tonic::service::Routes, shared: &Arc<Shared>) -> Router {
    routes
        .into_axum_router()
        .layer(from_fn_with_state(Arc::clone(shared), pass))
}

/// One function and no layers of a library's: each of those would copy the call into a box of its own.
async fn pass(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let method = Method::of(request.uri().path());
    // First, so that every record and every answer below carries the id.
    let id = request_id::take_or_make(request.headers());
    let span = tracing::debug_span!("call", request_id = %id, method = method.name());
    // Above all that refuses, so that refusals are counted and audited too.
    let record = Record::begin(&shared.metrics, method, &id);
    let answer = answer(&shared, method, &id, record.attempt.as_ref(), request, next);
    // Above what may panic: our bug costs one call, not the connection that others share.
    let answer = layers::catch_panic(&id, answer).instrument(span).await;
    layers::identify(record.end(answer, &id), &id)
}

async fn answer(
    shared: &Shared,
    method: Method,
    id: &RequestId,
    attempt: Option<&Arc<Attempt>>,
    mut request: Request,
    next: Next,
) -> Result<Response, Reason> {
    // Before any work is done for the call, reading its body included. A stream, such as a health watch, has ended for
    // this stack when it begins to answer.
    let deadline = layers::deadline(request.headers(), shared.max_deadline)?;
    let mut caller = None;
    // Health and reflection need no key, and neither does being told that there is no such method.
    if let Some(attempt) = attempt {
        // Before the body is read: an unknown caller costs a hash and no memory.
        let known = caller.insert(layers::authenticate_caller(&shared.callers, request.headers())?);
        attempt.caller(&known.name);
        request.extensions_mut().insert(Context {
            caller: Arc::clone(known) as Allowed,
            attempt: Arc::clone(attempt),
            request_id: id.clone(),
            deadline,
        });
    }
    // After the caller is known, since the limit is the caller's.
    let _permit = caller.as_deref().map(layers::limit_caller).transpose()?;
    tokio::select! {
        response = timeout_at(deadline, next.run(request)) => {
            // Next to the services, whose own refusals it puts into the table's words.
            layers::rewrite_refusal(method, response.map_err(|_| Reason::DeadlineExceeded)?)
        }
        // What is cut at the end of a drain is told so, instead of losing its connection.
        () = shared.cut.cancelled() => Err(Reason::ShuttingDown),
    }
}

/// Around the REST gateway, which is a client of the stack above and leaves callers, deadlines and limits to it.
pub fn rest(router: Router, metrics: &Arc<Metrics>) -> Router {
    router.layer(from_fn_with_state(Arc::clone(metrics), layers::measure_request))
}
