//! A PostgreSQL server of the tests' own. What it can be made to do, it does itself: it refuses a password, has no
//! connection to spare, locks a table, renames a column. A relay before it cuts connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use idbridge_source::IdentitySource;
use idbridge_sql::Control;
use idbridge_testkit::{Fault, Subject, Submission};
use sqlx::postgres::PgConnection;
use tokio::sync::Mutex;

use super::table;
use crate::relay::{Mode, Relay};
use crate::server::{Server, execute};

const PASSWORD: &str = "s3cret-of-the-table";

pub(crate) struct PostgresSubject {
    source: Arc<dyn IdentitySource>,
    control: Control,
    /// What mends the server, and the connection that breaks it.
    admin: Mutex<(PgConnection, String)>,
    name: String,
    relay: Relay,
}

impl PostgresSubject {
    /// A role and a schema of its own in the one server.
    pub(crate) async fn new(settings: &str) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("subject_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let server = Server::running();
        let mut admin = server.admin().await;
        let script = format!(
            "CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'; ALTER ROLE {name} SET search_path = {name};
             CREATE SCHEMA {name}; SET search_path = {name}; {} GRANT USAGE ON SCHEMA {name} TO {name};
             GRANT SELECT ON people TO {name};",
            table::script()
        );
        execute(&mut admin, &script).await;
        let relay = Relay::before(server.port).await;
        let control = Control::recording();
        let url = format!("postgres://{name}@127.0.0.1:{}/postgres", relay.port);
        let settings = format!("url = \"{url}\"\npassword = \"{PASSWORD}\"\ntls = \"off\"\n{settings}");
        Self {
            source: table::source(&settings, &control),
            control,
            admin: Mutex::new((admin, String::new())),
            name,
            relay,
        }
    }
}

#[async_trait]
impl Subject for PostgresSubject {
    fn source(&self) -> Arc<dyn IdentitySource> {
        Arc::clone(&self.source)
    }

    async fn inflict(&self, fault: Fault) {
        self.heal().await;
        let name = &self.name;
        let away = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{name}'");
        let (breaks, mends, mode) = match fault {
            Fault::CredentialRefused => (
                format!("ALTER ROLE {name} PASSWORD 'another'; {away}"),
                format!("ALTER ROLE {name} PASSWORD '{PASSWORD}'"),
                Mode::Open,
            ),
            Fault::Cut => (String::new(), String::new(), Mode::Cut),
            Fault::Garbage => (
                "ALTER TABLE people RENAME COLUMN email TO address".to_owned(),
                "ALTER TABLE people RENAME COLUMN address TO email".to_owned(),
                Mode::Open,
            ),
            Fault::Hang => (
                "BEGIN; LOCK TABLE people IN ACCESS EXCLUSIVE MODE".to_owned(),
                "ROLLBACK".to_owned(),
                Mode::Open,
            ),
            Fault::Throttled => (
                format!("ALTER ROLE {name} CONNECTION LIMIT 0; {away}"),
                format!("ALTER ROLE {name} CONNECTION LIMIT -1"),
                Mode::Open,
            ),
            Fault::Unavailable => (String::new(), String::new(), Mode::Closed),
        };
        let mut admin = self.admin.lock().await;
        execute(&mut admin.0, &breaks).await;
        admin.1 = mends;
        self.relay.set(mode);
    }

    async fn heal(&self) {
        let mut admin = self.admin.lock().await;
        let mends = std::mem::take(&mut admin.1);
        execute(&mut admin.0, &mends).await;
        self.relay.set(Mode::Open);
    }

    async fn submissions(&self) -> Vec<Submission> {
        let submissions = self.control.submissions().into_iter();
        submissions.map(table::submission).collect()
    }

    async fn arrived(&self, count: usize) {
        self.control.arrived(count).await;
    }

    async fn answered(&self, count: usize) {
        self.control.answered(count).await;
    }

    fn secrets(&self) -> Vec<String> {
        vec![PASSWORD.to_owned()]
    }
}
