//! How long a check takes, and what that tells.

use std::time::{Duration, Instant};

use idbridge_source::{Call, ErrorKind, Login, Password};
use idbridge_sql::Control;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _};
use tempfile::TempDir;

use crate::asking::{Source, call, log_in, look_up};
use crate::settings;

/// Each is `pbkdf2_sha256`, of another password than anybody types here.
fn hash(iterations: u32) -> String {
    format!("pbkdf2_sha256${iterations}$c2FsdA$bA9bctI4rdpDvkAoeE+2yyF7hk3WbyJZVzGLp3s9H9M=")
}

async fn source(iterations: u32, settings: &str, control: &Control) -> (Source, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("users.db");
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let mut file = options.connect().await.expect("a file");
    let hash = hash(iterations);
    let script = format!(
        "CREATE TABLE users (id, login, email, password_hash);
         INSERT INTO users VALUES (1, 'ada', 'ada@example.com', '{hash}'), (2, 'bob', 'bob@example.com', '!')"
    );
    sqlx::raw_sql(AssertSqlSafe(script))
        .execute(&mut file)
        .await
        .expect("a table");
    let settings = format!(
        "url = \"sqlite://{}\"
         by_login = \"SELECT * FROM users WHERE login = :login\"
         by_email = \"SELECT * FROM users WHERE email = :email\"
         decoy_hash = \"{hash}\"
         {settings}",
        path.display()
    );
    (settings::source(&settings, control), folder)
}

/// Mann–Whitney's U by its normal approximation, two-sided: how likely two samples of one distribution differ so much.
fn likelihood(one: &[Duration], other: &[Duration]) -> f64 {
    let wins = |a: &Duration, b: &Duration| match a.cmp(b) {
        std::cmp::Ordering::Less => 1.0,
        std::cmp::Ordering::Equal => 0.5,
        std::cmp::Ordering::Greater => 0.0,
    };
    let u: f64 = one.iter().flat_map(|a| other.iter().map(move |b| wins(a, b))).sum();
    let (n, m) = (one.len() as f64, other.len() as f64);
    let z = (u - n * m / 2.0).abs() / (n * m * (n + m + 1.0) / 12.0).sqrt();
    // The complementary error function: Abramowitz and Stegun, 7.1.26.
    let x = z / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let coefficients = [
        1.061_405_429,
        -1.453_152_027,
        1.421_413_741,
        -0.284_496_736,
        0.254_829_592,
    ];
    coefficients
        .iter()
        .fold(0.0, |sum, coefficient| (sum + coefficient) * t)
        * (-x * x).exp()
}

#[test]
fn the_likelihood_is_the_statisticians() {
    let sample = |from: u64, step: u64| {
        (0..60)
            .map(|index| Duration::from_micros(from + index * step))
            .collect::<Vec<_>>()
    };
    assert!(likelihood(&sample(1000, 10), &sample(1000, 10)) > 0.9, "the same");
    assert!(likelihood(&sample(1000, 10), &sample(1001, 10)) > 0.5, "much the same");
    assert!(
        likelihood(&sample(1000, 10), &sample(1300, 10)) < 0.001,
        "half a width apart"
    );
}

/// Neither who is unknown nor who has no password is told from a wrong password by the time it takes. One round in a
/// hundred misses by chance; a difference that is there misses in each.
#[tokio::test]
async fn an_unknown_user_costs_the_time_of_a_wrong_password() {
    let (source, _folder) = source(60_000, "", &Control::default()).await;
    for (login, answer) in [("nobody", "unknown_user"), ("bob", "no_password")] {
        let mut found = Vec::new();
        for _round in 0..4 {
            let (mut wrong, mut other) = (Vec::new(), Vec::new());
            for turn in 0..80 {
                // By turns, and each first half of the time: a machine that gets busy is so for both.
                for first in [turn % 2 == 0, turn % 2 != 0] {
                    let began = Instant::now();
                    if first {
                        assert_eq!(log_in(&source, "ada", "guess").await, "wrong_password");
                        wrong.push(began.elapsed());
                    } else {
                        assert_eq!(log_in(&source, login, "guess").await, answer);
                        other.push(began.elapsed());
                    }
                }
            }
            found.push(likelihood(&wrong, &other));
            if found.iter().any(|p| *p > 0.01) {
                break;
            }
        }
        assert!(found.iter().any(|p| *p > 0.01), "{login}: p = {found:?}");
    }
}

#[tokio::test]
async fn a_check_that_waits_when_its_caller_leaves_is_never_begun() {
    let control = Control::default();
    let (source, _folder) = source(2_000_000, "hash_threads = 1", &control).await;
    let first = {
        let source = source.clone();
        tokio::spawn(async move { log_in(&source, "ada", "guess").await })
    };
    // It goes from the database's answer to its thread without a pause.
    control.answered(1).await;
    let (login, password) = (
        Login::parse("ada").expect("a login"),
        Password::parse("x".into()).expect("a password"),
    );
    let call = Call {
        begin_by: tokio::time::Instant::now() + Duration::from_millis(20),
        ..call(Duration::from_secs(30))
    };
    let second = source.authenticate(&call, &login, &password).await;
    assert_eq!(second.expect_err("too late").kind(), ErrorKind::TimedOut);
    assert!(!first.is_finished(), "the second waited for the first one's thread");
    // Look-ups are answered all the while.
    assert_eq!(look_up(&source, "ada@example.com").await, "found");
    assert!(!first.is_finished(), "a look-up waited for a hash");
    assert_eq!(first.await.expect("an answer"), "wrong_password");
}

/// A statement that runs away ends with its call, and gives SQLite's thread back.
#[tokio::test]
async fn a_statement_that_runs_away_is_stopped() {
    let endless = "WITH RECURSIVE n(x) AS (VALUES(1) UNION ALL SELECT x + 1 FROM n)
        SELECT x AS id, :email AS login, :email AS email, :email AS password_hash FROM n WHERE x < 0";
    let (source, _folder) = source(1000, "statement_timeout = \"50ms\"", &Control::default()).await;
    assert_eq!(log_in(&source, "ada", "guess").await, "wrong_password");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("users.db");
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    drop(options.connect().await.expect("a file"));
    let settings = format!(
        "url = \"sqlite://{}\"\nstatement_timeout = \"50ms\"\nconnections = 1\ndecoy_hash = \"{}\"
         by_login = \"SELECT 1 AS id, :login AS login, 'x' AS email, '!' AS password_hash\"\nby_email = \"\"\"{endless}\"\"\"",
        path.display(),
        hash(1000)
    );
    let source = settings::source(&settings, &Control::default());
    let answer = look_up(&source, "ada@example.com").await;
    assert_eq!(answer, "timed_out (look a user up): SQLite's result code 9");
    assert_eq!(
        log_in(&source, "ada", "guess").await,
        "no_password",
        "the one connection is free again"
    );
}
