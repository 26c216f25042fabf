//! Counters and histograms, in OpenMetrics text. No label ever holds what a user typed.

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use idbridge_source::ErrorKind;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::log::Lost;

/// From a local answer to the longest deadline.
const BUCKETS: [f64; 12] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// What is asked of a source.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Operation {
    Authenticate,
    LookUp,
}

impl Operation {
    pub fn name(self) -> &'static str {
        match self {
            Self::Authenticate => "authenticate",
            Self::LookUp => "get_user_by_email",
        }
    }
}

/// The process's metrics, shared by all workers.
pub struct Metrics {
    registry: Registry,
    authentications: Family<OutcomeLabels, Counter>,
    authentications_over_budget: Family<SourceLabels, Counter>,
    authentications_shared: Family<SourceLabels, Counter>,
    lookups: Family<OutcomeLabels, Counter>,
    lookups_shared: Family<SourceLabels, Counter>,
    log_records_lost: Counter,
    /// Where that is counted.
    log: OnceLock<Lost>,
    source_breaker_opens: Family<SourceLabels, Counter>,
    source_breaker_state: Family<SourceLabels, Gauge>,
    source_errors: Family<ErrorLabels, Counter>,
    source_in_flight: Family<SourceLabels, Gauge>,
    source_refused: Family<SourceLabels, Counter>,
    source_retries: Family<SourceLabels, Counter>,
    source_up: Family<SourceLabels, Gauge>,
    tombstones: Family<SourceLabels, Gauge>,
    tombstones_current: Family<SourceLabels, Gauge>,
    calls: Family<CallLabels, Histogram>,
    requests: Family<RequestLabels, Histogram>,
}

