//! A few connections, of one worker. sqlx's own pool asks a server that refuses again and again until time is up, and an
//! operator should see at once that nobody is there.

use std::fmt::{self, Debug};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::Error;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use super::{Limits, Value};

/// A connection that nobody needed for so long is closed, and one that is so old: rights and addresses change.
const MAX_IDLE: Duration = Duration::from_secs(300);
const MAX_AGE: Duration = Duration::from_secs(1800);

/// One that doesn't answer for so long was lost on the way, and nobody has said so.
const DEAD_AFTER: Duration = Duration::from_secs(2);

/// What a database's driver does.
pub(crate) trait Engine: Clone + Debug + Send + Sync + 'static {
    type Connection: Send;

    fn connect(&self) -> impl Future<Output = Result<Self::Connection, Error>> + Send;

    /// Makes a connection fit for one read-only statement of this duration. Fails if the connection is dead.
    fn ready(
        &self,
        connection: &mut Self::Connection,
        time: Duration,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    fn run(
        &self,
        connection: &mut Self::Connection,
        sql: &Arc<str>,
        values: &[Value],
    ) -> impl Future<Output = Result<Vec<String>, Error>> + Send;
}

pub(crate) struct Pool<E: Engine> {
    engine: E,
    limits: Limits,
    places: Semaphore,
    idle: Mutex<Vec<Idle<E::Connection>>>,
}

struct Idle<C> {
    connection: C,
    opened: Instant,
    used: Instant,
}

impl<E: Engine> Pool<E> {
    pub(crate) fn new(engine: E, limits: Limits) -> Self {
        Self {
            engine,
            limits,
            places: Semaphore::new(limits.connections),
            idle: Mutex::default(),
        }
    }

    /// A connection goes back only after an answer: any other may be in the middle of something.
    pub(crate) async fn rows(&self, sql: &Arc<str>, values: &[Value], deadline: Instant) -> Result<Vec<String>, Error> {
        // It is never closed.
        let _place = self.places.acquire().await.map_err(|_| Error::PoolClosed)?;
        let (mut connection, opened) = self.connection(deadline).await?;
        let rows = self.engine.run(&mut connection, sql, values).await?;
        let used = Instant::now();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(Idle {
            connection,
            opened,
            used,
        });
        Ok(rows)
    }

    /// An idle one that is still alive, or a new one. Nothing has been asked yet, so that this is no second try.
    async fn connection(&self, deadline: Instant) -> Result<(E::Connection, Instant), Error> {
        while let Some(mut idle) = self.take() {
            let ready = self.engine.ready(&mut idle.connection, self.time(deadline));
            if matches!(timeout(DEAD_AFTER, ready).await, Ok(Ok(()))) {
                return Ok((idle.connection, idle.opened));
            }
        }
        let mut connection = self.engine.connect().await?;
        self.engine.ready(&mut connection, self.time(deadline)).await?;
        Ok((connection, Instant::now()))
    }

    fn take(&self) -> Option<Idle<E::Connection>> {
        let now = Instant::now();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|idle| now - idle.used < MAX_IDLE && now - idle.opened < MAX_AGE);
        idle.pop()
    }

    /// At least a millisecond: none means no limit to PostgreSQL.
    fn time(&self, deadline: Instant) -> Duration {
        let left = deadline.saturating_duration_since(Instant::now());
        left.min(self.limits.statement).max(Duration::from_millis(1))
    }
}

impl<E: Engine> Debug for Pool<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("engine", &self.engine)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
