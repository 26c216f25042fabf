//! Listeners. One acceptor each, which hands connections on: to the workers, or to its own runtime.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tracing::{debug, warn};

use super::accepted::Accepted;
use super::connection::Protocol;
use super::drain::Drain;
use super::limits;
use super::sparse::Sparse;
use super::workers::Workers;

/// A bound address. Connections wait in the kernel until [`accept`] or [`accept_here`] takes them.
pub struct Listener {
    socket: TcpListener,
    tls: Option<TlsAcceptor>,
    slots: Arc<Semaphore>,
}

impl Listener {
    /// Binds in the runtime that is to accept. Port 0 takes a free one.
    pub fn bind(address: SocketAddr, tls: Option<Arc<ServerConfig>>) -> io::Result<Self> {
        let socket = if address.is_ipv4() {
            TcpSocket::new_v4()
        } else {
            TcpSocket::new_v6()
        }?;
        // So that a restart needn't wait for the connections of the last run to be forgotten. Not SO_REUSEPORT, which
        // would bind twice in silence.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let socket = socket.listen(limits::BACKLOG)?;
        Ok(Self {
            socket,
            tls: tls.map(TlsAcceptor::from),
            slots: Arc::new(Semaphore::new(limits::MAX_CONNECTIONS)),
        })
    }

    /// Instead of [`limits::MAX_CONNECTIONS`].
    pub fn with_max_connections(mut self, max: usize) -> Self {
        self.slots = Arc::new(Semaphore::new(max));
        self
    }

    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener")
            .field("socket", &self.socket)
            .field("tls", &self.tls.is_some())
            .finish()
    }
}

/// Accepts until the drain begins, then closes the listener. Each connection goes to the worker that has the fewest.
pub async fn accept(listener: Listener, workers: &Workers, protocol: Protocol, drain: &Drain) {
    accept_each(listener, protocol, drain, |connection| workers.dispatch(connection)).await;
}

/// The same, serving in the runtime that accepts: for the admin listener, which must answer while workers are busy.
pub async fn accept_here(listener: Listener, router: Router, protocol: Protocol, drain: &Drain) {
    accept_each(listener, protocol, drain, |connection| {
        tokio::spawn(connection.serve(router.clone()));
    })
    .await;
}

async fn accept_each(listener: Listener, protocol: Protocol, drain: &Drain, hand_on: impl Fn(Accepted)) {
    let Listener { socket, tls, slots } = listener;
    // The drain isn't finished while a connection may still be on its way to a worker.
    let _open = drain.hold();
    let log = Arc::new(Sparse::default());
    let mut pause = limits::ACCEPT_PAUSE;
    loop {
        let accepted = tokio::select! {
            biased;
            () = drain.begun() => return,
            accepted = socket.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if concerns_one_connection(&error) => continue,
            Err(error) => {
                if let Some(held_back) = log.pass() {
                    warn!(%error, ?protocol, held_back, "connections can't be accepted; trying again");
                }
                tokio::select! {
                    () = drain.begun() => return,
                    () = tokio::time::sleep(pause) => {}
                }
                pause = longer(pause);
                continue;
            }
        };
        pause = limits::ACCEPT_PAUSE;
        let Ok(slot) = slots.clone().try_acquire_owned() else {
            if let Some(held_back) = log.pass() {
                warn!(
                    ?protocol,
                    held_back, "a connection was closed at once: the listener has all it may have"
                );
            }
            continue;
        };
        match Accepted::new(stream, peer, protocol, tls.clone(), drain.clone(), log.clone(), slot) {
            Ok(connection) => hand_on(connection),
            Err(error) => debug!(%error, "a connection was gone before it was served"),
        }
    }
}

/// The peer gave up while it waited; the next connection may be fine.
fn concerns_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
    )
}

fn longer(pause: Duration) -> Duration {
    (pause * 2).min(limits::ACCEPT_PAUSE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_up_to_a_second() {
        let pauses = std::iter::successors(Some(limits::ACCEPT_PAUSE), |pause| Some(longer(*pause)));
        let millis: Vec<_> = pauses.take(10).map(|pause| pause.as_millis()).collect();
        assert_eq!(millis, [5, 10, 20, 40, 80, 160, 320, 640, 1_000, 1_000]);
    }
}
