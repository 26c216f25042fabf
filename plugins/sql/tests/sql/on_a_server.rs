//! What only a PostgreSQL server does: TLS, types, sessions that can't write, statements that it ends itself.

use std::time::Duration;

use idbridge_source::{ErrorKind, Login, Lookup, Password, User};
use idbridge_sql::Control;
use serde_json::json;
use sqlx::Row as _;

use crate::asking::{Source, by_email, call, log_in, look_up};
use crate::server::{Server, execute};
use crate::settings;

const DECOY: &str = "$6$rounds=1000$af5TsZUb9YdeqdO5$ZH..s5ho.ZkZoCFNoyHxRjJW6OtwKSgHyc3/IofCnY3noTxlD400mDNnqO5gQ17mz4b5BAHa1g534oIvo1fSN/";

const QUERIES: &str = r#"
by_login = "SELECT * FROM users WHERE lower(login) = :login_folded"
by_email = "SELECT * FROM users WHERE lower(email) = :email_folded"
"#;

/// A role, and a schema of the same name with this in it.
async fn role(name: &str, script: &str) {
    let mut admin = Server::running().admin().await;
    let script = format!(
        "CREATE ROLE {name} LOGIN PASSWORD 'sesame'; ALTER ROLE {name} SET search_path = {name}, public;
         CREATE SCHEMA {name} AUTHORIZATION {name}; SET search_path = {name}; {script};
         GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA {name} TO {name};"
    );
    execute(&mut admin, &script).await;
}

fn source(name: &str, settings: &str) -> Source {
    let place = Server::running().settings(name, "sesame");
    settings::source(
        &format!("{place}\ndecoy_hash = \"{DECOY}\"\n{settings}"),
        &Control::default(),
    )
}

fn users_table(row: &str) -> String {
    format!(
        "CREATE TABLE users (id integer, login text, email text, password_hash text); INSERT INTO users VALUES {row}"
    )
}

#[tokio::test]
async fn tls_checks_the_certificate_and_the_name() {
    role("tls", &users_table("(1, 'ada', 'ada@example.com', 'x')")).await;
    let table = [
        ("localhost", true, "", "found"),
        (
            "localhost",
            false,
            "",
            "unavailable (look a user up): the TLS handshake failed",
        ),
        (
            "127.0.0.1",
            true,
            "",
            "unavailable (look a user up): the TLS handshake failed",
        ),
        ("127.0.0.1", true, "tls = \"verify_ca\"", "found"),
        (
            "127.0.0.1",
            false,
            "tls = \"verify_ca\"",
            "unavailable (look a user up): the TLS handshake failed",
        ),
    ];
    for (host, trusts, tls, wanted) in table {
        let place = Server::running().settings_with_tls("tls", "sesame", host, trusts);
        let settings = format!("{place}\n{tls}\ndecoy_hash = \"{DECOY}\"\n{QUERIES}");
        let source = settings::source(&settings, &Control::default());
        assert_eq!(
            look_up(&source, "ada@example.com").await,
            wanted,
            "{host} {trusts} {tls}"
        );
    }
}

#[tokio::test]
async fn a_socket_is_a_place_too() {
    role("socket", &users_table("(1, 'ada', 'ada@example.com', 'x')")).await;
    let place = Server::running().settings_of_socket("socket", "sesame");
    let settings = format!("{place}\ndecoy_hash = \"{DECOY}\"\n{QUERIES}");
    let source = settings::source(&settings, &Control::default());
    assert_eq!(look_up(&source, "ada@example.com").await, "found");
}

#[tokio::test]
async fn columns_of_every_type_arrive() {
    role(
        "types",
        r#"CREATE TABLE users (id uuid, login varchar(20), email text, password_hash bytea, "Groups" text[], state smallint,
             verified timestamptz, expired boolean, extra jsonb, big bigint, "odd ""name" char(3));
           INSERT INTO users VALUES ('11111111-2222-3333-4444-555555555555', 'ada', 'Ada@Example.com', '{SHA}q', '{a,"b c"}', 1,
             now(), false, '{"a": [1, null]}', 9007199254740993, 'x')"#,
    )
    .await;
    let settings = r#"
        by_login = "SELECT *, convert_from(password_hash, 'UTF8') AS hash FROM users WHERE login = :login::varchar"
        by_email = "SELECT *, convert_from(password_hash, 'UTF8') AS hash, verified IS NOT NULL AS confirmed FROM users WHERE lower(email) = :email_folded /* :email */"
        attributes = ["extra", "big", "odd \"name"]
        [columns]
        password_hash = "hash"
        groups = "Groups"
        status = "state"
        password_expired = "expired"
        [statuses]
        active = "1"
    "#;
    let source = source("types", settings);
    let user = found(&source, "ada@example.com").await;
    assert_eq!(user.id.as_str(), "11111111-2222-3333-4444-555555555555");
    assert_eq!((user.login.as_str(), user.email.as_str()), ("ada", "Ada@Example.com"));
    assert_eq!(user.groups, ["a", "b c"]);
    let attributes = json!({"extra": {"a": [1, null]}, "big": 9_007_199_254_740_993_i64, "odd \"name": "x  "});
    assert_eq!(serde_json::Value::Object(user.attributes), attributes);
}

