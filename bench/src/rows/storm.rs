//! More people log in than the source admits: ten a second, told by Okta's headers in windows of a second.
//!
//! In ten seconds 300 people log in, evenly, beside 1,000 look-ups of addresses that nobody has, all through the REST
//! gateway with its own deadline. Nobody waits for anybody else: each has a connection of their own.
//!
//! **Budget**: the most log-ins that any order of submitting could have brought through. Window by window, ten of those
//! who have arrived before it ends and whose deadline isn't over when it begins, the longest waiting first (for equal
//! deadlines no order admits more). So it counts the windows from the first arrival until the last deadline, as far as
//! there are people left to admit in them, whatever the broker made of it.

mod budget;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Duration, Instant, sleep_until};

use crate::Error;
use crate::broker::{Broker, Settings};
use crate::context::{Context, Upstream};
use crate::load::http::{self, Connection};
use crate::load::target::PASSWORD;
use crate::row::{Bar, Figure, Row, Sample};

const LIMIT: usize = 10;
const WINDOW: &str = "1s";

/// `rest.deadline`, as shipped.
const DEADLINE: Duration = Duration::from_secs(5);

struct Storm;

/// Who comes, evenly.
#[derive(Clone, Copy)]
struct Crowd {
    seconds: u32,
    log_ins: usize,
    look_ups: usize,
}

const CROWD: Crowd = Crowd {
    seconds: 10,
    log_ins: 300,
    look_ups: 1000,
};

const SHORT: Crowd = Crowd {
    seconds: 2,
    log_ins: 60,
    look_ups: 200,
};

pub(crate) fn rows() -> Vec<Box<dyn Row>> {
    vec![Box::new(Storm)]
}

#[async_trait(?Send)]
impl Row for Storm {
    fn name(&self) -> &'static str {
        "storm"
    }

    fn figures(&self) -> Vec<Figure> {
        let figure = |title: &str, theirs, bar| Figure {
            title: title.to_owned(),
            unit: "calls",
            theirs,
            bar,
        };
        vec![
            figure(
                "a storm: log-ins that succeeded",
                "budget",
                Some(Bar::RatioAtLeast(0.9)),
            ),
            figure(
                "a storm: log-ins sent to Okta between exhaustion and reset",
                "",
                Some(Bar::AtMost(0.0)),
            ),
            figure("a storm: log-ins that Okta refused with 429", "", None),
            figure("a storm: look-ups answered", "asked", None),
        ]
    }

    async fn round(&self, context: &Context, _round: usize) -> Result<Vec<Sample>, Error> {
        let crowd = if context.short { SHORT } else { CROWD };
        let limit = LIMIT.to_string();
        let upstream = context.upstream(&["--limit", &limit, "--window", WINDOW])?;
        let broker = Broker::start(context, &upstream.url(), Settings::default()).await?;
        let came = come(&broker, crowd).await?;
        let counts = submitted_once(&upstream, &came.succeeded).await?;
        let budget = budget::most_admitted(&came.arrivals, DEADLINE, LIMIT);
        let count = |name: &str| counts[name].as_f64().ok_or("a count is missing");
        Ok(vec![
            Sample::beside(number(came.succeeded.len()), number(budget)),
            Sample::alone(count("after_exhaustion")?),
            Sample::alone(count("throttled")?),
            Sample::beside(number(came.looked_up), number(crowd.look_ups)),
        ])
    }
}

/// What became of the crowd.
#[derive(Default)]
struct Came {
    /// Of the log-ins.
    arrivals: Vec<Timestamp>,
    /// The logins.
    succeeded: Vec<String>,
    /// Look-ups that said what is so.
    looked_up: usize,
}

enum Answer {
    LoggedIn { arrived: Timestamp, login: Option<String> },
    LookedUp(bool),
}

