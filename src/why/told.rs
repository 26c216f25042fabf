//! A source that says what another was found to say. The rules around it are the real ones.

use async_trait::async_trait;
use idbridge_source::{
    Authentication, Call, Capabilities, Email, IdentitySource, Login, Lookup, Password, SourceError, UserName,
};

/// It asks nobody, so no password that it is given goes anywhere.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) can: Capabilities,
    pub(super) by_email: Result<Lookup, SourceError>,
    pub(super) by_login: Result<Lookup, SourceError>,
    /// With the right password.
    pub(super) log_in: Result<Authentication, SourceError>,
}

#[async_trait]
impl IdentitySource for Told {
    fn capabilities(&self) -> Capabilities {
        self.can
    }

    async fn authenticate(&self, _: &Call, _: &Login, _: &Password) -> Result<Authentication, SourceError> {
        self.log_in.clone()
    }

    async fn user_by_email(&self, _: &Call, _: &Email) -> Result<Lookup, SourceError> {
        self.by_email.clone()
    }

    async fn user_by_login(&self, _: &Call, _: &UserName) -> Result<Lookup, SourceError> {
        self.by_login.clone()
    }

    async fn probe(&self, _: &Call) -> Result<(), SourceError> {
        Ok(())
    }
}
