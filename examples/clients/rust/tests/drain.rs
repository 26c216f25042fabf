//! A broker that stops, frame by frame (RFC 9113): what the client asks again, and what it doesn't.

#![expect(clippy::expect_used, reason = "a test that can't go on fails, and says why")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use idbridge_example_client::{Answer, Client, Unknown};
use tokio::io::{self, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tonic::Code;
use tonic::transport::Endpoint;

/// What becomes of a call that has come in whole.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// The connection breaks.
    Cut,
    /// GOAWAY: this call is begun. Then the connection breaks.
    CutAfterGoAway,
    /// GOAWAY: this call isn't taken.
    GoAway,
    /// RST_STREAM: refused, so not begun.
    Refuse,
    /// RST_STREAM, and who knows why.
    Reset,
    /// A status without details.
    Unavailable,
}

const FRAME: usize = 9;
const DATA: u8 = 0x0;
const HEADERS: u8 = 0x1;
const RST_STREAM: u8 = 0x3;
const SETTINGS: u8 = 0x4;
const GOAWAY: u8 = 0x7;
const END_STREAM: u8 = 0x1;
const PERMISSION_DENIED: &str = "7";

/// A broker whose first call meets this fate. Later ones get `PERMISSION_DENIED`, which ends any asking. Counts calls.
async fn broker(fate: Fate) -> (Client, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let calls = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&calls);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let seen = Arc::clone(&seen);
            tokio::spawn(async move { connection(stream, fate, &seen).await });
        }
    });
    let endpoint = Endpoint::new(format!("http://{address}")).expect("an endpoint");
    let client = Client::new(endpoint.connect_lazy(), "a key", Duration::from_secs(20)).expect("a key");
    (client, calls)
}

async fn connection(mut stream: TcpStream, fate: Fate, calls: &AtomicUsize) -> io::Result<()> {
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).await?;
    stream.read_exact(&mut [0; 24]).await?; // the preface
    loop {
        let mut head = [0; FRAME];
        stream.read_exact(&mut head).await?;
        let [high, middle, low, kind, flags, id @ ..] = head;
        let length = u32::from_be_bytes([0, high, middle, low]);
        let mut payload = vec![0; length as usize];
        stream.read_exact(&mut payload).await?;
        if kind != DATA || flags & END_STREAM == 0 {
            continue;
        }
        let id = u32::from_be_bytes(id);
        if calls.fetch_add(1, Ordering::SeqCst) > 0 {
            stream.write_all(&status(id, PERMISSION_DENIED)).await?;
            continue;
        }
        match fate {
            Fate::Cut => return Ok(()),
            Fate::CutAfterGoAway => return stream.write_all(&go_away(id)).await,
            Fate::GoAway => stream.write_all(&go_away(0)).await?,
            Fate::Refuse => {
                stream
                    .write_all(&frame(RST_STREAM, 0, id, &7_u32.to_be_bytes()))
                    .await?
            }
            Fate::Reset => {
                stream
                    .write_all(&frame(RST_STREAM, 0, id, &2_u32.to_be_bytes()))
                    .await?
            }
            Fate::Unavailable => stream.write_all(&status(id, "14")).await?,
        }
    }
}

/// No error, and streams up to this one are taken.
fn go_away(last: u32) -> Vec<u8> {
    frame(GOAWAY, 0, 0, &[last.to_be_bytes(), [0; 4]].concat())
}

/// A whole answer that is a status alone: `:status` 200 by its index, the rest as literals (RFC 7541 §6.2.2).
fn status(id: u32, code: &str) -> Vec<u8> {
    let mut block = vec![0x88];
    for (name, value) in [("content-type", "application/grpc"), ("grpc-status", code)] {
        block.push(0);
        for text in [name, value] {
            block.push(u8::try_from(text.len()).expect("short"));
            block.extend(text.bytes());
        }
    }
    frame(HEADERS, 0x4 | END_STREAM, id, &block)
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
    let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
    [&head, payload].concat()
}

/// How often a call was asked, and the code that it ended with.
async fn asked(fate: Fate, log_in: bool) -> (usize, Code) {
    let (client, calls) = broker(fate).await;
    let answer = match log_in {
        true => client.log_in("test.1", "ada@example.com", "secret").await,
        false => client.look_up("test.1", "ada@example.com").await,
    };
    let Answer::Unknown(Unknown { code, .. }) = answer else {
        panic!("{fate:?}: nobody found out, and yet {answer:?}");
    };
    (calls.load(Ordering::SeqCst), code)
}

const AGAIN: (usize, Code) = (2, Code::PermissionDenied);

#[tokio::test]
async fn what_was_never_begun_is_asked_again() {
    for fate in [Fate::GoAway, Fate::Refuse] {
        assert_eq!(asked(fate, true).await, AGAIN, "{fate:?}");
        assert_eq!(asked(fate, false).await, AGAIN, "{fate:?}");
    }
}

#[tokio::test]
async fn what_may_have_been_begun_is_asked_again_only_of_look_ups() {
    for fate in [Fate::Cut, Fate::CutAfterGoAway, Fate::Reset] {
        assert_eq!(asked(fate, true).await.0, 1, "{fate:?}");
        assert_eq!(asked(fate, false).await, AGAIN, "{fate:?}");
    }
}

#[tokio::test]
async fn a_fault_that_is_no_stop_is_told_at_once() {
    for log_in in [true, false] {
        assert_eq!(asked(Fate::Unavailable, log_in).await, (1, Code::Unavailable));
    }
}

#[tokio::test]
async fn nobody_there_is_waited_for_until_the_deadline() {
    // Held, so that nobody else gets the port, and not listening.
    let held = TcpSocket::new_v4().expect("a socket");
    held.bind(([127, 0, 0, 1], 0).into()).expect("a free port");
    let address = held.local_addr().expect("an address");
    let endpoint = Endpoint::new(format!("http://{address}")).expect("an endpoint");
    let client = Client::new(endpoint.connect_lazy(), "a key", Duration::from_millis(300)).expect("a key");
    let answer = client.log_in("test.1", "ada@example.com", "secret").await;
    assert!(
        matches!(
            answer,
            Answer::Unknown(Unknown {
                code: Code::Unavailable,
                ..
            })
        ),
        "{answer:?}"
    );
}
