//! "bad-plugin": serves `idbridge.v1.IdentityService`, and none of its answers is one.

use std::future::pending;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicUsize, Ordering};

use idbridge_testkit::upstreams::grpc::{End, Reply, Upstream, framed};
use serde_json::json;
use tokio::io::AsyncReadExt as _;

use crate::Error;

/// Serves until standard input is closed.
pub(crate) fn serve() -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let asked = AtomicUsize::new(0);
        let upstream = Upstream::start(move |_| {
            let number = asked.fetch_add(1, Ordering::Relaxed);
            async move {
                match number % 3 {
                    _ if number.is_multiple_of(32) => pending().await,
                    0 => gigabyte(),
                    // Before its message has come to an end.
                    1 => Reply::bytes(framed(&[0; 100]).slice(..50)).ending(End::Cut),
                    _ => Reply::bytes(framed(b"all is well")),
                }
            }
        })
        .await;
        let mut stdout = io::stdout();
        let listening = upstream.url.trim_start_matches("http://");
        writeln!(stdout, "{}", json!({"listening": listening}))?;
        stdout.flush()?;
        // An error is an end as well.
        let _end = tokio::io::stdin().read(&mut [0]).await;
        Ok(())
    })
}

/// One message by its head, and as much as is taken of it.
fn gigabyte() -> Reply {
    let body = [&[0, 0x40, 0, 0, 0][..], &vec![0; 64 * 1024]].concat();
    Reply::bytes(body).ending(End::Flood)
}
