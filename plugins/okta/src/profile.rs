//! From Okta's profile to a [`User`]: one mapping, whichever call brought the profile.

use idbridge_source::{Email, SourceError, User, UserId, same_identifier};

use crate::api::protocol;
use crate::config::{EmailVerified, Rules};
use crate::wire::{EmailClaim, Id, Profile};

/// All that `/authn` tells of a user.
const AUTHN_KEYS: [&str; 5] = ["login", "firstName", "lastName", "locale", "timeZone"];

/// What `/authn` says of the locale of users who have none. A look-up says nothing then, so this says nothing either.
const AUTHN_DEFAULTS: [&str; 2] = ["en", "en-US"];

/// What is known of a user before it is mapped.
pub(crate) struct Facts<'a> {
    pub(crate) id: &'a Id,
    pub(crate) profile: &'a Profile,
    /// `credentials.emails` of an active user: no other is evidence.
    pub(crate) emails: &'a [EmailClaim],
    pub(crate) second_factor: bool,
    pub(crate) groups: Vec<String>,
    pub(crate) password_expired: bool,
}

pub(crate) fn user(facts: Facts<'_>, rules: &Rules) -> Result<User, SourceError> {
    // With login_is_email nothing may come from a look-up that a log-in, which reads no user, doesn't know.
    let get = |key: &'static str| {
        let known = !rules.login_is_email || AUTHN_KEYS.contains(&key);
        known.then(|| text(facts.profile, key)).flatten()
    };
    let id = UserId::parse(facts.id.as_str()).map_err(|_| protocol("the id can't be carried"))?;
    let login = get("login").ok_or_else(|| protocol("the profile has no login"))?;
    let email = if rules.login_is_email {
        Some(login.clone()).filter(|login| Email::parse(login).is_ok())
    } else {
        get("email")
    };
    let email = email.unwrap_or_default();
    let (given_name, family_name) = (get("firstName"), get("lastName"));
    Ok(User {
        email_verified: verified(&email, facts.emails, rules),
        name: get("displayName").or_else(|| joined(given_name.as_deref(), family_name.as_deref())),
        given_name,
        family_name,
        nickname: get("nickName"),
        phone_number: get("mobilePhone").or_else(|| get("primaryPhone")),
        locale: ["preferredLanguage", "locale"]
            .into_iter()
            .filter_map(|key| language_tag(&get(key)?))
            .find(|tag| !rules.login_is_email || !AUTHN_DEFAULTS.contains(&tag.as_str())),
        attributes: attributes(facts.profile, rules),
        groups: facts.groups,
        second_factor: facts.second_factor,
        password_expired: facts.password_expired,
        ..User::new(id, login, email)
    })
}

/// A text of the profile. Okta sends "" as well as null for what it doesn't have.
pub(crate) fn text(profile: &Profile, key: &str) -> Option<String> {
    let text = profile.get(key)?.as_str()?;
    (!text.trim().is_empty()).then(|| text.to_owned())
}

fn verified(email: &str, claims: &[EmailClaim], rules: &Rules) -> Option<bool> {
    let verified = match rules.email_verified {
        EmailVerified::Always => Some(true),
        EmailVerified::FromOkta if rules.login_is_email => None,
        EmailVerified::FromOkta => claimed(email, claims),
        EmailVerified::Never => Some(false),
    };
    let trusted = rules.verified_domains.is_empty()
        || Email::parse(email).is_ok_and(|email| {
            let mut domains = rules.verified_domains.iter();
            domains.any(|domain| same_identifier(domain, email.domain()))
        });
    verified.map(|verified| verified && trusted && !email.is_empty())
}

/// What `credentials.emails` says of the primary address; of two claims about it, the worse.
pub(crate) fn claimed(email: &str, claims: &[EmailClaim]) -> Option<bool> {
    claims
        .iter()
        .filter(|claim| claim.kind.as_deref() == Some("PRIMARY"))
        .filter(|claim| {
            claim
                .value
                .as_deref()
                .is_some_and(|value| same_identifier(value, email))
        })
        .filter_map(|claim| match claim.status.as_deref() {
            Some("VERIFIED") => Some(true),
            Some("UNVERIFIED") => Some(false),
            _ => None,
        })
        .min()
}

fn joined(given: Option<&str>, family: Option<&str>) -> Option<String> {
    let parts: Vec<&str> = [given, family].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// `en_US` is `en-US` in BCP 47. What isn't well formed is not passed on.
fn language_tag(text: &str) -> Option<String> {
    let tag = text.replace('_', "-");
    let mut parts = tag.split('-');
    let language = parts
        .next()
        .is_some_and(|part| (2..=8).contains(&part.len()) && is_alphabetic(part));
    let rest = parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    (language && rest).then_some(tag)
}

fn is_alphabetic(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

fn attributes(profile: &Profile, rules: &Rules) -> Profile {
    let listed = rules.attributes.iter();
    listed
        .filter_map(|key| Some((key.clone(), profile.get(key).filter(|value| !value.is_null())?.clone())))
        .collect()
}

#[cfg(test)]
#[path = "profile_tests.rs"]
mod tests;
