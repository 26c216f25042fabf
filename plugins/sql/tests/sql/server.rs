use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _};

/// One for all tests of the process, and gone soon after it: the script that runs it ends it when its input closes.
pub(crate) struct Server {
    pub(crate) port: u16,
    /// The certificate that the server shows, for `localhost`; it is its own authority.
    certificate: PathBuf,
    _script: Child,
}

impl Server {
    pub(crate) fn running() -> &'static Self {
        static SERVER: LazyLock<Server> = LazyLock::new(Server::start);
        &SERVER
    }

    /// A superuser's connection, straight to the server.
    pub(crate) async fn admin(&self) -> PgConnection {
        let options = PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(self.port)
            .username("postgres")
            .database("postgres")
            .disable_statement_logging();
        options.connect().await.expect("the server answers")
    }

    /// Settings that reach it as this role, without TLS.
    pub(crate) fn settings(&self, role: &str, password: &str) -> String {
        let url = format!("postgres://{role}@127.0.0.1:{}/postgres", self.port);
        format!("url = \"{url}\"\npassword = \"{password}\"\ntls = \"off\"\n")
    }

    /// Settings that reach it over TLS, by this name.
    pub(crate) fn settings_with_tls(&self, role: &str, password: &str, host: &str, trusts: bool) -> String {
        let url = format!("postgres://{role}@{host}:{}/postgres", self.port);
        let file = format!("tls_ca_file = \"{}\"\n", self.certificate.display());
        format!(
            "url = \"{url}\"\npassword = \"{password}\"\n{}",
            if trusts { &file } else { "" }
        )
    }

    /// Settings that reach it through its socket.
    pub(crate) fn settings_of_socket(&self, role: &str, password: &str) -> String {
        let folder = self.certificate.parent().expect("a folder").display().to_string();
        let url = format!(
            "postgres://{role}@{}:{}/postgres",
            folder.replace('/', "%2F"),
            self.port
        );
        format!("url = \"{url}\"\npassword = \"{password}\"\n")
    }

    fn start() -> Self {
        // PostgreSQL takes no port 0.
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = free.local_addr().expect("its number").port();
        drop(free);
        let mut script = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/postgres"))
            .arg(port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the script");
        let mut lines = BufReader::new(script.stdout.take().expect("its output")).lines();
        let line = lines.next().expect("a line: what failed stands above").expect("text");
        Self {
            port,
            certificate: PathBuf::from(line),
            _script: script,
        }
    }
}

pub(crate) async fn execute(connection: &mut PgConnection, sql: &str) {
    let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}
