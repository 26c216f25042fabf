//! Listeners. One acceptor each, which hands connections on: to the workers, or to its own runtime.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::task::task_tracker::TaskTrackerToken;
use tracing::{debug, warn};

use super::connection::{self, End, Protocol};
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

/// A connection on its way to the runtime that serves it.
pub(super) struct Accepted {
    /// Tied to no runtime.
    stream: std::net::TcpStream,
    peer: SocketAddr,
    pub(super) protocol: Protocol,
    tls: Option<TlsAcceptor>,
    drain: Drain,
    log: Arc<Sparse>,
    _slot: OwnedSemaphorePermit,
    _open: TaskTrackerToken,
}

impl Accepted {
    fn new(
        stream: TcpStream,
        peer: SocketAddr,
        protocol: Protocol,
        tls: Option<TlsAcceptor>,
        drain: Drain,
        log: Arc<Sparse>,
        slot: OwnedSemaphorePermit,
    ) -> io::Result<Self> {
        // Answers are small and complete: there is nothing to wait for.
        stream.set_nodelay(true)?;
        let stream = stream.into_std()?;
        let open = drain.hold();
        Ok(Self {
            stream,
            peer,
            protocol,
            tls,
            drain,
            log,
            _slot: slot,
            _open: open,
        })
    }

    /// Serves the connection to its end in the runtime that polls this.
    pub(super) async fn serve(self, router: Router) {
        // What is dropped last comes first: the drain isn't finished before all else is gone.
        let Self {
            _open,
            _slot,
            stream,
            peer,
            protocol,
            tls,
            drain,
            log,
        } = self;
        let stream = match TcpStream::from_std(stream) {
            Ok(stream) => stream,
            Err(error) => return debug!(%error, "a connection couldn't be taken over"),
        };
        let end = match tls {
            None => connection::serve(stream, peer, protocol, router, &drain).await,
            Some(tls) => {
                let handshake = tokio::select! {
                    biased;
                    // Nothing is lost: no request has been read.
                    () = drain.begun() => return,
                    handshake = handshake(tls, stream) => handshake,
                };
                match handshake {
                    Ok(stream) => connection::serve(stream, peer, protocol, router, &drain).await,
                    Err(error) => return log_handshake(&error, protocol, &log),
                }
            }
        };
        match end {
            End::Closed => {}
            End::Cut => debug!(?protocol, "a connection was cut by the stop"),
            End::Failed(error) => debug!(error, ?protocol, "a connection failed"),
            End::Limit(limit) => debug!(?limit, ?protocol, "a connection was closed: its peer is too slow"),
        }
    }
}

async fn handshake<T: AsyncRead + AsyncWrite + Unpin>(tls: TlsAcceptor, stream: T) -> io::Result<TlsStream<T>> {
    tokio::time::timeout(limits::TLS_HANDSHAKE, tls.accept(stream))
        .await
        .unwrap_or_else(|_| {
            Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the peer didn't finish in time",
            ))
        })
}

fn log_handshake(error: &io::Error, protocol: Protocol, log: &Sparse) {
    // Connecting and leaving is what load balancers do to see whether we are there.
    if error.kind() == io::ErrorKind::UnexpectedEof {
        debug!(?protocol, "the peer left before the TLS handshake");
    } else if let Some(held_back) = log.pass() {
        warn!(%error, ?protocol, held_back, "a TLS handshake failed");
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;
    use tokio::time::Instant;

    use super::*;
    use crate::server::tls::{ALPN_REST, tls_config};

    #[tokio::test(start_paused = true)]
    async fn a_handshake_that_stalls_is_given_up() {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = made.signing_key.serialize_pem();
        let tls = TlsAcceptor::from(tls_config(made.cert.pem().as_bytes(), key.as_bytes(), ALPN_REST).unwrap());
        for said in [b"".as_slice(), b"\x16\x03\x01\x02\x00\x01"] {
            let (ours, mut theirs) = tokio::io::duplex(64);
            theirs.write_all(said).await.unwrap();
            let started = Instant::now();
            let error = handshake(tls.clone(), ours).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            assert_eq!(started.elapsed().as_secs(), limits::TLS_HANDSHAKE.as_secs());
        }
    }

    #[test]
    fn the_pause_doubles_up_to_a_second() {
        let pauses = std::iter::successors(Some(limits::ACCEPT_PAUSE), |pause| Some(longer(*pause)));
        let millis: Vec<_> = pauses.take(10).map(|pause| pause.as_millis()).collect();
        assert_eq!(millis, [5, 10, 20, 40, 80, 160, 320, 640, 1_000, 1_000]);
    }
}
