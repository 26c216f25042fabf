//! The same bytes to what reads here and to tonic's own server, each of which says what it read.

use std::net::SocketAddr;
use std::num::NonZeroUsize;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use prost::Message as _;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tonic::{Code, Status};

use crate::grpc::MAX_REQUEST_BYTES;
use crate::grpc::unary::{PLAIN, PREFIX, read, write};
use crate::pb::identity_service_server::{IdentityService, IdentityServiceServer};
use crate::pb::{AuthenticateRequest, AuthenticateResponse, GetUserByEmailRequest, GetUserByEmailResponse};
use crate::server::connection::Protocol;
use crate::server::drain::Drain;
use crate::server::listen::{Listener, accept};
use crate::server::workers::{Services, Workers};

type Pieces = StreamBody<futures_util::stream::Iter<std::vec::IntoIter<Result<Frame<Bytes>, Status>>>>;

/// The code, and what was read.
type Said = (Code, Option<String>);

/// What a message is, and what it may be cut into.
const QUESTION: &[u8] = b"\0\0\0\0\x0a\x0a\x03ada\x12\x03abc";

fn echo(question: &AuthenticateRequest) -> AuthenticateResponse {
    AuthenticateResponse {
        source: format!("{question:?}"),
        ..Default::default()
    }
}

struct Peer;

#[tonic::async_trait]
impl IdentityService for Peer {
    async fn authenticate(
        &self,
        request: tonic::Request<AuthenticateRequest>,
    ) -> Result<tonic::Response<AuthenticateResponse>, Status> {
        Ok(tonic::Response::new(echo(&request.into_inner())))
    }

    async fn get_user_by_email(
        &self,
        _: tonic::Request<GetUserByEmailRequest>,
    ) -> Result<tonic::Response<GetUserByEmailResponse>, Status> {
        Err(Status::unimplemented("not asked here"))
    }
}

struct Server {
    sender: SendRequest<Pieces>,
    accepting: JoinHandle<()>,
}

impl Server {
    async fn start(grpc: Router) -> Self {
        let workers = Workers::start(NonZeroUsize::MIN, move |_| {
            Ok::<_, std::convert::Infallible>(Services {
                grpc: grpc.clone(),
                ..Services::default()
            })
        });
        let workers = workers.expect("a worker");
        let listener = Listener::bind(([127, 0, 0, 1], 0).into(), None).expect("a port");
        let address: SocketAddr = listener.local_addr().expect("an address");
        let accepting =
            tokio::spawn(async move { accept(listener, &workers, Protocol::Grpc, &Drain::default()).await });
        let stream = TcpStream::connect(address).await.expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .expect("HTTP/2");
        tokio::spawn(connection);
        Self { sender, accepting }
    }

