//! TLS with an authority and a certificate of the process's own.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tempfile::NamedTempFile;
use tokio_rustls::TlsAcceptor;

use crate::Error;

/// What TLS needs, and the authority's certificate in a file that goes with it.
pub(super) struct Tls {
    acceptor: TlsAcceptor,
    authority: NamedTempFile,
}

impl Tls {
    /// For `localhost` and `127.0.0.1`. With `http2` it is offered by ALPN, before HTTP/1.1.
    pub(super) fn new(http2: bool, folder: &Path) -> Result<Self, Error> {
        let authority_key = KeyPair::generate()?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, "idbridge-bench");
        let authority = params.self_signed(&authority_key)?;
        let issuer = Issuer::new(params, authority_key);

        let key = KeyPair::generate()?;
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let certificate = CertificateParams::new(names)?.signed_by(&key, &issuer)?;

        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)?;
        config.alpn_protocols = if http2 {
            vec![b"h2".to_vec(), b"http/1.1".to_vec()]
        } else {
            vec![b"http/1.1".to_vec()]
        };

        let mut file = tempfile::Builder::new().suffix(".pem").tempfile_in(folder)?;
        file.write_all(authority.pem().as_bytes())?;
        file.flush()?;
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            authority: file,
        })
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.clone()
    }

    pub(super) fn ca_pem_file(&self) -> &Path {
        self.authority.path()
    }
}
