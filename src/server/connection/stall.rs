//! An HTTP/2 peer that grants no window holds its answer without the transport being blocked: nothing on the connection
//! tells, only that the stream waits for neither the service nor the answer's body.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::rt::Executor;
use pin_project_lite::pin_project;
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
pub(super) fn ours<F: Future + Unpin>(mut future: F) -> impl Future<Output = F::Output> + Unpin {
    poll_fn(move |cx| {
        let polled = Pin::new(&mut future).poll(cx);
        if polled.is_pending() {
            our_turn();
        }
        polled
    })
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
        tokio::spawn(Stream { stream, stalled: None });
    }
}

pin_project! {
    /// A future with a name: an `async` block would hold the stream twice.
    struct Stream<F> {
        #[pin]
        stream: F,
        stalled: Option<Pin<Box<Sleep>>>,
    }
}

impl<F: Future<Output = ()>> Future for Stream<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        OUR_TURN.set(false);
        if this.stream.poll(cx).is_ready() {
            return Poll::Ready(());
        }
        if OUR_TURN.get() {
            *this.stalled = None;
            return Poll::Pending;
        }
        let stalled = this
            .stalled
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(limits::STALLED_WRITE)));
        stalled.as_mut().poll(cx)
    }
}
