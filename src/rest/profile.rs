//! A user as Auth0's callback takes them: what is listed here and nothing else.
//!
//! Auth0 refuses the whole import for one field that is beyond its limits, so such a field is left out. A profile that
//! is too large as a whole is an error: what would have to go is data that never comes again. The limits are Auth0's
//! "User Profile Structure", "Normalized User Profiles", "Metadata Field Names and Data Types" and "Migrate Oversized
//! User Profiles" pages.

use idbridge_source::{Email, User, same_identifier};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{EmailFrom, Settings, attributes};
use crate::pb;

#[derive(PartialEq, Serialize)]
pub struct Profile {
    user_id: String,
    email: String,
    email_verified: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    given_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    family_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nickname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    picture: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    app_metadata: AppMetadata,
}

#[derive(PartialEq, Serialize)]
struct AppMetadata {
    idbridge: Facts,
}

/// What the source said that has no place in Auth0's own fields.
#[derive(PartialEq, Serialize)]
struct Facts {
    source: String,
    source_id: String,
    login: String,
    groups: Vec<String>,
    attributes: Map<String, Value>,
    second_factor: bool,
    password_expired: bool,
}

/// Auth0's limit for a whole profile, in JSON. What it adds itself counts too, and it has some room above this, which it
/// calls temporary.
const PROFILE_BYTES: usize = 10 * 1024;

/// Why there is no profile of a user.
#[derive(Debug, PartialEq)]
pub enum Unfit {
    /// Not a user that a broker may answer with.
    Malformed(&'static str),
    /// Auth0 would store a user that the typed identifier doesn't find the next time.
    NotPortable,
}

impl Profile {
    /// The profile of the user whom this typed identifier found.
    pub fn new(user: pb::User, source: String, typed: &str, settings: &Settings) -> Result<Self, Unfit> {
        if user.id.is_empty() {
            return Err(Unfit::Malformed("a user without an id"));
        }
        // Auth0 puts it there itself. A source with this prefix is a mistake in the settings.
        if user.id.starts_with("auth0|") {
            return Err(Unfit::Malformed("a user id that begins with auth0|"));
        }
        let spelled = match settings.email_from {
            EmailFrom::Email => &user.email,
            EmailFrom::Login => &user.login,
        };
        let email = spelled.to_lowercase();
        // Auth0 stores lower case. Where that makes another address of it, it would store another user.
        if Email::parse(&email).is_err() || !same_identifier(&email, spelled) {
            return Err(Unfit::NotPortable);
        }
        let username = Some(user.login.to_lowercase()).filter(|name| {
            settings.send_username && is_username(name, settings.username_length) && same_identifier(name, &user.login)
        });

        let mut findable = vec![spelled, &email];
        if let Some(username) = &username {
            findable.extend([&user.login, username]);
        }
        if !findable
            .into_iter()
            .any(|identifier| same_identifier(identifier, typed))
        {
            return Err(Unfit::NotPortable);
        }

        let source_id = user.id.split_once('|').map_or(&*user.id, |(_, id)| id).to_owned();
        let profile = Self {
            email,
            email_verified: user.email_verified.unwrap_or(false),
            name: within(user.name, 150),
            given_name: within(user.given_name, 150),
            family_name: within(user.family_name, 150),
            nickname: within(user.nickname, 350),
            picture: user.picture.filter(|text| is_web_address(text)),
            phone_number: user.phone_number.filter(|text| is_phone_number(text)),
            username,
            app_metadata: AppMetadata {
                idbridge: Facts {
                    source,
                    source_id,
                    login: user.login,
                    groups: user.groups.into_iter().take(50).collect(),
                    attributes: user.attributes.map(attributes::object).unwrap_or_default(),
                    second_factor: user.second_factor,
                    password_expired: user.password_expired,
                },
            },
            user_id: user.id,
        };
        if profile.size() > PROFILE_BYTES {
            return Err(Unfit::Malformed("a profile that is larger than Auth0 takes"));
        }
        Ok(profile)
    }
}

impl Profile {
    /// As JSON.
    fn size(&self) -> usize {
        let mut counter = Counter(0);
        // Neither this writer nor these types fail.
        let _infallible = serde_json::to_writer(&mut counter, self);
        counter.0
    }
}

/// Counts what is written.
struct Counter(usize);

impl std::io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Profile {
    /// Whether something that this user has is beyond Auth0's limits, and so is not in the profile.
    pub fn lacks_a_field_of(&self, user: &User) -> bool {
        let pairs = [
            (&self.name, &user.name),
            (&self.given_name, &user.given_name),
            (&self.family_name, &user.family_name),
            (&self.nickname, &user.nickname),
            (&self.picture, &user.picture),
            (&self.phone_number, &user.phone_number),
        ];
        pairs.iter().any(|(kept, had)| kept.is_none() && had.is_some())
    }
}

impl std::fmt::Debug for Profile {
    /// The id alone: the rest is personal.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Profile")
            .field("user_id", &self.user_id)
            .finish_non_exhaustive()
    }
}

/// Counted in UTF-16, as JavaScript counts: the narrowest reading of Auth0's "characters". Blanks are no name, and
/// control characters are in none.
fn within(text: Option<String>, limit: usize) -> Option<String> {
    text.filter(|text| {
        let fits = (1..=limit).contains(&text.encode_utf16().count());
        fits && !text.trim().is_empty() && !text.contains(char::is_control)
    })
}

/// Auth0 names no limit for a picture's address; ours is what browsers and proxies take.
fn is_web_address(text: &str) -> bool {
    text.len() <= 2048
        && url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// `^\+[0-9]{1,15}$`
fn is_phone_number(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    (1..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Auth0's rules for user names: these characters, no e-mail address, and the connection's own limits.
pub fn is_username(text: &str, (least, most): (usize, usize)) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "@^$.!`-#+'~_".contains(c);
    (least..=most).contains(&text.len()) && text.chars().all(fits) && Email::parse(text).is_err()
}

#[cfg(test)]
mod tests;
