//! Who carries a login or an address: for support.

use idbridge_source::{Admission, Email, Listed, SourceError, UserId, UserName, same_identifier};

use crate::api::{Ask, protocol};
use crate::lookup::{CLAIMANTS, ambiguous, has};
use crate::profile;
use crate::source::OktaSource;
use crate::wire::{Id, UserRecord};

impl OktaSource {
    /// By login and, if it is an address, by e-mail; each read anew, since search lags behind.
    pub(crate) async fn everybody(&self, ask: Ask<'_>, typed: &str) -> Result<Vec<Listed>, SourceError> {
        let mut records: Vec<UserRecord> = Vec::new();
        let mut ids: Vec<Id> = Vec::new();
        // What fits no path is searched for.
        if UserName::parse(typed).is_ok() {
            records.extend(self.by_path(ask, typed).await?);
        } else {
            let found = self.api.search(ask, "login", typed).await?;
            ids.extend(found.into_iter().map(|record| record.id));
        }
        if Email::parse(typed).is_ok() {
            let found = self.api.search(ask, self.settings.rules.email_key(), typed).await?;
            ids.extend(found.into_iter().map(|record| record.id));
        }
        let mut seen: Vec<Id> = records.iter().map(|record| record.id.clone()).collect();
        for id in ids {
            if seen.contains(&id) {
                continue;
            }
            if seen.len() >= CLAIMANTS {
                return Err(ambiguous());
            }
            records.extend(self.api.user_by_id(ask, &id).await?);
            seen.push(id);
        }
        records.retain(|record| has(record, "email", typed) || is_login(record, typed));
        if records.is_empty() {
            self.see_canary(ask).await?;
        }
        let mut people = Vec::new();
        for record in &records {
            let mut listed = self.listed(record, None)?;
            if [listed.log_in, listed.look_up].contains(&Admission::Admitted) {
                let id = UserId::parse(record.id.as_str()).map_err(|_| protocol("an id that can't be carried"))?;
                listed.factors = Some(self.second_factors(ask, &id).await?);
            }
            people.push(listed);
        }
        Ok(people)
    }
}

/// Okta takes the part before the `@` for the login, too.
fn is_login(record: &UserRecord, typed: &str) -> bool {
    let login = profile::text(&record.profile, "login");
    login.is_some_and(|login| {
        let short = login.split_once('@').map(|(short, _)| short);
        same_identifier(&login, typed) || short.is_some_and(|short| same_identifier(short, typed))
    })
}
