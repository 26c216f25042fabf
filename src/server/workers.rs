//! Workers: threads with a single-threaded runtime each, since most of the cost of a call on a multi-threaded one is
//! threads that wake each other.
//!
//! A connection stays with its worker, and so does all that its requests do: one gRPC channel uses one worker, by design.

use std::fmt;
use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use axum::Router;
use tokio::sync::mpsc;
use tracing::error;

use super::accepted::Accepted;
use super::connection::Protocol;

/// What one worker serves. A router that is left out answers 404.
#[derive(Clone, Debug, Default)]
pub struct Services {
    /// `tonic::service::Routes::into_axum_router()`, with its layers.
    pub grpc: Router,
    pub rest: Router,
}

/// The threads. Dropping them ends them, and cuts what is open on them: drain first.
#[derive(Debug)]
pub struct Workers {
    workers: Vec<Worker>,
    /// Where the search for the least loaded starts, so that ties go round.
    next: AtomicUsize,
}

#[derive(Debug)]
struct Worker {
    queue: mpsc::UnboundedSender<Given>,
    open: Arc<AtomicUsize>,
    thread: JoinHandle<()>,
}

/// A connection and its place in its worker's count.
struct Given {
    connection: Accepted,
    counted: Counted,
}

impl Workers {
    /// Starts `count` threads and waits until each has built its services; `build` is given the worker's number and
    /// runs inside its runtime, where it may spawn. If one fails, all stop.
    pub fn start<E, F>(count: NonZeroUsize, build: F) -> Result<Self, StartError<E>>
    where
        E: Send + 'static,
        F: Fn(usize) -> Result<Services, E> + Clone + Send + 'static,
    {
        let (ready, outcomes) = std::sync::mpsc::channel();
        let mut workers = Vec::with_capacity(count.get());
        for number in 0..count.get() {
            let (queue, connections) = mpsc::unbounded_channel();
            let (build, ready) = (build.clone(), ready.clone());
            let thread = std::thread::Builder::new()
                .name(format!("worker-{number}"))
                .spawn(move || work(connections, move || build(number), ready))
                .map_err(StartError::Thread)?;
            workers.push(Worker {
                queue,
                open: Arc::default(),
                thread,
            });
        }
        drop(ready);
        let workers = Self {
            workers,
            next: AtomicUsize::new(0),
        };
        // A worker that panics drops its end without a word.
        let outcome = (0..count.get()).try_for_each(|_| outcomes.recv().unwrap_or(Err(StartError::Panic)));
        match outcome {
            Ok(()) => Ok(workers),
            Err(error) => {
                workers.join();
                Err(error)
            }
        }
    }

    /// How many connections each worker has.
    pub fn open(&self) -> Vec<usize> {
        self.workers
            .iter()
            .map(|worker| worker.open.load(Ordering::Relaxed))
            .collect()
    }

    /// Ends the threads and waits for them. What is still open is cut.
    pub fn join(self) {
        for Worker { queue, thread, .. } in self.workers {
            drop(queue);
            if thread.join().is_err() {
                error!("a worker had panicked");
            }
        }
    }

    /// Gives the connection to the worker that has the fewest.
    pub(super) fn dispatch(&self, connection: Accepted) {
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        let worker = (0..self.workers.len())
            .map(|step| &self.workers[first.wrapping_add(step) % self.workers.len()])
            // One that is gone has no connections, and must not get them all.
            .filter(|worker| !worker.queue.is_closed())
            .min_by_key(|worker| worker.open.load(Ordering::Relaxed));
        let sent = worker.map(|worker| {
            let counted = Counted::new(worker.open.clone());
            worker.queue.send(Given { connection, counted })
        });
        if !matches!(sent, Some(Ok(()))) {
            error!("no worker is left to serve a connection");
        }
    }
}

/// A worker's thread: reports once, then serves until the queue is closed.
fn work<E>(
    connections: mpsc::UnboundedReceiver<Given>,
    build: impl FnOnce() -> Result<Services, E>,
    ready: std::sync::mpsc::Sender<Result<(), StartError<E>>>,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return drop(ready.send(Err(StartError::Runtime(error)))),
    };
    runtime.block_on(async move {
        let services = match build() {
            Ok(services) => services,
            Err(error) => return drop(ready.send(Err(StartError::Build(error)))),
        };
        let told = ready.send(Ok(()));
        drop(ready);
        if told.is_ok() {
            serve(connections, services).await;
        }
    });
    // Without waiting for what blocks: a name that is being resolved must not hold up a stop.
    runtime.shutdown_background();
}

async fn serve(mut connections: mpsc::UnboundedReceiver<Given>, services: Services) {
    while let Some(Given { connection, counted }) = connections.recv().await {
        let router = match connection.protocol {
            Protocol::Grpc => services.grpc.clone(),
            Protocol::Admin | Protocol::Rest => services.rest.clone(),
        };
        tokio::spawn(async move {
            let _counted = counted;
            connection.serve(router).await;
        });
    }
}

/// One connection in a worker's count.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(count: Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Why the workers didn't start. None is left running.
#[derive(Debug)]
pub enum StartError<E> {
    Build(E),
    /// `build` panicked; the panic's own message is on standard error.
    Panic,
    Runtime(io::Error),
    Thread(io::Error),
}

impl<E> fmt::Display for StartError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Build(_) => "a worker's services can't be built",
            Self::Panic => "building a worker's services panicked",
            Self::Runtime(_) => "a worker's runtime can't be made",
            Self::Thread(_) => "a worker's thread can't be started",
        })
    }
}

impl<E: std::error::Error + 'static> std::error::Error for StartError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Build(error) => Some(error),
            Self::Panic => None,
            Self::Runtime(error) | Self::Thread(error) => Some(error),
        }
    }
}