#[tokio::test]
async fn a_session_cannot_write() {
    role(
        "writer",
        &format!(
            "{}; CREATE FUNCTION remember(text) RETURNS text LANGUAGE sql AS
             'INSERT INTO users VALUES (2, $1, $1, NULL) RETURNING login'",
            users_table("(1, 'ada', 'ada@example.com', 'x')")
        ),
    )
    .await;
    let settings = r#"
        by_login = "SELECT * FROM users WHERE login = remember(:login)"
        by_email = "SELECT * FROM users WHERE email = :email"
    "#;
    let source = source("writer", settings);
    assert_eq!(
        log_in(&source, "eve", "x").await,
        "protocol (read a password hash): SQLSTATE 25006"
    );
    assert_eq!(look_up(&source, "eve@example.com").await, "absent");
    let mut admin = Server::running().admin().await;
    let count = sqlx::query("SELECT count(*) FROM writer.users")
        .fetch_one(&mut admin)
        .await
        .expect("a count");
    assert_eq!(count.get::<i64, _>(0), 1);
}

/// What is typed is bound: no login closes a quote, ends a statement or matches everybody.
#[tokio::test]
async fn what_is_typed_is_never_sql() {
    role(
        "injection",
        &users_table(&format!(
            "(1, 'ada', 'ada@example.com', '{DECOY}'), (2, '''', 'q@example.com', '{DECOY}')"
        )),
    )
    .await;
    let source = source("injection", QUERIES);
    for login in [
        "' OR '1'='1",
        "'; DROP TABLE users; --",
        "\\'; DROP TABLE users; --",
        "%",
        "_da",
        "$1",
        ":login",
        "ada'--",
        "ada\u{2019} OR 1=1",
        "$$",
        "/*",
    ] {
        assert_eq!(log_in(&source, login, "x").await, "unknown_user", "{login}");
    }
    assert_eq!(log_in(&source, "'", "x").await, "wrong_password");
    assert_eq!(log_in(&source, "ADA", "x").await, "wrong_password");
}

/// The server ends a statement when the call's time is up, and not only the wait for it.
#[tokio::test]
async fn a_statement_ends_with_its_call() {
    role("sleeper", &users_table("(1, 'ada', 'ada@example.com', 'x')")).await;
    let settings = r#"
        by_login = "SELECT u.* FROM users AS u, pg_sleep(600) WHERE login = :login"
        by_email = "SELECT * FROM users WHERE email = :email"
        connections = 1
    "#;
    let source = source("sleeper", settings);
    let (login, password) = (
        Login::parse("ada").expect("a login"),
        Password::parse("x".into()).expect("a password"),
    );
    let answer = source
        .authenticate(&call(Duration::from_millis(300)), &login, &password)
        .await;
    assert_eq!(answer.expect_err("it sleeps").kind(), ErrorKind::TimedOut);
    // The one connection was given up, and another is opened.
    assert_eq!(look_up(&source, "ada@example.com").await, "found");
    let mut admin = Server::running().admin().await;
    let sleeping = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'sleeper' AND state = 'active'";
    let began = std::time::Instant::now();
    loop {
        let count = sqlx::query(sleeping)
            .fetch_one(&mut admin)
            .await
            .expect("a count")
            .get::<i64, _>(0);
        if count == 0 {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(5), "the statement sleeps on");
    }
}

#[tokio::test]
async fn what_the_role_may_not_read_is_our_credentials_fault() {
    role(
        "blind",
        "CREATE TABLE public.hidden (id integer, login text, email text, password_hash text)",
    )
    .await;
    let source = source("blind", "by_login = \"SELECT * FROM hidden WHERE login = :login\"");
    assert_eq!(
        log_in(&source, "ada", "x").await,
        "credential_refused (read a password hash): SQLSTATE 42501"
    );
}

/// A table that is changed while connections to it are open: no plan of yesterday's is in the way.
#[tokio::test]
async fn a_table_may_change_while_connections_are_open() {
    role("changing", &users_table("(1, 'ada', 'ada@example.com', 'x')")).await;
    let source = source("changing", QUERIES);
    assert_eq!(look_up(&source, "ada@example.com").await, "found");
    let mut admin = Server::running().admin().await;
    execute(
        &mut admin,
        "ALTER TABLE changing.users ADD COLUMN more text, ALTER COLUMN id TYPE bigint",
    )
    .await;
    assert_eq!(look_up(&source, "ada@example.com").await, "found");
}

async fn found(source: &Source, email: &str) -> User {
    match by_email(source, email).await {
        Ok(Lookup::Found(user)) => user,
        other => panic!("{email}: {other:?}"),
    }
}
