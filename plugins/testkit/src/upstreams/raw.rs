//! A server that takes a request and breaks HTTP itself: a head or trailers without an end, garbage, or nothing at all.

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

/// What is wrong with the answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ill {
    /// Bytes that are no HTTP.
    Garbage,
    /// A head of a gigabyte.
    Headers,
    /// Nothing is said.
    Silence,
    /// A whole body, and after it trailers of a gigabyte.
    Trailers,
}

/// What is spoken up to there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Protocol {
    Http1,
    /// With prior knowledge, and answers of gRPC's type.
    Http2,
}

/// The server. Dropping it closes its listener and all connections.
pub struct Server {
    pub address: SocketAddr,
    state: Arc<State>,
    running: AbortHandle,
}

struct State {
    protocol: Protocol,
    ill: Ill,
    body: Vec<u8>,
    /// What each connection brought.
    heard: Mutex<Vec<Vec<u8>>>,
    sent: AtomicUsize,
}

/// How much is sent of what has no end: a gigabyte.
const ENOUGH: usize = 1 << 30;

/// Frames of RFC 9113, section 6, and their flags.
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const PREFACE: usize = 24;
const FRAME_HEAD: usize = 9;

impl Server {
    /// `body` is what a good answer would be.
    pub async fn start(protocol: Protocol, ill: Ill, body: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(State {
            protocol,
            ill,
            body,
            heard: Mutex::default(),
            sent: AtomicUsize::new(0),
        });
        let serving = Arc::clone(&state);
        let accepting = async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(Arc::clone(&serving).serve(stream));
            }
        };
        Self {
            address,
            state,
            running: tokio::spawn(accepting).abort_handle(),
        }
    }

    /// How often these bytes came, on all connections.
    pub fn heard(&self, wanted: &[u8]) -> usize {
        let heard = self.state.heard.lock().expect("no panic");
        let count = |bytes: &Vec<u8>| bytes.windows(wanted.len()).filter(|part| *part == wanted).count();
        heard.iter().map(count).sum()
    }

    /// Bytes that clients have taken.
    pub fn sent(&self) -> usize {
        self.state.sent.load(Ordering::Relaxed)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.running.abort();
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.address)
            .field("ill", &self.state.ill)
            .finish_non_exhaustive()
    }
}

impl State {
    async fn serve(self: Arc<Self>, mut stream: TcpStream) {
        let number = {
            let mut heard = self.heard.lock().expect("no panic");
            heard.push(Vec::new());
            heard.len() - 1
        };
        let mut bytes = Vec::new();
        let is_dumb = self.ill == Ill::Silence;
        if self.protocol == Protocol::Http2 && !is_dumb {
            let mut settings = frame(SETTINGS, 0, 0, &[]);
            settings.extend(frame(SETTINGS, 1, 0, &[]));
            if stream.write_all(&settings).await.is_err() {
                return;
            }
        }
        loop {
            let before = bytes.len();
            match stream.read_buf(&mut bytes).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
            self.heard.lock().expect("no panic")[number].extend_from_slice(&bytes[before..]);
            let asked = match self.protocol {
                Protocol::Http1 => asked_by_http1(&bytes).then_some(0),
                Protocol::Http2 => asked_by_http2(&bytes),
            };
            if let Some(id) = asked.filter(|_| !is_dumb) {
                // The client has had enough, or the gigabyte is sent.
                let _ended = self.answer(&mut stream, id).await;
                return;
            }
        }
    }

    async fn answer(&self, stream: &mut TcpStream, id: u32) -> Option<()> {
        let (beginning, again) = match (self.protocol, self.ill) {
            (_, Ill::Silence) => return None,
            (_, Ill::Garbage) => (Vec::new(), garbage()),
            (Protocol::Http1, Ill::Headers) => (
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n".to_vec(),
                b"x-endless: and so on\r\n".repeat(700),
            ),
            (Protocol::Http1, Ill::Trailers) => {
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
                let mut beginning = format!("{head}{:x}\r\n", self.body.len()).into_bytes();
                beginning.extend_from_slice(&self.body);
                beginning.extend_from_slice(b"\r\n0\r\n");
                (beginning, b"x-endless: and so on\r\n".repeat(700))
            }
            (Protocol::Http2, Ill::Headers) => (
                frame(HEADERS, 0, id, &good_head()),
                frame(CONTINUATION, 0, id, &field("x-endless", "and so on").repeat(700)),
            ),
            (Protocol::Http2, Ill::Trailers) => {
                let mut beginning = frame(HEADERS, END_HEADERS, id, &good_head());
                beginning.extend(frame(DATA, 0, id, &self.body));
                beginning.extend(frame(HEADERS, END_STREAM, id, &field("grpc-status", "0")));
                let again = frame(CONTINUATION, 0, id, &field("x-endless", "and so on").repeat(700));
                (beginning, again)
            }
        };
        stream.write_all(&beginning).await.ok()?;
        while self.sent.load(Ordering::Relaxed) < ENOUGH {
            stream.write_all(&again).await.ok()?;
            self.sent.fetch_add(again.len(), Ordering::Relaxed);
        }
        Some(())
    }
}

/// Whether a whole request has come.
fn asked_by_http1(bytes: &[u8]) -> bool {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return false;
    };
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.map_or(0, |text| text.trim().parse().expect("a length"));
    bytes.len() >= end + 4 + length
}

/// The stream of the first whole request.
fn asked_by_http2(bytes: &[u8]) -> Option<u32> {
    let mut rest = bytes.get(PREFACE..)?;
    loop {
        let head = rest.get(..FRAME_HEAD)?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let next = FRAME_HEAD + usize::try_from(length).expect("24 bits");
        rest.get(..next)?;
        let (kind, flags) = (head[3], head[4]);
        if matches!(kind, DATA | HEADERS) && flags & END_STREAM != 0 {
            return Some(u32::from_be_bytes([head[5] & 0x7f, head[6], head[7], head[8]]));
        }
        rest = &rest[next..];
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend_from_slice(&stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// `:status: 200`, which HPACK has a number for, and gRPC's type.
fn good_head() -> Vec<u8> {
    [&[0x88][..], &field("content-type", "application/grpc")].concat()
}

/// A literal that isn't indexed (RFC 7541, section 6.2.2), of less than 127 letters each.
fn field(name: &str, value: &str) -> Vec<u8> {
    let mut field = vec![0];
    for text in [name, value] {
        field.push(u8::try_from(text.len()).expect("short"));
        field.extend_from_slice(text.as_bytes());
    }
    field
}

/// The same bytes each time, of every value.
fn garbage() -> Vec<u8> {
    let mut state = 1_u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..16 * 1024).map(next).collect()
}
