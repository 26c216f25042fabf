//! Who carries a login or an address: for support.

use idbridge_source::{Admission, Email, Listed, SourceError, UserId, UserName, same_identifier};

use crate::api::{Ask, protocol};
use crate::lookup::{CLAIMANTS, ambiguous, composed, has};
use crate::profile;
use crate::source::OktaSource;
use crate::wire::{Account, Id, UserRecord};

impl OktaSource {
    /// By login and, if it is an address, by e-mail; each read anew, since search lags behind.
    pub(crate) async fn everybody(&self, ask: Ask<'_>, typed: &str) -> Result<Vec<Listed>, SourceError> {
        let mut people: Vec<(UserRecord, Account)> = Vec::new();
        let mut found: Vec<UserRecord> = Vec::new();
        // What fits no path is searched for.
        if UserName::parse(typed).is_ok() {
            people.extend(self.api.account(ask, &composed(typed)).await?);
        } else {
            found.extend(self.api.search(ask, "login", typed).await?);
        }
        if Email::parse(typed).is_ok() {
            let key = self.settings.rules.email_key();
            found.extend(self.api.search(ask, key, typed).await?);
        }
        let mut seen: Vec<Id> = people.iter().map(|(record, _)| record.id.clone()).collect();
        for UserRecord { id, .. } in found {
            if seen.contains(&id) {
                continue;
            }
            if seen.len() >= CLAIMANTS {
                return Err(ambiguous());
            }
            let person = self.api.account(ask, id.as_str()).await?;
            if person.as_ref().is_some_and(|(record, _)| record.id != id) {
                return Err(protocol("the answer is about another user"));
            }
            people.extend(person);
            seen.push(id);
        }
        people.retain(|(record, _)| has(record, "email", typed) || is_login(record, typed));
        if people.is_empty() {
            self.see_canary(ask).await?;
        }
        let mut claimants = Vec::new();
        for (record, account) in &people {
            let mut listed = self.listed(record, account)?;
            if [listed.log_in, listed.look_up].contains(&Admission::Admitted) {
                let id = UserId::parse(record.id.as_str()).map_err(|_| protocol("an id that can't be carried"))?;
                listed.factors = Some(self.second_factors(ask, &id).await?);
            }
            claimants.push(listed);
        }
        Ok(claimants)
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
