//! How the suite stands up a memory source. Other crates' tests include this file to run it inside their decorators.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use idbridge_memory::{Control, Settings};
use idbridge_source::{Blueprint as _, IdentitySource, Node, Origin, Reader, SecretFiles, Value};
use idbridge_testkit::world::{PEOPLE, Person, Status};
use idbridge_testkit::{Fault, Subject, Submission};

/// A memory source that holds the world's people.
pub(crate) struct MemorySubject {
    source: Arc<dyn IdentitySource>,
    control: Control,
}

impl MemorySubject {
    /// With these settings beside the people, as TOML.
    pub(crate) fn new(settings: &str) -> Self {
        Self::holding(&PEOPLE, settings)
    }

    /// With these people in place of the world's.
    pub(crate) fn holding(people: &[Person], settings: &str) -> Self {
        let people: String = people
            .iter()
            .enumerate()
            .map(|(index, person)| entry(index, person))
            .collect();
        let tree: toml::Value = toml::from_str(&format!("{settings}\n{people}")).expect("settings that parse");
        let tree = node(tree);
        let reader = Reader::new(SecretFiles::Read);
        let table = reader.root(&tree);
        let settings = Settings::read(&table);
        table.finish();
        drop(table);
        assert_eq!(reader.into_mistakes(), []);
        let control = Control::recording();
        let blueprint = settings.expect("good settings").source(control.clone());
        Self {
            source: blueprint.build().expect("a source"),
            control,
        }
    }
}

#[async_trait]
impl Subject for MemorySubject {
    fn source(&self) -> Arc<dyn IdentitySource> {
        Arc::clone(&self.source)
    }

    async fn inflict(&self, fault: Fault) {
        self.control.inflict(match fault {
            Fault::CredentialRefused => idbridge_memory::Fault::CredentialRefused,
            Fault::Garbage => idbridge_memory::Fault::Garbage,
            Fault::Hang => idbridge_memory::Fault::Hang,
            Fault::Throttled => idbridge_memory::Fault::Throttled,
            // Without a connection there is none to be cut.
            Fault::Cut | Fault::Unavailable => idbridge_memory::Fault::Unavailable,
        });
    }

    async fn heal(&self) {
        self.control.heal();
    }

    async fn submissions(&self) -> Vec<Submission> {
        let submissions = self.control.submissions().into_iter();
        let whole = |submission: idbridge_memory::Submission| Submission {
            login: Some(submission.login),
            password: Some(submission.password),
        };
        submissions.map(whole).collect()
    }

    async fn arrived(&self, count: usize) {
        self.control.arrived(count).await;
    }

    async fn answered(&self, count: usize) {
        self.control.answered(count).await;
    }

    fn may_pause_time(&self) -> bool {
        true
    }
}

/// The person as an entry of the settings.
fn entry(index: usize, person: &Person) -> String {
    let mut entry = toml::Table::new();
    let mut say = |key: &str, value: Option<toml::Value>| entry.extend(value.map(|value| (key.to_owned(), value)));
    let status = match person.status {
        Status::Active => "active",
        Status::Deactivated | Status::Suspended => "disabled",
        Status::Federated => "no_password",
        Status::Inactive => "inactive",
        Status::Locked => "locked",
    };
    let has_password = person.status != Status::Federated;
    say("id", Some(format!("p{index}").into()));
    say("login", Some(person.login.into()));
    say("email", Some(person.email.into()));
    say("email_verified", person.email_verified.map(Into::into));
    say("given_name", person.given_name.map(Into::into));
    say("family_name", person.family_name.map(Into::into));
    say("password", has_password.then(|| person.password.into()));
    say("status", Some(status.into()));
    say("second_factor", Some(person.second_factor.into()));
    say("password_expired", Some(person.password_expired.into()));
    format!("[[people]]\n{entry}\n")
}

fn node(value: toml::Value) -> Node {
    let value = match value {
        toml::Value::Array(items) => Value::List(items.into_iter().map(node).collect()),
        toml::Value::Boolean(value) => Value::Bool(value),
        toml::Value::Integer(value) => Value::Integer(value),
        toml::Value::Table(table) => Value::Table(table.into_iter().map(|(key, value)| (key, node(value))).collect()),
        other => Value::Text(
            other
                .as_str()
                .expect("no other type stands in these settings")
                .to_owned(),
        ),
    };
    Node {
        origin: Origin::File(Path::new("memory.toml").to_owned(), 1),
        value,
    }
}
