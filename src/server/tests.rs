//! Listeners, workers and drain together, over loopback.

mod descriptors;
mod grpc;
mod tls;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::connection::Protocol;
use super::drain::{Cut, Drain};
use super::listen::{Listener, accept, accept_here};
use super::workers::{Services, StartError, Workers};

/// Longer than anything here takes: what waits for it has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// A listener that accepts for workers until it is dropped.
struct Running {
    address: SocketAddr,
    drain: Drain,
    workers: Arc<Workers>,
    accepting: JoinHandle<()>,
}

fn run(listener: Listener, protocol: Protocol, workers: Workers) -> Running {
    let (address, drain, workers) = (listener.local_addr().unwrap(), Drain::default(), Arc::new(workers));
    let accepting = tokio::spawn({
        let (drain, workers) = (drain.clone(), workers.clone());
        async move { accept(listener, &workers, protocol, &drain).await }
    });
    Running {
        address,
        drain,
        workers,
        accepting,
    }
}

fn listener() -> Listener {
    Listener::bind(([127, 0, 0, 1], 0).into(), None).unwrap()
}

fn workers(count: usize, rest: impl Fn(usize) -> Router + Clone + Send + 'static) -> Workers {
    Workers::start(NonZeroUsize::new(count).unwrap(), move |number| {
        Ok::<_, std::convert::Infallible>(Services {
            rest: rest(number),
            ..Services::default()
        })
    })
    .unwrap()
}

/// Says which worker answers.
fn numbered(number: usize) -> Router {
    Router::new().route("/", get(move || async move { number.to_string() }))
}

/// Sends one HTTP/1 request and reads its short answer.
async fn ask(stream: &mut TcpStream, path: &str) -> String {
    stream
        .write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes())
        .await
        .unwrap();
    let mut answer = vec![0; 4_096];
    let length = stream.read(&mut answer).await.unwrap();
    String::from_utf8(answer[..length].to_vec()).unwrap()
}

fn body(answer: &str) -> &str {
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    answer.split_once("\r\n\r\n").unwrap().1
}

async fn in_time<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("it must not take this long")
}

