//! Handshakes that go well, badly, and not at all.

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::ServerName;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::*;
use crate::server::limits;
use crate::server::tls::{ALPN_GRPC, ALPN_REST, tls_config};

/// A listener with a certificate of its own, and a client that trusts it.
struct Secure {
    running: Running,
    roots: RootCertStore,
}

fn secure(protocol: Protocol, alpn: &[&[u8]]) -> Secure {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let config = tls_config(
        made.cert.pem().as_bytes(),
        made.signing_key.serialize_pem().as_bytes(),
        alpn,
    )
    .unwrap();
    let listener = Listener::bind(([127, 0, 0, 1], 0).into(), Some(config)).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    Secure {
        running: run(listener, protocol, workers(1, numbered)),
        roots,
    }
}

impl Secure {
    async fn connect(
        &self,
        version: &'static rustls::SupportedProtocolVersion,
        alpn: &[&[u8]],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(self.roots.clone())
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        let stream = TcpStream::connect(self.running.address).await?;
        in_time(TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), stream)).await
    }

    async fn answers(&self) {
        let mut stream = self.connect(&rustls::version::TLS13, &[b"http/1.1"]).await.unwrap();
        stream
            .write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            .await
            .unwrap();
        let mut answer = String::new();
        stream
            .read_to_string(&mut answer)
            .await
            .expect("a close that TLS announces");
        assert_eq!(body(&answer), "0");
    }
}

#[tokio::test]
async fn both_versions_are_spoken() {
    let secure = secure(Protocol::Rest, ALPN_REST);
    secure.answers().await;
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let stream = secure.connect(version, &[b"h2", b"http/1.1"]).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
    }
}

#[tokio::test]
async fn another_protocol_is_refused() {
    let secure = secure(Protocol::Grpc, ALPN_GRPC);
    let error = secure
        .connect(&rustls::version::TLS13, &[b"http/1.1"])
        .await
        .unwrap_err();
    assert!(error.to_string().contains("NoApplicationProtocol"), "{error}");
}

#[tokio::test]
async fn garbage_and_plaintext_are_closed() {
    let secure = secure(Protocol::Rest, ALPN_REST);
    for bytes in [
        b"GET / HTTP/1.1\r\nhost: x\r\n\r\n".as_slice(),
        &[0xff; 4_096],
        b"\x16\x03\x01\xff\xff",
        &[0; 64],
    ] {
        let mut stream = TcpStream::connect(secure.running.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        let _ = in_time(stream.read_to_end(&mut answer)).await;
        assert!(!answer.starts_with(b"HTTP"));
    }
    secure.answers().await;
}

#[tokio::test]
async fn a_handshake_that_stalls_holds_up_nobody() {
    let secure = secure(Protocol::Rest, ALPN_REST);
    let _silent = TcpStream::connect(secure.running.address).await.unwrap();
    let mut halfway = TcpStream::connect(secure.running.address).await.unwrap();
    halfway.write_all(b"\x16\x03\x01\x02\x00\x01").await.unwrap();
    let started = std::time::Instant::now();
    secure.answers().await;
    assert!(started.elapsed() < limits::TLS_HANDSHAKE);
}

#[tokio::test]
async fn a_drain_does_not_wait_for_a_handshake() {
    let secure = secure(Protocol::Rest, ALPN_REST);
    let _silent = TcpStream::connect(secure.running.address).await.unwrap();
    in_time(async {
        while secure.running.workers.open() != [1] {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let started = std::time::Instant::now();
    assert_eq!(in_time(secure.running.drain.finished(PATIENCE)).await, Ok(()));
    assert!(started.elapsed() < limits::TLS_HANDSHAKE);
}