async fn come(broker: &Broker, crowd: Crowd) -> Result<Came, Error> {
    let mut calls = JoinSet::new();
    let began = Instant::now();
    let duration = Duration::from_secs(u64::from(crowd.seconds));
    let at = |number: usize, of: usize| -> Result<Instant, Error> {
        Ok(began + duration * u32::try_from(number)? / u32::try_from(of)?)
    };
    let gateway = |path: &'static str| Gateway {
        broker: broker.rest,
        key: broker.key.clone(),
        path,
    };
    for number in 0..crowd.log_ins {
        calls.spawn(log_in(gateway("/auth0/v1/login"), at(number, crowd.log_ins)?, number));
    }
    for number in 0..crowd.look_ups {
        calls.spawn(look_up(
            gateway("/auth0/v1/get-user"),
            at(number, crowd.look_ups)?,
            number,
        ));
    }
    let mut came = Came::default();
    while let Some(ended) = calls.join_next().await {
        match ended?? {
            Answer::LoggedIn { arrived, login } => {
                came.arrivals.push(arrived);
                came.succeeded.extend(login);
            }
            Answer::LookedUp(answered) => came.looked_up += usize::from(answered),
        }
    }
    Ok(came)
}

struct Gateway {
    broker: std::net::SocketAddr,
    key: String,
    path: &'static str,
}

impl Gateway {
    /// `None`: no yes and no no, but a refusal that says to come again.
    async fn ask(&self, question: &Value) -> Result<Option<Value>, Error> {
        let mut connection = Connection::open(self.broker).await?;
        let body = question.to_string().into_bytes();
        let (status, body) = connection.post(self.path, Some(&self.key), body).await?;
        match status.as_u16() {
            200 => Ok(Some(serde_json::from_slice(&body)?)),
            429 | 503 | 504 => Ok(None),
            _ => Err(format!("{status} {}", String::from_utf8_lossy(&body)).into()),
        }
    }
}

/// With the right password: any no is wrong, however much there is to do.
async fn log_in(gateway: Gateway, when: Instant, number: usize) -> Result<Answer, Error> {
    let login = format!("storm-{number:04}@bench.test");
    sleep_until(when).await;
    let arrived = Timestamp::now();
    let answer = gateway.ask(&json!({"identifier": login, "password": PASSWORD})).await?;
    match answer {
        None => Ok(Answer::LoggedIn { arrived, login: None }),
        Some(answer) if answer["outcome"] == "authenticated" && answer["profile"]["email"] == login.as_str() => {
            Ok(Answer::LoggedIn {
                arrived,
                login: Some(login),
            })
        }
        Some(answer) => Err(format!("{login} was answered {answer}").into()),
    }
}

/// Of nobody: anything but "not found" is wrong.
async fn look_up(gateway: Gateway, when: Instant, number: usize) -> Result<Answer, Error> {
    let email = format!("unknown-{number:04}@bench.test");
    sleep_until(when).await;
    match gateway.ask(&json!({"identifier": email})).await? {
        None => Ok(Answer::LookedUp(false)),
        Some(answer) if answer["outcome"] == "not_found" => Ok(Answer::LookedUp(true)),
        Some(answer) => Err(format!("{email} was answered {answer}").into()),
    }
}

/// Whether no password came twice, and that of everybody who succeeded came. The counts, then.
async fn submitted_once(upstream: &Upstream, succeeded: &[String]) -> Result<Value, Error> {
    let submissions = http::get(upstream.address, "/_bench/submissions").await?;
    let twice = submissions
        .as_object()
        .ok_or("no submissions")?
        .iter()
        .find(|(_, times)| **times != 1);
    if let Some((login, times)) = twice {
        return Err(format!("the password of {login} was submitted {times} times").into());
    }
    if let Some(login) = succeeded.iter().find(|login| submissions[login.as_str()] != 1) {
        return Err(format!("{login} succeeded without a submission").into());
    }
    upstream.counts().await
}

fn number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::NAN, f64::from)
}
