//! What resumption saves of a new TLS connection: rustls with its defaults, as the broker has it.

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::{ClientConfig, HandshakeKind, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::Error;
use crate::context::Context;
use crate::row::{Figure, Row, Sample};

const CONNECTIONS: usize = 200;

/// Tickets come after the handshake, so they are read with an answer.
const REQUEST: &[u8] = b"GET /.well-known/okta-organization HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

struct Handshake;

pub(crate) fn rows() -> Vec<Box<dyn Row>> {
    vec![Box::new(Handshake)]
}

#[async_trait(?Send)]
impl Row for Handshake {
    fn name(&self) -> &'static str {
        "handshake"
    }

    fn figures(&self) -> Vec<Figure> {
        vec![Figure {
            title: "for comparison, a new connection to the source over TLS: resumed, beside a full handshake"
                .to_owned(),
            unit: "µs",
            theirs: "full",
            bar: None,
        }]
    }

    async fn round(&self, context: &Context, _round: usize) -> Result<Vec<Sample>, Error> {
        let folder = context.folder.path().to_str().ok_or("the folder's name isn't text")?;
        let upstream = context.upstream(&["--tls", "--http1-only", "--ca-folder", folder])?;
        let file = upstream.ready["ca_pem_file"]
            .as_str()
            .ok_or("the source has no authority")?;
        let authority = CertificateDer::from_pem_slice(&fs::read(file)?)?;
        let keeping = connector(&authority)?;
        connect(&keeping, upstream.address, HandshakeKind::Full).await?;
        let [mut resumed, mut full] = [Duration::ZERO; 2];
        for _ in 0..CONNECTIONS {
            resumed += connect(&keeping, upstream.address, HandshakeKind::Resumed).await?;
            full += connect(&connector(&authority)?, upstream.address, HandshakeKind::Full).await?;
        }
        let each = |all: Duration| all.as_secs_f64() * 1e6 / CONNECTIONS as f64;
        Ok(vec![Sample::beside(each(resumed), each(full))])
    }
}

/// How long TCP and TLS took. It is an error if the handshake was of another kind.
async fn connect(connector: &TlsConnector, address: SocketAddr, kind: HandshakeKind) -> Result<Duration, Error> {
    let began = Instant::now();
    let tcp = TcpStream::connect(address).await?;
    tcp.set_nodelay(true)?;
    let mut stream = connector.connect(ServerName::try_from("localhost")?, tcp).await?;
    let took = began.elapsed();
    stream.write_all(REQUEST).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let was = stream.get_ref().1.handshake_kind();
    if was != Some(kind) || !answer.starts_with(b"HTTP/1.1 200") {
        return Err(format!("a handshake was {was:?}, not {kind:?}").into());
    }
    Ok(took)
}

fn connector(authority: &CertificateDer<'static>) -> Result<TlsConnector, Error> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.clone())?;
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
