//! Who the plugin is, and who we are, by certificate.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use idbridge_source::{Authentication, IdentitySource, Value};
use idbridge_testkit::upstreams::grpc::Upstream;
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

use crate::reply::{Reply, Said as _, ada, found};

use crate::{CANARY, UNAVAILABLE, kind, log_in, source, text};

type Pair = CertifiedKey<KeyPair>;

fn certified(name: &str) -> Pair {
    generate_simple_self_signed([name.to_owned()]).expect("a certificate")
}

/// Shows this certificate, and wants one that this authority has signed.
fn server(shown: &Pair, wanted: Option<&Pair>, protocol: &[u8]) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("versions");
    let builder = match wanted {
        None => builder.with_no_client_auth(),
        Some(wanted) => {
            let roots = Arc::new(roots(wanted.cert.der()));
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider).build();
            builder.with_client_cert_verifier(verifier.expect("a verifier"))
        }
    };
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(shown.signing_key.serialize_der()));
    let mut config = builder
        .with_single_cert(vec![shown.cert.der().clone()], key)
        .expect("a server");
    config.alpn_protocols = vec![protocol.to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

fn roots(certificate: &CertificateDer<'static>) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).expect("a root");
    roots
}

async fn start(tls: TlsAcceptor) -> Upstream {
    let reply = Reply::message(&found(ada()));
    Upstream::start_at("127.0.0.1:0", Some(tls), move |_| std::future::ready(reply.clone())).await
}

fn written(folder: &Path, name: &str, pem: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, pem).expect("written");
    path
}

/// Trusts this certificate, and shows that one.
fn client(upstream: &Upstream, trusted: &Pair, shown: Option<&Pair>) -> Arc<dyn IdentitySource> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, pem: &str| text(written(folder.path(), name, pem).to_str().expect("text"));
    let mut settings: Vec<(&str, Value)> = vec![
        ("url", text(&upstream.url)),
        ("canary", text(CANARY)),
        ("ca_file", file("ca.pem", &trusted.cert.pem())),
    ];
    if let Some(shown) = shown {
        settings.push(("client_cert_file", file("cert.pem", &shown.cert.pem())));
        settings.push(("client_key_file", file("key.pem", &shown.signing_key.serialize_pem())));
    }
    source(&settings)
}

#[tokio::test]
async fn only_the_right_certificate_is_shown_a_password() {
    let (right, wrong) = (certified("localhost"), certified("elsewhere.example"));
    let upstream = start(server(&right, None, b"h2")).await;
    let answer = log_in(&client(&upstream, &right, None)).await;
    assert!(matches!(answer, Ok(Authentication::Accept(_))), "{answer:?}");
    assert_eq!(upstream.seen().passwords.len(), 1);

    // Another authority; another name; the machine's own store.
    let stranger = log_in(&client(&upstream, &certified("localhost"), None)).await;
    assert_eq!(kind(&stranger), Some(UNAVAILABLE));
    let usual = source(&[("url", text(&upstream.url)), ("canary", text(CANARY))]);
    assert_eq!(kind(&log_in(&usual).await), Some(UNAVAILABLE));
    assert_eq!(upstream.seen().passwords.len(), 1);
    let misnamed = start(server(&wrong, None, b"h2")).await;
    assert_eq!(kind(&log_in(&client(&misnamed, &wrong, None)).await), Some(UNAVAILABLE));
    assert_eq!(misnamed.seen().passwords.len(), 0);
}

#[tokio::test]
async fn a_plugin_that_asks_who_calls_is_shown_our_certificate() {
    let (plugin, ours, another) = (certified("localhost"), certified("idbridge"), certified("idbridge"));
    let upstream = start(server(&plugin, Some(&ours), b"h2")).await;
    let answer = log_in(&client(&upstream, &plugin, Some(&ours))).await;
    assert!(matches!(answer, Ok(Authentication::Accept(_))), "{answer:?}");
    for shown in [None, Some(&another)] {
        assert_eq!(
            kind(&log_in(&client(&upstream, &plugin, shown)).await),
            Some(UNAVAILABLE)
        );
    }
    assert_eq!(upstream.seen().passwords.len(), 1);
}

#[tokio::test]
async fn http2_is_agreed_on_or_nothing_is_sent() {
    let plugin = certified("localhost");
    let upstream = start(server(&plugin, None, b"http/1.1")).await;
    assert_eq!(
        kind(&log_in(&client(&upstream, &plugin, None)).await),
        Some(UNAVAILABLE)
    );
    assert_eq!(upstream.seen().connections, 0);
}
