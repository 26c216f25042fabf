//! What a migration's owner wants to know before it begins: who is there, who can move, and how fast.
//!
//! Everybody is read once, page by page. What is kept of a person are counts, and three keyed hashes of the address on
//! disk (`twins.rs`): memory doesn't grow with the number of people. After every few pages the work is saved
//! (`work.rs`), and a run that was broken off goes on from there.

mod keys;
mod last_login;
mod person;
mod report;
mod storm;
mod tally;
mod twins;
mod work;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use idbridge_source::{Call, Cursor, ErrorKind, Factors, IdentitySource, Listed, SourceError};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::{request_id, rest};
use keys::Keys;
use tally::Tally;
use work::Saved;

pub use keys::Key;
pub use report::{Report, html, text};
pub use work::Work;

/// Long enough for a source's rate limit to fill again, which is a minute as a rule.
const PATIENCE: Duration = Duration::from_secs(100);
/// A question may begin so much earlier than its answer has to be there.
const TO_ANSWER: Duration = Duration::from_secs(30);
/// A source that asks for patience so often in a row isn't asked again.
const TIMES: u32 = 5;
/// Pages between two savings: what a run that is broken off has to read again.
const PAGES: u32 = 5;

/// What is assessed.
#[derive(Debug)]
pub struct Subject {
    pub source: Arc<dyn IdentitySource>,
    pub name: Arc<str>,
    pub id_prefix: String,
    /// Of the source's settings.
    pub fingerprint: [u8; 32],
    /// How the gateway would word a profile.
    pub rest: rest::Settings,
    /// Log-ins in the busiest hour, if the operator knows them.
    pub peak: Option<u64>,
}

/// What is wanted. A run goes on only with the options that it was begun with.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Options {
    pub factors: AskFactors,
    /// Whether logins and addresses are shown as they are.
    pub show: bool,
}

/// Of whom a source that doesn't list second factors is asked for them.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum AskFactors {
    Everybody,
    Nobody,
    Sample(usize),
}

/// Why there is no report. What was read is kept unless it says otherwise.
#[derive(Debug)]
pub enum Error {
    /// The folder's work is another's.
    Foreign(&'static str),
    Io(&'static str, io::Error),
    Source(SourceError),
}

/// Reads everybody, or goes on where the work stopped. `seen` is told how many people were read, after each page.
pub async fn run(
    subject: &Subject,
    options: Options,
    key: Key,
    began: i64,
    work: &mut Work,
    mut seen: impl FnMut(u64),
) -> Result<Report, Error> {
    let mut saved = match work.saved()? {
        Some(saved) => saved,
        None => Saved::new(subject, options, &key, began)?,
    };
    let keys = Keys::new(saved.keys(&key)?);
    saved.check(subject, options, &keys)?;
    work.check_last_log_ins(&subject.name)?;
    work.open(&saved)?;
    let mut unsaved = 0;
    while !saved.is_listed {
        let page = list(subject, saved.cursor()?.as_ref()).await?;
        for listed in page.people {
            count(subject, options, &keys, &mut saved.tally, work, listed).await?;
        }
        saved.is_listed = page.next.is_none();
        saved.after = page.next.map(|cursor| cursor.as_str().to_owned());
        unsaved += 1;
        if unsaved == PAGES || saved.is_listed || options.factors == AskFactors::Everybody {
            saved.learn(subject.source.budget());
            work.save(&mut saved)?;
            unsaved = 0;
        }
        seen(saved.tally.people);
    }
    work.save_last_log_ins(&saved)?;
    let twins = twins::find(work, &saved)?;
    ask_sample(subject, &mut saved, work).await?;
    Ok(Report::new(subject, options, saved, twins))
}

async fn count(
    subject: &Subject,
    options: Options,
    keys: &Keys,
    tally: &mut Tally,
    work: &mut Work,
    mut listed: Listed,
) -> Result<(), Error> {
    if listed.factors.is_none() && options.factors == AskFactors::Everybody {
        listed.factors = Some(factors(subject, &listed).await?);
    }
    let judged = person::judge(subject, &listed);
    let label = if options.show {
        listed.user.login.clone()
    } else {
        keys.label(&listed.user.login)
    };
    if let AskFactors::Sample(size) = options.factors
        && listed.factors.is_none()
    {
        tally.sample(keys.of_id(listed.id()), listed.id(), size);
    }
    tally.count(&listed, &judged, label);
    if !listed.user.email.trim().is_empty() {
        let shown = options.show.then_some(listed.user.email.as_str());
        work.record(keys.address(&listed.user.email), &judged, shown)?;
    }
    Ok(())
}

/// Whose factors are asked was decided by their hashes, so that a second run asks the same.
async fn ask_sample(subject: &Subject, saved: &mut Saved, work: &mut Work) -> Result<(), Error> {
    while let Some(id) = saved.tally.next_of_sample() {
        let factors = patiently(|call| {
            let id = id.clone();
            async move { subject.source.factors(&call, &id).await }
        });
        saved.tally.sampled(&factors.await?);
        saved.learn(subject.source.budget());
        work.save(saved)?;
    }
    Ok(())
}

async fn list(subject: &Subject, after: Option<&Cursor>) -> Result<idbridge_source::Page, Error> {
    patiently(|call| async move { subject.source.list(&call, after).await }).await
}

async fn factors(subject: &Subject, listed: &Listed) -> Result<Factors, Error> {
    patiently(|call| async move { subject.source.factors(&call, listed.id()).await }).await
}

/// Waits where the source asks for patience. Whatever else fails ends the run, which can go on later.
async fn patiently<T, A>(ask: impl Fn(Call) -> A) -> Result<T, Error>
where
    A: Future<Output = Result<T, SourceError>>,
{
    let mut times = 0;
    loop {
        let mut call = Call::new(request_id::make(), Instant::now() + PATIENCE);
        call.begin_by = call.deadline - TO_ANSWER;
        let error = match ask(call).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        times += 1;
        match error.kind() {
            ErrorKind::Throttled { retry_after } if times < TIMES => {
                let wait = retry_after.unwrap_or(Duration::from_secs(10));
                tokio::time::sleep(wait.clamp(Duration::from_secs(1), Duration::from_secs(60))).await;
            }
            _ => return Err(Error::Source(error)),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign(problem) => f.write_str(problem),
            Self::Io(what, error) => write!(f, "{what}: {error}"),
            Self::Source(error) => f.write_str(&error.chain()),
        }
    }
}

impl std::error::Error for Error {}
