//! The kinds of source that this binary has, and what the broker puts around each of them.

pub mod attempts;
pub mod gate;
pub mod guard;
pub mod mapping;
pub mod observe;
pub mod own_ids;
pub mod permits;
pub mod run_to_end;
pub mod share;

use std::sync::Arc;

use idbridge_source::{IdentitySource, Registry};
use tokio_util::task::TaskTracker;

use attempts::{Attempts, Submissions};
use gate::{Gate, Rules};
use guard::{Guard, Protection};
use mapping::{Mapping, Words};
use observe::{Observe, Watcher};
use permits::{Permits, Pool};
use run_to_end::RunToEnd;
use share::{Lookups, Share};

macro_rules! kinds {
    ($($feature:literal: $kind:ty),* $(,)?) => {
        /// The kinds that this binary has.
        pub fn registry() -> Registry {
            let registry = Registry::default();
            $(
                #[cfg(feature = $feature)]
                let registry = registry.with::<$kind>();
            )*
            registry
        }

        /// The kinds that it was built without.
        pub const LEFT_OUT: &[&str] = &[$(
            #[cfg(not(feature = $feature))]
            $feature,
        )*];
    };
}

// The one list of compiled-in kinds, each behind a Cargo feature of its name.
kinds! {
    "grpc": idbridge_grpc::Grpc,
    "http": idbridge_http::Http,
    "memory": idbridge_memory::Memory,
    "okta": idbridge_okta::Okta,
    "sql": idbridge_sql::Sql,
}

/// What stands around a source, from the outside in.
#[expect(clippy::too_many_arguments, reason = "each decorator has its own")]
pub fn decorate(
    source: Arc<dyn IdentitySource>,
    protection: &Arc<Protection>,
    rules: &Rules,
    words: &Words,
    pool: &Arc<Pool>,
    watcher: &Arc<Watcher>,
    lookups: &Arc<Lookups>,
    submissions: &Arc<Submissions>,
    tasks: &TaskTracker,
) -> Arc<dyn IdentitySource> {
    // Nearest to the source: it counts what the source says, and nothing that was decided for it.
    let source = Arc::new(Guard::new(source, Arc::clone(protection)));
    // Next to that: what it decides is the answer, for counters and for look-ups that are told it.
    let source = judge(source, rules, words);
    // Sees each answer once, also those that nobody waits for any more, and no call that was shed.
    let source = Observe::new(source, Arc::clone(watcher));
    // Inside the task of a password check, which holds its permit until the upstream is done with it.
    let source = Permits::new(source, Arc::clone(pool));
    // A look-up that is told what another found out takes no permit, and says nothing of the source.
    let source = Share::new(source, Arc::clone(lookups));
    // Inside the task of a password check: who leads it isn't cut off with their caller, and who follows neither.
    let source = Attempts::new(source, Arc::clone(submissions));
    // Outermost: the caller waits for its own deadline, the task for the upstream's answer.
    Arc::new(RunToEnd::new(source, tasks.clone()).within(protection.time_limit()))
}

/// What the settings make of a source's own answers: who may move, and in which words they are told on.
pub fn judge(source: Arc<dyn IdentitySource>, rules: &Rules, words: &Words) -> Arc<dyn IdentitySource> {
    let source = if rules.are_open() {
        source
    } else {
        Arc::new(Gate::new(source, rules.clone()))
    };
    // Outside the gate, whose rules are about the source's own words.
    if words.are_its_own() {
        source
    } else {
        Arc::new(Mapping::new(source, words.clone()))
    }
}

#[cfg(test)]
pub(crate) mod tests;
