//! An open loop: calls are sent at a constant rate, whatever is still unanswered. A call's latency counts from when it
//! was meant to be sent, so that waiting behind a slow answer counts too.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::target::{Line, Target};
use crate::Error;

/// The runtime's own timers tick in milliseconds. A thread that sleeps is exact, and oftener than this it would cost
/// more than the calls do.
const TICK: Duration = Duration::from_micros(200);

/// Connections that any number of calls share.
pub(crate) struct Open {
    target: Arc<Target>,
    lines: Vec<Line>,
}

impl Open {
    pub(crate) async fn open(target: Target, connections: usize) -> Result<Self, Error> {
        let mut lines = Vec::with_capacity(connections);
        for _ in 0..connections {
            lines.push(target.open().await?);
        }
        Ok(Self {
            target: Arc::new(target),
            lines,
        })
    }

    /// Makes the calls from `first` on, so many a second, and tells each one's latency. Over gRPC only.
    pub(crate) async fn run(&self, first: usize, calls: usize, rate: f64) -> Result<Vec<Duration>, Error> {
        let (due, mut dues) = mpsc::unbounded_channel();
        let pacer = thread::spawn(move || pace(calls, rate, |call, when| due.send((call, when)).is_ok()));
        let mut running = JoinSet::new();
        while let Some((call, when)) = dues.recv().await {
            let Some(Line::Grpc(channel)) = self.lines.get(call % self.lines.len()) else {
                return Err("an open loop needs gRPC".into());
            };
            let (target, mut line) = (Arc::clone(&self.target), Line::Grpc(channel.clone()));
            running.spawn(async move {
                target.ask(&mut line, first + call).await?;
                Ok::<Duration, Error>(when.elapsed())
            });
        }
        pacer.join().map_err(|_| "the pacer panicked")?;
        let mut latencies = Vec::with_capacity(calls);
        while let Some(latency) = running.join_next().await {
            latencies.push(latency??);
        }
        Ok(latencies)
    }
}

/// Tells each call's time when it has come, until nobody listens.
fn pace(calls: usize, rate: f64, send: impl Fn(usize, Instant) -> bool) {
    let began = Instant::now();
    let mut sent = 0;
    while sent < calls {
        let when = began + Duration::from_secs_f64(sent as f64 / rate);
        let now = Instant::now();
        if when > now {
            thread::sleep((when - now).max(TICK));
        } else if send(sent, when) {
            sent += 1;
        } else {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn no_call_is_sent_early_and_none_is_left_out() {
        let sent = RefCell::new(Vec::new());
        pace(50, 10_000.0, |call, when| {
            assert!(when <= Instant::now());
            sent.borrow_mut().push((call, when));
            true
        });
        let sent = sent.into_inner();
        assert!(sent.iter().map(|(call, _)| *call).eq(0..50));
        assert_eq!(sent[49].1 - sent[0].1, Duration::from_micros(4900));
    }

    #[test]
    fn it_ends_when_nobody_listens() {
        pace(usize::MAX, 1.0, |_, _| false);
    }
}
