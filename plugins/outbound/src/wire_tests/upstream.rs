//! An upstream that reads whole requests, and answers with the bytes that it was given.

use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::connector::Io;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Protocol {
    Http1,
    Http1Tls,
    Http2,
    /// TLS without a word on the protocol: HTTP/1.1.
    NoAlpn,
}

/// What follows the bytes of a reply.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Then {
    Close,
    /// Without TLS's own end.
    Cut,
    Keep,
}

/// What is sent, for the HTTP/2 stream with this number.
#[derive(Clone, Debug)]
pub(super) struct Reply(pub(super) fn(u32) -> Vec<u8>, pub(super) Then);

#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// With a handshake that came to its end.
    pub(super) connections: usize,
    /// Of whole requests.
    pub(super) bodies: Vec<String>,
    /// Ended by both sides.
    pub(super) closed: usize,
}

pub(super) struct Upstream {
    pub(super) port: u16,
    pub(super) authority: CertificateDer<'static>,
    pub(super) seen: watch::Receiver<Seen>,
}

impl Upstream {
    /// The first request gets the first reply, and so on. Who comes later gets a good answer.
    pub(super) async fn start(protocol: Protocol, replies: Vec<Reply>) -> Self {
        let replies = Arc::new(replies);
        Self::serve(protocol, &["localhost"], move |io, seen| {
            let replies = Arc::clone(&replies);
            async move { converse(io, protocol, &replies, &seen).await.unwrap_or_default() }
        })
        .await
    }

    pub(super) async fn serve<F>(
        protocol: Protocol,
        names: &[&str],
        serve: impl Fn(Box<dyn Io>, watch::Sender<Seen>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let address = if names == ["::1"] { "[::1]:0" } else { "127.0.0.1:0" };
        let listener = TcpListener::bind(address).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (acceptor, authority) = tls(protocol, names);
        let (log, seen) = watch::channel(Seen::default());
        let serve = Arc::new(serve);
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                tcp.set_nodelay(true).expect("a socket");
                let (acceptor, log, serve) = (acceptor.clone(), log.clone(), Arc::clone(&serve));
                tokio::spawn(async move {
                    let io: Box<dyn Io> = if protocol.is_tls() {
                        let Ok(stream) = acceptor.accept(tcp).await else { return };
                        Box::new(stream)
                    } else {
                        Box::new(tcp)
                    };
                    log.send_modify(|seen| seen.connections += 1);
                    serve(io, log).await;
                });
            }
        });
        Self { port, authority, seen }
    }

    pub(super) fn seen(&self) -> Seen {
        self.seen.borrow().clone()
    }

    pub(super) async fn until(&self, fits: impl FnMut(&Seen) -> bool) {
        let mut seen = self.seen.clone();
        let waited = tokio::time::timeout(Duration::from_secs(20), seen.wait_for(fits)).await;
        waited.expect("it happens").expect("the upstream runs");
    }
}

impl Protocol {
    pub(super) fn is_tls(self) -> bool {
        self != Self::Http1
    }
}

pub(super) fn good(protocol: Protocol, stream: u32) -> Vec<u8> {
    match protocol {
        Protocol::Http2 => [headers(stream, 4, &[0x88]), data(stream, 1, b"{}")].concat(),
        _ => b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".to_vec(),
    }
}

pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// 1 ends the stream, 4 the headers (RFC 9113, section 6.2).
pub(super) fn headers(stream: u32, flags: u8, block: &[u8]) -> Vec<u8> {
    frame(1, flags, stream, block)
}

pub(super) fn data(stream: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    frame(0, flags, stream, payload)
}

pub(super) async fn converse(
    mut io: Box<dyn Io>,
    protocol: Protocol,
    replies: &[Reply],
    log: &watch::Sender<Seen>,
) -> Option<()> {
    if protocol == Protocol::Http2 {
        io.read_exact(&mut [0; 24]).await.ok()?;
        io.write_all(&frame(4, 0, 0, &[])).await.ok()?;
    }
    loop {
        let request = match protocol {
            Protocol::Http2 => http2_request(&mut io).await,
            _ => http1_request(&mut io).await.map(|body| (0, body)),
        };
        let Some((stream, body)) = request else { break };
        let number = log.borrow().bodies.len();
        log.send_modify(|seen| seen.bodies.push(body));
        let usual = Reply(|_| Vec::new(), Then::Keep);
        let Reply(bytes, then) = replies.get(number).unwrap_or(&usual);
        let bytes = if number < replies.len() {
            bytes(stream)
        } else {
            good(protocol, stream)
        };
        // The client may have left in the middle.
        let _left = io.write_all(&bytes).await;
        let _left = io.flush().await;
        match then {
            Then::Keep => {}
            Then::Cut => return None,
            Then::Close => {
                let _left = io.shutdown().await;
                let _left = io.read_to_end(&mut Vec::new()).await;
                break;
            }
        }
    }
    log.send_modify(|seen| seen.closed += 1);
    Some(())
}

async fn http1_request(io: &mut Box<dyn Io>) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.expect("a length").parse().expect("a number") {
                return Some(body.to_owned());
            }
        }
        if io.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

async fn http2_request(io: &mut Box<dyn Io>) -> Option<(u32, String)> {
    let mut body = Vec::new();
    loop {
        let mut head = [0; 9];
        io.read_exact(&mut head).await.ok()?;
        let [a, b, c, kind, flags, stream @ ..] = head;
        let mut payload = vec![0; usize::try_from(u32::from_be_bytes([0, a, b, c])).expect("short")];
        io.read_exact(&mut payload).await.ok()?;
        match kind {
            0 => body.extend(payload),
            4 if flags == 0 => io.write_all(&frame(4, 1, 0, &[])).await.ok()?,
            _ => {}
        }
        if kind <= 1 && flags & 1 == 1 {
            return Some((u32::from_be_bytes(stream), String::from_utf8_lossy(&body).into_owned()));
        }
    }
}

fn tls(protocol: Protocol, names: &[&str]) -> (TlsAcceptor, CertificateDer<'static>) {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(Vec::new()).expect("names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&key).expect("a certificate");
    let issuer = Issuer::new(params, key);

    let key = KeyPair::generate().expect("a key");
    let is_expired = names == ["expired"];
    let names = if is_expired { &["localhost"] } else { names };
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("names");
    if is_expired {
        params.not_after = rcgen::date_time_ymd(2001, 1, 1);
        params.not_before = rcgen::date_time_ymd(2000, 1, 1);
    }
    let certificate = params.signed_by(&key, &issuer).expect("a certificate");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .expect("a server");
    config.alpn_protocols = match protocol {
        Protocol::Http1Tls => vec![b"http/1.1".to_vec()],
        Protocol::Http2 => vec![b"h2".to_vec()],
        Protocol::Http1 | Protocol::NoAlpn => Vec::new(),
    };
    (TlsAcceptor::from(Arc::new(config)), authority.der().clone())
}
