//! `kind = "sql"`: a database that is gone, locked, slow, or holds garbage.

use std::path::Path;

use idbridge_okta_simulator::PASSWORD;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _};

use super::super::settings;
use super::{Beside, source};

/// What the statements read. A test makes it something else.
const USERS: &str = "CREATE VIEW people AS SELECT * FROM users";

const COUNTING: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

fn table(path: &Path) -> String {
    source(
        "sql",
        &format!(
            r#"
            url = "sqlite://{}"
            by_login = "SELECT * FROM people WHERE lower(login) = :login_folded"
            by_email = "SELECT * FROM people WHERE lower(email) = :email_folded"
            statement_timeout = "500ms"
            decoy_hash = "{}"
            digest = {{ function = "sha256", layout = "password" }}
            "#,
            path.display(),
            settings::sha256("nobody's")
        ),
    )
}

async fn open(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    options.connect().await.expect("a file")
}

async fn execute(file: &mut SqliteConnection, script: &str) {
    let script = sqlx::raw_sql(AssertSqlSafe(script.to_owned()));
    script.execute(file).await.expect("a script that runs");
}

#[tokio::test]
async fn no_illness_of_a_database_decides_anything() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("users.db");
    let beside = Beside::start(&table(&path)).await;
    beside.is_out("no file", "SOURCE_UNAVAILABLE").await;

    let mut file = open(&path).await;
    beside.is_out("no table", "SOURCE_PROTOCOL").await;
    let hash = settings::sha256(PASSWORD);
    let script = format!(
        "CREATE TABLE users (id, login, email, password_hash);
         INSERT INTO users VALUES (1, 'user@bad.example', 'user@bad.example', '{hash}'); {USERS}"
    );
    execute(&mut file, &script).await;
    beside.is_well("user@bad.example").await;

    execute(&mut file, "BEGIN EXCLUSIVE").await;
    beside.is_out("locked", "DEADLINE_EXCEEDED").await;
    execute(&mut file, "ROLLBACK").await;
    beside.is_well("user@bad.example").await;

    for (case, view, reason) in [
        (
            "slow",
            format!("SELECT users.* FROM users, ({COUNTING})"),
            "DEADLINE_EXCEEDED",
        ),
        (
            "no column of hashes",
            "SELECT id, login, email FROM users".to_owned(),
            "SOURCE_PROTOCOL",
        ),
    ] {
        execute(&mut file, &format!("DROP VIEW people; CREATE VIEW people AS {view}")).await;
        beside.is_out(case, reason).await;
    }
    // What is wrong with one row is told of that row alone.
    for value in ["NULL", "''"] {
        let view = format!("SELECT id, login, email, {value} AS password_hash FROM users");
        execute(&mut file, &format!("DROP VIEW people; CREATE VIEW people AS {view}")).await;
        let who = ["user@bad.example"; 2];
        for password in [Some(PASSWORD), Some("wrong password"), None] {
            beside.fails_once(value, who, password, "SOURCE_PROTOCOL").await;
        }
    }
    let absurd = "SELECT id, login, email, '$2b$31$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS' \
                  AS password_hash FROM users";
    execute(&mut file, &format!("DROP VIEW people; CREATE VIEW people AS {absurd}")).await;
    for password in [PASSWORD, "wrong password"] {
        let who = ["user@bad.example"; 2];
        beside
            .fails_once("absurd", who, Some(password), "SOURCE_PROTOCOL")
            .await;
    }
    execute(&mut file, &format!("DROP VIEW people; {USERS}")).await;
    beside.is_well("user@bad.example").await;

    drop(file);
    std::fs::write(&path, "no database ".repeat(4096)).expect("written");
    beside.is_out("garbage", "SOURCE_PROTOCOL").await;
    beside.stop().await;
}
