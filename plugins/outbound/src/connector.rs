//! One connection to the upstream: name, TCP, and TLS where the origin wants it.

use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use http::uri::PathAndQuery;
use hyper_util::client::legacy::connect::HttpConnector;
use idbridge_source::{BoxError, BuildError};
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::ServerName;
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tower::ServiceExt as _;

use crate::Origin;
use crate::origin::Target;

const HTTP2: &[u8] = b"h2";

/// How long a connection is silent before the kernel asks whether the other end is there, and between two such questions.
const PROBED_AFTER: Duration = Duration::from_secs(15);

/// How long what was sent may stay unacknowledged.
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);

pub(crate) struct Connector {
    tcp: HttpConnector,
    origin: Uri,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    pub(crate) within: Duration,
}

/// A connection, and the protocol that both ends have agreed on.
pub(crate) struct Connected {
    pub(crate) io: Box<dyn Io>,
    pub(crate) is_http2: bool,
}

pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

impl Connector {
    /// For https it reads the machine's certificate store. Without TLS no certificate is needed, and a machine may have
    /// none.
    pub(crate) fn new(origin: &Origin, target: &Target, within: Duration) -> Result<Self, BuildError> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(PROBED_AFTER));
        tcp.set_keepalive_interval(Some(PROBED_AFTER));
        tcp.set_keepalive_retries(Some(3));
        #[cfg(target_os = "linux")]
        tcp.set_tcp_user_timeout(Some(UNACKNOWLEDGED));
        // A name's addresses share the time, so that one which is silent leaves some for the next.
        tcp.set_connect_timeout(Some(within));
        let tls = if origin.is_https() { Some(tls(origin)?) } else { None };
        Ok(Self {
            tcp,
            origin: target.uri(PathAndQuery::from_static("/")),
            tls,
            within,
        })
    }

    /// Without TLS the two ends agree on nothing, and speak HTTP/1.1.
    pub(crate) fn offers_http2(&self) -> bool {
        self.tls.is_some()
    }

    #[cfg(test)]
    pub(crate) fn trust(&mut self, root: rustls::pki_types::CertificateDer<'static>) {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(root).expect("a root");
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let (_, name) = self.tls.take().expect("an origin with TLS");
        self.tls = Some((connector(config), name));
    }

    pub(crate) async fn connect(&self) -> Result<Connected, BoxError> {
        timeout(self.within, self.begin()).await?
    }

    async fn begin(&self) -> Result<Connected, BoxError> {
        let tcp = self.tcp.clone().oneshot(self.origin.clone()).await?.into_inner();
        let Some((tls, name)) = &self.tls else {
            return Ok(Connected {
                io: Box::new(tcp),
                is_http2: false,
            });
        };
        let stream = tls.connect(name.clone(), tcp).await?;
        let (_, session) = stream.get_ref();
        Ok(Connected {
            is_http2: session.alpn_protocol() == Some(HTTP2),
            io: Box::new(stream),
        })
    }
}

fn tls(origin: &Origin) -> Result<(TlsConnector, ServerName<'static>), BuildError> {
    let host = origin.host().trim_start_matches('[').trim_end_matches(']');
    let name = ServerName::try_from(host.to_owned()).map_err(BuildError::new)?;
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|config| config.with_platform_verifier())
        .map_err(BuildError::new)?
        .with_no_client_auth();
    Ok((connector(config), name))
}

fn connector(mut config: ClientConfig) -> TlsConnector {
    config.alpn_protocols = vec![HTTP2.to_vec(), b"http/1.1".to_vec()];
    TlsConnector::from(Arc::new(config))
}
