//! A server of `idbridge.v1.IdentityService` on bare HTTP/2, which says what it is told to and counts what reaches it.
//! Messages are bytes: whoever tests has types for them.

mod reply;

use std::fmt;
use std::future::poll_fn;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{RecvStream, SendStream};
use http::{HeaderMap, Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{Notify, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

pub use reply::{End, Reply, framed, headers};

/// Longer than anything takes that is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// What was asked: an encoded `AuthenticateRequest`, or an encoded `GetUserByEmailRequest`.
#[derive(Clone)]
pub enum Question {
    Authenticate(Bytes),
    LookUp(Bytes),
}

/// What has reached the server.
#[derive(Clone, Default)]
pub struct Seen {
    pub connections: usize,
    pub heads: Vec<HeaderMap>,
    /// Log-ins, in their order: encoded `AuthenticateRequest`s.
    pub passwords: Vec<Bytes>,
    /// Log-ins whose whole answer was sent to a client that still listened.
    pub answered: usize,
    /// Bytes of bodies.
    pub sent: usize,
}

/// The server. Dropping it closes its listener and all connections.
pub struct Upstream {
    pub url: String,
    seen: watch::Sender<Seen>,
    running: JoinHandle<()>,
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
    /// On a free port, answering each question as the handler does.
    pub async fn start<F>(handler: impl Fn(Question) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Reply> + Send + 'static,
    {
        Self::start_at("127.0.0.1:0", None, handler).await
    }

    /// Always the same reply.
    pub async fn saying(reply: Reply) -> Self {
        Self::start(move |_| std::future::ready(reply.clone())).await
    }

    /// At this address, with or without TLS.
    pub async fn start_at<F>(
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
        let running = tokio::spawn(accepting);
        Self { url, seen, running }
    }

    /// At a Unix socket.
    pub fn start_on_socket<F>(path: &Path, handler: impl Fn(Question) -> F + Send + Sync + 'static) -> Self
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
            running: tokio::spawn(accepting),
        }
    }

    /// What has reached it so far.
    pub fn seen(&self) -> Seen {
        self.seen.borrow().clone()
    }

    /// Waits until what was seen fits, but not for ever.
    pub async fn until(&self, fits: impl FnMut(&Seen) -> bool) {
        let mut seen = self.seen.subscribe();
        let waited = tokio::time::timeout(PATIENCE, seen.wait_for(fits)).await;
        drop(waited.expect("it happens").expect("the upstream runs"));
    }

    /// Waits for the first question, however long that takes.
    pub async fn until_called(&self) {
        let mut seen = self.seen.subscribe();
        let called = seen.wait_for(|seen| !seen.heads.is_empty()).await;
        drop(called.expect("the upstream runs"));
    }

    /// Dies as a process does, and returns when its port is free.
    pub async fn crash(mut self) {
        self.running.abort();
        let _aborted = (&mut self.running).await;
    }
}

impl Drop for Upstream {
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
    let message = Bytes::copy_from_slice(bytes.get(5..)?);
    match path {
        "/idbridge.v1.IdentityService/Authenticate" => Some(Question::Authenticate(message)),
        "/idbridge.v1.IdentityService/GetUserByEmail" => Some(Question::LookUp(message)),
        _ => None,
    }
}

macro_rules! redacted {
    ($($type:ty),* $(,)?) => {$(
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($type), " { .. }"))
            }
        }
    )*};
}
redacted!(Question, Seen, Upstream);
