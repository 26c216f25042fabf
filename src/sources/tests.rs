//! The behaviour suite through each decorator, and through all of them as the broker stacks them: a decorator may say
//! "I could not find out", and may change nothing else.

#[path = "../../plugins/memory/tests/behaviour/subject.rs"]
pub(crate) mod subject;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::task::TaskTracker;

use super::attempts::{Limits, Submissions};
use super::guard::{Protection, Settings};
use super::mapping::Words;
use super::observe::Watcher;
use super::permits::Pool;
use super::share::Lookups;
use crate::telemetry::metrics::Metrics;

#[test]
fn no_kind_hides_another() {
    assert_eq!(super::registry().kinds(), ["grpc", "http", "memory", "okta", "sql"]);
}

fn watcher() -> Arc<Watcher> {
    Arc::new(Watcher::new("memory".into(), Arc::new(Metrics::new())))
}

fn pool() -> Arc<Pool> {
    Arc::new(Pool::new(70, Metrics::new().source_in_flight(&"memory".into())))
}

/// As a source has by default.
fn protection() -> Arc<Protection> {
    let metrics = Metrics::new().guard(&"memory".into());
    Arc::new(Protection::new("memory".into(), Settings::default(), metrics))
}

/// Remembers answers longer than any case takes.
fn lookups() -> Arc<Lookups> {
    let shared = Metrics::new().lookups_shared(&"memory".into());
    Arc::new(Lookups::new(Duration::from_secs(60), shared))
}

/// As a source has by default, but that a case asks the same at once and means it.
fn submissions() -> Arc<Submissions> {
    let limits = Limits {
        replay: Duration::ZERO,
        burst: 1_000,
        per_second: 1_000,
        ..Limits::default()
    };
    let metrics = Metrics::new();
    let (shared, over_budget) = (
        metrics.authentications_shared(&"memory".into()),
        metrics.authentications_over_budget(&"memory".into()),
    );
    Arc::new(Submissions::new(limits, shared, over_budget).expect("random bytes"))
}

/// Nobody in the suite has what they are about.
fn words() -> Words {
    Words {
        drop: vec!["unheard_of".to_owned()],
        rename: vec![("unheard_of_too".to_owned(), "heard_of".to_owned())],
        ..Words::default()
    }
}

mod attempts {
    use idbridge_testkit::Subject as _;

    use super::super::attempts::Attempts;
    use super::subject::MemorySubject;
    use super::{Arc, submissions};

    idbridge_testkit::behaviour!(MemorySubject::new("").wrap(|source| Arc::new(Attempts::new(source, submissions()))));
}

mod examine;
mod gate;

mod guard {
    use idbridge_testkit::Subject as _;

    use super::super::guard::Guard;
    use super::subject::MemorySubject;
    use super::{Arc, protection};

    idbridge_testkit::behaviour!(
        MemorySubject::new("lookup_by_login = true").wrap(|source| Arc::new(Guard::new(source, protection())))
    );
}

mod mapping {
    use idbridge_testkit::Subject as _;

    use super::super::mapping::Mapping;
    use super::subject::MemorySubject;
    use super::{Arc, words};

    idbridge_testkit::behaviour!(
        MemorySubject::new("lookup_by_login = true").wrap(|source| Arc::new(Mapping::new(source, words())))
    );
}

mod observe {
    use idbridge_source::{Call, ErrorKind, RequestId};
    use idbridge_testkit::{Fault, Subject as _};
    use tokio::time::Instant;

    use super::super::observe::Observe;
    use super::subject::MemorySubject;
    use super::{Arc, Duration, watcher};

    /// Who asks for patience is alive. Whether it is well, the answers before have told.
    #[tokio::test]
    async fn patience_leaves_health_as_it_was() {
        let (subject, watcher) = (MemorySubject::new(""), watcher());
        let (source, health) = (Observe::new(subject.source(), Arc::clone(&watcher)), watcher.health());
        let probe = async |fault: Option<Fault>| {
            match fault {
                None => subject.heal().await,
                Some(fault) => subject.inflict(fault).await,
            }
            let id = RequestId::parse("patience").expect("an id");
            let call = Call::new(id, Instant::now() + Duration::from_secs(5));
            idbridge_source::IdentitySource::probe(&source, &call)
                .await
                .err()
                .map(|error| error.kind())
        };
        let throttled = |kind| matches!(kind, Some(ErrorKind::Throttled { .. }));
        assert!(throttled(probe(Some(Fault::Throttled)).await));
        assert_eq!(*health.borrow(), None, "not known before");
        assert_eq!(probe(None).await, None);
        assert!(throttled(probe(Some(Fault::Throttled)).await));
        assert_eq!(*health.borrow(), Some(true), "well before");
        assert!(!throttled(probe(Some(Fault::Unavailable)).await));
        assert!(throttled(probe(Some(Fault::Throttled)).await));
        assert_eq!(*health.borrow(), Some(false), "ill before");
    }

    idbridge_testkit::behaviour!(MemorySubject::new("").wrap(|source| Arc::new(Observe::new(source, watcher()))));
}

mod permits {
    use super::super::permits::Permits;
    use idbridge_testkit::Subject as _;

    use super::subject::MemorySubject;
    use super::{Arc, pool};

    idbridge_testkit::behaviour!(MemorySubject::new("").wrap(|source| Arc::new(Permits::new(source, pool()))));
}

mod run_to_end {
    use super::super::run_to_end::RunToEnd;
    use idbridge_testkit::Subject as _;

    use super::subject::MemorySubject;
    use super::{Arc, TaskTracker};

    idbridge_testkit::behaviour!(
        MemorySubject::new("").wrap(|source| Arc::new(RunToEnd::new(source, TaskTracker::new())))
    );
}

mod share {
    use super::super::share::Share;
    use idbridge_testkit::Subject as _;

    use super::subject::MemorySubject;
    use super::{Arc, lookups};

    idbridge_testkit::behaviour!(
        MemorySubject::new("lookup_by_login = true").wrap(|source| Arc::new(Share::new(source, lookups())))
    );
}

mod all {
    use super::super::decorate;
    use idbridge_testkit::Subject as _;

    use super::super::gate::Rules;
    use super::subject::MemorySubject;
    use super::{TaskTracker, lookups, pool, protection, submissions, watcher, words};

    idbridge_testkit::behaviour!(MemorySubject::new("lookup_by_login = true").wrap(|source| decorate(
        source,
        &protection(),
        &Rules::default(),
        &words(),
        &pool(),
        &watcher(),
        &lookups(),
        &submissions(),
        &TaskTracker::new()
    )));
}
