//! The stacks: what a call passes on its way to a service, outermost first.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use tokio_util::sync::CancellationToken;
use tower::ServiceBuilder;

use super::callers::Callers;
use super::layers;
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
    let shared = || Arc::clone(shared);
    routes.into_axum_router().layer(
        ServiceBuilder::new()
            // First, so that every record and every answer below carries the id.
            .layer(axum::middleware::from_fn(layers::identify))
            // Above all that refuses, so that refusals are counted and audited too.
            .layer(from_fn_with_state(shared(), layers::record))
            // Above what may panic: our bug costs one call, not the connection that others share.
            .layer(axum::middleware::from_fn(layers::catch_panic))
            // What is cut at the end of a drain is told so, instead of losing its connection.
            .layer(from_fn_with_state(shared(), layers::cut))
            // Before any work is done for the call, reading its body included.
            .layer(from_fn_with_state(shared(), layers::deadline))
            // Before the body is read: an unknown caller costs a hash and no memory.
            .layer(from_fn_with_state(shared(), layers::authenticate_caller))
            // After the caller is known, since the limit is the caller's.
            .layer(axum::middleware::from_fn(layers::limit_caller))
            // Next to the services, whose own refusals it puts into the table's words.
            .layer(axum::middleware::from_fn(layers::rewrite_refusals)),
    )
}

/// Around the REST gateway, which is a client of the stack above and leaves callers, deadlines and limits to it.
pub fn rest(router: Router, metrics: &Arc<Metrics>) -> Router {
    router.layer(from_fn_with_state(Arc::clone(metrics), layers::measure_request))
}
