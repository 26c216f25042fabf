//! `idbridge-bench delay-proxy`: a TCP proxy that is as far away as it is told.
//!
//! Bytes arrive half a round trip after they were sent, in each direction. A proxy can't delay the kernel's handshake:
//! the client is connected at once. So the client's first bytes wait for the round trip that the handshake would have
//! taken, which is when a client of a real network could have sent them. Bandwidth is not limited. Timers of the
//! runtime tick in milliseconds, so that each direction takes up to one more.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::Error;

/// What the process is told.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    #[arg(long)]
    to: SocketAddr,
    /// There and back, in milliseconds.
    #[arg(long)]
    round_trip_ms: u64,
}

/// Chunks on their way in one direction.
const ON_THE_WAY: usize = 1024;

/// Serves until stdin is closed.
pub(crate) fn serve(args: Args) -> Result<(), Error> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(accept_all(args))
}

async fn accept_all(args: Args) -> Result<(), Error> {
    let listener = TcpListener::bind(args.listen).await?;
    let mut stdout = io::stdout();
    writeln!(stdout, "{}", json!({"listening": listener.local_addr()?.to_string()}))?;
    stdout.flush()?;
    let round_trip = Duration::from_millis(args.round_trip_ms);
    let mut stdin = tokio::io::stdin();
    let mut byte = [0];
    loop {
        tokio::select! {
            accepted = listener.accept() => drop(tokio::spawn(carry(accepted?.0, args.to, round_trip))),
            read = stdin.read(&mut byte) => if matches!(read, Ok(0) | Err(_)) { return Ok(()) },
        }
    }
}

/// Carries one connection. Whatever goes wrong on one side is seen by the other as a closed connection.
async fn carry(near: TcpStream, to: SocketAddr, round_trip: Duration) -> io::Result<()> {
    let established = Instant::now() + round_trip;
    let far = TcpStream::connect(to).await?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let (near_read, near_write) = near.into_split();
    let (far_read, far_write) = far.into_split();
    let half = round_trip / 2;
    let there = one_way(near_read, far_write, established, half);
    let back = one_way(far_read, near_write, established, half);
    tokio::try_join!(there, back).map(drop)
}

/// Carries bytes, and then the end of them.
async fn one_way<R, W>(mut from: R, mut to: W, established: Instant, half: Duration) -> io::Result<()>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let (sent, mut due) = mpsc::channel::<(Instant, Vec<u8>)>(ON_THE_WAY);
    let send = async move {
        loop {
            let mut bytes = Vec::with_capacity(16 * 1024);
            from.read_buf(&mut bytes).await?;
            let is_end = bytes.is_empty();
            let left = Instant::now().max(established);
            if sent.send((left + half, bytes)).await.is_err() || is_end {
                return Ok(());
            }
        }
    };
    let arrive = async move {
        while let Some((when, bytes)) = due.recv().await {
            sleep_until(when).await;
            if bytes.is_empty() {
                break;
            }
            to.write_all(&bytes).await?;
        }
        to.shutdown().await
    };
    tokio::try_join!(send, arrive).map(drop)
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_first_bytes_wait_for_the_handshake_and_the_next_only_for_the_way() {
        let (mut client, near) = duplex(64);
        let (far, mut server) = duplex(64);
        let began = Instant::now();
        let (round_trip, half) = (Duration::from_millis(40), Duration::from_millis(20));
        let (near, _unused) = tokio::io::split(near);
        let (_unread, far) = tokio::io::split(far);
        let way = tokio::spawn(one_way(near, far, began + round_trip, half));

        let mut got = [0; 3];
        client.write_all(b"one").await.unwrap();
        server.read_exact(&mut got).await.unwrap();
        assert_eq!(began.elapsed(), Duration::from_millis(60));

        client.write_all(b"two").await.unwrap();
        server.read_exact(&mut got).await.unwrap();
        assert_eq!((began.elapsed(), &got), (Duration::from_millis(80), b"two"));

        drop((client, _unused));
        assert_eq!(server.read(&mut got).await.unwrap(), 0, "the end arrives too");
        assert_eq!(began.elapsed(), Duration::from_millis(100));
        way.await.unwrap().unwrap();
    }
}
