//! A connection between the acceptor and its end: moved to a runtime, its TLS handshake, its protocol, its last word.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::task::task_tracker::TaskTrackerToken;
use tracing::{debug, warn};

use super::connection::{self, End, Protocol};
use super::drain::Drain;
use super::limits;
use super::sparse::Sparse;

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
    pub(super) fn new(
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
}
