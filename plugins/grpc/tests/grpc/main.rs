//! The source against a plugin that is made by hand, so that it can say what no library would.

#![expect(clippy::expect_used, reason = "a test helper that can't go on fails the test")]

mod behaviour;
mod connection;
mod faults;
mod ill_formed;
mod metadata;
mod reply;
mod tls;
mod wire;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use idbridge_grpc::Grpc;
use idbridge_source::{
    Authentication, Call, Email, ErrorKind, IdentitySource, Login, Lookup, Node, Origin, Password, Reader, Registry,
    RequestId, SecretFiles, SourceContext, SourceError, SystemClock, UserName, Value,
};
use tokio::time::Instant;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

const CANARY: &str = "canary@example.com";
const UNAVAILABLE: ErrorKind = ErrorKind::Unavailable { retry_after: None };

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

/// A source with these settings.
fn source(settings: &[(&str, Value)]) -> Arc<dyn IdentitySource> {
    let node = |value: &Value| Node {
        origin: Origin::File("grpc.toml".into(), 1),
        value: value.clone(),
    };
    let entries = settings.iter().map(|(key, value)| ((*key).to_owned(), node(value)));
    let tree = Node::table(Path::new("grpc.toml"), entries);
    let reader = Reader::new(SecretFiles::Read);
    let context = SourceContext {
        name: "plugin".into(),
        clock: Arc::new(SystemClock),
    };
    let blueprint = Registry::default()
        .with::<Grpc>()
        .plan("grpc", &reader.root(&tree), &context);
    assert_eq!(reader.into_mistakes(), []);
    blueprint.expect("good settings").build().expect("a source")
}

/// A source with all that it can do.
fn source_at(url: &str) -> Arc<dyn IdentitySource> {
    source(&[
        ("url", text(url)),
        ("canary", text(CANARY)),
        ("lookup_by_login", Value::Bool(true)),
    ])
}

fn call_within(time: Duration) -> Call {
    Call::new(RequestId::parse("r-1").expect("a request id"), Instant::now() + time)
}

async fn log_in(source: &Arc<dyn IdentitySource>) -> Result<Authentication, SourceError> {
    log_in_within(source, PATIENCE).await
}

async fn log_in_within(source: &Arc<dyn IdentitySource>, time: Duration) -> Result<Authentication, SourceError> {
    let login = Login::parse("ada@example.com").expect("a login");
    let password = Password::parse("hunter2".to_owned()).expect("a password");
    source.authenticate(&call_within(time), &login, &password).await
}

async fn by_email(source: &Arc<dyn IdentitySource>) -> Result<Lookup, SourceError> {
    let email = Email::parse("ada@example.com").expect("an address");
    source.user_by_email(&call_within(PATIENCE), &email).await
}

async fn by_login(source: &Arc<dyn IdentitySource>) -> Result<Lookup, SourceError> {
    let login = UserName::parse("ada").expect("a login");
    source.user_by_login(&call_within(PATIENCE), &login).await
}

fn kind<T>(answer: &Result<T, SourceError>) -> Option<ErrorKind> {
    answer.as_ref().err().map(SourceError::kind)
}
