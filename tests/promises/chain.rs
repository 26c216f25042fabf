//! A whole chain: a simulated org in this process, the broker and the gateway as processes of their own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use idbridge_okta_simulator::{Endpoint, Limits, Org, Simulator};
use tempfile::TempDir;
use tokio::net::TcpStream;
use toml::Table;

use super::clients::{Answer, Grpc, Rest, exchange, head};
use super::process::{Addresses, Process, bounded};
use super::secrecy::Secrets;
use super::settings;

/// Org, broker with its gateway, and a gateway that runs alone.
pub(crate) struct Chain {
    pub(crate) okta: Simulator,
    pub(crate) broker: Process,
    pub(crate) at: Addresses,
    pub(crate) gateway: Process,
    pub(crate) gateway_at: Addresses,
    pub(crate) secrets: Arc<Secrets>,
    _folder: TempDir,
}

/// The demo org without rate limits, which would count one test's calls against another's.
pub(crate) fn org() -> Org {
    Org::demo().limits(Limits::none())
}

impl Chain {
    /// With these settings over the usual ones, which lack what `without` names.
    pub(crate) async fn start_with(over: &Table, without: &[String]) -> Chain {
        let okta = Simulator::start(org()).await.expect("the org starts");
        let url = okta.url();
        Chain::before(okta, &url, &[], over, without).await
    }

    /// In front of an org that is reached at `url`, by a broker with these variables in its environment.
    pub(crate) async fn before(
        okta: Simulator,
        url: &str,
        variables: &[(&str, &Path)],
        over: &Table,
        without: &[String],
    ) -> Chain {
        let mut table = settings::broker(url);
        settings::merge(&mut table, over);
        settings::any_attempt(&mut table);
        for path in without {
            settings::remove(&mut table, path);
        }
        let secrets = Arc::new(Secrets::of(&org()));
        let folder = tempfile::tempdir().expect("a folder");
        let config = write(&folder, "broker", &table);
        let broker = Process::start_with(variables, &["serve"], &config, &secrets);
        let at = broker.listening().await;
        let upstream = format!("http://{}", at.grpc.expect("gRPC is on"));
        let config = write(&folder, "gateway", &settings::gateway(&table));
        let gateway = Process::start(&["gateway", "--upstream", &upstream], &config, &secrets);
        let gateway_at = gateway.listening().await;
        // The first probe is over: from now on the org sees what a test sends, for half a minute at least.
        bounded(
            "the first probe",
            okta.control().until(|received| received.total() >= 1),
        )
        .await;
        bounded("the probe's answer", okta.control().idle()).await;
        Chain {
            okta,
            broker,
            at,
            gateway,
            gateway_at,
            secrets,
            _folder: folder,
        }
    }

    pub(crate) async fn start(over: &str) -> Chain {
        Chain::start_with(&settings::parse(over), &[]).await
    }

    pub(crate) async fn grpc(&self) -> Grpc {
        Grpc::connect(self.at.grpc.expect("gRPC is on"), &self.secrets).await
    }

    /// The gateway in the broker's process.
    pub(crate) fn rest(&self) -> Rest {
        self.own_gateway().expect("REST is on")
    }

    /// The same, if the settings have one.
    pub(crate) fn own_gateway(&self) -> Option<Rest> {
        self.at.rest.map(|address| Rest::new(address, &self.secrets))
    }

    /// The gateway in a process of its own.
    pub(crate) fn lone_gateway(&self) -> Rest {
        Rest::new(self.gateway_at.rest.expect("REST is on"), &self.secrets)
    }

    /// Asks the broker's admin listener.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        let stream = TcpStream::connect(self.at.admin.expect("admin is on")).await;
        let head = head("GET", path, &Vec::new(), 0);
        exchange(stream.expect("admin takes connections"), &head, b"").await
    }

    pub(crate) async fn metrics(&self) -> String {
        String::from_utf8(self.get("/metrics").await.body).expect("text")
    }

    /// The demo org as it was, without faults.
    pub(crate) fn reset(&self) {
        let control = self.okta.control();
        control.clear_faults();
        control.show_all();
        control.change(|now| *now = org());
        control.refresh_search();
    }

    /// What the call with this id asked of the org, in order.
    pub(crate) fn asked(&self, request_id: &str) -> Vec<Endpoint> {
        let received = self.okta.received();
        let requests = received.requests();
        requests
            .filter(|request| request.header("x-request-id") == Some(request_id))
            .map(|request| request.endpoint)
            .collect()
    }

    /// Stops both processes in order, and searches what they wrote.
    pub(crate) async fn stop(self) {
        self.gateway.stop().await;
        // First: a drain would wait for password checks that hang.
        self.okta.shutdown().await;
        self.broker.stop().await;
        self.secrets.search_answers();
    }
}

pub(crate) fn write(folder: &TempDir, name: &str, settings: &Table) -> PathBuf {
    let path = folder.path().join(format!("{name}.toml"));
    std::fs::write(&path, settings.to_string()).expect("settings are written");
    path
}
