//! What one connection, and all of them together, may take. A peer that goes past a limit is closed; nobody else notices.

use std::time::Duration;

/// Connections of one listener. Past it a connection is accepted and closed at once: a client that is refused goes
/// elsewhere or tries again, one that is left in the backlog waits out its whole time limit.
pub const MAX_CONNECTIONS: usize = 10_000;

/// Connections that the kernel holds while the acceptor is busy or out of file descriptors.
pub const BACKLOG: u32 = 1_024;

/// The pause after the first failed accept. It doubles up to [`ACCEPT_PAUSE_MAX`]: without it an acceptor that is out
/// of file descriptors takes a whole core.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(5);

/// The longest pause, and so how long accepting may take to recover.
pub const ACCEPT_PAUSE_MAX: Duration = Duration::from_secs(1);

/// A message that any peer can provoke is logged this often at most.
pub const LOG_INTERVAL: Duration = Duration::from_secs(1);

/// From the connection to the end of the TLS handshake: a few round trips, on a bad line too.
pub const TLS_HANDSHAKE: Duration = Duration::from_secs(5);

/// From the connection to the end of the first request's head, where HTTP/1 is spoken.
pub const FIRST_REQUEST_HTTP1: Duration = Duration::from_secs(10);

/// The same where only HTTP/2 is spoken: channels connect ahead of their first call.
pub const FIRST_REQUEST_HTTP2: Duration = Duration::from_secs(30);

/// From the first byte to the last of the head of a later HTTP/1 request.
pub const HEADER_READ: Duration = Duration::from_secs(10);

/// Between two HTTP/1 requests: as long as the usual keep-alive of clients and proxies.
pub const IDLE_HTTP1: Duration = Duration::from_secs(60);

/// Between two HTTP/2 requests. A channel is dear to set up and cheap to keep.
pub const IDLE_HTTP2: Duration = Duration::from_secs(5 * 60);

/// How long the peer of a connection that is being closed has to close its end, counted while no request is in flight.
pub const CLOSE: Duration = Duration::from_secs(5);

/// How long the peer may leave its answer, or a part of it, untaken. Long enough for a phone in a lift; a reader that
/// never reads must not hold an answer, its stream and its connection.
pub const STALLED_WRITE: Duration = Duration::from_secs(30);

/// How often an HTTP/2 peer is asked whether it still lives: half of the shortest idle limit of common load balancers.
pub const PING_INTERVAL: Duration = Duration::from_secs(20);

/// How long it has to answer.
pub const PING_ANSWER: Duration = Duration::from_secs(20);

/// Requests at a time on one HTTP/2 connection. Without a limit h2 takes a burst of small calls for a flood and closes
/// healthy connections.
pub const MAX_CONCURRENT_STREAMS: u32 = 200;

/// Streams that a peer opened and reset before we looked at them (CVE-2023-44487). h2's own figure.
pub const MAX_PENDING_RESET_STREAMS: usize = 20;

/// Streams that we reset because of what the peer sent, in the whole life of a connection (RUSTSEC-2024-0003).
pub const MAX_ERROR_RESET_STREAMS: usize = 1_024;

/// The head of a request in bytes, names, values and overhead included.
pub const MAX_HEADER_BYTES: usize = 16 * 1_024;

/// What a peer may send ahead on one stream, in bytes. A request is smaller than this.
pub const STREAM_WINDOW: u32 = 64 * 1_024;

/// What a peer may send ahead on one connection, in bytes.
pub const CONNECTION_WINDOW: u32 = 1_024 * 1_024;

/// What we buffer of one answer, in bytes.
pub const SEND_BUFFER: usize = 64 * 1_024;

/// What we read and throw away of a request that was answered before it was read to its end, in bytes. Closing on
/// unread bytes resets the connection, and the peer would lose the answer that says why.
pub const DISCARD: usize = 8 * 1_024 * 1_024;
