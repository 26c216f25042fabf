//! TLS of the listeners: certificate and key from PEM text, TLS 1.2 and 1.3, one cryptography library.

use std::fmt;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// What a gRPC listener offers.
pub const ALPN_GRPC: &[&[u8]] = &[b"h2"];

/// What an admin listener offers.
pub const ALPN_ADMIN: &[&[u8]] = &[b"http/1.1"];

/// What a REST listener offers, the better first.
pub const ALPN_REST: &[&[u8]] = &[b"h2", b"http/1.1"];

/// Builds what [`Listener::bind`](super::listen::Listener::bind) takes. `cert_pem` is the whole chain, the listener's
/// own certificate first.
pub fn tls_config(cert_pem: &[u8], key_pem: &[u8], alpn: &[&[u8]]) -> Result<Arc<ServerConfig>, TlsError> {
    let chain = CertificateDer::pem_slice_iter(cert_pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| TlsError::CertificateNotPem)?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate);
    }
    let key = PrivateKeyDer::from_pem_slice(key_pem).map_err(|_| TlsError::NoKey)?;

    // Named, so that it is the same whatever the process's default provider is.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(TlsError::Refused)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => TlsError::KeyOfAnotherCertificate,
            other => TlsError::Refused(other),
        })?;
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(Arc::new(config))
}

/// Why certificate and key can't be used. Quotes nothing of either file.
#[derive(Debug)]
pub enum TlsError {
    CertificateNotPem,
    KeyOfAnotherCertificate,
    NoCertificate,
    NoKey,
    Refused(rustls::Error),
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CertificateNotPem => "the certificate file isn't PEM",
            Self::KeyOfAnotherCertificate => "the key doesn't belong to the first certificate of the file",
            Self::NoCertificate => "the certificate file holds no CERTIFICATE section",
            Self::NoKey => "the key file holds no PRIVATE KEY section that can be read",
            Self::Refused(_) => "certificate and key can't be used",
        })
    }
}

impl std::error::Error for TlsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Refused(error) => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (String, String) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    fn problem(cert: &str, key: &str) -> String {
        tls_config(cert.as_bytes(), key.as_bytes(), ALPN_REST)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_pair_is_taken() {
        let (cert, key) = pair();
        let config = tls_config(cert.as_bytes(), key.as_bytes(), ALPN_GRPC).unwrap();
        assert_eq!(config.alpn_protocols, [b"h2".to_vec()]);
    }

    #[test]
    fn every_mistake_says_what_to_fix() {
        let (cert, key) = pair();
        let (_, other_key) = pair();
        assert!(problem("", &key).contains("no CERTIFICATE section"));
        assert!(problem(&key, &cert).contains("no CERTIFICATE section"));
        assert!(problem("-----BEGIN CERTIFICATE-----\n%%%\n", &key).contains("isn't PEM"));
        assert!(problem(&cert, "").contains("no PRIVATE KEY section"));
        assert!(problem(&cert, &other_key).contains("doesn't belong"));
        let not_der = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(problem(not_der, &key).contains("can't be used"));
    }
}
