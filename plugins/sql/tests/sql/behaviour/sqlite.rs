//! An SQLite file. It hangs when another connection holds it, and is garbage when its columns change; what no file can do
//! (refuse a credential, ask for patience, be away while it is open), the source's own grip does.

use std::sync::Arc;

use async_trait::async_trait;
use idbridge_source::{ErrorKind, IdentitySource};
use idbridge_sql::Control;
use idbridge_testkit::{Fault, Subject, Submission};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _};
use tempfile::TempDir;
use tokio::sync::Mutex;

use super::table;

pub(crate) struct SqliteSubject {
    source: Arc<dyn IdentitySource>,
    control: Control,
    /// What mends the file, and the connection that breaks it.
    other: Mutex<(SqliteConnection, &'static str)>,
    _folder: TempDir,
}

impl SqliteSubject {
    pub(crate) async fn new(settings: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("people.db");
        let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
        let mut other = options.disable_statement_logging().connect().await.expect("a new file");
        execute(&mut other, &table::script()).await;
        let control = Control::recording();
        let settings = format!("url = \"sqlite://{}\"\n{settings}", path.display());
        Self {
            source: table::source(&settings, &control),
            control,
            other: Mutex::new((other, "")),
            _folder: folder,
        }
    }
}

#[async_trait]
impl Subject for SqliteSubject {
    fn source(&self) -> Arc<dyn IdentitySource> {
        Arc::clone(&self.source)
    }

    async fn inflict(&self, fault: Fault) {
        self.heal().await;
        let unavailable = ErrorKind::Unavailable { retry_after: None };
        let (breaks, mends, kind) = match fault {
            Fault::CredentialRefused => ("", "", Some(ErrorKind::CredentialRefused)),
            Fault::Cut | Fault::Unavailable => ("", "", Some(unavailable)),
            Fault::Garbage => (
                "ALTER TABLE people RENAME COLUMN email TO address",
                "ALTER TABLE people RENAME COLUMN address TO email",
                None,
            ),
            Fault::Hang => ("BEGIN EXCLUSIVE", "ROLLBACK", None),
            Fault::Throttled => ("", "", Some(ErrorKind::Throttled { retry_after: None })),
        };
        let mut other = self.other.lock().await;
        execute(&mut other.0, breaks).await;
        other.1 = mends;
        self.control.inflict(kind);
    }

    async fn heal(&self) {
        let mut other = self.other.lock().await;
        let mends = std::mem::take(&mut other.1);
        execute(&mut other.0, mends).await;
        self.control.inflict(None);
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
}

async fn execute(connection: &mut SqliteConnection, sql: &str) {
    let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}
