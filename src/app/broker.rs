//! What all workers share, and what each of them builds from it.

use std::sync::Arc;

use idbridge_source::{BuildError, ExposeSecret as _, IdentitySource};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::service::Routes;

use super::{Error, rest_service, rest_settings};
use crate::config::{self, Config};
use crate::directory::routing::Routing;
use crate::directory::{Directory, Member};
use crate::grpc::Service;
use crate::pb;
use crate::rest;
use crate::server::callers::{Caller, Callers};
use crate::server::health::Health;
use crate::server::stack::{self, Shared};
use crate::server::workers::Services;
use crate::sources::attempts::Submissions;
use crate::sources::gate::Rules;
use crate::sources::gate::tombstones::Tombstones;
use crate::sources::guard::Protection;
use crate::sources::mapping::Words;
use crate::sources::observe::Watcher;
use crate::sources::own_ids::OwnIds;
use crate::sources::permits::Pool;
use crate::sources::share::Lookups;
use crate::telemetry::audit::Hasher;
use crate::telemetry::metrics::Metrics;

/// The broker without its sockets.
#[derive(Debug)]
pub struct Broker {
    shared: Arc<Shared>,
    sources: Vec<Source>,
    routing: Routing,
    hasher: Hasher,
    health: Health,
    tasks: TaskTracker,
    reflection: bool,
    rest: Option<rest::Settings>,
}

/// A configured source, and the state that its copies share.
#[derive(Debug)]
pub struct Source {
    pub name: Arc<str>,
    pub watcher: Arc<Watcher>,
    settings: config::Source,
    protection: Arc<Protection>,
    pool: Arc<Pool>,
    lookups: Arc<Lookups>,
    submissions: Arc<Submissions>,
}

impl Broker {
    /// From settings that are good. Opens nothing.
    pub async fn new(config: Config) -> Result<Self, Error> {
        let metrics = Arc::new(Metrics::new());
        let hasher = match &config.audit.hash_key {
            Some(key) => Hasher::keyed(key.expose_secret().as_bytes()),
            None => Hasher::random().map_err(|_| Error::Random)?,
        };
        let rest = config.rest.as_ref().map(|rest| rest_settings(Some(rest)));
        let routing = routing(&config);
        let sources = config.sources.into_iter();
        let sources = sources.map(|settings| Source::new(settings, &metrics));
        let sources = sources.collect::<Result<Vec<Source>, Error>>()?;
        let health = Health::new(sources.iter().map(|source| Arc::clone(&source.name))).await;
        let shared = Shared {
            callers: Callers::new(config.callers.into_iter().map(caller)),
            metrics,
            max_deadline: config.grpc.max_deadline,
            cut: CancellationToken::new(),
        };
        Ok(Self {
            shared: Arc::new(shared),
            sources,
            routing,
            hasher,
            health,
            tasks: TaskTracker::new(),
            reflection: config.grpc.reflection,
            rest,
        })
    }

    /// One worker's services, built inside its runtime.
    pub fn services(&self) -> Result<Services, BuildError> {
        let grpc = self.grpc()?;
        let rest = match self.rest {
            // The gateway calls the whole gRPC stack in memory: what one transport refuses, the other refuses.
            Some(settings) => rest_service(rest::Gateway::new(grpc.clone(), settings), self.metrics()),
            None => axum::Router::new(),
        };
        Ok(Services { grpc, rest })
    }

    /// The gRPC service in its stack.
    pub fn grpc(&self) -> Result<axum::Router, BuildError> {
        self.grpc_over(|source| self.build_source(source))
    }

    /// The same over other sources than the configured ones: their routes, prefixes and the whole stack are these.
    pub fn grpc_over(
        &self,
        build: impl Fn(&Source) -> Result<Arc<dyn IdentitySource>, BuildError>,
    ) -> Result<axum::Router, BuildError> {
        let identity = Service::new(Arc::new(self.directory(build)?), self.hasher.clone());
        let mut others = Routes::builder();
        others.add_service(self.health.service());
        if self.reflection {
            let reflection = tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(pb::FILE_DESCRIPTOR_SET)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
                .build_v1()
                .map_err(BuildError::new)?;
            others.add_service(reflection);
        }
        Ok(stack::grpc(identity, others.routes(), &self.shared))
    }

    /// A copy of one source for the runtime that this runs in.
    pub fn build_source(&self, source: &Source) -> Result<Arc<dyn IdentitySource>, BuildError> {
        self.build_with(source, source.rules(), source.words())
    }

    /// The same without the rules of who may move: whom the source itself knows, in its own words.
    pub fn build_open_source(&self, source: &Source) -> Result<Arc<dyn IdentitySource>, BuildError> {
        self.build_with(source, &Rules::default(), &Words::default())
    }

