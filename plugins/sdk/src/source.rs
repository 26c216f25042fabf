use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use crate::{Authentication, Call, Email, ErrorKind, Login, Lookup, Password, SourceError, UserName};

/// An upstream that knows users. One value serves one worker thread, many calls at a time.
///
/// `Debug` is required so that settings can be shown, and must therefore redact.
#[async_trait]
pub trait IdentitySource: Debug + Send + Sync + 'static {
    /// What this source can do. It doesn't change while the source lives.
    fn capabilities(&self) -> Capabilities;

    /// Is this person who they say they are?
    ///
    /// Requires [`Capabilities::authenticate`].
    ///
    /// # Behaviour
    ///
    /// - The password is submitted upstream at most once, whatever fails.
    /// - The login and the password reach the upstream byte for byte.
    /// - `Accept` needs evidence that the plugin's table lists. Everything that has no row is an error.
    /// - A wrong password or an unknown user is `Reject`. An outage is `Err`.
    /// - The returned user is the one that the source itself names, never the login echoed.
    /// - What makes a look-up ineligible by provider or second factor is rejected here too.
    async fn authenticate(
        &self,
        call: &Call,
        login: &Login,
        password: &Password,
    ) -> Result<Authentication, SourceError>;

    /// Who has this e-mail address?
    ///
    /// Requires [`Capabilities::user_by_email`].
    ///
    /// # Behaviour
    ///
    /// - Found is only the user whose e-mail at the source is the asked one, by [`same_identifier`](crate::same_identifier).
    /// - `Absent` means that the source is sure. It is never the answer to an outage.
    /// - A user who may not be migrated is `Ineligible`.
    /// - Two users for one address are [`ErrorKind::Ambiguous`], never the first.
    /// - The user equals what `authenticate` returns for the same person.
    async fn user_by_email(&self, call: &Call, email: &Email) -> Result<Lookup, SourceError>;

    /// Who has this login? For identifiers that are no e-mail address.
    ///
    /// Requires [`Capabilities::user_by_login`]. Behaves as [`user_by_email`](Self::user_by_email), by login.
    async fn user_by_login(&self, _call: &Call, _login: &UserName) -> Result<Lookup, SourceError> {
        Err(SourceError::new(ErrorKind::Unsupported, "look-up by login"))
    }

    /// Can users be asked for at all? Asks the upstream something that costs little and needs our credential.
    ///
    /// # Behaviour
    ///
    /// - `Ok` only if a call now would get an answer, as far as one question can tell.
    /// - No password is submitted.
    async fn probe(&self, call: &Call) -> Result<(), SourceError>;
}

/// What a source can do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Capabilities {
    /// [`IdentitySource::authenticate`]
    pub authenticate: bool,
    /// [`IdentitySource::user_by_email`]
    pub user_by_email: bool,
    /// [`IdentitySource::user_by_login`]
    pub user_by_login: bool,
}

#[async_trait]
impl<S: IdentitySource + ?Sized> IdentitySource for Arc<S> {
    fn capabilities(&self) -> Capabilities {
        (**self).capabilities()
    }

    async fn authenticate(
        &self,
        call: &Call,
        login: &Login,
        password: &Password,
    ) -> Result<Authentication, SourceError> {
        (**self).authenticate(call, login, password).await
    }

    async fn user_by_email(&self, call: &Call, email: &Email) -> Result<Lookup, SourceError> {
        (**self).user_by_email(call, email).await
    }

    async fn user_by_login(&self, call: &Call, login: &UserName) -> Result<Lookup, SourceError> {
        (**self).user_by_login(call, login).await
    }

    async fn probe(&self, call: &Call) -> Result<(), SourceError> {
        (**self).probe(call).await
    }
}
