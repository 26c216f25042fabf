//! Where a listener listens, and with which certificate.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use idbridge_source::{SecretFiles, Table};
use rustls::crypto::aws_lc_rs;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// One listener.
#[derive(Clone, Debug)]
pub struct Listen {
    /// Port 0 takes a free one.
    pub address: SocketAddr,
    pub tls: Option<TlsFiles>,
    /// Whether the operator allows plain text beyond loopback, because a proxy ends TLS.
    pub plaintext: bool,
}

/// PEM files that were there, and fitted each other, when the settings were read.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    pub cert_file: PathBuf,
    pub key_file: PathBuf,
}

impl Listen {
    /// On loopback.
    pub(super) fn on_port(port: u16) -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            tls: None,
            plaintext: false,
        }
    }

    /// Reads `listen`, `tls` and `plaintext` of this section.
    pub(super) fn read(section: &Table<'_>, default_port: u16, secrets: SecretFiles) -> Self {
        let default = Self::on_port(default_port);
        let parsed = section.text("listen").parse(|text| {
            text.parse::<SocketAddr>()
                .map_err(|_| "is no address with a port; write it as \"127.0.0.1:8080\" or \"[::1]:8080\"")
        });
        let address = parsed.optional();
        let plaintext = section.bool("plaintext").or(false);
        let has_tls = section.has("tls");
        let listen = Self {
            address: address.unwrap_or(default.address),
            tls: read_tls(section, secrets),
            plaintext,
        };
        if has_tls && plaintext {
            section.mistake("plaintext", "stands beside `tls`; keep one of the two");
        }
        if !listen.is_loopback() && !has_tls && !plaintext {
            section.mistake(
                "listen",
                "isn't a loopback address: set `tls.cert_file` and `tls.key_file`, or `plaintext = true` if a proxy in \
                 front ends TLS",
            );
        }
        listen
    }

    fn is_loopback(&self) -> bool {
        match self.address.ip() {
            IpAddr::V4(ip) => ip.is_loopback(),
            IpAddr::V6(ip) => ip.is_loopback() || ip.to_ipv4_mapped().is_some_and(|ip| ip.is_loopback()),
        }
    }
}

fn read_tls(section: &Table<'_>, secrets: SecretFiles) -> Option<TlsFiles> {
    let table = section.table("tls")?;
    let cert_file = table.path_to("cert_file").required();
    let key_file = table.path_to("key_file").required();
    table.finish();
    let files = TlsFiles {
        cert_file: cert_file?,
        key_file: key_file?,
    };
    if secrets == SecretFiles::Read {
        check_pair(&table, &files);
    }
    Some(files)
}

fn check_pair(table: &Table<'_>, files: &TlsFiles) {
    let certificates = certificates(&files.cert_file);
    let key = read(&files.key_file).and_then(|pem| {
        PrivateKeyDer::from_pem_slice(&pem)
            .map_err(|_| "names a file without a private key in PEM; an encrypted key can't be used".to_owned())
    });
    if let Err(problem) = &certificates {
        table.mistake("cert_file", problem.as_str());
    }
    if let Err(problem) = &key {
        table.mistake("key_file", problem.as_str());
    }
    let (Ok(certificates), Ok(key)) = (certificates, key) else {
        return;
    };
    let provider = Arc::new(aws_lc_rs::default_provider());
    let Ok(builder) = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()
    else {
        table.mistake("key_file", "can't be used by this binary's TLS");
        return;
    };
    match builder.with_no_client_auth().with_single_cert(certificates, key) {
        Ok(_) => {}
        Err(rustls::Error::InconsistentKeys(_)) => {
            table.mistake(
                "key_file",
                "isn't the private key of the first certificate in `cert_file`",
            );
        }
        Err(rustls::Error::InvalidCertificate(_)) => {
            table.mistake("cert_file", "names a file with a certificate that can't be read");
        }
        Err(_) => table.mistake(
            "key_file",
            "names a file with a private key of a kind that TLS can't use",
        ),
    }
}

/// The certificates in a PEM file, or what is wrong with it.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let pem = read(path)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    certificates
        .ok()
        .filter(|certificates| !certificates.is_empty())
        .ok_or_else(|| "names a file without a certificate in PEM".to_owned())
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("names a file that can't be read: {}", error.kind()))
}

#[cfg(test)]
mod tests {
    use idbridge_source::{Node, Origin, Reader, Value};

    use super::*;

    struct Pair {
        cert: String,
        key: String,
    }

    fn pair() -> Pair {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        Pair {
            cert: made.cert.pem(),
            key: made.signing_key.serialize_pem(),
        }
    }

    fn mistakes(cert: &str, key: &str, secrets: SecretFiles) -> Vec<String> {
        let dir = tempfile::tempdir().expect("a folder");
        let file = |name: &str, content: &str| {
            let path = dir.path().join(name);
            if content != "missing" {
                std::fs::write(&path, content).expect("written");
            }
            Node {
                origin: Origin::File("s.toml".into(), 3),
                value: Value::Text(path.to_str().expect("a readable path").to_owned()),
            }
        };
        let files = [("cert_file", file("cert", cert)), ("key_file", file("key", key))];
        let tls = Node::table(Path::new("s.toml"), files.map(|(key, node)| (key.to_owned(), node)));
        let tree = Node::table(Path::new("s.toml"), [("tls".to_owned(), tls)]);
        let reader = Reader::new(secrets);
        let root = reader.root(&tree);
        Listen::read(&root, 0, secrets);
        root.finish();
        drop(root);
        reader
            .into_mistakes()
            .iter()
            .map(|mistake| format!("{}: {}", mistake.key, mistake.problem))
            .collect()
    }

    #[test]
    fn certificate_and_key_are_read_and_compared() {
        let (one, other) = (pair(), pair());
        let check = |cert: &str, key: &str| mistakes(cert, key, SecretFiles::Read);
        assert_eq!(check(&one.cert, &one.key), [""; 0]);
        assert_eq!(
            check(&one.cert, &other.key),
            ["tls.key_file: isn't the private key of the first certificate in `cert_file`"]
        );
        assert_eq!(
            check(&one.key, &one.cert),
            [
                "tls.cert_file: names a file without a certificate in PEM",
                "tls.key_file: names a file without a private key in PEM; an encrypted key can't be used",
            ]
        );
        assert_eq!(
            check("missing", "missing"),
            [
                "tls.cert_file: names a file that can't be read: entity not found",
                "tls.key_file: names a file that can't be read: entity not found",
            ]
        );
        let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert_eq!(
            check(garbage, &one.key),
            ["tls.cert_file: names a file with a certificate that can't be read"]
        );
        let truncated = &one.cert[..one.cert.len() / 2];
        assert_eq!(
            check(truncated, &one.key),
            ["tls.cert_file: names a file without a certificate in PEM"]
        );
        assert_eq!(mistakes("missing", "missing", SecretFiles::Skip), [""; 0]);
    }
}
