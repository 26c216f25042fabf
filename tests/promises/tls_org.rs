//! An org that speaks TLS, over HTTP/1.1 and over HTTP/2, as Okta does.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use http::{Request, Response, header};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use idbridge_okta_simulator::{Endpoint, PASSWORD, Simulator};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::chain::{Chain, org};
use super::clients::{request_id, with_id};
use super::laws::{DEADLINES, faults, log_ins};
use super::settings;

const ADA: &str = "ada@example.com";

/// What is about the connection. What an answer says is read the same way whatever has carried it.
const FAULTS: [&str; 9] = [
    "close",
    "204",
    "flood",
    "garbage",
    "hang",
    "reset",
    "reset in the body",
    "drip",
    "truncated",
];

#[tokio::test]
async fn an_org_over_http1_and_tls() {
    holds("http/1.1").await;
}

#[tokio::test]
async fn an_org_over_http2_and_tls() {
    holds("h2").await;
}

async fn holds(protocol: &'static str) {
    let folder = tempfile::tempdir().expect("a folder");
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let authority = folder.path().join("authority.pem");
    std::fs::write(&authority, made.cert.pem()).expect("written");
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("a server");
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let okta = Simulator::start(org()).await.expect("the org starts");
    let behind = okta.url().trim_start_matches("http://").parse().expect("an address");
    let url = front(TlsAcceptor::from(Arc::new(config)), behind, protocol == "h2").await;
    let variables: [(&str, &Path); 1] = [("SSL_CERT_FILE", &authority)];
    let chain = Chain::before(okta, &url, &variables, &settings::parse(DEADLINES), &[]).await;

    let grpc = chain.grpc().await;
    let id = request_id();
    let said = grpc.authenticate(&with_id(&id), ADA, PASSWORD).await;
    assert_eq!(said.outcome(), "yes", "{protocol}");
    let asked = chain.asked(&id);
    assert_eq!(asked.iter().filter(|asked| **asked == Endpoint::Authn).count(), 1);
    let said = grpc.authenticate(&with_id(&request_id()), ADA, "wrong password").await;
    assert_eq!(said.outcome(), "invalid_credentials", "{protocol}");
    let answer = chain.rest().get_user(&with_id(&request_id()), ADA).await;
    assert_eq!(answer.json()["outcome"], "found", "{protocol}");
    drop(grpc);

    let mut faults = faults();
    faults.retain(|(name, _)| FAULTS.contains(name));
    assert_eq!(faults.len(), FAULTS.len());
    log_ins(&chain, faults, &["authn", "/users/00u"]).await;
    chain.stop().await;
}

/// TLS before the org. Its URL.
async fn front(acceptor: TlsAcceptor, behind: SocketAddr, is_http2: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let stream = acceptor.accept(tcp).await.expect("the broker trusts the authority");
            tokio::spawn(async move {
                // Whoever leaves ends it.
                let _left = if is_http2 {
                    serve(stream, behind).await
                } else {
                    pass(stream, behind).await
                };
            });
        }
    });
    format!("https://localhost:{port}")
}

async fn pass(mut stream: TlsStream<TcpStream>, behind: SocketAddr) -> Result<(), Error> {
    copy_bidirectional(&mut stream, &mut TcpStream::connect(behind).await?).await?;
    Ok(())
}

/// A request over HTTP/2 is one over HTTP/1.1 on a connection of its own. What has no whole answer ends as a stream that
/// is reset.
async fn serve(stream: TlsStream<TcpStream>, behind: SocketAddr) -> Result<(), Error> {
    let service = service_fn(move |request| ask(request, behind));
    let server = http2::Builder::new(TokioExecutor::new());
    Ok(server.serve_connection(TokioIo::new(stream), service).await?)
}

async fn ask(mut request: Request<Incoming>, behind: SocketAddr) -> Result<Response<Incoming>, Error> {
    let stream = TcpStream::connect(behind).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let path = request.uri().path_and_query().cloned().ok_or("no path")?;
    *request.uri_mut() = path.into();
    request.headers_mut().insert(header::HOST, behind.to_string().parse()?);
    let mut response = sender.send_request(request).await?;
    response.headers_mut().remove(header::TRANSFER_ENCODING);
    response.headers_mut().remove(header::CONNECTION);
    Ok(response)
}

type Error = Box<dyn std::error::Error + Send + Sync>;
