//! The suite on a source whose upstream nobody here holds: a plugin that runs elsewhere, with the suite's people in it or
//! with its own.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use idbridge_source::IdentitySource;
use tokio::sync::Notify;

use crate::cast::Cast;
use crate::suite::{LIMIT, runtime};
use crate::trial::Trial;
use crate::{Case, Fault, Log, Subject, Submission, Violation};

/// How a case ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Ended {
    Broken(Violation),
    Held,
    /// It holds or it doesn't: nobody knows, and this is why.
    NotRun(String),
    /// The same: the source asked for patience in the middle of it. Whoever asks again later may find out.
    Throttled,
}

const CONTROL: &str = "needs control over the plugin's upstream, or sight of what reaches it";

/// Runs one case, in a runtime of its own, on a source that is built in it. A case that lacks somebody in this cast is not
/// run, and neither is what needs an upstream that can be broken or looked into.
pub fn check_alone<E>(
    case: &Case,
    cast: &Cast,
    build: impl FnOnce() -> Result<Arc<dyn IdentitySource>, E>,
) -> Result<Ended, E> {
    runtime().block_on(async {
        let stop = Arc::new(Stop::default());
        let alone = Alone {
            source: build()?,
            stop: Arc::clone(&stop),
        };
        let trial = Trial::new(Box::new(alone), Log::default(), cast.clone());
        let declared = trial.operations();
        if let Some(operation) = case.needs.iter().find(|need| !declared.contains(need)) {
            return Ok(Ended::NotRun(format!("the source doesn't declare {operation:?}")));
        }
        Ok(tokio::select! {
            // First, so that what ends the case isn't outrun by what the case makes of it.
            biased;
            () = stop.told.notified() => Ended::NotRun(stop.because()),
            verdict = tokio::time::timeout(LIMIT, case.verdict(&trial)) => {
                let verdict = verdict.unwrap_or_else(|_late| Err(Violation::new("it never ends")));
                if trial.lacked_patience() {
                    return Ok(Ended::Throttled);
                }
                match (trial.lacks(&verdict), verdict) {
                    (Some(whom), _) => Ended::NotRun(format!("nobody plays {whom}")),
                    (None, Ok(())) => Ended::Held,
                    (None, Err(violation)) => Ended::Broken(violation),
                }
            }
        })
    })
}

/// Why a case can't be run, once it turns out.
#[derive(Debug, Default)]
struct Stop {
    because: Mutex<String>,
    told: Notify,
}

impl Stop {
    /// Never returns: the case is over.
    async fn stop<T>(&self, because: String) -> T {
        *self.because.lock().unwrap_or_else(PoisonError::into_inner) = because;
        self.told.notify_one();
        std::future::pending().await
    }

    fn because(&self) -> String {
        self.because.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

struct Alone {
    source: Arc<dyn IdentitySource>,
    stop: Arc<Stop>,
}

#[async_trait]
impl Subject for Alone {
    fn source(&self) -> Arc<dyn IdentitySource> {
        Arc::clone(&self.source)
    }

    async fn inflict(&self, _: Fault) {
        self.stop.stop(CONTROL.to_owned()).await
    }

    async fn heal(&self) {
        self.stop.stop(CONTROL.to_owned()).await
    }

    async fn submissions(&self) -> Vec<Submission> {
        self.stop.stop(CONTROL.to_owned()).await
    }

    async fn arrived(&self, _: usize) {
        self.stop.stop(CONTROL.to_owned()).await
    }

    async fn answered(&self, _: usize) {
        self.stop.stop(CONTROL.to_owned()).await
    }
}
