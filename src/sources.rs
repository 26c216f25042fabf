//! The kinds of source that this binary has, and what the broker puts around each of them.

pub mod gate;
pub mod mapping;
pub mod observe;
pub mod own_ids;
pub mod permits;
pub mod run_to_end;
pub mod share;

use std::sync::Arc;

use idbridge_memory::Memory;
use idbridge_okta::Okta;
use idbridge_source::{IdentitySource, Registry};
use tokio_util::task::TaskTracker;

use gate::{Gate, Rules};
use mapping::{Mapping, Words};
use observe::{Observe, Watcher};
use permits::{Permits, Pool};
use run_to_end::RunToEnd;
use share::{Lookups, Share};

/// Kinds that this binary was built without, each by the name of its feature.
pub const LEFT_OUT: &[&str] = &[
    #[cfg(not(feature = "grpc"))]
    "grpc",
    #[cfg(not(feature = "http"))]
    "http",
    #[cfg(not(feature = "sql"))]
    "sql",
];

/// The one list of compiled-in kinds.
pub fn registry() -> Registry {
    let registry = Registry::default().with::<Memory>().with::<Okta>();
    #[cfg(feature = "grpc")]
    let registry = registry.with::<idbridge_grpc::Grpc>();
    #[cfg(feature = "http")]
    let registry = registry.with::<idbridge_http::Http>();
    #[cfg(feature = "sql")]
    let registry = registry.with::<idbridge_sql::Sql>();
    registry
}

/// What stands around a source, from the outside in.
pub fn decorate(
    source: Arc<dyn IdentitySource>,
    rules: &Rules,
    words: &Words,
    pool: &Arc<Pool>,
    watcher: &Arc<Watcher>,
    lookups: &Arc<Lookups>,
    tasks: &TaskTracker,
) -> Arc<dyn IdentitySource> {
    // Next to the source: what it decides is the answer, for counters and for look-ups that are told it.
    let source = judge(source, rules, words);
    // Sees each answer once, also those that nobody waits for any more, and no call that was shed.
    let source = Observe::new(source, Arc::clone(watcher));
    // Inside the task of a password check, which holds its permit until the upstream is done with it.
    let source = Permits::new(source, Arc::clone(pool));
    // A look-up that is told what another found out takes no permit, and says nothing of the source.
    let source = Share::new(source, Arc::clone(lookups));
    // Outermost: the caller waits for its own deadline, the task for the upstream's answer.
    Arc::new(RunToEnd::new(source, tasks.clone()))
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
