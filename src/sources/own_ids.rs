//! Ids that nothing is put before: they must have a prefix already, and one that is nobody else's here.

use std::sync::Arc;

use async_trait::async_trait;
use idbridge_source::{
    Authentication, Budget, Call, Capabilities, Cursor, Email, ErrorKind, Factors, Finding, IdentitySource, Listed,
    Login, Lookup, Page, Password, SourceError, User, UserId, UserName,
};

/// What Auth0 puts before its own ids.
const AUTH0: &str = "auth0";

/// Around a source whose `id_prefix` is empty.
#[derive(Debug)]
pub struct OwnIds {
    source: Arc<dyn IdentitySource>,
    /// The other sources' prefixes.
    taken: Vec<String>,
}

impl OwnIds {
    pub fn new(source: Arc<dyn IdentitySource>, taken: Vec<String>) -> Self {
        Self { source, taken }
    }

    fn are_its_own(&self, user: &User) -> Result<(), SourceError> {
        let prefix = user.id.as_str().split_once('|');
        let is_taken = |prefix: &str| prefix == AUTH0 || self.taken.iter().any(|other| other == prefix);
        match prefix {
            Some((prefix, id)) if !prefix.is_empty() && !id.is_empty() && !is_taken(prefix) => Ok(()),
            _ => {
                let error = SourceError::new(ErrorKind::Protocol, "read an id that needs no prefix");
                Err(error.with_source("the id has no prefix of its own"))
            }
        }
    }

    fn found(&self, lookup: Lookup) -> Result<Lookup, SourceError> {
        if let Lookup::Found(user) = &lookup {
            self.are_its_own(user)?;
        }
        Ok(lookup)
    }
}

#[async_trait]
impl IdentitySource for OwnIds {
    fn capabilities(&self) -> Capabilities {
        self.source.capabilities()
    }

    async fn authenticate(
        &self,
        call: &Call,
        login: &Login,
        password: &Password,
    ) -> Result<Authentication, SourceError> {
        let authentication = self.source.authenticate(call, login, password).await?;
        if let Authentication::Accept(user) = &authentication {
            self.are_its_own(user)?;
        }
        Ok(authentication)
    }

    async fn user_by_email(&self, call: &Call, email: &Email) -> Result<Lookup, SourceError> {
        self.found(self.source.user_by_email(call, email).await?)
    }

    async fn user_by_login(&self, call: &Call, login: &UserName) -> Result<Lookup, SourceError> {
        self.found(self.source.user_by_login(call, login).await?)
    }

    async fn list(&self, call: &Call, after: Option<&Cursor>) -> Result<Page, SourceError> {
        self.source.list(call, after).await
    }

    async fn factors(&self, call: &Call, id: &UserId) -> Result<Factors, SourceError> {
        self.source.factors(call, id).await
    }

    async fn claimants(&self, call: &Call, login: &Login) -> Result<Vec<Listed>, SourceError> {
        self.source.claimants(call, login).await
    }

    fn budget(&self) -> Budget {
        self.source.budget()
    }

    async fn probe(&self, call: &Call) -> Result<(), SourceError> {
        self.source.probe(call).await
    }

    async fn examine(&self, call: &Call, canary_password: Option<&Password>) -> Vec<Finding> {
        self.source.examine(call, canary_password).await
    }
}
