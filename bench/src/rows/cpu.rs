//! CPU time a call, user and system, of the whole service's process.

use async_trait::async_trait;

use super::side::{Plan, Service, Side, Spent};
use crate::Error;
use crate::broker::Settings;
use crate::context::Context;
use crate::load::target::Question;
use crate::row::{Bar, Figure, Row, Sample};

const CALLS: usize = 40_000;
/// In a round ours and theirs take turns, so that both meet the same noise.
const TURNS: usize = 4;

const BARE: Service = Service::Bare { full: false };
const BARE_FULL: Service = Service::Bare { full: true };
const BROKER: Service = Service::Broker(Settings {
    one_call: true,
    max_in_flight: None,
    more: "",
});
const BROKER_FULL: Service = Service::Broker(Settings {
    one_call: false,
    max_in_flight: None,
    more: "",
});

struct Cpu {
    name: &'static str,
    title: &'static str,
    ours: Plan,
    theirs: Option<Plan>,
    /// What a call costs the source.
    upstream_calls: u32,
    bar: Option<f64>,
}

pub(crate) fn rows() -> Vec<Box<dyn Row>> {
    let row = |name, title, ours, theirs, upstream_calls, bar| -> Box<dyn Row> {
        Box::new(Cpu {
            name,
            title,
            ours,
            theirs,
            upstream_calls,
            bar,
        })
    };
    let authenticate = |service| Plan::new(service, Question::Authenticate, 16, 4);
    let one_connection = |service| Plan::new(service, Question::Authenticate, 1, 64);
    // The machine has time left: threads fall asleep and wake each other for every call.
    let unhurried = |service| Plan {
        upstream: &["--delay", "20ms"],
        ..authenticate(service)
    };
    let look_up = |service| Plan::new(service, Question::LookUp, 16, 4);
    vec![
        row(
            "authenticate_16x4",
            "CPU a call: `Authenticate`, 16 connections × 4 streams",
            authenticate(BROKER),
            Some(authenticate(BARE)),
            1,
            Some(0.65),
        ),
        row(
            "authenticate_1x64",
            "CPU a call: `Authenticate`, 1 connection × 64 streams",
            one_connection(BROKER),
            Some(one_connection(BARE)),
            1,
            Some(0.75),
        ),
        row(
            "rest_login_64",
            "CPU a call: `/auth0/v1/login`, 64 connections, beside bare's gRPC",
            Plan::new(BROKER, Question::Login, 64, 1),
            Some(authenticate(BARE)),
            1,
            Some(0.85),
        ),
        row(
            "authenticate_full",
            "CPU an upstream call: `Authenticate` (password, user, factors)",
            authenticate(BROKER_FULL),
            Some(authenticate(BARE_FULL)),
            3,
            Some(0.6),
        ),
        row(
            "user_by_email_full",
            "CPU an upstream call: `GetUserByEmail` (login, search, id, factors)",
            look_up(BROKER_FULL),
            Some(look_up(BARE_FULL)),
            4,
            Some(0.6),
        ),
        row(
            "authenticate_unhurried",
            "for comparison, CPU a call: `Authenticate`, 16 × 4, the source takes 20 ms",
            unhurried(BROKER),
            Some(unhurried(BARE)),
            1,
            None,
        ),
        row(
            "echo_16x4",
            "for comparison, CPU a call: bare tonic echo",
            authenticate(Service::Echo),
            None,
            1,
            None,
        ),
        row(
            "nginx_64",
            "for comparison, CPU a call: nginx as a reverse proxy, 64 connections",
            Plan::new(Service::Nginx, Question::Source, 64, 1),
            None,
            1,
            None,
        ),
    ]
}

#[async_trait(?Send)]
impl Row for Cpu {
    fn name(&self) -> &'static str {
        self.name
    }

    fn figures(&self) -> Vec<Figure> {
        vec![Figure {
            title: self.title.to_owned(),
            unit: "µs",
            theirs: if self.theirs.is_some() { "bare" } else { "" },
            bar: self.bar.map(Bar::RatioAtMost),
        }]
    }

    async fn round(&self, context: &Context, round: usize) -> Result<Vec<Sample>, Error> {
        let mut sides = vec![Side::start(context, self.ours, None).await?];
        if let Some(theirs) = self.theirs {
            sides.push(Side::start(context, theirs, None).await?);
        }
        let calls = context.calls(CALLS) / TURNS;
        let mut spent = vec![Spent::default(); sides.len()];
        for turn in 0..TURNS {
            for place in 0..sides.len() {
                let side = (place + turn + round) % sides.len();
                spent[side].cpu += sides[side].run(calls).await?.cpu;
            }
        }
        for side in sides {
            side.settle().await?;
        }
        let divisor = (calls * TURNS) as f64 * f64::from(self.upstream_calls);
        let cost = |spent: &Spent| spent.cpu.as_secs_f64() * 1e6 / divisor;
        Ok(vec![Sample {
            ours: cost(&spent[0]),
            theirs: spent.get(1).map(cost),
        }])
    }
}
