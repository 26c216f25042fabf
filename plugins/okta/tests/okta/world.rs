//! An org, and the source that asks it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use idbridge_okta::Okta;
use idbridge_okta_simulator::{CANARY, Control, Endpoint, Org, Person, Simulator, TOKEN};
use idbridge_source::{
    Authentication, Blueprint, Call, Email, ErrorKind, IdentitySource, Login, Lookup, Node, Origin, Password, Reader,
    Registry, Rejection, RequestId, SecretFiles, SourceContext, SourceError, SystemClock, User, UserName, Value,
};
use tokio::time::Instant;

pub(crate) const PASSWORD: &str = "correct horse battery staple";

pub(crate) struct World {
    pub(crate) org: Simulator,
    pub(crate) source: Arc<dyn IdentitySource>,
}

impl World {
    /// With the settings of a careful operator, and these.
    pub(crate) async fn new(org: Org, settings: &[(&str, Value)]) -> Self {
        let mut all = vec![("api_token", text(TOKEN)), ("canary", text(CANARY))];
        all.extend(settings.iter().cloned());
        Self::bare(org, &all).await
    }

    pub(crate) async fn bare(org: Org, settings: &[(&str, Value)]) -> Self {
        let org = Simulator::start(org).await.expect("an org");
        let mut all = vec![("org_url", text(&org.url()))];
        all.extend(settings.iter().cloned());
        Self {
            source: source(&all),
            org,
        }
    }

    pub(crate) async fn demo() -> Self {
        Self::new(Org::demo(), &[]).await
    }

    pub(crate) fn control(&self) -> Control {
        self.org.control()
    }

    pub(crate) fn count(&self, endpoint: Endpoint) -> u64 {
        self.org.received().count(endpoint)
    }

    pub(crate) async fn log_in(&self, login: &str, password: &str) -> Result<Authentication, SourceError> {
        self.log_in_within(Duration::from_secs(10), login, password).await
    }

    pub(crate) async fn log_in_within(
        &self,
        time: Duration,
        login: &str,
        password: &str,
    ) -> Result<Authentication, SourceError> {
        let password = Password::parse(password.to_owned()).expect("a password");
        self.source
            .authenticate(&call(time), &Login::parse(login).expect("a login"), &password)
            .await
    }

    pub(crate) async fn look_up(&self, email: &str) -> Result<Lookup, SourceError> {
        self.look_up_within(Duration::from_secs(10), email).await
    }

    pub(crate) async fn look_up_within(&self, time: Duration, email: &str) -> Result<Lookup, SourceError> {
        self.source
            .user_by_email(&call(time), &Email::parse(email).expect("an address"))
            .await
    }

    pub(crate) async fn look_up_login(&self, login: &str) -> Result<Lookup, SourceError> {
        let login = UserName::parse(login).expect("a login for a look-up");
        self.source.user_by_login(&call(Duration::from_secs(10)), &login).await
    }

    pub(crate) async fn accepted(&self, login: &str) -> User {
        match self.log_in(login, PASSWORD).await {
            Ok(Authentication::Accept(user)) => user,
            other => panic!("{login}: {other:?}"),
        }
    }

    pub(crate) async fn rejected(&self, login: &str) -> Rejection {
        match self.log_in(login, PASSWORD).await {
            Ok(Authentication::Reject(rejection)) => rejection,
            other => panic!("{login}: {other:?}"),
        }
    }

    pub(crate) async fn found(&self, email: &str) -> User {
        match self.look_up(email).await {
            Ok(Lookup::Found(user)) => user,
            other => panic!("{email}: {other:?}"),
        }
    }

    pub(crate) async fn ineligible(&self, email: &str) -> Rejection {
        match self.look_up(email).await {
            Ok(Lookup::Ineligible(rejection)) => rejection,
            other => panic!("{email}: {other:?}"),
        }
    }

    pub(crate) async fn absent(&self, email: &str) {
        let answer = self.look_up(email).await;
        assert!(matches!(answer, Ok(Lookup::Absent)), "{email}: {answer:?}");
    }

    pub(crate) async fn log_in_fails(&self, login: &str) -> ErrorKind {
        self.log_in(login, PASSWORD).await.expect_err(login).kind()
    }

    pub(crate) async fn look_up_fails(&self, email: &str) -> ErrorKind {
        self.look_up(email).await.expect_err(email).kind()
    }
}

/// An org with a token, the canary, and these people.
pub(crate) fn org(people: impl IntoIterator<Item = Person>) -> Org {
    let org = Org::new().token(TOKEN).person(Person::new(CANARY));
    people.into_iter().fold(org, Org::person)
}

/// An active user with the password.
pub(crate) fn person(login: &str) -> Person {
    Person::new(login).password(PASSWORD)
}

pub(crate) fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

pub(crate) fn yes() -> Value {
    Value::Bool(true)
}

pub(crate) fn list(items: &[&str]) -> Value {
    Value::List(items.iter().map(|item| node(text(item))).collect())
}

pub(crate) fn source(settings: &[(&str, Value)]) -> Arc<dyn IdentitySource> {
    plan(settings).build().expect("a source")
}

/// What sources of several workers are built from.
pub(crate) fn plan(settings: &[(&str, Value)]) -> Arc<dyn Blueprint> {
    let entries = settings
        .iter()
        .map(|(key, value)| ((*key).to_owned(), node(value.clone())));
    let tree = Node::table(Path::new("s.toml"), entries);
    let reader = Reader::new(SecretFiles::Read);
    let blueprint = {
        let table = reader.root(&tree);
        let context = SourceContext {
            name: "okta".into(),
            clock: Arc::new(SystemClock),
        };
        Registry::default().with::<Okta>().plan("okta", &table, &context)
    };
    let mistakes = reader.into_mistakes();
    assert!(mistakes.is_empty(), "{mistakes:#?}");
    blueprint.expect("a plan")
}

pub(crate) fn call(time: Duration) -> Call {
    Call::new(RequestId::parse("req-1").expect("an id"), Instant::now() + time)
}

fn node(value: Value) -> Node {
    Node {
        origin: Origin::File("s.toml".into(), 1),
        value,
    }
}
