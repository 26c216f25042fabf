//! `idbridge-bench upstream`: a process that answers like an Okta org, cheaply, and counts what reaches it.
//!
//! Nobody is stored: who somebody is can be read from the address, see [`Person`](person::Person).
//! A wrong password is `wrong`. Tokens are not looked at. Bodies are sent chunked over HTTP/1.1, as Okta sends them, and
//! every answer carries `Date` and the three `X-Rate-Limit` headers.

mod answer;
mod counts;
mod limit;
mod person;
mod route;
mod tls;

use std::convert::Infallible;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};

use answer::{Answer, Chunk};
use counts::Counts;
use limit::{Gauge, Limiter};
use route::Route;

use crate::Error;

/// No call of a source is larger.
const MAX_BODY: usize = 64 * 1024;

/// Streams on one HTTP/2 connection: so many that a single connection carries ten thousand waiting calls.
const MAX_STREAMS: u32 = 20_000;

/// The first byte of a TLS connection (RFC 8446, section 5.1).
const TLS_HANDSHAKE: u8 = 22;

/// What the process is told.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Serve TLS with a certificate made at the start.
    #[arg(long)]
    tls: bool,
    /// Where the file with the authority's certificate is put.
    #[arg(long, default_value_os_t = std::env::temp_dir())]
    ca_folder: PathBuf,
    /// Speak no HTTP/2, and offer none in TLS.
    #[arg(long)]
    http1_only: bool,
    /// How long every answer takes, `20ms`.
    #[arg(long, default_value = "0s", value_parser = duration)]
    delay: Duration,
    /// Log-ins in a window. Without it, so many that nothing meets the limit.
    #[arg(long)]
    limit: Option<u32>,
    /// The window, whole seconds. Windows begin at multiples of it since the epoch.
    #[arg(long, default_value = "60s", value_parser = duration)]
    window: Duration,
    /// The limit holds for each of the other routes too.
    #[arg(long, requires = "limit")]
    limit_all: bool,
    /// Take every call of the API and answer none. `POST /_bench/hang` begins it later.
    #[arg(long)]
    hang: bool,
}

/// Serves until stdin is closed.
pub(crate) fn serve(args: Args) -> Result<(), Error> {
    // One thread: waking another costs more than an answer does.
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(accept_all(args))
}

async fn accept_all(args: Args) -> Result<(), Error> {
    let tls = args
        .tls
        .then(|| tls::Tls::new(!args.http1_only, &args.ca_folder))
        .transpose()?;
    let socket = TcpSocket::new_v4()?;
    socket.bind(args.listen)?;
    let listener = socket.listen(4096)?;
    let address = listener.local_addr()?;
    let ready = match &tls {
        Some(tls) => json!({"listening": address.to_string(), "ca_pem_file": tls.ca_pem_file()}),
        None => json!({"listening": address.to_string()}),
    };
    let mut stdout = io::stdout();
    writeln!(stdout, "{ready}")?;
    stdout.flush()?;
    let org = Arc::new(Org {
        url: format!("{}://{address}", if args.tls { "https" } else { "http" }),
        delay: args.delay,
        hang: AtomicBool::new(args.hang),
        state: Mutex::new(State {
            counts: Counts::default(),
            limiter: Limiter::new(args.limit, args.limit_all, args.window),
        }),
    });
    let acceptor = tls.as_ref().map(tls::Tls::acceptor);
    let mut stdin = tokio::io::stdin();
    let mut byte = [0];
    loop {
        tokio::select! {
            accepted = listener.accept() => accept(accepted, acceptor.clone(), &org, args.http1_only).await,
            read = stdin.read(&mut byte) => if matches!(read, Ok(0) | Err(_)) { return Ok(()) },
        }
    }
}

