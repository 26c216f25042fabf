//! Where password hashes are computed: on a few threads, so that a flood of log-ins takes neither all of the machine nor,
//! with formats that want much memory, all of that.

use std::sync::Arc;

use idbridge_passwords::{Hash, Unreadable};
use idbridge_source::{Call, ErrorKind, Password, SourceError};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use crate::map;

const OPERATION: &str = "compute a password hash";

/// The source's, whichever worker asks.
#[derive(Clone, Debug)]
pub(crate) struct Hashing {
    threads: Arc<Semaphore>,
}

impl Hashing {
    pub(crate) fn new(threads: usize) -> Self {
        Self {
            threads: Arc::new(Semaphore::new(threads)),
        }
    }

    /// Whether this is the password. Once begun it runs to its end; what hasn't begun when its caller leaves never does.
    pub(crate) async fn check(&self, call: &Call, hash: Hash, password: Password) -> Result<bool, SourceError> {
        let begin_by = call.begin_by;
        let place = timeout_at(begin_by, Arc::clone(&self.threads).acquire_owned()).await;
        // It is never closed.
        let place = place
            .map_err(|_late| map::late(OPERATION))?
            .map_err(|_| map::late(OPERATION))?;
        let computed = tokio::task::spawn_blocking(move || {
            let _place = place;
            (Instant::now() < begin_by).then(|| hash.is_of(password.expose()))
        });
        match computed.await {
            Ok(Some(right)) => right.map_err(unreadable),
            Ok(None) => Err(map::late(OPERATION)),
            // The task panicked: the plugin is at fault, and neither the user nor the database.
            Err(_ended) => Err(SourceError::new(ErrorKind::Protocol, OPERATION)),
        }
    }
}

/// The table holds what nobody can read: no word about the password.
pub(crate) fn unreadable(problem: Unreadable) -> SourceError {
    SourceError::new(ErrorKind::Protocol, "read a password hash").with_source(problem)
}
