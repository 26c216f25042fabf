//! The behaviour suite on a broker behind a broker: memory in the innermost, asked over gRPC by a source of the kind
//! `grpc` in the next, which a source of that kind asks in turn. What any of them lost on the wire would be missed.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use idbridge_source::{
    Blueprint, BuildError, Call, Capabilities, Email, ErrorKind, IdentitySource, Lookup, RequestId, SecretFiles,
};
use idbridge_testkit::world::ADA;
use idbridge_testkit::{Fault, Subject, Submission};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::broker::Broker;
use crate::config::{self, Config};
use crate::server::connection::Protocol;
use crate::server::drain::Drain;
use crate::server::listen::{Listener, accept};
use crate::server::workers::Workers;
use crate::sources::attempts::Limits;
use crate::sources::tests::subject::MemorySubject;

pub(super) const KEY: &str = "a-broker-of-ours";

/// A broker that takes calls until it is dropped.
pub(super) struct Running {
    pub(super) url: String,
    accepting: JoinHandle<()>,
}

impl Running {
    pub(super) async fn start(config: Config) -> Self {
        let broker = Broker::new(config).await.expect("a broker");
        let one = NonZeroUsize::MIN;
        let workers = Workers::start(one, {
            let broker = Arc::new(broker);
            move |_| broker.services()
        });
        let workers = workers.expect("workers");
        let listener = Listener::bind(([127, 0, 0, 1], 0).into(), None).expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let accepting = async move { accept(listener, &workers, Protocol::Grpc, &Drain::default()).await };
        Self {
            url,
            accepting: tokio::spawn(accepting),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Settings with one source and one caller.
pub(super) fn config(source: &str) -> Config {
    let hash: String = digest(&SHA256, KEY.as_bytes())
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let text = format!(
        "[callers.broker]\nkey_sha256 = \"{hash}\"\nallow = [\"authenticate\", \"get_user_by_email\"]\n{source}"
    );
    let registry = crate::sources::registry();
    let config = config::parse(Path::new("behind.toml"), &text, [], &registry, SecretFiles::Read);
    let mut config = config.expect("good settings");
    for source in &mut config.sources {
        // Cases change people and ask again at once.
        source.attempts = Limits {
            replay: Duration::ZERO,
            burst: 1_000,
            per_second: 1_000,
            ..Limits::default()
        };
    }
    config
}

/// Settings whose source asks the broker at this URL.
fn asking(url: &str, id_prefix: &str) -> Config {
    config(&format!(
        "[sources.inner]\nkind = \"grpc\"\n{id_prefix}\n[sources.inner.settings]\nurl = \"{url}\"\nkey = \"{KEY}\"\n\
         canary = \"{}\"\n",
        ADA.email
    ))
}

/// Stands where the settings would put a source.
#[derive(Debug)]
struct Held(Arc<dyn IdentitySource>);

impl Blueprint for Held {
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    fn build(&self) -> Result<Arc<dyn IdentitySource>, BuildError> {
        Ok(Arc::clone(&self.0))
    }
}

struct Behind {
    memory: MemorySubject,
    source: Arc<dyn IdentitySource>,
    _inner: Running,
    _outer: Running,
}

impl Behind {
    async fn start() -> Self {
        let memory = MemorySubject::new("");
        let mut settings = config("[sources.people]\nkind = \"memory\"\n");
        settings.sources[0].blueprint = Arc::new(Held(memory.source()));
        let inner = Running::start(settings).await;
        let outer = Running::start(asking(&inner.url, "id_prefix = \"\"")).await;
        let outermost = asking(&outer.url, "id_prefix = \"\"");
        Self {
            memory,
            source: outermost.sources[0].blueprint.build().expect("a source"),
            _inner: inner,
            _outer: outer,
        }
    }
}

#[async_trait]
impl Subject for Behind {
    fn source(&self) -> Arc<dyn IdentitySource> {
        Arc::clone(&self.source)
    }

    async fn inflict(&self, fault: Fault) {
        self.memory.inflict(fault).await;
    }

    async fn heal(&self) {
        self.memory.heal().await;
    }

    async fn submissions(&self) -> Vec<Submission> {
        self.memory.submissions().await
    }

    async fn arrived(&self, count: usize) {
        self.memory.arrived(count).await;
    }

    async fn answered(&self, count: usize) {
        self.memory.answered(count).await;
    }

    fn secrets(&self) -> Vec<String> {
        vec![KEY.to_owned()]
    }
}

async fn ada(source: &Arc<dyn IdentitySource>) -> Result<Lookup, ErrorKind> {
    let id = RequestId::parse("behind").expect("a request id");
    let call = Call::new(id, Instant::now() + Duration::from_secs(20));
    let email = Email::parse(ADA.email).expect("an address");
    source.user_by_email(&call, &email).await.map_err(|error| error.kind())
}

fn id(found: Result<Lookup, ErrorKind>) -> String {
    match found {
        Ok(Lookup::Found(user)) => user.id.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_id_is_the_same_behind_any_number_of_brokers() {
    let behind = Behind::start().await;
    assert_eq!(id(ada(&behind.source()).await), "people|p1");
    let with_a_prefix = Running::start(asking(&behind._inner.url, "")).await;
    let source = asking(&with_a_prefix.url, "").sources[0]
        .blueprint
        .build()
        .expect("a source");
    assert_eq!(id(ada(&source).await), "inner|people|p1");
}

/// The innermost source's own ids have no prefix: with none put before them they are nobody's.
#[tokio::test]
async fn an_id_without_any_prefix_is_refused() {
    for (own_prefix, wanted) in [("people", Ok("people|p1")), ("auth0", Err(ErrorKind::Protocol))] {
        let memory = MemorySubject::new("");
        let mut settings = config("[sources.people]\nkind = \"memory\"\n");
        settings.sources[0].blueprint = Arc::new(Held(memory.source()));
        settings.sources[0].id_prefix = own_prefix.to_owned();
        let inner = Running::start(settings).await;
        let outer = Running::start(asking(&inner.url, "id_prefix = \"\"")).await;
        let source = asking(&outer.url, "").sources[0].blueprint.build().expect("a source");
        let found = ada(&source).await;
        match wanted {
            Ok(wanted) => assert_eq!(id(found), wanted),
            Err(kind) => assert_eq!(found, Err(kind)),
        }
    }
    let memory = MemorySubject::new("");
    let mut settings = config("[sources.people]\nkind = \"memory\"\n");
    settings.sources[0].blueprint = Arc::new(Held(memory.source()));
    settings.sources[0].id_prefix = String::new();
    let bare = Running::start(settings).await;
    let source = asking(&bare.url, "").sources[0].blueprint.build().expect("a source");
    assert_eq!(ada(&source).await, Err(ErrorKind::Protocol));
}

/// Two sources' users must never share an id, whoever made it.
#[tokio::test]
async fn an_id_with_another_sources_prefix_is_refused() {
    let memory = MemorySubject::new("");
    let mut settings = config("[sources.people]\nkind = \"memory\"\n");
    settings.sources[0].blueprint = Arc::new(Held(memory.source()));
    let inner = Running::start(settings).await;
    for (neighbour, wanted) in [("others", None), ("people", Some(ErrorKind::Protocol))] {
        let outer = Running::start(config(&format!(
            "[sources.inner]\nkind = \"grpc\"\nid_prefix = \"\"\n[sources.inner.settings]\nurl = \"{}\"\n\
             key = \"{KEY}\"\ncanary = \"{}\"\n[sources.{neighbour}]\nkind = \"memory\"\n\
             [[routes]]\nsource = \"inner\"\n",
            inner.url, ADA.email
        )))
        .await;
        let source = asking(&outer.url, "").sources[0].blueprint.build().expect("a source");
        assert_eq!(ada(&source).await.err(), wanted, "{neighbour}");
    }
}

idbridge_testkit::behaviour!(Behind::start().await);
