//! Start and ordered stop.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Addresses, Stop};
use crate::server::admin::Readiness;
use crate::server::connection::Protocol;
use crate::server::drain::Drain;
use crate::server::health::Health;
use crate::server::listen::{self, Listener};
use crate::server::workers::Workers;

/// How long calls in flight have after the stop signal: the longest deadline that a caller gets by default.
const GRACE: Duration = Duration::from_secs(30);
/// How long a health watch, which has no end of its own, has to see that the broker no longer serves.
const LAST_LOOK: Duration = Duration::from_secs(1);
/// How long calls that are told `SHUTTING_DOWN` have to get that answer out.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What a stop goes through, in this order.
#[derive(Debug, Default)]
pub(super) struct Lifecycle {
    pub(super) readiness: Arc<Readiness>,
    pub(super) health: Option<Health>,
    /// Who keeps the sources' health up to date.
    pub(super) followers: JoinSet<()>,
    pub(super) cut: CancellationToken,
    pub(super) tasks: TaskTracker,
}

pub(super) struct Listeners {
    pub(super) grpc: Option<Listener>,
    pub(super) rest: Option<Listener>,
    pub(super) admin: Option<Listener>,
}

impl Lifecycle {
    /// Serves until the stop signal, and then until all is done.
    pub(super) async fn run(
        mut self,
        listeners: Listeners,
        workers: Workers,
        admin: Router,
        mut stop: Stop,
        listening: impl FnOnce(&Addresses),
    ) {
        let (drain, admin_drain) = (Drain::default(), Drain::default());
        let workers = Arc::new(workers);
        let addresses = listeners.addresses();
        let mut acceptors = JoinSet::new();
        for (listener, protocol) in [(listeners.grpc, Protocol::Grpc), (listeners.rest, Protocol::Rest)] {
            let Some(listener) = listener else { continue };
            let (workers, drain) = (Arc::clone(&workers), drain.clone());
            acceptors.spawn(async move { listen::accept(listener, &workers, protocol, &drain).await });
        }
        if let Some(listener) = listeners.admin {
            // Answers until the end, and on this runtime: a probe must be answered while workers are busy or drain.
            let drain = admin_drain.clone();
            acceptors.spawn(async move { listen::accept_here(listener, admin, Protocol::Admin, &drain).await });
        }
        if let Some(health) = &self.health {
            health.serving(true).await;
        }
        self.readiness.set(true);
        listening(&addresses);

        let _first = stop.recv().await;
        tracing::info!("Stopping: calls in flight are finished, new ones are refused.");
        self.readiness.set(false);
        if let Some(health) = &self.health {
            health.serving(false).await;
        }
        tokio::select! {
            () = self.finish(&drain) => {}
            _second = stop.recv() => {
                tracing::warn!("Stopping at once.");
                drain.cut();
            }
        }
        admin_drain.cut();
        while acceptors.join_next().await.is_some() {}
        // The last reference, unless an acceptor panicked; then the process's end ends the workers.
        if let Some(workers) = Arc::into_inner(workers) {
            workers.join();
        }
        tracing::info!("Stopped.");
    }

    /// Finishes what is in flight, cuts what takes too long.
    async fn finish(&mut self, drain: &Drain) {
        self.tasks.close();
        drain.begin();
        let (tasks, health, followers) = (&self.tasks, &self.health, &mut self.followers);
        let calls = async {
            drain.closed().await;
            tasks.wait().await;
        };
        let watches = async {
            sleep(LAST_LOOK).await;
            followers.shutdown().await; // or they would tell of sources again
            if let Some(health) = health {
                health.end().await;
            }
        };
        let all = async {
            let mut calls = pin!(calls);
            tokio::select! {
                () = &mut calls => return,
                () = watches => {}
            }
            calls.await;
        };
        if timeout(GRACE, all).await.is_err() {
            tracing::warn!("Calls are still in flight after {GRACE:?}; they are told so.");
            self.cut.cancel();
            if let Err(cut) = drain.finished(LAST_WORDS).await {
                tracing::warn!("Stopping: {cut}.");
            }
        }
    }
}

impl Listeners {
    fn addresses(&self) -> Addresses {
        let address = |listener: &Option<Listener>| listener.as_ref().and_then(|listener| listener.local_addr().ok());
        Addresses {
            grpc: address(&self.grpc),
            rest: address(&self.rest),
            admin: address(&self.admin),
        }
    }
}
