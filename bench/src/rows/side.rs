//! One side of a comparison: a source of its own, a service before it, and the load.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use crate::Error;
use crate::broker::{self, Broker, Build, Settings};
use crate::context::{self, Context, Upstream};
use crate::load::closed::{Closed, Width};
use crate::load::open::Open;
use crate::load::target::{Question, Target};
use crate::nginx;
use crate::process::Process;
use crate::processors::Apart;

/// Before anything is measured: connections, caches, allocators.
const WARM_UP: usize = 640;

/// What stands before the source.
#[derive(Clone, Copy, Debug)]
pub(super) enum Service {
    /// `full`: a log-in is three calls at the source.
    Bare {
        full: bool,
    },
    Broker(Settings),
    Echo,
    Nginx,
    /// A broker with the sources that this writes for the source's URL. A log-in is one call there.
    Sources(fn(&str) -> String),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) service: Service,
    pub(super) question: Question,
    pub(super) width: Width,
    /// How the source is started.
    pub(super) upstream: &'static [&'static str],
}

pub(super) struct Side {
    plan: Plan,
    upstream: Upstream,
    /// What is measured.
    process: Process,
    /// Where a broker tells what it counted, and where it writes its records.
    records: Option<(SocketAddr, PathBuf)>,
    closed: Closed,
    target: Target,
    /// From the first call at a rate on.
    open: Option<Open>,
    made: usize,
}

/// What some calls cost.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spent {
    pub(super) cpu: Duration,
    pub(super) wall: Duration,
}

impl Side {
    /// Started, and warm. With processors apart the service has one for itself.
    pub(super) async fn start(context: &Context, plan: Plan, apart: Option<&Apart>) -> Result<Self, Error> {
        let upstream = context.upstream(plan.upstream)?;
        apart.map_or(Ok(()), Apart::to_service)?;
        let (process, target, records) = serve(context, &upstream, plan).await?;
        apart.map_or(Ok(()), Apart::to_others)?;
        let closed = Closed::open(target.clone(), plan.width).await?;
        let mut side = Self {
            plan,
            upstream,
            process,
            records,
            closed,
            target,
            open: None,
            made: 0,
        };
        side.run(WARM_UP).await?;
        Ok(side)
    }

    /// Makes this many calls more, each with a login of its own.
    pub(super) async fn run(&mut self, calls: usize) -> Result<Spent, Error> {
        let before = self.process.cpu()?;
        let wall = self.closed.run(self.made, calls).await?;
        self.made += calls;
        Ok(Spent {
            cpu: self.process.cpu()?.saturating_sub(before),
            wall,
        })
    }

    /// The latencies of this many calls more, at so many a second.
    pub(super) async fn run_at(&mut self, rate: f64, calls: usize) -> Result<Vec<Duration>, Error> {
        let open = match self.open.take() {
            Some(open) => open,
            None => Open::open(self.target.clone(), self.plan.width.connections).await?,
        };
        let latencies = self.open.insert(open).run(self.made, calls, rate).await?;
        self.made += calls;
        Ok(latencies)
    }

    /// Whether exactly what was asked reached the source, and the metrics and the audit of a broker. Ends the side.
    pub(super) async fn settle(mut self) -> Result<(), Error> {
        self.process.check()?;
        let counts = self.upstream.counts().await?;
        for (what, expected) in self.expected() {
            let found = what.split('.').fold(&counts, |value: &Value, key| &value[key]).as_u64();
            if found != u64::try_from(expected).ok() {
                let service = self.plan.service;
                return Err(format!("{service:?}: the source counted {what} = {found:?}, not {expected}").into());
            }
        }
        let Some((admin, log)) = self.records else {
            return Ok(());
        };
        broker::settle(&log, admin, self.made).await
    }

    fn expected(&self) -> Vec<(&'static str, usize)> {
        let (log_ins, look_ups) = match (self.plan.service, self.plan.question) {
            (Service::Echo, _) => (0, 0),
            (_, Question::LookUp) => (0, self.made),
            _ => (self.made, 0),
        };
        let full = match self.plan.service {
            Service::Bare { full } => full,
            Service::Broker(settings) => !settings.one_call,
            Service::Echo | Service::Nginx | Service::Sources(_) => false,
        };
        vec![
            ("routes.authn", log_ins),
            ("submissions.total", log_ins),
            ("submissions.distinct", log_ins),
            ("submissions.most_per_login", log_ins.min(1)),
            ("routes.search", look_ups),
            ("routes.factors", look_ups + if full { log_ins } else { 0 }),
            ("throttled", 0),
        ]
    }
}

impl Plan {
    pub(super) const fn new(service: Service, question: Question, connections: usize, streams: usize) -> Self {
        Self {
            service,
            question,
            width: Width { connections, streams },
            upstream: &[],
        }
    }
}

async fn serve(
    context: &Context,
    upstream: &Upstream,
    plan: Plan,
) -> Result<(Process, Target, Option<(SocketAddr, PathBuf)>), Error> {
    let question = plan.question;
    let target = |address, key| Target { address, question, key };
    Ok(match plan.service {
        Service::Bare { full } => {
            let url = upstream.url();
            let mut args = vec!["bare", "--org-url", &url];
            args.extend(full.then_some("--full"));
            let (process, ready) = context.role(&args)?;
            (process, target(context::address(&ready)?, None), None)
        }
        Service::Broker(settings) => {
            let broker = Broker::start(context, &upstream.url(), settings).await?;
            let address = if question.is_grpc() { broker.grpc } else { broker.rest };
            let records = (broker.admin, broker.log);
            (broker.process, target(address, Some(broker.key)), Some(records))
        }
        Service::Sources(sources) => {
            let broker = Broker::with(context, Build::Shipped, &sources(&upstream.url()), None).await?;
            let records = (broker.admin, broker.log);
            (broker.process, target(broker.grpc, Some(broker.key)), Some(records))
        }
        Service::Echo => {
            let (process, ready) = context.role(&["echo"])?;
            (process, target(context::address(&ready)?, None), None)
        }
        Service::Nginx => {
            let (process, address) = nginx::start(context, upstream.address).await?;
            (process, target(address, None), None)
        }
    })
}
