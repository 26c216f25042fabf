//! Password hashes: how many a second are verified, beside the bare primitive, and what look-ups beside them take.
//!
//! Ours: log-ins at `kind = "sql"` before an SQLite file, whose hashes are bcrypt's, with eight in flight: the threads that
//! hash are never idle. Beside them look-ups come in an open loop. Theirs: `bcrypt::verify` on a thread for each processor
//! and nothing else. The broker is this binary's: the shipped features lack `sql`.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

use super::latency::p99;
use crate::Error;
use crate::broker::{self, Broker, Build};
use crate::context::Context;
use crate::load::closed::{Closed, Width};
use crate::load::open::Open;
use crate::load::target::{PASSWORD, Question, Target};
use crate::row::{Bar, Figure, Row, Sample};

/// Log-ins, and verifications of the primitive.
const CALLS: usize = 1000;
const SHORT: usize = 20;
const TURNS: usize = 2;

/// What applications that hash today choose at the least (OWASP's Password Storage Cheat Sheet: "10 or more").
const COST: u32 = 10;

const WIDTH: Width = Width {
    connections: 4,
    streams: 2,
};

/// Look-ups a second.
const RATE: f64 = 100.0;

struct Hashes;

pub(crate) fn rows() -> Vec<Box<dyn Row>> {
    vec![Box::new(Hashes)]
}

#[async_trait(?Send)]
impl Row for Hashes {
    fn name(&self) -> &'static str {
        "hashes"
    }

    fn figures(&self) -> Vec<Figure> {
        vec![
            Figure {
                title: format!("log-ins by bcrypt hashes of cost {COST}, with look-ups beside them"),
                unit: "calls/s",
                theirs: "primitive",
                bar: Some(Bar::RatioAtLeast(0.95)),
            },
            Figure {
                title: "p99 of the look-ups beside them".to_owned(),
                unit: "ms",
                theirs: "",
                bar: Some(Bar::AtMost(10.0)),
            },
        ]
    }

    async fn round(&self, context: &Context, round: usize) -> Result<Vec<Sample>, Error> {
        let hash = bcrypt::hash(PASSWORD, COST)?;
        let calls = if context.short { SHORT } else { CALLS / context.rounds } / TURNS;
        // As many as there are calls of either sort, and those that warm it up.
        let file = context.folder.path().join(format!("users-{round}.db"));
        table(&file, &hash, 20_000).await?;
        let broker = Broker::with(context, Build::WithSql, &sql(&file, &hash)?, None).await?;
        let target = |question| Target {
            address: broker.grpc,
            question,
            key: Some(broker.key.clone()),
        };
        let mut log_ins = Closed::open(target(Question::Authenticate), WIDTH).await?;
        let look_ups = Open::open(target(Question::LookUp), WIDTH.connections).await?;
        log_ins.run(0, WIDTH.connections * WIDTH.streams).await?;
        let (mut logged_in, mut looked_up) = (WIDTH.connections * WIDTH.streams, 0);
        look_ups.run(looked_up, 100, RATE).await?;
        looked_up += 100;

        let [mut ours, mut theirs] = [Duration::ZERO; 2];
        let mut latencies = Vec::new();
        for _ in 0..TURNS {
            let bare = verify(&hash, calls).await?;
            theirs += bare;
            // For as long as that took.
            let beside = (bare.as_secs_f64() * RATE) as usize;
            let (took, took_beside) =
                tokio::join!(log_ins.run(logged_in, calls), look_ups.run(looked_up, beside, RATE));
            ours += took?;
            latencies.extend(took_beside?);
            logged_in += calls;
            looked_up += beside;
        }
        broker::settle(&broker.log, broker.admin, logged_in + looked_up).await?;
        let rate = |wall: Duration| (calls * TURNS) as f64 / wall.as_secs_f64();
        Ok(vec![
            Sample::beside(rate(ours), rate(theirs)),
            Sample::alone(p99(latencies)?),
        ])
    }
}

/// The primitive alone, as many times, on every processor.
async fn verify(hash: &str, calls: usize) -> Result<Duration, Error> {
    let hash = hash.to_owned();
    let verifying = move || {
        let threads = thread::available_parallelism()?.get();
        let began = Instant::now();
        let verified = thread::scope(|scope| {
            let hash = &hash;
            let share = |thread: usize| (calls + thread) / threads;
            let work = |thread| {
                scope.spawn(move || (0..share(thread)).all(|_| bcrypt::verify(PASSWORD, hash).is_ok_and(|right| right)))
            };
            let working: Vec<_> = (0..threads).map(work).collect();
            working.into_iter().all(|thread| thread.join().is_ok_and(|right| right))
        });
        if verified {
            Ok(began.elapsed())
        } else {
            Err(Error::from("the primitive says no"))
        }
    };
    tokio::task::spawn_blocking(verifying).await?
}

/// Users for log-ins, and users for look-ups, whose login isn't their address.
async fn table(path: &Path, hash: &str, users: usize) -> Result<(), Error> {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let mut file: SqliteConnection = options.connect().await?;
    let script = format!(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, login TEXT, email TEXT, password_hash TEXT);
         BEGIN;
         WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {users})
         INSERT INTO users (login, email, password_hash)
         SELECT printf('user-%07d@bench.test', i), printf('user-%07d@bench.test', i), '{hash}' FROM n
         UNION ALL
         SELECT printf('login-%07d', i), printf('elsewhere-%07d@bench.test', i), '{hash}' FROM n;
         COMMIT;
         CREATE INDEX by_login ON users (lower(login));
         CREATE INDEX by_email ON users (lower(email));"
    );
    sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut file).await?;
    Ok(file.close().await?)
}

fn sql(file: &Path, hash: &str) -> Result<String, Error> {
    Ok(format!(
        "[sources.users]\nkind = \"sql\"\n[sources.users.settings]\nurl = \"sqlite://{}\"\n\
         by_login = \"SELECT * FROM users WHERE lower(login) = :login_folded\"\n\
         by_email = \"SELECT * FROM users WHERE lower(email) = :email_folded\"\ndecoy_hash = \"{hash}\"\n",
        file.to_str().ok_or("a folder without a name")?
    ))
}
