//! An HTTP/2 peer that does only what it is told, frame by frame (RFC 9113).

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

/// Of paused time: longer than whatever is waited for.
const PATIENCE: Duration = Duration::from_secs(3_600);

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;

const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// `SETTINGS_INITIAL_WINDOW_SIZE` = 0.
pub(super) const NO_WINDOW: &[u8] = &[0, 4, 0, 0, 0, 0];

/// `ENHANCE_YOUR_CALM`.
pub(super) const CALM: u32 = 0xb;

pub(super) struct Peer {
    pub(super) io: DuplexStream,
    /// Whether it answers a PING, as a living peer does.
    pub(super) alive: bool,
}

#[derive(Debug)]
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) stream: u32,
    pub(super) payload: Vec<u8>,
}

impl Frame {
    pub(super) fn goaway_code(&self) -> u32 {
        u32::from_be_bytes(self.payload[4..8].try_into().unwrap())
    }
}

impl Peer {
    pub(super) async fn connect(mut io: DuplexStream, settings: &[u8]) -> Self {
        io.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
        io.write_all(&frame(SETTINGS, 0, 0, settings)).await.unwrap();
        Self { io, alive: true }
    }

    pub(super) async fn send(&mut self, frames: &[u8]) {
        self.io.write_all(frames).await.unwrap();
    }

    /// The next frame that isn't housekeeping; `None` once the connection is closed.
    pub(super) async fn next(&mut self) -> Option<Frame> {
        loop {
            let mut head = [0; 9];
            self.io.read_exact(&mut head).await.ok()?;
            let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
            self.io.read_exact(&mut payload).await.ok()?;
            let (kind, flags) = (head[3], head[4]);
            let stream = u32::from_be_bytes(head[5..].try_into().unwrap());
            match kind {
                PING if flags & ACK == 0 && self.alive => {
                    let _ = self.io.write_all(&frame(PING, ACK, 0, &payload)).await;
                }
                PING | SETTINGS => {}
                _ if kind <= GOAWAY => return Some(Frame { kind, stream, payload }),
                _ => {}
            }
        }
    }

    /// Skips frames until one of this kind comes.
    pub(super) async fn until(&mut self, kind: u8) -> Frame {
        let skipping = async {
            loop {
                let frame = self.next().await.expect("the connection must stay open until then");
                if frame.kind == kind {
                    return frame;
                }
            }
        };
        tokio::time::timeout(PATIENCE, skipping)
            .await
            .expect("the frame must come")
    }

    /// Reads to the end; how long that took.
    pub(super) async fn closed(&mut self) -> Duration {
        let started = tokio::time::Instant::now();
        let closed = async { while self.next().await.is_some() {} };
        tokio::time::timeout(PATIENCE, closed)
            .await
            .expect("the connection must be closed");
        started.elapsed()
    }
}

/// A complete `GET /path`, the path up to 126 bytes.
pub(super) fn get(stream: u32, path: &str) -> Vec<u8> {
    // Indexed `:method GET` and `:scheme http`, literal `:path` and `:authority` (RFC 7541, appendix A).
    let mut block = vec![0x82, 0x86, 0x04, u8::try_from(path.len()).unwrap()];
    block.extend(path.as_bytes());
    block.extend([0x01, 1, b'x']);
    frame(HEADERS, END_STREAM | END_HEADERS, stream, &block)
}

pub(super) fn reset(stream: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes())
}

pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = u32::try_from(payload.len()).unwrap().to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}
