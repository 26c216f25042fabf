//! The mapping alone: Okta's bytes in, an outcome out, and nobody is asked. For those who count what it costs, and no
//! part of the plugin's interface.

use std::sync::Arc;

use idbridge_source::{Authentication, ErrorKind, Lookup, SourceError, Table};
use serde::de::DeserializeOwned;

use crate::api::protocol;
use crate::config::Settings;
use crate::lookup::owner;
use crate::map::{self, State, Status};
use crate::pace::Pacer;
use crate::profile::{self, Facts};
use crate::source::{Extras, OktaSource};
use crate::wire::{Object, Transaction, UserRecord};

/// A source that is only ever told what Okta answered.
#[derive(Debug)]
pub struct Mapping(OktaSource);

impl Mapping {
    /// `None` if the settings have a mistake.
    pub fn new(settings: &Table<'_>) -> Option<Self> {
        let settings = Arc::new(Settings::read(settings)?);
        OktaSource::new(settings, Pacer::new()).ok().map(Self)
    }

    /// A user whom a look-up found, from `GET /api/v1/users/{id}`; without factors and groups.
    pub fn look_up(&self, record: &[u8]) -> Result<Lookup, SourceError> {
        let record: UserRecord = read(record)?;
        let rules = &self.0.settings.rules;
        let status = Status::parse(&record.status).ok_or_else(|| protocol("the user's status is unknown"))?;
        let rejection = match map::rejected_at_lookup(status, rules) {
            Some(rejection) => Some(rejection),
            None => owner(&record)?.rejected(true, rules),
        };
        if let Some(rejection) = rejection {
            return Ok(Lookup::Ineligible(rejection));
        }
        let user = self.0.user(&record, status, Extras::default(), false)?;
        Ok(user.map_or_else(Lookup::Ineligible, Lookup::Found))
    }

    /// A complete log-in that tells all there is (`login_is_email`), from `POST /api/v1/authn`. Any other proves nothing
    /// here.
    pub fn log_in(&self, transaction: &[u8]) -> Result<Authentication, SourceError> {
        let transaction: Transaction = read(transaction)?;
        let embedded = transaction.embedded.unwrap_or_default();
        let user = embedded
            .user
            .filter(|_| map::state(&transaction.status) == State::Proved);
        let user = user.ok_or_else(|| protocol("the transaction's status proves nothing"))?;
        let profile = user
            .profile
            .ok_or_else(|| protocol("the transaction tells no profile"))?;
        let facts = Facts {
            id: &user.id,
            profile: &profile,
            emails: &[],
            second_factor: false,
            groups: Vec::new(),
            password_expired: false,
        };
        profile::user(facts, &self.0.settings.rules).map(Authentication::Accept)
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, SourceError> {
    let object: Result<Object<T>, _> = serde_json::from_slice(body);
    object.map(|object| object.0).map_err(|error| {
        let unread = SourceError::new(ErrorKind::Protocol, "reading Okta's answer");
        unread.with_source(idbridge_outbound::Undecodable::from(&error))
    })
}
