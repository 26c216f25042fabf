//! The composition root: settings → sources → directory → servers.

pub mod broker;
mod lifecycle;
pub mod probe;

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use idbridge_source::BuildError;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};
use url::Url;

use crate::config::{Admin, Config, GatewayConfig, Listen};
use crate::rest;
use crate::server::admin;
use crate::server::listen::Listener;
use crate::server::stack;
use crate::server::tls::{ALPN_ADMIN, ALPN_GRPC, ALPN_REST, TlsError, tls_config};
use crate::server::workers::{Services, StartError, Workers};
use crate::telemetry::log::Lost;
use crate::telemetry::metrics::Metrics;
use broker::Broker;
use lifecycle::{Lifecycle, Listeners};

/// Stop signals, as they come: the first drains, the second cuts.
pub type Stop = mpsc::UnboundedReceiver<()>;

/// Why the process can't start.
#[derive(Debug)]
pub enum Error {
    Bind { address: SocketAddr, error: io::Error },
    Build(BuildError),
    Random,
    Read { path: PathBuf, error: io::Error },
    Start(String),
    Tls(TlsError),
    Upstream(tonic::transport::Error),
}

/// Runs the broker, and the gateway if the settings want it, until it is told to stop.
///
/// `listening` is told the addresses once calls are taken.
pub async fn serve(config: Config, lost: Lost, stop: Stop, listening: impl FnOnce(&Addresses)) -> Result<(), Error> {
    let listeners = Listeners {
        grpc: Some(bind(&config.grpc.listen, ALPN_GRPC)?),
        rest: config
            .rest
            .as_ref()
            .map(|rest| bind(&rest.listen, ALPN_REST))
            .transpose()?,
        admin: bind_admin(config.admin.as_ref())?,
    };
    let broker = Arc::new(Broker::new(config).await?);
    broker.metrics().log_is_written(lost);
    let health = broker.health().clone();
    let mut followers = JoinSet::new();
    let mut probes = JoinSet::new();
    for source in broker.sources() {
        followers.spawn(health.clone().follow(Arc::clone(&source.name), source.watcher.health()));
        // A source of its own for the control runtime: probes go on while workers are busy.
        probes.spawn(probe::forever(broker.build_source(source)?));
        if let Some(list) = source.tombstones() {
            let (lookups, submissions) = (Arc::clone(source.lookups()), Arc::clone(source.submissions()));
            // What is remembered was judged by the list before.
            let forget = move || {
                lookups.forget_all();
                submissions.forget_all();
            };
            probes.spawn(Arc::clone(list).follow(Arc::clone(broker.metrics()), forget));
        }
    }
    let lifecycle = Lifecycle {
        readiness: Arc::default(),
        health: Some(health),
        followers,
        cut: broker.cut().clone(),
        tasks: broker.tasks().clone(),
    };
    let admin = admin::router(Arc::clone(&lifecycle.readiness), Arc::clone(broker.metrics()));
    let workers = start_workers(move |_| broker.services())?;
    lifecycle.run(listeners, workers, admin, stop, listening).await;
    Ok(())
}

/// Runs the gateway alone, against a remote broker, until it is told to stop.
pub async fn gateway(
    config: GatewayConfig,
    upstream: &Url,
    lost: Lost,
    stop: Stop,
    listening: impl FnOnce(&Addresses),
) -> Result<(), Error> {
    let listeners = Listeners {
        grpc: None,
        rest: Some(bind(&config.rest.listen, ALPN_REST)?),
        admin: bind_admin(config.admin.as_ref())?,
    };
    let endpoint = endpoint(upstream, config.rest.upstream_ca_file.as_deref())?;
    let settings = rest_settings(Some(&config.rest));
    let metrics = Arc::new(Metrics::new());
    metrics.log_is_written(lost);
    let lifecycle = Lifecycle::default();
    let admin = admin::router(Arc::clone(&lifecycle.readiness), Arc::clone(&metrics));
    let workers = start_workers(move |_| {
        // Connects at the first call, and again whenever the broker was away.
        let gateway = rest::Gateway::new(endpoint.connect_lazy(), settings);
        Ok(Services {
            grpc: Router::new(),
            rest: rest_service(gateway, &metrics),
        })
    })?;
    lifecycle.run(listeners, workers, admin, stop, listening).await;
    Ok(())
}

