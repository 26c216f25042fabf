//! An HTTP/2 peer that grants no window holds its answer without the transport being blocked: nothing on the connection
//! tells, only that the stream waits for neither the service nor the answer's body.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;

use hyper::rt::Executor;
use tokio::time::Sleep;

use crate::server::limits;

thread_local! {
    /// Set while a stream is polled, by whatever of ours it waits for.
    static OUR_TURN: Cell<bool> = const { Cell::new(false) };
}

/// Says that the stream that is being polled waits for us.
pub(super) fn our_turn() {
    OUR_TURN.set(true);
}

/// Runs `future`, and says so for as long as it takes.
pub(super) async fn ours<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|cx| {
        let polled = future.as_mut().poll(cx);
        if polled.is_pending() {
            our_turn();
        }
        polled
    })
    .await
}

/// Runs each HTTP/2 stream in a task of its own, and drops, and so resets, one whose peer has left it waiting for
/// [`limits::STALLED_WRITE`].
#[derive(Clone, Copy, Debug)]
pub(super) struct StreamExecutor;

impl<F> Executor<F> for StreamExecutor
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        tokio::spawn(async move {
            let mut stream = pin!(stream);
            let mut stalled: Option<Pin<Box<Sleep>>> = None;
            poll_fn(|cx| {
                OUR_TURN.set(false);
                if stream.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(());
                }
                if OUR_TURN.get() {
                    stalled = None;
                    return Poll::Pending;
                }
                let stalled = stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(limits::STALLED_WRITE)));
                stalled.as_mut().poll(cx)
            })
            .await;
        });
    }
}