#[tokio::test]
async fn connections_spread_over_the_workers_and_stay() {
    let running = run(listener(), Protocol::Rest, workers(3, numbered));
    let mut connections = Vec::new();
    for _ in 0..6 {
        let mut connection = TcpStream::connect(running.address).await.unwrap();
        let first = body(&ask(&mut connection, "/").await).to_owned();
        assert_eq!(
            body(&ask(&mut connection, "/").await),
            first,
            "a connection must stay with its worker"
        );
        connections.push((first, connection));
    }
    for number in ["0", "1", "2"] {
        assert_eq!(connections.iter().filter(|(worker, _)| worker == number).count(), 2);
    }
    assert_eq!(running.workers.open(), [2, 2, 2]);

    // The worker whose connections go is the next to be given one.
    connections.retain(|(worker, _)| worker != "1");
    in_time(async {
        while running.workers.open() != [2, 0, 2] {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let mut next = TcpStream::connect(running.address).await.unwrap();
    assert_eq!(body(&ask(&mut next, "/").await), "1");
}

#[tokio::test]
async fn a_worker_that_cannot_build_stops_the_start() {
    let built = Arc::new(());
    let kept = built.clone();
    let error = Workers::start(NonZeroUsize::new(4).unwrap(), move |number| {
        let _ = &kept;
        if number == 2 {
            Err("no source")
        } else {
            Ok(Services::default())
        }
    })
    .unwrap_err();
    assert!(matches!(error, StartError::Build("no source")), "{error:?}");
    assert_eq!(Arc::strong_count(&built), 1, "no thread may be left");
}

#[tokio::test]
async fn a_worker_that_panics_while_building_stops_the_start() {
    let error = Workers::start(NonZeroUsize::new(2).unwrap(), |number| {
        assert_ne!(number, 1, "this panic is meant");
        Ok::<_, std::convert::Infallible>(Services::default())
    })
    .unwrap_err();
    assert!(matches!(error, StartError::Panic), "{error:?}");
}

#[tokio::test]
async fn services_are_built_inside_their_worker() {
    let running = run(
        listener(),
        Protocol::Rest,
        workers(1, |_| {
            let built_on = std::thread::current().id();
            let spawned = Arc::new(tokio::spawn(std::future::ready(())));
            Router::new().route(
                "/",
                get(move || async move {
                    assert_eq!(std::thread::current().id(), built_on);
                    let _ = spawned;
                    std::thread::current().name().unwrap().to_owned()
                }),
            )
        }),
    );
    let mut connection = TcpStream::connect(running.address).await.unwrap();
    assert_eq!(body(&ask(&mut connection, "/").await), "worker-0");
}

#[tokio::test]
async fn a_panic_ends_its_connection_alone() {
    async fn panics() {
        panic!("this panic is meant")
    }
    let running = run(
        listener(),
        Protocol::Rest,
        workers(1, |number| numbered(number).route("/panic", get(panics))),
    );
    let mut healthy = TcpStream::connect(running.address).await.unwrap();
    let mut unlucky = TcpStream::connect(running.address).await.unwrap();
    assert_eq!(ask(&mut unlucky, "/panic").await, "");
    assert_eq!(body(&ask(&mut healthy, "/").await), "0");
    let mut later = TcpStream::connect(running.address).await.unwrap();
    assert_eq!(body(&ask(&mut later, "/").await), "0");
    assert_eq!(running.workers.open(), [2]);
}

#[tokio::test]
async fn past_the_cap_a_connection_is_closed_at_once() {
    let running = run(listener().with_max_connections(2), Protocol::Rest, workers(2, numbered));
    let mut first = TcpStream::connect(running.address).await.unwrap();
    let mut second = TcpStream::connect(running.address).await.unwrap();
    body(&ask(&mut first, "/").await);
    body(&ask(&mut second, "/").await);
    let mut third = TcpStream::connect(running.address).await.unwrap();
    let mut answer = Vec::new();
    // Closed or reset: either way at once.
    let _ = in_time(third.read_to_end(&mut answer)).await;
    assert_eq!(answer, b"");
    body(&ask(&mut first, "/").await);

    drop(second);
    in_time(async {
        while running.drain.open() > 2 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let mut fourth = TcpStream::connect(running.address).await.unwrap();
    body(&ask(&mut fourth, "/").await);
}

#[tokio::test]
async fn the_admin_listener_needs_no_worker() {
    let (listener, drain) = (listener(), Drain::default());
    let address = listener.local_addr().unwrap();
    let router = Router::new().route(
        "/",
        get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.to_string() }),
    );
    let accepting = tokio::spawn({
        let drain = drain.clone();
        async move { accept_here(listener, router, Protocol::Admin, &drain).await }
    });
    let mut connection = TcpStream::connect(address).await.unwrap();
    let local = connection.local_addr().unwrap().to_string();
    assert_eq!(body(&ask(&mut connection, "/").await), local);
    drop(connection);
    assert_eq!(in_time(drain.finished(PATIENCE)).await, Ok(()));
    accepting.await.unwrap();
}

#[tokio::test]
async fn the_answer_arrives_though_the_request_was_not_read() {
    // An answer before the body is read, as when it is too large.
    let router = |_| Router::new().route("/", post(|| async { "too large" }));
    let running = run(listener(), Protocol::Rest, workers(1, router));
    let mut connection = TcpStream::connect(running.address).await.unwrap();
    let length = 7 << 20;
    let head = format!("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n");
    connection.write_all(head.as_bytes()).await.unwrap();
    // A client that sends everything before it reads anything.
    in_time(connection.write_all(&vec![b'x'; length]))
        .await
        .expect("the rest of the request must be taken");
    let mut answer = String::new();
    in_time(connection.read_to_string(&mut answer)).await.expect("no reset");
    assert_eq!(body(&answer), "too large");
}

// === stopping ===

/// A service whose answer waits for `go`, and tells `begun` once it does.
fn waiting(begun: Arc<Notify>, go: Arc<Notify>) -> Workers {
    workers(2, move |_| {
        let (begun, go) = (begun.clone(), go.clone());
        Router::new().route(
            "/",
            get(move || async move {
                // Told by another task of the same thread: once that runs, this one waits.
                tokio::spawn(async move { begun.notify_one() });
                go.notified().await;
                "done"
            }),
        )
    })
}

#[tokio::test]
async fn a_drain_finishes_what_is_in_flight_and_refuses_the_next() {
    let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let running = run(listener(), Protocol::Rest, waiting(begun.clone(), go.clone()));
    let mut idle = TcpStream::connect(running.address).await.unwrap();
    let mut busy = TcpStream::connect(running.address).await.unwrap();
    let asked = tokio::spawn(async move { ask(&mut busy, "/").await });
    in_time(begun.notified()).await;

    running.drain.begin();
    running.accepting.await.unwrap();
    let refused = TcpStream::connect(running.address).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    assert_eq!(
        in_time(idle.read(&mut [0])).await.unwrap(),
        0,
        "an idle connection must close"
    );
    drop(idle);

    go.notify_one();
    let answer = asked.await.unwrap();
    assert_eq!(body(&answer), "done");
    assert!(answer.contains("connection: close"), "{answer}");
    assert_eq!(in_time(running.drain.finished(PATIENCE)).await, Ok(()));
    in_time(tokio::task::spawn_blocking(|| {
        Arc::into_inner(running.workers).unwrap().join()
    }))
    .await
    .unwrap();
}

#[tokio::test]
async fn what_outlives_the_grace_is_cut() {
    let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let running = run(listener(), Protocol::Rest, waiting(begun.clone(), go));
    let mut busy = TcpStream::connect(running.address).await.unwrap();
    busy.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    in_time(begun.notified()).await;
    let finished = in_time(running.drain.finished(Duration::from_millis(50))).await;
    assert_eq!(finished, Err(Cut { connections: 1 }));
    let mut answer = Vec::new();
    let _ = in_time(busy.read_to_end(&mut answer)).await;
    assert_eq!(answer, b"");
    assert_eq!(running.drain.open(), 0);
}

#[tokio::test]
async fn a_second_signal_cuts_at_once() {
    // The request's thread is busy while the drain counts: it can't see the cut, and close, before.
    let (begun, (free, busy)) = (Arc::new(Notify::new()), std::sync::mpsc::channel::<()>());
    let (told, busy) = (begun.clone(), Arc::new(Mutex::new(busy)));
    let router = move |_| {
        let (told, busy) = (told.clone(), busy.clone());
        let answer = move || async move {
            told.notify_one();
            let _ = busy.lock().unwrap().recv();
            std::future::pending::<()>().await;
        };
        Router::new().route("/", get(answer))
    };
    let running = run(listener(), Protocol::Rest, workers(1, router));
    let mut connection = TcpStream::connect(running.address).await.unwrap();
    connection
        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    in_time(begun.notified()).await;
    let mut finished = pin!(running.drain.finished(Duration::from_secs(3_600)));
    assert!(poll(finished.as_mut()).await.is_pending(), "a request is in flight");
    running.accepting.await.unwrap();
    running.drain.cut();
    let _counted = poll(finished.as_mut()).await;
    drop(free);
    assert_eq!(in_time(finished).await, Err(Cut { connections: 1 }));
    assert_eq!(in_time(connection.read(&mut [0])).await.unwrap_or(0), 0, "no answer");
    in_time(running.drain.closed()).await;
}

/// Takes one step, without waiting for what wakes it.
async fn poll<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await
}