async fn accept(
    accepted: io::Result<(TcpStream, SocketAddr)>,
    acceptor: Option<tokio_rustls::TlsAcceptor>,
    org: &Arc<Org>,
    http1_only: bool,
) {
    let Ok((stream, _)) = accepted else {
        // Out of descriptors: room comes when a connection ends.
        return tokio::time::sleep(Duration::from_millis(5)).await;
    };
    // Only a delay is at stake.
    let _ = stream.set_nodelay(true);
    let org = Arc::clone(org);
    org.state().counts.connected();
    tokio::spawn(async move {
        match acceptor {
            // The bench asks for the counts in plain text, on the same port.
            Some(acceptor) if begins_with_tls(&stream).await => {
                if let Ok(stream) = acceptor.accept(stream).await {
                    connection(stream, &org, http1_only).await;
                }
            }
            _ => connection(stream, &org, http1_only).await,
        }
        org.state().counts.disconnected();
    });
}

async fn begins_with_tls(stream: &TcpStream) -> bool {
    let mut first = [0];
    stream.peek(&mut first).await.is_ok() && first == [TLS_HANDSHAKE]
}

async fn connection<T>(io: T, org: &Arc<Org>, http1_only: bool)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(|request| {
        let org = Arc::clone(org);
        async move { Ok::<_, Infallible>(org.answer(request).await) }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http2().max_concurrent_streams(MAX_STREAMS);
    let builder = if http1_only { builder.http1_only() } else { builder };
    // An error is a client that left.
    let _ = builder.serve_connection(TokioIo::new(io), service).await;
}

struct Org {
    url: String,
    delay: Duration,
    hang: AtomicBool,
    state: Mutex<State>,
}

struct State {
    counts: Counts,
    limiter: Limiter,
}

impl Org {
    async fn answer(&self, request: Request<Incoming>) -> Response<Chunk> {
        match (request.method(), request.uri().path()) {
            (&Method::GET, "/_bench/counts") => {
                let state = self.state();
                return answer::bare(&state.counts.report(&state.limiter));
            }
            (&Method::GET, "/_bench/submissions") => return answer::bare(&self.state().counts.submissions()),
            (&Method::POST, "/_bench/hang") => {
                self.hang.store(true, Ordering::Relaxed);
                return answer::bare(&json!({}));
            }
            (&Method::POST, "/_bench/reset") => {
                let mut state = self.state();
                state.counts.reset();
                state.limiter.forget();
                return answer::bare(&json!({}));
            }
            _ => {}
        }
        let (parts, body) = request.into_parts();
        let Some(route) = Route::of(&parts.method, &parts.uri) else {
            return Answer::unknown_endpoint().dressed(&Gauge::unlimited(Timestamp::now()));
        };
        let body = match Limited::new(body, MAX_BODY).collect().await {
            Ok(body) => body.to_bytes(),
            Err(_) => Bytes::new(),
        };
        let _in_flight = self.arrive(&route, &body);
        if self.hang.load(Ordering::Relaxed) {
            return std::future::pending().await;
        }
        let taken = self.state().limiter.take(&route, Timestamp::now());
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        let (answer, gauge) = match taken {
            Ok(gauge) => (answer::of(&route, &body, &self.url), gauge),
            Err(gauge) => (Answer::error(StatusCode::TOO_MANY_REQUESTS, "E0000047"), gauge),
        };
        // From here on the client can know.
        self.state().limiter.told(&route, &gauge);
        answer.dressed(&gauge)
    }

    fn arrive(&self, route: &Route, body: &[u8]) -> InFlight<'_> {
        self.state().counts.arrive(route, body);
        InFlight {
            org: self,
            is_log_in: *route == Route::Authn,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call in flight, until it is answered or the client gives it up.
struct InFlight<'a> {
    org: &'a Org,
    is_log_in: bool,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.org.state().counts.leave(self.is_log_in);
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let span: SignedDuration = text.parse().map_err(|error: jiff::Error| error.to_string())?;
    Duration::try_from(span).map_err(|_| "is negative".to_owned())
}
