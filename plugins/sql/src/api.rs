//! What the database is asked, and over which connection.

mod pool;
mod postgres;
mod sqlite;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use idbridge_source::SourceError;
use tokio::time::{Instant, timeout_at};

use crate::map;
use pool::Pool;
pub(crate) use postgres::{Postgres, Tls};
pub(crate) use sqlite::Sqlite;

/// Where the users are. One worker's, with connections of its own.
#[derive(Debug)]
pub(crate) enum Database {
    Postgres(Pool<Postgres>),
    Sqlite(Pool<Sqlite>),
}

/// Which database; nothing is open yet.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Postgres(Postgres),
    Sqlite(Sqlite),
}

/// How much of it is used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Open at a time, in one worker.
    pub(crate) connections: usize,
    /// For one statement, if the call has so much time left.
    pub(crate) statement: Duration,
}

/// A value to bind.
#[derive(Clone)]
pub(crate) enum Value {
    Integer(i64),
    Text(Option<String>),
}

impl Database {
    pub(crate) fn new(target: &Target, limits: Limits) -> Self {
        match target {
            Target::Postgres(engine) => Self::Postgres(Pool::new(engine.clone(), limits)),
            Target::Sqlite(engine) => Self::Sqlite(Pool::new(engine.clone(), limits)),
        }
    }

    /// The one column of each row. Ends by the deadline: what isn't answered then is given up with its connection.
    pub(crate) async fn rows(
        &self,
        operation: &'static str,
        sql: &Arc<str>,
        values: &[Value],
        deadline: Instant,
    ) -> Result<Vec<String>, SourceError> {
        let rows = async {
            match self {
                Self::Postgres(pool) => pool.rows(sql, values, deadline).await,
                Self::Sqlite(pool) => pool.rows(sql, values, deadline).await,
            }
        };
        match timeout_at(deadline, rows).await {
            Ok(rows) => rows.map_err(|error| map::error(&error, operation)),
            Err(_late) => Err(map::late(operation)),
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Value(…)")
    }
}
