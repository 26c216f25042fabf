//! Settings as TOML, the source that they make, and calls of it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use idbridge_http::Http;
use idbridge_source::{
    Authentication, Call, Email, IdentitySource, Login, Lookup, ManualClock, Node, Origin, Password, Reader, Registry,
    RequestId, SecretFiles, SourceContext, SourceError, UserName, Value,
};
use tokio::time::Instant;

pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// The first example of a document, with this double in the place of the upstream, and a token in place of its file.
pub(crate) fn example(document: &str, url: &str) -> String {
    let text = document.split_once("```toml\n").map_or(document, |(_, rest)| rest);
    let text = text.split("```").next().expect("its end");
    let line = |line: &str| match line.split_once(" = ") {
        Some(("base_url", _)) => format!("base_url = \"{url}\"\naddresses = [\"127.0.0.0/8\"]\n"),
        Some(("token_url", _)) => format!("token_url = \"{url}/oauth/token\"\n"),
        Some((key, _)) if key.ends_with("_file") => format!("{} = \"s3cret-token\"\n", key.trim_end_matches("_file")),
        _ => format!("{line}\n"),
    };
    let whole: String = text.lines().map(line).collect();
    let whole: toml::Value = toml::from_str(&whole).expect("an example that parses");
    let sources = whole["sources"].as_table().expect("sources");
    let settings = sources.values().next().expect("a source")["settings"].clone();
    toml::to_string(&settings).expect("TOML")
}

pub(crate) fn source(settings: &str) -> Arc<dyn IdentitySource> {
    let (source, mistakes) = read(settings);
    assert_eq!(mistakes, [""; 0]);
    source.expect("a source")
}

pub(crate) fn mistakes(settings: &str) -> Vec<String> {
    let (source, mistakes) = read(settings);
    assert!(
        source.is_some() || !mistakes.is_empty(),
        "no source, and nobody says why"
    );
    mistakes
}

fn read(settings: &str) -> (Option<Arc<dyn IdentitySource>>, Vec<String>) {
    let tree = node(toml::from_str(settings).expect("the test's own TOML parses"));
    let reader = Reader::new(SecretFiles::Read);
    let table = reader.root(&tree);
    let context = SourceContext {
        name: "legacy".into(),
        clock: Arc::new(ManualClock::at(
            SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000),
        )),
    };
    let plan = Registry::default().with::<Http>().plan("http", &table, &context);
    drop(table);
    let mistakes = reader.into_mistakes().into_iter();
    let mistakes = mistakes.map(|mistake| format!("{}: {}", mistake.key, mistake.problem));
    (plan.map(|plan| plan.build().expect("a source")), mistakes.collect())
}

fn node(value: toml::Value) -> Node {
    let value = match value {
        toml::Value::Array(items) => Value::List(items.into_iter().map(node).collect()),
        toml::Value::Boolean(value) => Value::Bool(value),
        toml::Value::Integer(value) => Value::Integer(value),
        toml::Value::Table(table) => Value::Table(table.into_iter().map(|(key, value)| (key, node(value))).collect()),
        other => Value::Text(other.as_str().expect("no other type is needed").to_owned()),
    };
    Node {
        origin: Origin::File(Path::new("s.toml").to_owned(), 1),
        value,
    }
}

pub(crate) fn call_within(time: Duration) -> Call {
    Call::new(RequestId::parse("test").expect("an id"), Instant::now() + time)
}

fn call() -> Call {
    call_within(Duration::from_secs(10))
}

pub(crate) async fn log_in(
    source: &Arc<dyn IdentitySource>,
    login: &str,
    password: &str,
) -> Result<Authentication, SourceError> {
    let (login, password) = (Login::parse(login), Password::parse(password.to_owned()));
    source
        .authenticate(&call(), &login.expect("a login"), &password.expect("a password"))
        .await
}

pub(crate) async fn by_email(source: &Arc<dyn IdentitySource>, email: &str) -> Result<Lookup, SourceError> {
    source
        .user_by_email(&call(), &Email::parse(email).expect("an address"))
        .await
}

pub(crate) async fn by_login(source: &Arc<dyn IdentitySource>, login: &str) -> Result<Lookup, SourceError> {
    source
        .user_by_login(&call(), &UserName::parse(login).expect("a login"))
        .await
}

pub(crate) async fn probe(source: &Arc<dyn IdentitySource>) -> Result<(), SourceError> {
    source.probe(&call()).await
}
