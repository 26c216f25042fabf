//! The 99th percentile of latency at half of bare's peak, where the source takes 20 ms.
//!
//! Each round finds bare's peak first, in a closed loop before a source without delay. Then both get half of that rate in
//! an open loop: calls are sent at a constant rate, and latency counts from when a call was meant to be sent. So many
//! calls wait for the source at that rate that `max_in_flight` of source and caller is raised for this row.

use std::time::Duration;

use async_trait::async_trait;

use super::side::{Plan, Service, Side};
use crate::Error;
use crate::broker::Settings;
use crate::context::Context;
use crate::load::target::Question;
use crate::row::{Bar, Figure, Row, Sample};

const CALLS: usize = 40_000;
const TURNS: usize = 2;

const OURS: Service = Service::Broker(Settings {
    one_call: true,
    max_in_flight: Some(10_000),
    more: "",
});
const BARE: Service = Service::Bare { full: false };

struct Latency;

pub(crate) fn rows() -> Vec<Box<dyn Row>> {
    vec![Box::new(Latency)]
}

#[async_trait(?Send)]
impl Row for Latency {
    fn name(&self) -> &'static str {
        "latency"
    }

    fn figures(&self) -> Vec<Figure> {
        vec![Figure {
            title: "p99 at half of bare's peak, the source takes 20 ms".to_owned(),
            unit: "ms",
            theirs: "bare",
            bar: Some(Bar::ExcessAtMost(0.5)),
        }]
    }

    async fn round(&self, context: &Context, round: usize) -> Result<Vec<Sample>, Error> {
        let calls = context.calls(CALLS) / TURNS;
        let rate = peak(context, calls).await? / 2.0;
        let mut sides = [
            Side::start(context, delayed(OURS), None).await?,
            Side::start(context, delayed(BARE), None).await?,
        ];
        for side in &mut sides {
            // Connections to the source, as many as that rate needs.
            side.run_at(rate, calls / 2).await?;
        }
        let mut latencies = [Vec::new(), Vec::new()];
        for turn in 0..TURNS {
            for place in 0..2 {
                let side = (place + turn + round) % 2;
                latencies[side].extend(sides[side].run_at(rate, calls).await?);
            }
        }
        for side in sides {
            side.settle().await?;
        }
        let [ours, theirs] = latencies.map(p99);
        Ok(vec![Sample::beside(ours?, theirs?)])
    }
}

/// Calls a second of bare.
async fn peak(context: &Context, calls: usize) -> Result<f64, Error> {
    let mut side = Side::start(context, Plan::new(BARE, Question::Authenticate, 16, 4), None).await?;
    let wall = side.run(calls).await?.wall;
    side.settle().await?;
    Ok(calls as f64 / wall.as_secs_f64())
}

fn delayed(service: Service) -> Plan {
    Plan {
        upstream: &["--delay", "20ms"],
        ..Plan::new(service, Question::Authenticate, 16, 4)
    }
}

/// In milliseconds: 99 of 100 calls took no longer.
pub(super) fn p99(mut latencies: Vec<Duration>) -> Result<f64, Error> {
    latencies.sort_unstable();
    let last = (latencies.len() * 99)
        .div_ceil(100)
        .checked_sub(1)
        .ok_or("no call was made")?;
    Ok(latencies[last].as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_call_in_a_hundred_may_take_longer() {
        let latencies = |count: u64| (1..=count).rev().map(Duration::from_millis).collect();
        assert_eq!(p99(latencies(100)).expect("calls"), 99.0);
        assert_eq!(p99(latencies(10)).expect("calls"), 10.0);
        assert!(p99(Vec::new()).is_err());
    }
}
