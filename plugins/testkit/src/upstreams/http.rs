//! A server on loopback that answers as it is told, breaks as it is told, and keeps what it was sent. HTTP is spoken by
//! hand, so that an answer can be anything.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What was sent.
#[derive(Clone)]
pub struct Request {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// Head and body, or what an upstream never says.
#[derive(Clone, Debug)]
pub enum Reply {
    /// The connection ends within the answer.
    Cut,
    /// A body without an end.
    Endless,
    /// The answer comes when the double is told otherwise.
    Hang,
    Http {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: String,
    },
}

type Handler = Arc<dyn Fn(&Request) -> Reply + Send + Sync>;

/// The server. Dropping it closes its listener and all connections.
pub struct Double {
    port: u16,
    state: Arc<State>,
    serving: JoinHandle<()>,
}

struct State {
    handler: watch::Sender<Handler>,
    received: watch::Sender<Vec<Request>>,
    /// Targets of requests whose answer went to a client that still listened.
    answered: watch::Sender<Vec<String>>,
    normal: Mutex<Handler>,
}

impl Reply {
    /// This status, and this JSON.
    pub fn json(status: u16, body: impl ToString) -> Self {
        Self::typed(status, "application/json", body)
    }

    /// This status, and a body of this type.
    pub fn typed(status: u16, content_type: &str, body: impl ToString) -> Self {
        Self::Http {
            status,
            headers: vec![("Content-Type", content_type.to_owned())],
            body: body.to_string(),
        }
    }

    /// This status, without a body.
    pub fn empty(status: u16) -> Self {
        Self::Http {
            status,
            headers: Vec::new(),
            body: String::new(),
        }
    }

    /// The same, with this header.
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Self::Http { headers, .. } = &mut self {
            headers.push((name, value.to_owned()));
        }
        self
    }
}

impl Request {
    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON; null if it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The target up to its query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The value of an item of the query, decoded.
    pub fn query(&self, name: &str) -> Option<String> {
        let url = url::Url::parse(&format!("http://double{}", self.target)).expect("a target");
        // `+` is a plus here, and not a space: the client writes %20.
        let query = url.query()?.replace('+', "%2B");
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.into_owned())
    }

    /// A segment of the path, decoded.
    pub fn segment(&self, number: usize) -> Option<String> {
        let segment = self.path().split('/').nth(number + 1)?;
        let decoded = percent_encoding::percent_decode_str(segment).decode_utf8();
        decoded.ok().map(|text| text.into_owned())
    }
}

impl Double {
    /// On a free port, answering each request as the handler does.
    pub async fn start(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let normal: Handler = Arc::new(handler);
        let state = Arc::new(State {
            handler: watch::channel(Arc::clone(&normal)).0,
            received: watch::channel(Vec::new()).0,
            answered: watch::channel(Vec::new()).0,
            normal: Mutex::new(normal),
        });
        let serving = tokio::spawn(accept(listener, Arc::clone(&state)));
        Self { port, state, serving }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// From now on it answers everything so.
    pub fn answer(&self, reply: Reply) {
        self.state.handler.send_replace(Arc::new(move |_| reply.clone()));
    }

    /// From now on it answers as at first.
    pub fn heal(&self) {
        let normal = Arc::clone(&lock(&self.state.normal));
        self.state.handler.send_replace(normal);
    }

    /// What was sent to it so far.
    pub fn received(&self) -> Vec<Request> {
        self.state.received.borrow().clone()
    }

    /// Waits until so many requests to this path have come.
    pub async fn arrived(&self, path: &str, count: usize) {
        let mut received = self.state.received.subscribe();
        let enough = |all: &Vec<Request>| all.iter().filter(|request| request.path() == path).count() >= count;
        received.wait_for(enough).await.expect("the double lives");
    }

    /// Waits until so many requests to this path were answered.
    pub async fn answered(&self, path: &str, count: usize) {
        let mut answered = self.state.answered.subscribe();
        let enough = |all: &Vec<String>| all.iter().filter(|known| *known == path).count() >= count;
        answered.wait_for(enough).await.expect("the double lives");
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(serve(stream, Arc::clone(&state)));
    }
}

async fn serve(mut stream: TcpStream, state: Arc<State>) -> Option<()> {
    let mut buffer = Vec::new();
    loop {
        let request = read(&mut stream, &mut buffer).await?;
        state.received.send_modify(|all| all.push(request.clone()));
        let mut handler = state.handler.subscribe();
        let reply = loop {
            let reply = handler.borrow_and_update()(&request);
            if !matches!(reply, Reply::Hang) {
                break reply;
            }
            let mut byte = [0];
            tokio::select! {
                changed = handler.changed() => changed.ok()?,
                // The client has gone, or speaks out of turn.
                _ = stream.peek(&mut byte) => return None,
            }
        };
        match reply {
            Reply::Http { status, headers, body } => {
                let headers: String = headers
                    .iter()
                    .map(|(name, value)| format!("{name}: {value}\r\n"))
                    .collect();
                let length = body.len();
                let whole = format!("HTTP/1.1 {status} Said\r\n{headers}Content-Length: {length}\r\n\r\n{body}");
                stream.write_all(whole.as_bytes()).await.ok()?;
            }
            Reply::Cut => {
                let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"";
                return stream.write_all(head.as_bytes()).await.ok();
            }
            Reply::Endless => {
                let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1073741824\r\n\r\n[";
                stream.write_all(head.as_bytes()).await.ok()?;
                // Until the client has had enough.
                for _ in 0..16 * 1024 {
                    stream.write_all(&[b' '; 64 * 1024]).await.ok()?;
                }
                return None;
            }
            Reply::Hang => return None,
        }
        let path = request.path().to_owned();
        state.answered.send_modify(|all| all.push(path));
    }
}

async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Request> {
    let end = loop {
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(buffer[..end].to_vec()).expect("a head in ASCII");
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let mut request = Request {
        method,
        target,
        headers,
        body: Vec::new(),
    };
    let length: usize = request
        .header("content-length")
        .map_or(0, |text| text.parse().expect("a length"));
    while buffer.len() < end + 4 + length {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    request.body = buffer[end + 4..end + 4 + length].to_vec();
    buffer.drain(..end + 4 + length);
    Some(request)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no panic")
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Request { .. }")
    }
}

impl fmt::Debug for Double {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Double")
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}
