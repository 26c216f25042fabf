//! Calls a second at the edge of overload.
//!
//! A closed loop with as many calls in flight as the shipped limits admit: 70 (the source's `max_in_flight`), on 14
//! connections × 5 streams. Each of the 70 callers sends its next call when its last one is answered, so that the service
//! is never idle and is offered all that it can take; one call more in flight and ours would refuse it. Any error makes
//! the row wrong, so the rate is that of the highest load that is served without one. It is calls by wall time.
//!
//! Both services run as they do by default, on every processor of the machine, where load and source run too. A second
//! figure, without a bar, gives the service one processor for itself and the others to load and source: then bare is one
//! thread, and its threads' waking each other, which is most of what it costs, isn't seen.

use std::time::Duration;

use async_trait::async_trait;

use super::side::{Plan, Service, Side};
use crate::Error;
use crate::broker::Settings;
use crate::context::Context;
use crate::load::target::Question;
use crate::processors::Apart;
use crate::row::{Bar, Figure, Row, Sample};

const CALLS: usize = 40_000;
const TURNS: usize = 4;

const OURS: Service = Service::Broker(Settings {
    one_call: true,
    max_in_flight: None,
    more: "",
});
const BARE: Service = Service::Bare { full: false };

struct Overload;

pub(crate) fn rows() -> Vec<Box<dyn Row>> {
    vec![Box::new(Overload)]
}

#[async_trait(?Send)]
impl Row for Overload {
    fn name(&self) -> &'static str {
        "overload"
    }

    fn figures(&self) -> Vec<Figure> {
        let figure = |title: &str, bar| Figure {
            title: title.to_owned(),
            unit: "calls/s",
            theirs: "bare",
            bar,
        };
        vec![
            figure(
                "at the edge of overload, 70 calls in flight",
                Some(Bar::RatioAtLeast(1.5)),
            ),
            figure("for comparison, the same with one processor for the service", None),
        ]
    }

    async fn round(&self, context: &Context, round: usize) -> Result<Vec<Sample>, Error> {
        let as_shipped = rates(context, round, None).await?;
        let apart = Apart::new()?;
        Ok(vec![as_shipped, rates(context, round, Some(&apart)).await?])
    }
}

async fn rates(context: &Context, round: usize, apart: Option<&Apart>) -> Result<Sample, Error> {
    let plan = |service| Plan::new(service, Question::Authenticate, 14, 5);
    let mut sides = [
        Side::start(context, plan(OURS), apart).await?,
        Side::start(context, plan(BARE), apart).await?,
    ];
    let calls = context.calls(CALLS) / TURNS;
    let mut wall = [Duration::ZERO; 2];
    for turn in 0..TURNS {
        for place in 0..2 {
            let side = (place + turn + round) % 2;
            wall[side] += sides[side].run(calls).await?.wall;
        }
    }
    for side in sides {
        side.settle().await?;
    }
    let rate = |wall: Duration| (calls * TURNS) as f64 / wall.as_secs_f64();
    Ok(Sample::beside(rate(wall[0]), rate(wall[1])))
}
