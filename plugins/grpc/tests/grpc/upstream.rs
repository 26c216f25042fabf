//! A server of `idbridge.v1.IdentityService` on bare HTTP/2, which says what it is told to and counts what reaches it.

use std::future::poll_fn;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{RecvStream, SendStream};
use http::{HeaderMap, Request, Response};
use prost::Message as _;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{Notify, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::PATIENCE;
use crate::reply::{End, Reply};
use crate::wire::{AuthenticateRequest, GetUserByEmailRequest};

/// What was asked.
#[derive(Clone)]
pub(crate) enum Question {
    Authenticate(AuthenticateRequest),
    LookUp(GetUserByEmailRequest),
}

#[derive(Clone, Default)]
pub(crate) struct Seen {
    pub(crate) connections: usize,
    pub(crate) heads: Vec<HeaderMap>,
    /// Log-ins, in their order.
    pub(crate) passwords: Vec<AuthenticateRequest>,
    /// Log-ins whose whole answer was sent to a client that still listened.
    pub(crate) answered: usize,
    /// Bytes of bodies.
    pub(crate) sent: usize,
}

pub(crate) struct Upstream {
    pub(crate) url: String,
    pub(crate) seen: watch::Sender<Seen>,
    running: AbortHandle,
}

type Answering = Pin<Box<dyn Future<Output = Reply> + Send>>;
type Handler = Arc<dyn Fn(Question) -> Answering + Send + Sync>;

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

#[derive(Clone)]
struct Server {
    handler: Handler,
    seen: watch::Sender<Seen>,
}

impl Upstream {
    pub(crate) async fn start<F>(handler: impl Fn(Question) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Reply> + Send + 'static,
    {
        Self::start_at("127.0.0.1:0", None, handler).await
    }

    /// Always the same reply.
    pub(crate) async fn saying(reply: Reply) -> Self {
        Self::start(move |_| std::future::ready(reply.clone())).await
    }

    pub(crate) async fn start_at<F>(
        address: &str,
        tls: Option<TlsAcceptor>,
        handler: impl Fn(Question) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Reply> + Send + 'static,
    {
        let listener = TcpListener::bind(address).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let url = match tls {
            Some(_) => format!("https://localhost:{port}"),
            None => format!("http://127.0.0.1:{port}"),
        };
        let server = Server::new(handler);
        let seen = server.seen.clone();
        let accepting = async move {
            let mut connections = JoinSet::new();
            while let Ok((tcp, _)) = listener.accept().await {
                tcp.set_nodelay(true).expect("a socket");
                let (server, tls) = (server.clone(), tls.clone());
                connections.spawn(async move {
                    match tls {
                        None => server.serve(tcp).await,
                        Some(tls) => match tls.accept(tcp).await {
                            Ok(stream) => server.serve(stream).await,
                            Err(_refused) => {}
                        },
                    }
                });
            }
        };
        let running = tokio::spawn(accepting).abort_handle();
        Self { url, seen, running }
    }

    pub(crate) fn start_on_socket<F>(path: &Path, handler: impl Fn(Question) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Reply> + Send + 'static,
    {
        let listener = UnixListener::bind(path).expect("a socket");
        let server = Server::new(handler);
        let seen = server.seen.clone();
        let accepting = async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let server = server.clone();
                connections.spawn(async move { server.serve(stream).await });
            }
        };
        Self {
            url: format!("unix://{}", path.display()),
            seen,
            running: tokio::spawn(accepting).abort_handle(),
        }
    }

    pub(crate) fn seen(&self) -> Seen {
        self.seen.borrow().clone()
    }

    pub(crate) async fn until(&self, fits: impl FnMut(&Seen) -> bool) {
        let mut seen = self.seen.subscribe();
        let waited = tokio::time::timeout(PATIENCE, seen.wait_for(fits)).await;
        drop(waited.expect("it happens").expect("the upstream runs"));
    }
}

impl Drop for Upstream {
    /// The listener and all connections close.
    fn drop(&mut self) {
        self.running.abort();
    }
}

impl Server {
    fn new<F>(handler: impl Fn(Question) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Reply> + Send + 'static,
    {
        Self {
            handler: Arc::new(move |question| Box::pin(handler(question))),
            seen: watch::Sender::default(),
        }
    }

    async fn serve(self, io: impl Io) {
        self.seen.send_modify(|seen| seen.connections += 1);
        let Ok(mut connection) = h2::server::handshake(io).await else {
            return;
        };
        let cut = Arc::new(Notify::new());
        let mut exchanges = JoinSet::new();
        loop {
            tokio::select! {
                accepted = connection.accept() => {
                    let Some(Ok((request, respond))) = accepted else { return };
                    exchanges.spawn(self.clone().exchange(request, respond, Arc::clone(&cut)));
                }
                () = cut.notified() => return,
            }
        }
    }

    async fn exchange(self, request: Request<RecvStream>, mut respond: SendResponse<Bytes>, cut: Arc<Notify>) {
        let (head, body) = request.into_parts();
        let Some(question) = read(head.uri.path(), body).await else {
            return;
        };
        let is_log_in = matches!(question, Question::Authenticate(_));
        self.seen.send_modify(|seen| {
            seen.heads.push(head.headers);
            if let Question::Authenticate(asked) = &question {
                seen.passwords.push(asked.clone());
            }
        });
        let reply = tokio::select! {
            reply = (self.handler)(question) => reply,
            _left = poll_fn(|context| respond.poll_reset(context)) => return,
        };
        let sent = self.send(reply, respond, &cut).await;
        if sent.is_some() && is_log_in {
            self.seen.send_modify(|seen| seen.answered += 1);
        }
    }

    /// `None` if the client has left.
    async fn send(&self, reply: Reply, mut respond: SendResponse<Bytes>, cut: &Notify) -> Option<()> {
        let mut head = Response::new(());
        *head.status_mut() = reply.status;
        *head.headers_mut() = reply.headers;
        let is_whole = reply.body.is_empty() && matches!(reply.end, End::Nothing);
        let mut stream = respond.send_response(head, is_whole).ok()?;
        if is_whole {
            return Some(());
        }
        for piece in &reply.body {
            self.piece(&mut stream, piece.clone()).await?;
        }
        match reply.end {
            End::Cut => {
                // What was sent before is on its way first.
                tokio::task::yield_now().await;
                cut.notify_one();
            }
            End::Flood => loop {
                self.piece(&mut stream, reply.body.last()?.clone()).await?;
            },
            End::Nothing => stream.send_data(Bytes::new(), true).ok()?,
            End::Reset(reason) => stream.send_reset(reason),
            End::Trailers(trailers) => stream.send_trailers(trailers).ok()?,
        }
        Some(())
    }

    /// Waits for the client's window.
    async fn piece(&self, stream: &mut SendStream<Bytes>, mut piece: Bytes) -> Option<()> {
        while !piece.is_empty() {
            stream.reserve_capacity(piece.len());
            let room = poll_fn(|context| stream.poll_capacity(context)).await?.ok()?;
            let part = piece.split_to(room.min(piece.len()));
            self.seen.send_modify(|seen| seen.sent += part.len());
            stream.send_data(part, false).ok()?;
        }
        Some(())
    }
}

/// The question, if it is one that the contract knows.
async fn read(path: &str, mut body: RecvStream) -> Option<Question> {
    let mut bytes = Vec::new();
    while let Some(piece) = body.data().await {
        let piece = piece.ok()?;
        body.flow_control().release_capacity(piece.len()).ok()?;
        bytes.extend_from_slice(&piece);
    }
    let message = bytes.get(5..)?;
    match path {
        "/idbridge.v1.IdentityService/Authenticate" => {
            AuthenticateRequest::decode(message).ok().map(Question::Authenticate)
        }
        "/idbridge.v1.IdentityService/GetUserByEmail" => {
            GetUserByEmailRequest::decode(message).ok().map(Question::LookUp)
        }
        _ => None,
    }
}
