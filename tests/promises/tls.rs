//! TLS from files on both listeners, and a gateway that trusts the broker's certificate.

use std::sync::Arc;

use idbridge_okta_simulator::{PASSWORD, Simulator};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::chain::{org, write};
use super::clients::{Grpc, Rest, exchange, head, request_id, with_id};
use super::process::{Process, bounded};
use super::secrecy::Secrets;
use super::settings;

const ADA: &str = "ada@example.com";

#[tokio::test]
async fn both_listeners_take_tls_from_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]);
    let made = made.expect("a certificate");
    let file = |name: &str, content: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).expect("written");
        path.to_str().expect("text").to_owned()
    };
    let cert = file("cert.pem", made.cert.pem());
    let key = file("key.pem", made.signing_key.serialize_pem());
    let okta = Simulator::start(org()).await.expect("the org starts");
    let secrets = Arc::new(Secrets::of(&org()));
    let mut table = settings::broker(&okta.url());
    let tls = format!("cert_file = \"{cert}\"\nkey_file = \"{key}\"");
    settings::merge(
        &mut table,
        &settings::parse(&format!("[grpc.tls]\n{tls}\n[rest.tls]\n{tls}")),
    );
    let broker = Process::start(&["serve"], &write(&folder, "broker", &table), &secrets);
    let at = broker.listening().await;
    let (grpc_at, rest_at) = (at.grpc.expect("gRPC is on"), at.rest.expect("REST is on"));
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).expect("a root");

    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let stream = connect(grpc_at, &roots, version, b"h2").await.expect("TLS");
        assert_eq!(stream.get_ref().1.protocol_version(), Some(version.version));
        let grpc = Grpc::over(stream, grpc_at, &secrets).await;
        let said = grpc.authenticate(&with_id(&request_id()), ADA, PASSWORD).await;
        assert_eq!(said.outcome(), "yes");

        let stream = connect(rest_at, &roots, version, b"http/1.1").await.expect("TLS");
        let body = serde_json::json!({"identifier": ADA, "password": PASSWORD}).to_string();
        let head = head("POST", "/auth0/v1/login", &with_id(&request_id()), body.len());
        let answer = exchange(stream, &head, body.as_bytes()).await;
        assert_eq!(answer.json()["outcome"], "authenticated");
    }
    let strangers = connect(grpc_at, &RootCertStore::empty(), &rustls::version::TLS13, b"h2").await;
    assert!(strangers.is_err(), "the client checks, so the certificate is shown");
    old_versions_are_refused(grpc_at).await;
    old_versions_are_refused(rest_at).await;

    // A gateway alone, to the broker over TLS.
    let mut table = settings::gateway(&settings::broker("http://127.0.0.1:9"));
    settings::merge(
        &mut table,
        &settings::parse(&format!("[rest.upstream]\nca_file = \"{cert}\"")),
    );
    let upstream = format!("https://localhost:{}", grpc_at.port());
    let gateway = Process::start(
        &["gateway", "--upstream", &upstream],
        &write(&folder, "gateway", &table),
        &secrets,
    );
    let rest = Rest::new(gateway.listening().await.rest.expect("REST is on"), &secrets);
    let answer = rest.login(&with_id(&request_id()), ADA, PASSWORD).await;
    assert_eq!(answer.json()["outcome"], "authenticated");

    // The same with plain text to the TLS port: no answer, and no "no".
    let upstream = format!("http://127.0.0.1:{}", grpc_at.port());
    let plain = Process::start(
        &["gateway", "--upstream", &upstream],
        &write(&folder, "plain", &table),
        &secrets,
    );
    let rest = Rest::new(plain.listening().await.rest.expect("REST is on"), &secrets);
    let answer = rest.login(&with_id(&request_id()), ADA, PASSWORD).await;
    assert_eq!((answer.status, &*answer.code()), (503, "source_unavailable"));

    gateway.stop().await;
    plain.stop().await;
    broker.stop().await;
    okta.shutdown().await;
    secrets.search_answers();
}

async fn connect(
    address: std::net::SocketAddr,
    roots: &RootCertStore,
    version: &'static SupportedProtocolVersion,
    alpn: &[u8],
) -> std::io::Result<TlsStream<TcpStream>> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .expect("a version that there is")
        .with_root_certificates(roots.clone())
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.to_vec()];
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").expect("a name");
    bounded(
        "the handshake",
        TlsConnector::from(Arc::new(config)).connect(name, stream),
    )
    .await
}

/// rustls speaks no older version, so the hello of TLS 1.1 is written by hand (RFC 4346 §7.4.1.2).
async fn old_versions_are_refused(address: std::net::SocketAddr) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let mut hello = vec![3, 2]; // TLS 1.1
    hello.extend([7; 32]); // random
    hello.extend([0, 0, 2, 0, 0x2f, 1, 0]); // no session; TLS_RSA_WITH_AES_128_CBC_SHA; no compression
    let mut record = vec![22, 3, 1, 0, u8::try_from(hello.len() + 4).expect("short")];
    record.extend([1, 0, 0, u8::try_from(hello.len()).expect("short")]);
    record.extend(hello);
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(&record).await.expect("sent");
    let mut answer = Vec::new();
    let _closed = bounded("the refusal", stream.read_to_end(&mut answer)).await;
    // An alert (21), fatal (2), and no hello of the server's (22).
    assert!(answer.is_empty() || answer[0] == 21 && answer[5] == 2, "{answer:?}");
}
