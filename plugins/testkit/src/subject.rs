use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use idbridge_source::IdentitySource;

/// A source under test, and a grip on its upstream from outside.
///
/// The upstream holds [`world::PEOPLE`](crate::world::PEOPLE) and nobody who shares an address or a login with them.
/// The source has the settings of a careful operator: a second factor and an expired password are refused, and a log-in
/// yields all that a look-up does.
#[async_trait]
pub trait Subject: Send + Sync + 'static {
    /// The source. Always the same one.
    fn source(&self) -> Arc<dyn IdentitySource>;

    /// Breaks the upstream so, for every question from now on, until [`heal`](Self::heal). The last fault counts.
    async fn inflict(&self, fault: Fault);

    /// Mends the upstream. Questions that a [`Fault::Hang`] holds get their answer now.
    async fn heal(&self);

    /// The passwords that reached the upstream so far, whatever it answered.
    async fn submissions(&self) -> Vec<Submission>;

    /// Waits until so many passwords have reached the upstream.
    async fn arrived(&self, count: usize);

    /// Waits until the upstream has answered so many passwords, each to a client that still listened.
    async fn answered(&self, count: usize);

    /// Texts beside the people's that must never be shown: the API token, the key.
    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether the clock may be stopped: only if no socket and no other thread is between source and upstream.
    fn may_pause_time(&self) -> bool {
        false
    }

    /// The same subject, its source inside a decorator.
    fn wrap<D: IdentitySource>(self, decorate: impl FnOnce(Arc<dyn IdentitySource>) -> D) -> Wrapped<Self>
    where
        Self: Sized,
    {
        Wrapped {
            source: Arc::new(decorate(self.source())),
            inner: self,
        }
    }
}

/// What can go wrong upstream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// It refuses *our* credential. Where a password check needs none, checks go on.
    CredentialRefused,
    /// It takes the question and breaks off: the connection ends within the answer.
    Cut,
    /// It says that all is well, in an answer that can't be read.
    Garbage,
    /// It takes the question and says nothing.
    Hang,
    /// It asks for patience.
    Throttled,
    /// It says that it is ill, or nobody is there.
    Unavailable,
}

impl Fault {
    /// Throttling comes last: a source may take its upstream at its word, and leave it alone for a while.
    pub const ALL: [Self; 6] = [
        Self::CredentialRefused,
        Self::Cut,
        Self::Garbage,
        Self::Hang,
        Self::Unavailable,
        Self::Throttled,
    ];
}

/// A password that reached the upstream. A part is `None` where the upstream never hears it in the clear, or where the
/// subject can't read it.
#[derive(Clone, Eq, PartialEq)]
pub struct Submission {
    pub login: Option<String>,
    pub password: Option<String>,
}

impl fmt::Debug for Submission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Submission(…)")
    }
}

/// A subject whose source is inside a decorator. Made by [`Subject::wrap`].
#[derive(Debug)]
pub struct Wrapped<S> {
    inner: S,
    source: Arc<dyn IdentitySource>,
}

#[async_trait]
impl<S: Subject> Subject for Wrapped<S> {
    fn source(&self) -> Arc<dyn IdentitySource> {
        Arc::clone(&self.source)
    }

    async fn inflict(&self, fault: Fault) {
        self.inner.inflict(fault).await;
    }

    async fn heal(&self) {
        self.inner.heal().await;
    }

    async fn submissions(&self) -> Vec<Submission> {
        self.inner.submissions().await
    }

    async fn arrived(&self, count: usize) {
        self.inner.arrived(count).await;
    }

    async fn answered(&self, count: usize) {
        self.inner.answered(count).await;
    }

    fn secrets(&self) -> Vec<String> {
        self.inner.secrets()
    }

    fn may_pause_time(&self) -> bool {
        self.inner.may_pause_time()
    }
}
