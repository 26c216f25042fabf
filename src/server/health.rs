//! `grpc.health.v1`: whether the broker takes calls, and how each source was found last.

use std::sync::Arc;

use tokio::sync::watch;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};

use crate::grpc::MAX_REQUEST_BYTES;
use crate::pb::identity_service_server::SERVICE_NAME;

/// Reports for the whole process.
#[derive(Clone, Debug)]
pub struct Health {
    reporter: HealthReporter,
    sources: Arc<[String]>,
}

impl Health {
    /// Of a broker with these sources. Not serving, until told.
    pub async fn new(sources: impl IntoIterator<Item = Arc<str>>) -> Self {
        let health = Self {
            reporter: HealthReporter::new(),
            sources: sources.into_iter().map(|name| service_of(&name)).collect(),
        };
        health.serving(false).await;
        health
    }

    /// The service, for one worker.
    pub fn service(&self) -> HealthServer<HealthService> {
        HealthServer::new(HealthService::from_health_reporter(self.reporter.clone()))
            .max_decoding_message_size(MAX_REQUEST_BYTES)
    }

    /// Whether the broker takes calls. It does whatever its sources do: one dead source must not take the fleet out.
    pub async fn serving(&self, serving: bool) {
        for service in ["", SERVICE_NAME] {
            self.reporter.set_service_status(service, status(Some(serving))).await;
        }
    }

    /// Ends the watches, which would hold their connections open: nothing is going to change any more.
    pub async fn end(&self) {
        let mut reporter = self.reporter.clone();
        for service in ["", SERVICE_NAME]
            .into_iter()
            .chain(self.sources.iter().map(String::as_str))
        {
            reporter.clear_service_status(service).await;
        }
    }

    /// Follows one source for ever, as `source/NAME`.
    pub async fn follow(self, name: Arc<str>, mut up: watch::Receiver<Option<bool>>) {
        let service = service_of(&name);
        loop {
            let found = *up.borrow_and_update();
            self.reporter.set_service_status(&service, status(found)).await;
            if up.changed().await.is_err() {
                return;
            }
        }
    }
}

fn service_of(source: &str) -> String {
    format!("source/{source}")
}

fn status(well: Option<bool>) -> ServingStatus {
    match well {
        None => ServingStatus::Unknown,
        Some(true) => ServingStatus::Serving,
        Some(false) => ServingStatus::NotServing,
    }
}
