//! A server that speaks exactly the bytes it is told to.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What the server does about a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// These bytes; the connection stays open.
    Bytes(Vec<u8>),
    /// These bytes, then the end of the connection.
    BytesThenClose(Vec<u8>),
    /// The head, then a byte each time, without end.
    Drip(Vec<u8>, Duration),
    /// The head, then bytes without end.
    Flood(Vec<u8>),
    /// RST.
    Reset,
    /// Nothing.
    Silence,
}

#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Answers the first request with the first reply, and so on; the last one goes for all that follow.
    pub(crate) async fn start(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, replies.clone(), Arc::clone(&log)));
            }
        });
        Self { address, seen }
    }

    /// Whole requests that came in, head and body.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().expect("no panic").clone()
    }
}

pub(crate) fn json(body: &str) -> Reply {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    Reply::Bytes(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes())
}

async fn serve(mut stream: TcpStream, replies: Vec<Reply>, log: Arc<Mutex<Vec<String>>>) {
    while let Some(request) = read(&mut stream).await {
        let reply = {
            let mut log = log.lock().expect("no panic");
            log.push(request);
            replies[(log.len() - 1).min(replies.len() - 1)].clone()
        };
        match reply {
            Reply::Bytes(bytes) => drop(stream.write_all(&bytes).await),
            Reply::BytesThenClose(bytes) => {
                drop(stream.write_all(&bytes).await);
                return;
            }
            Reply::Drip(head, every) => {
                drop(stream.write_all(&head).await);
                while stream.write_all(b" ").await.is_ok() {
                    tokio::time::sleep(every).await;
                }
            }
            Reply::Flood(head) => {
                drop(stream.write_all(&head).await);
                while stream.write_all(&[b' '; 4096]).await.is_ok() {}
            }
            Reply::Reset => {
                stream.set_zero_linger().expect("a socket");
                return;
            }
            Reply::Silence => std::future::pending().await,
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                line.to_ascii_lowercase()
                    .strip_prefix("content-length: ")
                    .map(str::to_owned)
            });
            if body.len() >= length.map_or(0, |length| length.parse().expect("a length")) {
                return Some(text.into_owned());
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