    async fn ask(&self, pieces: &[Vec<u8>]) -> Said {
        let frames: Vec<_> = pieces
            .iter()
            .map(|piece| Ok(Frame::data(Bytes::from(piece.clone()))))
            .collect();
        let body = StreamBody::new(futures_util::stream::iter(frames));
        let request = http::Request::post("http://broker/idbridge.v1.IdentityService/Authenticate")
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(body)
            .expect("a request");
        let response = self.sender.clone().send_request(request).await.expect("an answer");
        let (head, body) = response.into_parts();
        let body = body.collect().await.expect("a whole answer");
        let status = Status::from_header_map(&head.headers)
            .or_else(|| Status::from_header_map(body.trailers()?))
            .expect("a status");
        let bytes = body.to_bytes();
        let read = bytes
            .get(PREFIX..)
            .map(|answer| AuthenticateResponse::decode(answer).expect("an echo"));
        (status.code(), read.map(|echo| echo.source))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

struct Both {
    ours: Server,
    tonics: Server,
}

impl Both {
    async fn start() -> Self {
        let ours = Router::new().fallback(|request: Request| async move {
            write(
                read::<AuthenticateRequest>(request.into_body())
                    .await
                    .map(|question| echo(&question)),
            )
        });
        let tonics = IdentityServiceServer::new(Peer).max_decoding_message_size(MAX_REQUEST_BYTES);
        Self {
            ours: Server::start(ours).await,
            tonics: Server::start(tonic::service::Routes::new(tonics).into_axum_router()).await,
        }
    }

    async fn ask(&self, pieces: &[Vec<u8>]) -> (Said, Said) {
        tokio::join!(self.ours.ask(pieces), self.tonics.ask(pieces))
    }
}

fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("short");
    [&[PLAIN][..], &length.to_be_bytes(), message].concat()
}

#[tokio::test]
async fn the_same_is_read_however_it_is_cut_up() {
    let both = Both::start().await;
    for cut in 0..=QUESTION.len() {
        let (one, two) = QUESTION.split_at(cut);
        let (ours, tonics) = both.ask(&[one.to_vec(), two.to_vec()]).await;
        assert_eq!(ours.0, Code::Ok, "{cut}");
        assert_eq!(ours, tonics, "{cut}");
    }
}

#[tokio::test]
async fn the_same_is_refused() {
    let both = Both::start().await;
    let long = "a".repeat(MAX_REQUEST_BYTES);
    for (case, body, code) in [
        ("nothing", Vec::new(), Code::Internal),
        ("an empty message", framed(b""), Code::Ok),
        ("half a prefix", b"\0\0".to_vec(), Code::Internal),
        ("an unknown flag", b"\x07\0\0\0\0".to_vec(), Code::Internal),
        ("a flag without an encoding", b"\x01\0\0\0\0".to_vec(), Code::Internal),
        ("less than it says", QUESTION[..12].to_vec(), Code::Internal),
        // What is left is a message of its own.
        ("a field less than it says", QUESTION[..10].to_vec(), Code::Internal),
        ("unknown fields", framed(b"\x0a\x01a\xfa\x06\x03xyz\x78\x05"), Code::Ok),
        ("a field twice", framed(b"\x0a\x01a\x0a\x01b\x12\x01c"), Code::Ok),
        ("a wrong wire type", framed(b"\x08\x01"), Code::Internal),
        ("no UTF-8", framed(b"\x0a\x02\xff\xfe"), Code::Internal),
        ("a field that is cut", framed(b"\x0a\x7fa"), Code::Internal),
        ("too long", framed(long.as_bytes()), Code::Internal),
        ("longer", framed(&[long.as_bytes(), b"a"].concat()), Code::OutOfRange),
    ] {
        let (ours, tonics) = both.ask(&[body]).await;
        assert_eq!(ours.0, code, "{case}");
        assert_eq!(ours, tonics, "{case}");
    }
}

/// Where the two differ, and why: what isn't one whole message asks nothing here.
#[tokio::test]
async fn the_differences_are_these() {
    let both = Both::start().await;
    for (case, body, ours, tonics) in [
        ("two messages", QUESTION.repeat(2), Code::Internal, Code::Ok),
        // Here the body's length is compared, not what is said of it: either way the request is INVALID_REQUEST.
        (
            "4 GiB, it says",
            b"\0\xff\xff\xff\xff\x0a".to_vec(),
            Code::Internal,
            Code::OutOfRange,
        ),
    ] {
        let said = both.ask(&[body]).await;
        assert_eq!((said.0.0, said.1.0), (ours, tonics), "{case}");
    }
}

/// One whole message is read as tonic reads it, whatever its bytes and its pieces are.
#[test]
fn any_one_message_is_read_as_tonic_reads_it() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let both = runtime.block_on(Both::start());
    // Often near to a message: fields one to four of any wire type, with lengths that are often right.
    let field = (1_u8..5, 0_u8..6, prop::collection::vec(any::<u8>(), 0..6), -1_i8..=1);
    let fields = prop::collection::vec(field, 0..5).prop_map(|fields| {
        let parts = fields.into_iter().map(|(number, wire, bytes, off)| {
            let length = u8::try_from(bytes.len()).expect("short").saturating_add_signed(off);
            [vec![number << 3 | wire, length], bytes].concat()
        });
        parts.collect::<Vec<_>>().concat()
    });
    let ascii = "[a-z]{0,8}".prop_flat_map(|login| {
        ("[ -~]{0,8}", any::<Option<u8>>()).prop_map(move |(password, source)| {
            let (login, source) = (login.clone(), source.map(|name| name.to_string()));
            AuthenticateRequest {
                login,
                password,
                source,
            }
            .encode_to_vec()
        })
    });
    let message = prop_oneof![fields, ascii, prop::collection::vec(any::<u8>(), 0..24)];
    let mut runner = TestRunner::new_with_rng(
        ProptestConfig {
            cases: 400,
            failure_persistence: None,
            ..ProptestConfig::default()
        },
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let ended = runner.run(&(message, any::<prop::sample::Index>()), |(message, cut)| {
        let framed = framed(&message);
        let (one, two) = framed.split_at(cut.index(framed.len()));
        let (ours, tonics) = runtime.block_on(both.ask(&[one.to_vec(), two.to_vec()]));
        prop_assert_eq!(ours, tonics);
        Ok(())
    });
    ended.expect("the same");
}
