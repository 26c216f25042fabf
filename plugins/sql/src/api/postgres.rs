use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use idbridge_source::{ExposeSecret as _, Secret};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Error, Row as _};

use super::Value;
use super::pool::Engine;

/// A PostgreSQL server, and who we are there.
#[derive(Clone)]
pub(crate) struct Postgres {
    /// A name or an address; or, with a slash before it, the folder of a socket.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) password: Option<Secret>,
    pub(crate) database: String,
    pub(crate) tls: Tls,
    pub(crate) ca_file: Option<PathBuf>,
}

/// `tls`
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Tls {
    Off,
    VerifyCa,
    VerifyFull,
}

impl Postgres {
    fn options(&self) -> PgConnectOptions {
        // Whatever the environment says of users, hosts and TLS is overruled here.
        let options = PgConnectOptions::new_without_pgpass()
            .port(self.port)
            .username(&self.user)
            .password(self.password.as_ref().map_or("", |password| password.expose_secret()))
            .database(&self.database)
            .application_name("idbridge")
            .ssl_mode(match self.tls {
                Tls::Off => PgSslMode::Disable,
                Tls::VerifyCa => PgSslMode::VerifyCa,
                Tls::VerifyFull => PgSslMode::VerifyFull,
            })
            .disable_statement_logging();
        let options = match &self.ca_file {
            Some(file) => options.ssl_root_cert(file),
            None => options,
        };
        if self.host.starts_with('/') {
            options.socket(&self.host)
        } else {
            options.host(&self.host)
        }
    }
}

impl Engine for Postgres {
    type Connection = PgConnection;

    async fn connect(&self) -> Result<PgConnection, Error> {
        PgConnection::connect_with(&self.options()).await
    }

    async fn ready(&self, connection: &mut PgConnection, time: Duration) -> Result<(), Error> {
        let limits = format!(
            "SET default_transaction_read_only = on; SET statement_timeout = {}",
            time.as_millis()
        );
        sqlx::raw_sql(AssertSqlSafe(limits)).execute(connection).await?;
        Ok(())
    }

    async fn run(&self, connection: &mut PgConnection, sql: &Arc<str>, values: &[Value]) -> Result<Vec<String>, Error> {
        // Not prepared for the session: a plan of yesterday's table is an error, and poolers know no prepared statements.
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

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("database", &self.database)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}