/// Of one source's guard.
#[derive(Clone, Debug, Default)]
pub struct GuardMetrics {
    pub opens: Counter,
    pub refused: Counter,
    pub retries: Counter,
    pub state: Gauge,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct OutcomeLabels {
    source: Arc<str>,
    outcome: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct ErrorLabels {
    source: Arc<str>,
    kind: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct SourceLabels {
    source: Arc<str>,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct CallLabels {
    rpc_system_name: &'static str,
    rpc_method: &'static str,
    rpc_response_status_code: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct RequestLabels {
    http_route: &'static str,
    http_response_status_code: u16,
}

impl Metrics {
    pub fn new() -> Self {
        let histogram = || Histogram::new(BUCKETS);
        let mut metrics = Self {
            registry: Registry::default(),
            authentications: Family::default(),
            authentications_over_budget: Family::default(),
            authentications_shared: Family::default(),
            lookups: Family::default(),
            lookups_shared: Family::default(),
            log_records_lost: Counter::default(),
            log: OnceLock::new(),
            source_breaker_opens: Family::default(),
            source_breaker_state: Family::default(),
            source_errors: Family::default(),
            source_in_flight: Family::default(),
            source_refused: Family::default(),
            source_retries: Family::default(),
            source_up: Family::default(),
            tombstones: Family::default(),
            tombstones_current: Family::default(),
            calls: Family::new_with_constructor(histogram as fn() -> Histogram),
            requests: Family::new_with_constructor(histogram as fn() -> Histogram),
        };
        let registry = &mut metrics.registry;
        registry.register(
            "idbridge_authentications",
            "Password checks by what the source answered",
            metrics.authentications.clone(),
        );
        registry.register(
            "idbridge_authentications_over_budget",
            "Password checks refused because the user has no attempt left",
            metrics.authentications_over_budget.clone(),
        );
        registry.register(
            "idbridge_authentications_shared",
            "Password checks answered without submitting the password",
            metrics.authentications_shared.clone(),
        );
        registry.register(
            "idbridge_log_records_lost",
            "Log records that nobody took in time, those of attempts included",
            metrics.log_records_lost.clone(),
        );
        registry.register(
            "idbridge_lookups",
            "Look-ups by what the source answered",
            metrics.lookups.clone(),
        );
        registry.register(
            "idbridge_lookups_shared",
            "Look-ups answered without asking the source",
            metrics.lookups_shared.clone(),
        );
        registry.register(
            "idbridge_source_breaker_opens",
            "How often a source was left alone, for it failed",
            metrics.source_breaker_opens.clone(),
        );
        registry.register(
            "idbridge_source_breaker_state",
            "Whether a source is asked: 0 it is, 1 one call finds out, 2 it is left alone",
            metrics.source_breaker_state.clone(),
        );
        registry.register(
            "idbridge_source_errors",
            "Calls for which a source could not find out",
            metrics.source_errors.clone(),
        );
        registry.register(
            "idbridge_source_in_flight",
            "Calls that hold a permit of this source",
            metrics.source_in_flight.clone(),
        );
        registry.register(
            "idbridge_source_refused",
            "Calls and probes that a source was spared while it was left alone",
            metrics.source_refused.clone(),
        );
        registry.register(
            "idbridge_source_retries",
            "Look-ups that were asked once more",
            metrics.source_retries.clone(),
        );
        registry.register(
            "idbridge_source_up",
            "Whether the last probe or call found the source well",
            metrics.source_up.clone(),
        );
        registry.register(
            "idbridge_tombstones",
            "Ids in the source's list of tombstones",
            metrics.tombstones.clone(),
        );
        registry.register(
            "idbridge_tombstones_current",
            "Whether that list is what its file says",
            metrics.tombstones_current.clone(),
        );
        registry.register_with_unit(
            "rpc_server_call_duration",
            "gRPC calls, from their headers to the end of the answer's making",
            Unit::Seconds,
            metrics.calls.clone(),
        );
        registry.register_with_unit(
            "http_server_request_duration",
            "REST calls, from their headers to the end of the answer's making",
            Unit::Seconds,
            metrics.requests.clone(),
        );
        metrics
    }

    /// What a source answered, an error kind's name included.
    pub fn outcome(&self, source: &Arc<str>, operation: Operation, outcome: &'static str) {
        let family = match operation {
            Operation::Authenticate => &self.authentications,
            Operation::LookUp => &self.lookups,
        };
        family
            .get_or_create(&OutcomeLabels {
                source: Arc::clone(source),
                outcome,
            })
            .inc();
    }

    pub fn source_error(&self, source: &Arc<str>, kind: ErrorKind) {
        self.source_errors
            .get_or_create(&ErrorLabels {
                source: Arc::clone(source),
                kind: kind.name(),
            })
            .inc();
    }

    /// Counts the password checks that a user's budget had no room for.
    pub fn authentications_over_budget(&self, source: &Arc<str>) -> Counter {
        self.authentications_over_budget
            .get_or_create(&SourceLabels {
                source: Arc::clone(source),
            })
            .clone()
    }

    /// Counts the password checks that were told what an equal one had found out.
    pub fn authentications_shared(&self, source: &Arc<str>) -> Counter {
        self.authentications_shared
            .get_or_create(&SourceLabels {
                source: Arc::clone(source),
            })
            .clone()
    }

    /// Counts the look-ups that were told what an equal one had found out.
    pub fn lookups_shared(&self, source: &Arc<str>) -> Counter {
        self.lookups_shared
            .get_or_create(&SourceLabels {
                source: Arc::clone(source),
            })
            .clone()
    }

    /// Counts the calls that are at this source.
    pub fn source_in_flight(&self, source: &Arc<str>) -> Gauge {
        self.source_in_flight
            .get_or_create(&SourceLabels {
                source: Arc::clone(source),
            })
            .clone()
    }

    /// What a guard shows of this source.
    pub fn guard(&self, source: &Arc<str>) -> GuardMetrics {
        let labels = SourceLabels {
            source: Arc::clone(source),
        };
        GuardMetrics {
            opens: self.source_breaker_opens.get_or_create(&labels).clone(),
            refused: self.source_refused.get_or_create(&labels).clone(),
            retries: self.source_retries.get_or_create(&labels).clone(),
            state: self.source_breaker_state.get_or_create(&labels).clone(),
        }
    }

    pub fn source_up(&self, source: &Arc<str>, up: bool) {
        self.source_up
            .get_or_create(&SourceLabels {
                source: Arc::clone(source),
            })
            .set(i64::from(up));
    }

    /// How many tombstones a source has, and whether they are those of the file.
    pub fn tombstones(&self, source: &Arc<str>, count: usize, current: bool) {
        let labels = SourceLabels {
            source: Arc::clone(source),
        };
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.tombstones.get_or_create(&labels).set(count);
        self.tombstones_current.get_or_create(&labels).set(i64::from(current));
    }

    /// A gRPC call. `method` is one that exists, or `_OTHER`, so that callers can't make labels.
    pub fn call(&self, method: &'static str, code: &'static str, took: Duration) {
        let labels = CallLabels {
            rpc_system_name: "grpc",
            rpc_method: method,
            rpc_response_status_code: code,
        };
        self.calls.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// A REST call. `route` is one that exists, or `_OTHER`.
    pub fn request(&self, route: &'static str, status: u16, took: Duration) {
        let labels = RequestLabels {
            http_route: route,
            http_response_status_code: status,
        };
        self.requests.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// From now on the process logs, and this counts what is lost of that. A second call changes nothing.
    pub fn log_is_written(&self, lost: Lost) {
        let _ = self.log.set(lost);
    }

    /// All of them, as OpenMetrics text.
    pub fn render(&self) -> Result<String, fmt::Error> {
        let lost = self.log.get().map_or(0, Lost::count);
        self.log_records_lost.inner().store(lost, Ordering::Relaxed);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics { .. }")
    }
}
