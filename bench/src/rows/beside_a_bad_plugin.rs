//! The 99th percentile of an Okta source's log-ins while another source of the same broker is bad, beside the same without
//! a call to the bad one.
//!
//! The bad plugin (`kind = "grpc"`) floods a third of its calls with a gigabyte, breaks a third off, lies to a third, and
//! says nothing at all to some: no more than there are permits, or the broker would refuse the others without a question.
//! Each of its calls has to fail. The source takes 5 ms; both loops are open.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use idbridge::pb;
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::latency::p99;
use crate::Error;
use crate::broker::{self, Broker, Build, Settings};
use crate::context::{Context, Upstream, address};
use crate::load::grpc::Channel;
use crate::load::open::Open;
use crate::load::target::{PASSWORD, Question, Target};
use crate::process::Process;
use crate::row::{Bar, Figure, Row, Sample};

const CALLS: usize = 20_000;
const TURNS: usize = 2;
const WARM_UP: usize = 640;

/// Log-ins of the good source a second.
const RATE: f64 = 1000.0;
/// One of the bad one each time.
const BAD_EVERY: Duration = Duration::from_millis(10);
/// What a call may take, as it says itself, and an answer on its way.
const IN_TIME: Duration = Duration::from_secs(3);

struct Beside;

pub(crate) fn rows() -> Vec<Box<dyn Row>> {
    vec![Box::new(Beside)]
}

#[async_trait(?Send)]
impl Row for Beside {
    fn name(&self) -> &'static str {
        "beside_a_bad_plugin"
    }

    fn figures(&self) -> Vec<Figure> {
        vec![Figure {
            title: "p99 of a source's log-ins beside a plugin that hangs, floods, breaks off and lies".to_owned(),
            unit: "ms",
            theirs: "without",
            bar: Some(Bar::RatioOrExcessAtMost(1.2, 1.0)),
        }]
    }

    async fn round(&self, context: &Context, round: usize) -> Result<Vec<Sample>, Error> {
        let calls = context.calls(CALLS) / TURNS;
        // One with a bad plugin that is asked, and one with the same that isn't.
        let mut sides = [Side::start(context).await?, Side::start(context).await?];
        let mut latencies = [Vec::new(), Vec::new()];
        for turn in 0..TURNS {
            for place in 0..2 {
                let side = (place + turn + round) % 2;
                latencies[side].extend(sides[side].run(calls, side == 0).await?);
            }
        }
        for side in sides {
            side.settle().await?;
        }
        let [ours, theirs] = latencies.map(p99);
        Ok(vec![Sample::beside(ours?, theirs?)])
    }
}

struct Side {
    upstream: Upstream,
    _plugin: Process,
    broker: Broker,
    good: Open,
    bad: Channel,
    made: usize,
}

impl Side {
    async fn start(context: &Context) -> Result<Self, Error> {
        let upstream = context.upstream(&["--delay", "5ms"])?;
        let (plugin, ready) = context.role(&["bad-plugin"])?;
        let settings = Settings {
            one_call: true,
            ..Settings::default()
        };
        let sources = format!(
            "{}{}",
            broker::okta(&upstream.url(), settings),
            bad(&format!("http://{}", address(&ready)?))
        );
        // The bad source's calls that hang count as the caller's.
        let broker = Broker::with(context, Build::Shipped, &sources, Some(10_000)).await?;
        let key = Some(broker.key.clone());
        let target = Target {
            address: broker.grpc,
            question: Question::Authenticate,
            key: key.clone(),
        };
        let mut side = Self {
            upstream,
            _plugin: plugin,
            good: Open::open(target, 16).await?,
            bad: Channel::open(broker.grpc, "Authenticate", key.as_deref())
                .await?
                .within("1S"),
            broker,
            made: 0,
        };
        side.run(WARM_UP, false).await?;
        Ok(side)
    }

    /// The latencies of so many log-ins of the good source, with or without calls to the bad one.
    async fn run(&mut self, calls: usize, is_bad_asked: bool) -> Result<Vec<Duration>, Error> {
        let good = self.good.run(self.made, calls, RATE);
        let latencies = if is_bad_asked {
            let mut failing = JoinSet::new();
            let mut ticks = interval(BAD_EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut good = std::pin::pin!(good);
            let latencies = loop {
                tokio::select! {
                    latencies = &mut good => break latencies?,
                    _ = ticks.tick() => drop(failing.spawn(fails(self.bad.clone(), failing.len()))),
                }
            };
            while let Some(failed) = failing.join_next().await {
                failed??;
            }
            latencies
        } else {
            good.await?
        };
        self.made += calls;
        Ok(latencies)
    }

    async fn settle(self) -> Result<(), Error> {
        let submissions = self.upstream.counts().await?["submissions"].clone();
        let made = Value::from(self.made);
        if submissions["total"] != made || submissions["distinct"] != made {
            return Err(format!("the source counted {submissions}, not {made}").into());
        }
        broker::settle(&self.broker.log, self.broker.admin, self.made).await
    }
}

/// In time, and for a reason of the contract.
async fn fails(bad: Channel, number: usize) -> Result<(), Error> {
    let question = pb::AuthenticateRequest {
        login: format!("user-{number}@bad.test"),
        password: PASSWORD.to_owned(),
        source: None,
    };
    let began = Instant::now();
    let answer: Result<pb::AuthenticateResponse, Error> = bad.call(&question).await;
    let told = answer
        .err()
        .ok_or("the bad plugin's answer was taken for one")?
        .to_string();
    // DEADLINE_EXCEEDED, INTERNAL, UNAVAILABLE
    let is_right = ["gRPC status 4:", "gRPC status 13:", "gRPC status 14:"]
        .iter()
        .any(|status| told.starts_with(status));
    if !is_right || began.elapsed() > IN_TIME {
        return Err(format!("a bad call came to {told:?} after {:?}", began.elapsed()).into());
    }
    Ok(())
}

/// It is asked at each call, however often it fails.
fn bad(url: &str) -> String {
    format!(
        "[sources.bad]\nkind = \"grpc\"\nguard = {{ open_after = 0 }}\n[sources.bad.settings]\n\
         url = \"{url}\"\ncanary = \"canary@bad.test\"\n\
         [[routes]]\ndomains = [\"bad.test\"]\nsource = \"bad\"\n[[routes]]\nsource = \"okta\"\n"
    )
}
