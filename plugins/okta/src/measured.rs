//! The mapping alone: Okta's bytes in, an outcome out, and nobody is asked. For those who count what it costs, and no
//! part of the plugin's interface.

use std::sync::Arc;

use idbridge_source::{Authentication, ErrorKind, Lookup, SourceError, SystemClock, Table};
use serde::de::DeserializeOwned;

use crate::config::Settings;
use crate::pace::Pacer;
use crate::source::{Extras, OktaSource};
use crate::wire::{Object, UserRecord};

/// A source that is only ever told what Okta answered.
#[derive(Debug)]
pub struct Mapping(OktaSource);

impl Mapping {
    /// `None` if the settings have a mistake.
    pub fn new(settings: &Table<'_>) -> Option<Self> {
        let settings = Arc::new(Settings::read(settings)?);
        OktaSource::new(settings, Pacer::new(), Arc::new(SystemClock))
            .ok()
            .map(Self)
    }

    /// A user whom a look-up found, from `GET /api/v1/users/{id}`; without factors and groups.
    pub fn look_up(&self, record: &[u8]) -> Result<Lookup, SourceError> {
        let record: UserRecord = read(record)?;
        match self.0.eligible(&record)? {
            Ok(status) => self.0.found(&record, status, Extras::default()),
            Err(rejection) => Ok(Lookup::Ineligible(rejection)),
        }
    }

    /// A log-in that tells all there is (`login_is_email`), from `POST /api/v1/authn`; without factors.
    pub fn log_in(&self, transaction: &[u8]) -> Result<Authentication, SourceError> {
        let user = match self.0.weigh(read(transaction)?)? {
            Ok(proof) => self.0.told_by_authn(proof, Extras::default())?,
            Err(rejection) => Err(rejection),
        };
        Ok(user.map_or_else(Authentication::Reject, Authentication::Accept))
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, SourceError> {
    let object: Result<Object<T>, _> = serde_json::from_slice(body);
    object.map(|object| object.0).map_err(|error| {
        let unread = SourceError::new(ErrorKind::Protocol, "reading Okta's answer");
        unread.with_source(idbridge_outbound::Undecodable::from(&error))
    })
}
