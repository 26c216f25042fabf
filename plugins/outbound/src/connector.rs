//! One connection to the upstream: name, TCP, and TLS where the origin wants it.

use std::path::PathBuf;
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
use tokio::net::UnixStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tower::ServiceExt as _;

use crate::origin::Target;
use crate::reach::{OUT_OF_REACH, Resolver};
use crate::{Origin, Way};

const HTTP2: &[u8] = b"h2";

/// How long a connection is silent before the kernel asks whether the other end is there, and between two such questions.
const PROBED_AFTER: Duration = Duration::from_secs(15);

/// How long what was sent may stay unacknowledged.
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);

pub(crate) struct Connector {
    tcp: HttpConnector<Resolver>,
    origin: Uri,
    /// The host is an address, which nobody resolves, and out of reach.
    is_out_of_reach: bool,
    socket: Option<PathBuf>,
    http2_only: bool,
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
    pub(crate) fn new(origin: &Origin, way: Way, target: &Target, within: Duration) -> Result<Self, BuildError> {
        let is_out_of_reach = !way.reach.admits_host(origin);
        let mut tcp = HttpConnector::new_with_resolver(Resolver::new(way.reach.clone()));
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(PROBED_AFTER));
        tcp.set_keepalive_interval(Some(PROBED_AFTER));
        tcp.set_keepalive_retries(Some(3));
        #[cfg(target_os = "linux")]
        tcp.set_tcp_user_timeout(Some(UNACKNOWLEDGED));
        // A name's addresses share the time, so that one which is silent leaves some for the next.
        tcp.set_connect_timeout(Some(within));
        let http2_only = way.http2_only;
        let socket = way.socket.clone();
        let tls = if origin.is_https() {
            Some(tls(origin, way)?)
        } else {
            None
        };
        Ok(Self {
            tcp,
            origin: target.uri(PathAndQuery::from_static("/")),
            is_out_of_reach,
            socket,
            tls,
            http2_only,
            within,
        })
    }

    /// Without TLS the two ends agree on nothing, and speak HTTP/1.1 unless they are known not to.
    pub(crate) fn offers_http2(&self) -> bool {
        self.http2_only || self.tls.is_some()
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
        self.tls = Some((connector(config, self.http2_only), name));
    }

    pub(crate) async fn connect(&self) -> Result<Connected, BoxError> {
        timeout(self.within, self.begin()).await?
    }

    async fn begin(&self) -> Result<Connected, BoxError> {
        if let Some(socket) = &self.socket {
            return Ok(self.plain(UnixStream::connect(socket).await?));
        }
        if self.is_out_of_reach {
            return Err(OUT_OF_REACH.into());
        }
        let tcp = self.tcp.clone().oneshot(self.origin.clone()).await?.into_inner();
        let Some((tls, name)) = &self.tls else {
            return Ok(self.plain(tcp));
        };
        let stream = tls.connect(name.clone(), tcp).await?;
        let (_, session) = stream.get_ref();
        let is_http2 = session.alpn_protocol() == Some(HTTP2);
        if self.http2_only && !is_http2 {
            return Err("the upstream doesn't offer HTTP/2".into());
        }
        Ok(Connected {
            is_http2,
            io: Box::new(stream),
        })
    }

    fn plain(&self, io: impl Io + 'static) -> Connected {
        Connected {
            io: Box::new(io),
            is_http2: self.http2_only,
        }
    }
}

fn tls(origin: &Origin, way: Way) -> Result<(TlsConnector, ServerName<'static>), BuildError> {
    let host = origin.host().trim_start_matches('[').trim_end_matches(']');
    let name = ServerName::try_from(host.to_owned()).map_err(BuildError::new)?;
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(BuildError::new)?;
    let builder = match way.authorities {
        None => builder.with_platform_verifier().map_err(BuildError::new)?,
        Some(authorities) => builder.with_root_certificates(authorities.roots().map_err(BuildError::new)?),
    };
    let config = match way.identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let (chain, key) = identity.into_parts();
            builder.with_client_auth_cert(chain, key).map_err(BuildError::new)?
        }
    };
    Ok((connector(config, way.http2_only), name))
}

fn connector(mut config: ClientConfig, http2_only: bool) -> TlsConnector {
    config.alpn_protocols = vec![HTTP2.to_vec()];
    if !http2_only {
        config.alpn_protocols.push(b"http/1.1".to_vec());
    }
    TlsConnector::from(Arc::new(config))
}
