//! The source takes every call and answers none: as many calls as may wait for it do, and nobody else waits with them.
//!
//! Once in the middle of work, and once before it ever answered. Whoever waits is refused at the gateway's deadline.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::Error;
use crate::broker::{Broker, Settings};
use crate::context::{Context, Upstream};
use crate::load::closed::{Closed, Width};
use crate::load::http::Connection;
use crate::load::target::{PASSWORD, Question, Target};
use crate::row::{Bar, Figure, Row, Sample};

const CALLS: usize = 300;

/// `max_in_flight` of a source, as shipped.
const LIMIT: usize = 70;

/// Before Okta hangs: each worker has a connection, and has seen the limits.
const BEFORE: Width = Width {
    connections: 8,
    streams: 1,
};

struct Hang {
    from_the_start: bool,
}

pub(crate) fn rows() -> Vec<Box<dyn Row>> {
    let row = |from_the_start| -> Box<dyn Row> { Box::new(Hang { from_the_start }) };
    vec![row(false), row(true)]
}

#[async_trait(?Send)]
impl Row for Hang {
    fn name(&self) -> &'static str {
        if self.from_the_start {
            "hang_from_the_start"
        } else {
            "hang"
        }
    }

    fn figures(&self) -> Vec<Figure> {
        let when = if self.from_the_start { " from the start" } else { "" };
        let figure = |title: String, unit, bar| Figure {
            title,
            unit,
            theirs: "",
            bar: Some(Bar::AtMost(bar)),
        };
        vec![
            figure(
                format!("Okta hangs{when}, 300 log-ins at once: most in flight at Okta"),
                "calls",
                number(LIMIT),
            ),
            figure(
                format!("Okta hangs{when}: the slowest answer to the 230 above the limit"),
                "ms",
                50.0,
            ),
        ]
    }

    async fn round(&self, context: &Context, _round: usize) -> Result<Vec<Sample>, Error> {
        let upstream = context.upstream(if self.from_the_start { &["--hang"] } else { &[] })?;
        let settings = Settings {
            one_call: true,
            ..Settings::default()
        };
        let broker = Broker::start(context, &upstream.url(), settings).await?;
        if !self.from_the_start {
            work_then_hang(&upstream, &broker).await?;
        }
        let mut connections = Vec::with_capacity(CALLS);
        for _ in 0..CALLS {
            connections.push(Connection::open(broker.rest).await?);
        }
        let mut calls = JoinSet::new();
        for (number, connection) in connections.into_iter().enumerate() {
            calls.spawn(log_in(connection, broker.key.clone(), number));
        }
        let mut took = Vec::with_capacity(CALLS);
        while let Some(ended) = calls.join_next().await {
            took.push(ended??);
        }
        took.sort();

        let counts = upstream.counts().await?;
        let most = counts["log_ins_in_flight"]["most"].as_f64().ok_or("no count")?;
        if counts["submissions"]["most_per_login"] != 1 {
            return Err("a password was submitted twice, or none was".into());
        }
        let slowest = took.get(CALLS - LIMIT - 1).ok_or("an answer is missing")?;
        Ok(vec![Sample::alone(most), Sample::alone(slowest.as_secs_f64() * 1000.0)])
    }
}

async fn work_then_hang(upstream: &Upstream, broker: &Broker) -> Result<(), Error> {
    let target = Target {
        address: broker.grpc,
        question: Question::Authenticate,
        key: Some(broker.key.clone()),
    };
    Closed::open(target, BEFORE).await?.run(0, 100).await?;
    for path in ["/_bench/hang", "/_bench/reset"] {
        let mut connection = Connection::open(upstream.address).await?;
        connection.post(path, None, Vec::new()).await?;
    }
    Ok(())
}

/// A log-in that can't be answered with yes or no. Tells how long it took to say so.
async fn log_in(mut connection: Connection, key: String, number: usize) -> Result<Duration, Error> {
    let login = format!("hang-{number:04}@bench.test");
    let question = json!({"identifier": login, "password": PASSWORD}).to_string();
    let began = Instant::now();
    let (status, body) = connection
        .post("/auth0/v1/login", Some(&key), question.into_bytes())
        .await?;
    match status.as_u16() {
        429 | 503 | 504 => Ok(began.elapsed()),
        _ => Err(format!("{login}: {status} {}", String::from_utf8_lossy(&body)).into()),
    }
}

fn number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::NAN, f64::from)
}
