use std::fmt;
use std::path::PathBuf;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, crypto::aws_lc_rs::default_provider};

use crate::Reach;

/// How an upstream is reached, where that isn't the usual: over TCP, trusted by the machine's certificate store, with
/// HTTP/2 where TLS offers it.
#[derive(Debug, Default)]
pub struct Way {
    /// Trusts these authorities and no others.
    pub authorities: Option<Certificates>,
    /// Speaks HTTP/2 from the first byte, with or without TLS, and nothing else.
    pub http2_only: bool,
    /// Shown to an upstream that asks who is calling.
    pub identity: Option<Identity>,
    /// Which addresses may be dialled. A socket isn't an address.
    pub reach: Reach,
    /// Connects to this Unix socket. The origin, which must be an `http` one, only names the upstream then.
    pub socket: Option<PathBuf>,
}

/// Certificates, each found to be one that can be trusted.
#[derive(Clone)]
pub struct Certificates(Vec<CertificateDer<'static>>);

/// A certificate of ours with its chain, and the key that belongs to it.
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Certificates {
    /// From PEM. The error says what is wrong and quotes nothing.
    pub fn parse(pem: &[u8]) -> Result<Self, &'static str> {
        let all = Self(certificates(pem)?);
        all.roots().map_err(|_| "holds a certificate that can't be read")?;
        Ok(all)
    }

    pub(crate) fn roots(&self) -> Result<RootCertStore, rustls::Error> {
        let mut roots = RootCertStore::empty();
        for certificate in &self.0 {
            roots.add(certificate.clone())?;
        }
        Ok(roots)
    }
}

impl Identity {
    /// From PEM: the whole chain with our own certificate first, and its key.
    pub fn parse(chain: &[u8], key: &[u8]) -> Result<Self, &'static str> {
        let chain = certificates(chain)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| "has no private key that can be read beside it")?;
        let signer = default_provider()
            .key_provider
            .load_private_key(key.clone_key())
            .map_err(|_| "has no private key that can be used beside it")?;
        match CertifiedKey::new(chain.clone(), signer).keys_match() {
            // What can't be compared is the upstream's to judge.
            Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => Ok(Self { chain, key }),
            Err(_) => Err("doesn't belong to the private key beside it"),
        }
    }

    pub(crate) fn into_parts(self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        (self.chain, self.key)
    }
}

impl Clone for Identity {
    fn clone(&self) -> Self {
        Self {
            chain: self.chain.clone(),
            key: self.key.clone_key(),
        }
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, &'static str> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match all {
        Ok(all) if all.is_empty() => Err("holds no certificate in PEM"),
        Ok(all) => Ok(all),
        Err(_) => Err("isn't PEM"),
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificates({})", self.0.len())
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (String, String) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    #[test]
    fn a_pair_is_taken_and_shows_nothing() {
        let (chain, key) = pair();
        let identity = Identity::parse(chain.as_bytes(), key.as_bytes()).expect("a pair");
        assert_eq!(format!("{identity:?}"), "Identity(…)");
        let one = Certificates::parse(chain.as_bytes()).expect("a certificate");
        assert_eq!(format!("{one:?}"), "Certificates(1)");
    }

    #[test]
    fn each_mistake_is_told_apart() {
        let ((chain, key), (_, other)) = (pair(), pair());
        let broken = "-----BEGIN CERTIFICATE-----\n%%%\n";
        let not_der = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let problem =
            |chain: &str, key: &str| Identity::parse(chain.as_bytes(), key.as_bytes()).expect_err("a mistake");
        assert!(problem("", &key).contains("no certificate"));
        assert!(problem(broken, &key).contains("isn't PEM"));
        assert!(problem(&chain, "").contains("no private key"));
        assert!(problem(&chain, &other).contains("doesn't belong"));
        assert!(Certificates::parse(not_der.as_bytes()).is_err());
    }
}
