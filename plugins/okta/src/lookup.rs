//! Who has this address? Search lags behind and a login needn't be an address, so neither answers alone.

use std::borrow::Cow;

use idbridge_source::{Email, ErrorKind, Lookup, Rejection, SourceError, UserName, same_identifier};

use unicode_normalization::UnicodeNormalization as _;

use crate::api::{Ask, protocol};
use crate::map::{self, Owner, Status};
use crate::profile;
use crate::source::{Extras, OktaSource};
use crate::wire::{Id, UserRecord};

/// More people than this for one address need a person to look at them, not more calls.
pub(crate) const CLAIMANTS: usize = 10;

impl OktaSource {
    /// Asks by login and searches by e-mail, side by side; both have to answer. Whoever carries the address in a fresh
    /// record claims it, and the claimants are judged together.
    pub(crate) async fn by_email(&self, ask: Ask<'_>, email: &Email) -> Result<Lookup, SourceError> {
        let (key, asked) = (self.settings.rules.email_key(), email.as_str());
        let (named, found) = tokio::try_join!(self.by_path(ask, asked), self.api.search(ask, key, asked))?;

        let mut records: Vec<UserRecord> = named.into_iter().collect();
        let mut ids: Vec<Id> = Vec::new();
        for record in found.into_iter().filter(|record| has(record, key, asked)) {
            let known = records
                .iter()
                .map(|record| &record.id)
                .chain(&ids)
                .any(|id| *id == record.id);
            if !known {
                ids.push(record.id);
            }
        }
        if ids.len() > CLAIMANTS {
            return Err(ambiguous());
        }
        for id in &ids {
            records.extend(self.api.user_by_id(ask, id).await?);
        }
        records.retain(|record| has(record, key, asked));
        self.settle(ask, records).await
    }

    pub(crate) async fn by_login(&self, ask: Ask<'_>, login: &UserName) -> Result<Lookup, SourceError> {
        let named = self.api.user(ask, &composed(login.as_str())).await?;
        // A short name or an id finds a user as well, but isn't their login.
        let record = named.filter(|record| has(record, "login", login.as_str()));
        self.settle(ask, record.into_iter().collect()).await
    }

    /// Proves that the token sees users: without that, "not found" means nothing.
    pub(crate) async fn see_canary(&self, ask: Ask<'_>) -> Result<(), SourceError> {
        let access = self.settings.access.as_ref().ok_or_else(|| unsupported("look-up"))?;
        match self.api.user(ask, access.canary.as_str()).await? {
            Some(_) => Ok(()),
            None => {
                let hidden = SourceError::new(ErrorKind::CredentialRefused, "reading the canary");
                Err(hidden.with_source("the canary isn't visible to this token"))
            }
        }
    }

    /// Deactivated claimants give way to others: that is a rehire.
    async fn settle(&self, ask: Ask<'_>, claimants: Vec<UserRecord>) -> Result<Lookup, SourceError> {
        if claimants.is_empty() {
            self.see_canary(ask).await?;
            return Ok(Lookup::Absent);
        }
        let is_live = |record: &UserRecord| Status::parse(&record.status) != Some(Status::Deprovisioned);
        let mut live = claimants.into_iter().filter(is_live);
        match (live.next(), live.next()) {
            (None, _) => Ok(Lookup::Ineligible(Rejection::AccountDisabled)),
            (Some(record), None) => self.judge(ask, &record).await,
            (Some(_), Some(_)) => Err(ambiguous()),
        }
    }

    async fn judge(&self, ask: Ask<'_>, record: &UserRecord) -> Result<Lookup, SourceError> {
        let status = match self.eligible(record)? {
            Ok(status) => status,
            Err(rejection) => return Ok(Lookup::Ineligible(rejection)),
        };
        let extras = self.extras(ask, &record.id).await?;
        self.found(record, status, extras)
    }

    /// What the record alone decides.
    pub(crate) fn eligible(&self, record: &UserRecord) -> Result<Result<Status, Rejection>, SourceError> {
        let status = Status::parse(&record.status).ok_or_else(|| protocol("the user's status is unknown"))?;
        if let Some(rejection) = map::rejected_at_lookup(status, &self.settings.rules) {
            return Ok(Err(rejection));
        }
        Ok(match owner(record)?.rejected(true, &self.settings.rules) {
            Some(rejection) => Err(rejection),
            None => Ok(status),
        })
    }

    pub(crate) fn found(&self, record: &UserRecord, status: Status, extras: Extras) -> Result<Lookup, SourceError> {
        let user = self.user(record, status, extras, false)?;
        Ok(user.map_or_else(Lookup::Ineligible, Lookup::Found))
    }

    /// The user whom the path names. An address with a `/` fits no path at Okta, encoded or not (405): search finds it.
    async fn by_path(&self, ask: Ask<'_>, asked: &str) -> Result<Option<UserRecord>, SourceError> {
        if asked.contains('/') {
            return Ok(None);
        }
        self.api.user(ask, &composed(asked)).await
    }
}

/// In the form that Okta keeps.
pub(crate) fn composed(identifier: &str) -> Cow<'_, str> {
    if identifier.is_ascii() {
        Cow::Borrowed(identifier)
    } else {
        Cow::Owned(identifier.nfc().collect())
    }
}

/// Who owns the user's password. It must be said.
pub(crate) fn owner(record: &UserRecord) -> Result<Owner, SourceError> {
    let provider = record
        .credentials
        .as_ref()
        .and_then(|credentials| credentials.provider.as_ref());
    provider
        .and_then(|provider| Owner::parse(&provider.kind))
        .ok_or_else(|| protocol("the user's provider is unknown"))
}

pub(crate) fn unsupported(operation: &'static str) -> SourceError {
    SourceError::new(ErrorKind::Unsupported, operation).with_source("no API token is set")
}

pub(crate) fn ambiguous() -> SourceError {
    SourceError::new(ErrorKind::Ambiguous, "look-up by e-mail").with_source("more than one user has this address")
}

pub(crate) fn has(record: &UserRecord, key: &str, asked: &str) -> bool {
    profile::text(&record.profile, key).is_some_and(|value| same_identifier(&value, asked))
}
