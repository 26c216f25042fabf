use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Error, Row as _};

use super::Value;
use super::pool::Engine;

/// How many steps of SQLite's machine pass between two looks at the time: well below a millisecond.
const STEPS: i32 = 1000;

/// A file.
#[derive(Clone, Debug)]
pub(crate) struct Sqlite {
    pub(crate) path: PathBuf,
}

impl Engine for Sqlite {
    type Connection = SqliteConnection;

    async fn connect(&self) -> Result<SqliteConnection, Error> {
        let options = SqliteConnectOptions::new()
            .filename(&self.path)
            .read_only(true)
            .create_if_missing(false)
            .pragma("query_only", "on")
            .disable_statement_logging();
        SqliteConnection::connect_with(&options).await
    }

    async fn ready(&self, connection: &mut SqliteConnection, time: Duration) -> Result<(), Error> {
        let until = Instant::now() + time;
        let mut handle = connection.lock_handle().await?;
        handle.set_progress_handler(STEPS, move || Instant::now() < until);
        drop(handle);
        let wait = format!("PRAGMA busy_timeout = {}", time.as_millis());
        sqlx::raw_sql(AssertSqlSafe(wait)).execute(connection).await?;
        Ok(())
    }

    async fn run(
        &self,
        connection: &mut SqliteConnection,
        sql: &Arc<str>,
        values: &[Value],
    ) -> Result<Vec<String>, Error> {
        let mut query = sqlx::query(AssertSqlSafe(Arc::clone(sql))).persistent(false);
        for value in values {
            query = match value {
                Value::Integer(value) => query.bind(*value),
                Value::Text(value) => query.bind(value.clone()),
            };
        }
        let rows = query.fetch_all(connection).await?;
        rows.iter().map(|row| row.try_get(0)).collect()
    }
}
