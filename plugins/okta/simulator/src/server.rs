//! Accepts connections and serves HTTP/1.1 on them. The loop is our own, so that a fault can have the bare socket.

use std::convert::Infallible;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::errors::Answer;
use crate::faults::{self, Effect, Fault, Script};
use crate::limits::Gauge;
use crate::received::Request;
use crate::router::{self, Route};
use crate::state::{Shared, Visit};

/// No client of Okta's sends more.
const MAX_BODY: usize = 8 * 1024 * 1024;

/// Serves until the sender of `stopped` is gone; every connection ends with it.
pub(crate) async fn accept(listener: TcpListener, shared: Arc<Shared>, mut stopped: oneshot::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(stream, Arc::clone(&shared)));
                }
                // Out of descriptors: room comes when a connection ends.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
    drop(listener);
    connections.shutdown().await;
}

/// Serves one connection. A fault that needs the socket leaves its script and ends HTTP with an error.
async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let connection = shared.lock().received.connected();
    // Only a delay is at stake.
    let _ = stream.set_nodelay(true);
    let script = Arc::new(Mutex::new(None));
    let service = service_fn(|request| {
        let (shared, script) = (Arc::clone(&shared), Arc::clone(&script));
        Box::pin(async move {
            match respond(&shared, connection, request).await {
                Reply::Http(response) => Ok(response),
                Reply::Socket(play) => {
                    *script.lock().unwrap_or_else(PoisonError::into_inner) = Some(play);
                    Err(TakeSocket)
                }
            }
        })
    });
    let mut http = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // An error is a client that left or spoke no HTTP, or our own `TakeSocket`.
    let _ = poll_fn(|cx| http.poll_without_shutdown(cx)).await;
    let mut stream = http.into_parts().io.into_inner();
    let script = script.lock().unwrap_or_else(PoisonError::into_inner).take();
    // An error is a client that left, which ends most scripts.
    let _ = match script {
        Some(script) => script.play(stream).await,
        None => stream.shutdown().await,
    };
}

enum Reply {
    Http(Response<Chunks>),
    Socket(Script),
}

async fn respond(shared: &Arc<Shared>, connection: u64, request: http::Request<Incoming>) -> Reply {
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, MAX_BODY).collect().await else {
        return Reply::Socket(Script::close());
    };
    let target = parts
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str())
        .to_owned();
    let route = Route::parse(&target);
    let mut visit = shared.arrive(Request {
        number: 0,
        connection,
        endpoint: route.endpoint,
        method: parts.method,
        target,
        headers: parts.headers,
        body: body.to_bytes(),
    });
    let reply = meet(shared, &mut visit, &route).await;
    visit.answered = matches!(reply, Reply::Http(_));
    reply
}

/// Waits as long as told, then answers as the org does, or as the fault wants.
async fn meet(shared: &Shared, visit: &mut Visit, route: &Route) -> Reply {
    if visit.over_concurrency {
        let mut state = shared.lock();
        let answer = Gauge::concurrency(state.now()).exceeded(&mut state.minted);
        return http(router::dress(&mut state, answer));
    }
    let mut genuine_but = None;
    for effect in std::mem::take(&mut visit.effects) {
        match effect {
            Effect::Hold(mut gate) => {
                // An error is a hold that is gone, which lets go as well.
                let _ = gate.wait_for(|go| *go).await;
            }
            Effect::Fault(Fault::Slow(time)) => tokio::time::sleep(time).await,
            Effect::Fault(fault) => genuine_but = Some(fault),
        }
    }
    match genuine_but {
        Some(Fault::Close) => return Reply::Socket(Script::close()),
        Some(Fault::Flood) => return Reply::Socket(Script::flood()),
        Some(Fault::Garbage) => return Reply::Socket(Script::garbage()),
        Some(Fault::Hang) => return std::future::pending().await,
        Some(Fault::Reset) => return Reply::Socket(Script::reset()),
        Some(Fault::SlowDrip(every)) => return Reply::Socket(Script::drip(every)),
        _ => {}
    }
    let mut state = shared.lock();
    let now = state.now();
    if let Some(answer) = genuine_but
        .as_ref()
        .and_then(|fault| faults::answer(fault, now, &mut state.minted))
    {
        return http(router::dress(&mut state, answer));
    }
    let answer = router::answer(&mut state, &shared.url, &visit.request, route);
    let mut answer = router::dress(&mut state, answer);
    match genuine_but {
        Some(Fault::ResetMidBody) => Reply::Socket(Script::reset_mid_body(&answer)),
        Some(Fault::Truncated) => Reply::Socket(Script::truncated(&answer)),
        Some(Fault::WrongContentType) => {
            answer.headers.retain(|(name, _)| name != "content-type");
            http(answer.header("content-type", "text/html".to_owned()))
        }
        _ => http(answer),
    }
}

fn http(answer: Answer) -> Reply {
    let mut response = Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(name.as_ref(), value);
    }
    match response.body(Chunks(Some(answer.body).filter(|body| !body.is_empty()))) {
        Ok(response) => Reply::Http(response),
        Err(_) => Reply::Socket(Script::close()),
    }
}

/// A body whose length isn't told in advance: Okta sends `Transfer-Encoding: chunked`.
struct Chunks(Option<Bytes>);

impl Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }
}

#[derive(Debug)]
struct TakeSocket;

impl fmt::Display for TakeSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a fault takes the socket")
    }
}

impl std::error::Error for TakeSocket {}