    fn build_with(&self, source: &Source, rules: &Rules, words: &Words) -> Result<Arc<dyn IdentitySource>, BuildError> {
        let bare = self.with_its_own_ids(source, source.build_bare()?);
        Ok(crate::sources::decorate(
            bare,
            &source.protection,
            rules,
            words,
            &source.pool,
            &source.watcher,
            &source.lookups,
            &source.submissions,
            &self.tasks,
        ))
    }

    /// Innermost, so that an id which can't be told on counts as the source's error.
    fn with_its_own_ids(&self, source: &Source, bare: Arc<dyn IdentitySource>) -> Arc<dyn IdentitySource> {
        if !source.settings.id_prefix.is_empty() {
            return bare;
        }
        let prefixes = self.sources.iter().map(|other| other.settings.id_prefix.clone());
        Arc::new(OwnIds::new(bare, prefixes.collect()))
    }

    /// Replaces all callers by this one. Before anything is built.
    pub fn only_caller(&mut self, caller: Caller) {
        if let Some(shared) = Arc::get_mut(&mut self.shared) {
            shared.callers = Callers::new([caller]);
        }
    }

    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    pub fn health(&self) -> &Health {
        &self.health
    }

    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.shared.metrics
    }

    /// Cancelled to end the calls that a drain has no more time for.
    pub fn cut(&self) -> &CancellationToken {
        &self.shared.cut
    }

    /// Password checks that nobody may wait for any more.
    pub fn tasks(&self) -> &TaskTracker {
        &self.tasks
    }

    /// Which sources this caller's questions about this identifier go to: none if no route fits.
    pub fn routed(&self, identifier: &str, caller: &str) -> &[Arc<str>] {
        let found = self.routing.find(identifier, caller);
        found.map_or(&[], |(_, route)| route.to.sources())
    }

    fn directory(
        &self,
        build: impl Fn(&Source) -> Result<Arc<dyn IdentitySource>, BuildError>,
    ) -> Result<Directory, BuildError> {
        let members = self.sources.iter().map(|source| {
            Ok(Member {
                name: Arc::clone(&source.name),
                source: build(source)?,
                id_prefix: source.settings.id_prefix.as_str().into(),
                forward_client_address: source.settings.forward_client_address,
            })
        });
        Ok(Directory::new(
            members.collect::<Result<Vec<_>, BuildError>>()?,
            self.routing.clone(),
        ))
    }
}

impl Source {
    fn new(settings: config::Source, metrics: &Arc<Metrics>) -> Result<Self, Error> {
        let name = Arc::clone(&settings.name);
        let (shared, over_budget) = (
            metrics.authentications_shared(&name),
            metrics.authentications_over_budget(&name),
        );
        let submissions = Submissions::new(settings.attempts, shared, over_budget).map_err(|_| Error::Random)?;
        Ok(Self {
            watcher: Arc::new(Watcher::new(Arc::clone(&name), Arc::clone(metrics))),
            protection: Arc::new(Protection::new(Arc::clone(&name), settings.guard, metrics.guard(&name))),
            pool: Arc::new(Pool::new(settings.max_in_flight, metrics.source_in_flight(&name))),
            lookups: Arc::new(Lookups::new(settings.lookup_ttl, metrics.lookups_shared(&name))),
            submissions: Arc::new(submissions),
            name,
            settings,
        })
    }

    /// What was asked of it lately.
    pub fn lookups(&self) -> &Arc<Lookups> {
        &self.lookups
    }

    /// Which passwords were submitted to it lately.
    pub fn submissions(&self) -> &Arc<Submissions> {
        &self.submissions
    }

    /// Without anything around it.
    pub fn build_bare(&self) -> Result<Arc<dyn IdentitySource>, BuildError> {
        self.settings.blueprint.build()
    }

    pub fn rules(&self) -> &Rules {
        &self.settings.rules
    }

    pub fn words(&self) -> &Words {
        &self.settings.words
    }

    pub fn id_prefix(&self) -> &str {
        &self.settings.id_prefix
    }

    /// Its list of those who have gone, if it has one.
    pub fn tombstones(&self) -> Option<&Arc<Tombstones>> {
        self.settings.rules.tombstones.as_ref()
    }
}

/// Where calls go.
pub fn routing(config: &Config) -> Routing {
    match (&*config.routes, &*config.sources) {
        ([], [only]) => Routing::only(Arc::clone(&only.name)),
        (routes, _) => Routing::new(routes.to_vec()),
    }
}

fn caller(settings: config::Caller) -> Caller {
    let mut caller = Caller::new(&settings.name, settings.key_hashes);
    caller.may_authenticate = settings.allow.authenticate;
    caller.may_look_up = settings.allow.get_user_by_email;
    caller.sources = settings.sources;
    caller.max_in_flight = settings.max_in_flight;
    caller
}
