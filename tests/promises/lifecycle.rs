//! Start and stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use idbridge_okta_simulator::{Endpoint, Fault, PASSWORD};
use rustix::process::Signal;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use toml::Table;

use super::chain::{Chain, org, write};
use super::clients::{AUTHENTICATE, Grpc, exchange, head, request_id, with_id};
use super::process::{Process, bounded};
use super::secrecy::Secrets;
use super::settings;

const ADA: &str = "ada@example.com";
const STOPPING: &str = "Stopping: calls in flight are finished, new ones are refused.";

/// A full pipe must cost records, not log-ins: what reads the log may be slow, or gone for good.
#[tokio::test]
async fn a_log_that_nobody_reads_stops_nobody() {
    let chain = Chain::start("").await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = write(&folder, "unread", &settings::broker(&chain.okta.url()));
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_idbridge"))
        .args(["serve", "--config"])
        .arg(&path)
        .env_clear()
        .env("RUST_LOG", "trace")
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the binary starts");
    let mut log = std::io::BufReader::new(child.stdout.take().expect("stdout is piped"));
    let mut addresses = None;
    while addresses.is_none() {
        let mut line = String::new();
        assert_ne!(
            std::io::BufRead::read_line(&mut log, &mut line).expect("a line"),
            0,
            "it ended"
        );
        let record: serde_json::Value = serde_json::from_str(&line).expect("a record");
        let address = |key: &str| record[key].as_str().map(|text| text.parse().expect("an address"));
        addresses = address("grpc").zip(address("admin"));
    }
    let (grpc, admin) = addresses.expect("it listens");
    let grpc = Grpc::connect(grpc, &Arc::new(Secrets::of(&org()))).await;
    assert_eq!(lost_records(admin).await, 0);
    // At TRACE a call writes some kilobytes; a pipe takes 64 KiB.
    for _ in 0..300 {
        let said = grpc.get_user_by_email(&with_id(&request_id()), ADA).await;
        assert_eq!(said.outcome(), "yes");
    }
    // 16,384 records wait in the process, and each attempt is one, whatever comes of it.
    let mut calls = 0;
    while lost_records(admin).await == 0 {
        assert!(calls < 30_000, "nothing is lost of {calls} attempts' records");
        calls += 50; // a caller has at most 100 in flight
        let attempts = (0..50).map(async |_| grpc.get_user_by_email(&with_id(&request_id()), "").await);
        for said in join_all(attempts).await {
            assert_eq!(said.reason(), "INVALID_IDENTIFIER");
        }
    }
    let said = grpc.get_user_by_email(&with_id(&request_id()), ADA).await;
    assert_eq!(said.outcome(), "yes");
    drop(grpc);
    let id = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(id, Signal::TERM).expect("the process lives");
    let ended = bounded("the end", async {
        loop {
            if let Some(status) = child.try_wait().expect("a child of ours") {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert_eq!(ended.await.code(), Some(0));
    drop(log);
    chain.stop().await;
}

/// What the process itself says was lost.
async fn lost_records(admin: SocketAddr) -> u64 {
    let stream = TcpStream::connect(admin).await.expect("a connection");
    let answer = exchange(stream, &head("GET", "/metrics", &Vec::new(), 0), b"").await;
    let text = String::from_utf8(answer.body).expect("text");
    let mut lines = text.lines();
    let count = lines.find_map(|line| line.strip_prefix("idbridge_log_records_lost_total "));
    count.expect("it is counted").parse().expect("a number")
}

#[tokio::test]
async fn sigterm_finishes_calls_in_flight_and_refuses_new_ones() {
    let chain = Chain::start("").await;
    let (grpc, idle, control) = (chain.grpc().await, chain.grpc().await, chain.okta.control());
    let hold = control.hold(Endpoint::Authn);
    let before = control.received().count(Endpoint::Authn);
    let headers = with_id(&request_id());
    let (rest, lone) = (chain.rest(), chain.lone_gateway());
    let in_flight = async {
        tokio::join!(
            grpc.authenticate(&headers, ADA, PASSWORD),
            rest.login(&headers, ADA, PASSWORD),
            lone.login(&headers, ADA, PASSWORD),
        )
    };
    let stop = async {
        bounded("three log-ins", control.arrived(Endpoint::Authn, before + 3)).await;
        chain.broker.signal(Signal::TERM);
        chain.broker.recorded(STOPPING, 1, |_| true).await;
        for address in [chain.at.grpc, chain.at.rest] {
            refused(address.expect("both listen")).await;
        }
        idle.closed().await;
        assert_eq!(chain.get("/readyz").await.status, 503, "admin answers to the end");
        assert_eq!(chain.get("/healthz").await.status, 200);
        hold.release();
    };
    let ((by_grpc, by_rest, by_lone), ()) = bounded("all answers", async { tokio::join!(in_flight, stop) }).await;
    assert_eq!(by_grpc.outcome(), "yes");
    for answer in [by_rest, by_lone] {
        assert_eq!(answer.json()["outcome"], "authenticated");
    }
    let Chain {
        okta, broker, gateway, ..
    } = chain;
    drop(grpc);
    let (status, lines) = broker.exit().await;
    assert_eq!(status.code(), Some(0));
    assert!(lines.iter().any(|line| line.contains("Stopped.")), "{lines:?}");

    // The gateway lives on, and says what it could not find out.
    let answer = lone.login(&with_id(&request_id()), ADA, PASSWORD).await;
    assert_eq!((answer.status, &*answer.code()), (503, "source_unavailable"));
    assert_eq!(answer.header("retry-after"), Some("1"));
    gateway.stop().await;
    okta.shutdown().await;
}

#[tokio::test]
async fn a_gateway_alone_finishes_its_calls_too() {
    let chain = Chain::start("").await;
    let control = chain.okta.control();
    let hold = control.hold(Endpoint::Search);
    let before = control.received().count(Endpoint::Search);
    let headers = with_id(&request_id());
    let rest = chain.lone_gateway();
    let stop = async {
        bounded("the look-up", control.arrived(Endpoint::Search, before + 1)).await;
        chain.gateway.signal(Signal::TERM);
        chain.gateway.recorded(STOPPING, 1, |_| true).await;
        refused(rest.address).await;
        hold.release();
    };
    let (answer, ()) = tokio::join!(rest.get_user(&headers, ADA), stop);
    assert_eq!(answer.json()["outcome"], "found");
    let Chain {
        okta, broker, gateway, ..
    } = chain;
    assert_eq!(gateway.exit().await.0.code(), Some(0));
    broker.stop().await;
    okta.shutdown().await;
}

/// Half a minute is what calls in flight have; then they are told, rather than cut.
#[tokio::test]
async fn what_takes_too_long_is_told_that_the_broker_stops() {
    let chain = Chain::start("grpc = { max_deadline = \"120s\" }").await;
    let grpc = chain.grpc().await;
    let headers = with_id(&request_id());
    let stop = async {
        // An answer on the same connection: the call before it has come in.
        let said = grpc.authenticate(&with_id(&request_id()), ADA, PASSWORD).await;
        assert_eq!(said.outcome(), "yes");
        chain.broker.signal(Signal::TERM);
    };
    let (said, ()) = tokio::join!(grpc.never_ask(AUTHENTICATE, &headers), stop);
    assert_eq!((said.code, said.reason()), (tonic::Code::Unavailable, "SHUTTING_DOWN"));
    assert_eq!(said.retry, Some(Duration::from_secs(1)));
    drop(grpc);
    let Chain {
        okta, broker, gateway, ..
    } = chain;
    assert!(broker.exit().await.0.code().is_some(), "it ends by itself");
    gateway.stop().await;
    okta.shutdown().await;
}

/// Until nobody listens there any more.
async fn refused(address: std::net::SocketAddr) {
    bounded("a refused connection", async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let chain = Chain::start("").await;
    let (grpc, control) = (chain.grpc().await, chain.okta.control());
    control.fault(Endpoint::Authn, Fault::Hang);
    let before = control.received().count(Endpoint::Authn);
    let headers = with_id(&request_id());
    let cut = tokio::spawn(async move { grpc.try_authenticate(&headers, ADA, PASSWORD).await });
    bounded("the log-in", control.arrived(Endpoint::Authn, before + 1)).await;
    let began = Instant::now();
    let Chain {
        okta, broker, gateway, ..
    } = chain;
    broker.signal(Signal::TERM);
    broker.recorded(STOPPING, 1, |_| true).await;
    broker.signal(Signal::TERM);
    let (status, lines) = broker.exit().await;
    assert!(status.code().is_some(), "it ends by itself: {status:?}");
    assert!(lines.iter().any(|line| line.contains("Stopping at once.")));
    let took = began.elapsed();
    assert!(took < Duration::from_secs(15), "{took:?}, and the drain has 30 s");
    let cut = cut.await.expect("no panic");
    assert!(
        cut.is_none_or(|said| said.code == tonic::Code::Unavailable),
        "the call was cut, or told so"
    );
    gateway.stop().await;
    okta.shutdown().await;
}

/// Starts a broker that can't start: it ends with 2, and names what to fix.
async fn refuses(over: &str, without: &[&str], names: &[&str]) {
    let mut table = settings::broker("http://127.0.0.1:9");
    settings::merge(&mut table, &settings::parse(over));
    without.iter().for_each(|path| settings::remove(&mut table, path));
    refuses_to(&["serve"], &table, names).await;
}

async fn refuses_to(arguments: &[&str], table: &Table, names: &[&str]) {
    let folder = tempfile::tempdir().expect("a folder");
    let secrets = Arc::new(Secrets::of(&org()));
    secrets.keep("not-a-secret-file-content");
    let path = write(&folder, "broken", table);
    let (status, lines) = Process::start(arguments, &path, &secrets).exit().await;
    let text = lines.join("\n");
    assert_eq!(status.code(), Some(2), "{text}");
    for name in names {
        assert!(text.contains(name), "{name} isn't in: {text}");
    }
    assert!(!text.contains("\"listening\"") && !text.contains("panicked"), "{text}");
}

#[tokio::test]
async fn what_is_not_safe_does_not_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).expect("written");
        path.to_str().expect("text").to_owned()
    };
    let (one, other) = (certificate(), certificate());
    let cert = file("cert.pem", &one.cert.pem());
    let key = file("key.pem", &one.signing_key.serialize_pem());
    let other_key = file("other.pem", &other.signing_key.serialize_pem());
    let garbage = file("garbage.pem", "not-a-secret-file-content");
    let missing = folder.path().join("missing").to_str().expect("text").to_owned();
    let tls =
        |section: &str, cert: &str, key: &str| format!("[{section}.tls]\ncert_file = \"{cert}\"\nkey_file = \"{key}\"");

    for section in ["grpc", "rest"] {
        let names = |key: &'static str| [format!("{section}.tls.{key}")];
        for (cert, key, named) in [
            (&garbage, &key, "cert_file"),
            (&cert, &garbage, "key_file"),
            (&cert, &other_key, "key_file"),
            (&missing, &key, "cert_file"),
            (&cert, &missing, "key_file"),
        ] {
            let names = names(named);
            refuses(&tls(section, cert, key), &[], &names.each_ref().map(String::as_str)).await;
        }
        let listen = format!("[{section}]\nlisten = \"0.0.0.0:0\"");
        refuses(&listen, &[], &[&format!("{section}.listen"), "tls.cert_file"]).await;
        let port = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = port.local_addr().expect("an address").to_string();
        refuses(&format!("[{section}]\nlisten = \"{address}\""), &[], &[&address]).await;
    }
    let secret = format!("[sources.okta.settings]\napi_token_file = \"{missing}\"");
    refuses(
        &secret,
        &["sources.okta.settings.api_token"],
        &["sources.okta.settings.api_token_file"],
    )
    .await;
    refuses(
        "sources = { okta = { kind = \"oktaa\" } }",
        &[],
        &["sources.okta.kind", "okta"],
    )
    .await;
    refuses("", &["callers.tester"], &["callers"]).await;
    refuses("", &["sources.okta"], &["sources"]).await;
    refuses("grcp = { listen = \"127.0.0.1:0\" }", &[], &["grcp", "grpc"]).await;
    // All mistakes at once.
    let three = "[rest]\ndeadlin = \"5s\"\n[sources.okta.settings]\ncanari = \"x\"\n[log]\nlevel = \"loud\"";
    refuses(
        three,
        &[],
        &["rest.deadlin", "sources.okta.settings.canari", "log.level"],
    )
    .await;

    let gateway = settings::gateway(&settings::broker("http://127.0.0.1:9"));
    refuses_to(&["gateway", "--upstream", "ftp://broker"], &gateway, &["upstream"]).await;
    refuses_to(
        &["gateway", "--upstream", "http://broker:1/path"],
        &gateway,
        &["upstream"],
    )
    .await;
}

fn certificate() -> rcgen::CertifiedKey<rcgen::KeyPair> {
    rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate")
}