/// Where the process listens.
#[derive(Clone, Copy, Debug, Default)]
pub struct Addresses {
    pub grpc: Option<SocketAddr>,
    pub rest: Option<SocketAddr>,
    pub admin: Option<SocketAddr>,
}

/// A remote broker's gRPC listener, over TLS if the URL says so.
pub fn endpoint(upstream: &Url, ca_file: Option<&Path>) -> Result<Endpoint, Error> {
    let endpoint = Endpoint::from_shared(upstream.to_string())
        .map_err(Error::Upstream)?
        .connect_timeout(Duration::from_secs(2))
        // A broker that went without a word is noticed within seconds, and connected to anew.
        .http2_keep_alive_interval(Duration::from_secs(5))
        .keep_alive_timeout(Duration::from_secs(3))
        .keep_alive_while_idle(true);
    if upstream.scheme() != "https" {
        return Ok(endpoint);
    }
    let tls = match ca_file {
        Some(path) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read(path)?)),
        None => ClientTlsConfig::new().with_native_roots(),
    };
    endpoint.tls_config(tls).map_err(Error::Upstream)
}

/// The gateway in its stack.
fn rest_service<T: rest::Transport>(gateway: rest::Gateway<T>, metrics: &Arc<Metrics>) -> Router {
    let gateway = Arc::new(gateway);
    let serve = move |request| {
        let gateway = Arc::clone(&gateway);
        async move { gateway.serve(request).await }
    };
    stack::rest(serve, metrics)
}

/// What the gateway is told of the settings; its defaults where there is no `[rest]`.
pub fn rest_settings(rest: Option<&crate::config::Rest>) -> rest::Settings {
    use crate::config::EmailFrom;
    rest.map_or_else(rest::Settings::default, |rest| rest::Settings {
        deadline: rest.deadline,
        email_from: match rest.auth0.email_from {
            EmailFrom::Email => rest::EmailFrom::Email,
            EmailFrom::Login => rest::EmailFrom::Login,
        },
        send_username: rest.auth0.send_username,
        username_length: rest.auth0.username_length,
        password: rest.auth0.password,
    })
}

fn bind(listen: &Listen, alpn: &[&[u8]]) -> Result<Listener, Error> {
    let tls = match &listen.tls {
        None => None,
        Some(files) => Some(tls_config(&read(&files.cert_file)?, &read(&files.key_file)?, alpn).map_err(Error::Tls)?),
    };
    Listener::bind(listen.address, tls).map_err(|error| Error::Bind {
        address: listen.address,
        error,
    })
}

fn bind_admin(admin: Option<&Admin>) -> Result<Option<Listener>, Error> {
    admin.map(|admin| bind(&admin.listen, ALPN_ADMIN)).transpose()
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|error| Error::Read {
        path: path.to_owned(),
        error,
    })
}

fn start_workers(
    build: impl Fn(usize) -> Result<Services, BuildError> + Clone + Send + 'static,
) -> Result<Workers, Error> {
    let count = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    Workers::start(count, build).map_err(|error: StartError<BuildError>| Error::Start(error.to_string()))
}

impl From<BuildError> for Error {
    fn from(error: BuildError) -> Self {
        Self::Build(error)
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bind { address, error } => write!(f, "can't listen at {address}: {error}"),
            Self::Build(error) => error.fmt(f),
            Self::Random => f.write_str("the machine gives no random bytes"),
            Self::Read { path, error } => write!(f, "can't read {}: {error}", path.display()),
            Self::Start(error) => f.write_str(error),
            Self::Tls(error) => write!(f, "TLS: {error}"),
            Self::Upstream(error) => write!(f, "the broker's URL or certificate authority: {error}"),
        }
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
#[cfg(feature = "grpc")]
mod behind_tests;
#[cfg(test)]
#[cfg(feature = "grpc")]
mod edges_tests;
#[cfg(test)]
mod unary_peer_tests;
