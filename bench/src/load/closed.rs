//! A closed loop: each line sends its next call when its last one is answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::target::{Line, Target};
use crate::Error;

/// How many calls are in flight.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Width {
    pub(crate) connections: usize,
    /// At a time on each connection; 1 over HTTP/1.1.
    pub(crate) streams: usize,
}

/// Connections that are kept from one run to the next, as callers keep them.
pub(crate) struct Closed {
    target: Arc<Target>,
    /// One for each call in flight; those of one connection share it.
    lines: Vec<Line>,
}

impl Closed {
    pub(crate) async fn open(target: Target, width: Width) -> Result<Self, Error> {
        let mut lines = Vec::with_capacity(width.connections * width.streams);
        for _ in 0..width.connections {
            match target.open().await? {
                Line::Grpc(channel) => lines.extend((0..width.streams).map(|_| Line::Grpc(channel.clone()))),
                line => lines.push(line),
            }
        }
        Ok(Self {
            target: Arc::new(target),
            lines,
        })
    }

    /// Makes the calls from `first` on, and tells how long it took. The first wrong answer ends it.
    pub(crate) async fn run(&mut self, first: usize, calls: usize) -> Result<Duration, Error> {
        let next = Arc::new(AtomicUsize::new(first));
        let mut running = JoinSet::new();
        let began = Instant::now();
        for mut line in self.lines.drain(..) {
            let (target, next) = (Arc::clone(&self.target), Arc::clone(&next));
            running.spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= first + calls {
                        return Ok::<Line, Error>(line);
                    }
                    target.ask(&mut line, number).await?;
                }
            });
        }
        while let Some(line) = running.join_next().await {
            self.lines.push(line??);
        }
        Ok(began.elapsed())
    }
}
