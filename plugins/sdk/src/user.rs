use std::fmt;

/// A person, as one source knows them. Any combination of the optional parts is legal.
///
/// `None` means that the source doesn't say. Nothing here is guessed, and nothing is echoed from what was asked
/// (`user_by_email::nothing_is_invented`). The target stores what it gets here.
#[derive(Clone, PartialEq)]
pub struct User {
    /// Stable in its source, for ever, and the same whatever found the user
    /// (`user_by_email::id_is_stable_and_ones_own`). A login or an address can change hands, and makes a bad id.
    pub id: UserId,
    /// As the source spells it.
    pub login: String,
    /// As the source spells it; empty if the source has none.
    pub email: String,
    /// `Some(true)` only where the source itself calls the address verified. That a user could log in proves nothing.
    pub email_verified: Option<bool>,
    /// Display name.
    pub name: Option<String>,
    pub given_name: Option<String>,
    pub family_name: Option<String>,
    pub nickname: Option<String>,
    pub picture: Option<String>,
    pub phone_number: Option<String>,
    /// BCP 47: `en-GB`.
    pub locale: Option<String>,
    pub groups: Vec<String>,
    /// Further attributes, those that the settings allow: an upstream's profile may hold more than a target should know.
    pub attributes: serde_json::Map<String, serde_json::Value>,
    /// The source holds an active second factor for this user.
    pub second_factor: bool,
    /// The password must be changed (`user_by_email::expired_password_is_found_and_marked`).
    pub password_expired: bool,
}

impl User {
    /// A user of whom nothing more is known.
    pub fn new(id: UserId, login: impl Into<String>, email: impl Into<String>) -> Self {
        Self {
            id,
            login: login.into(),
            email: email.into(),
            email_verified: None,
            name: None,
            given_name: None,
            family_name: None,
            nickname: None,
            picture: None,
            phone_number: None,
            locale: None,
            groups: Vec::new(),
            attributes: serde_json::Map::new(),
            second_factor: false,
            password_expired: false,
        }
    }
}

impl fmt::Debug for User {
    /// The id alone: the rest is personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A user's id in the source: 1 to 255 characters, none of them a control character.
///
/// The broker puts `<id_prefix>|` before it, so that two sources' ids never meet. It is no secret, and shown by `Debug`.
/// One that doesn't parse is [`ErrorKind::Protocol`](crate::ErrorKind::Protocol).
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct UserId(Box<str>);

/// The source gave an id that can't be carried.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct InvalidUserId;

impl UserId {
    pub fn parse(text: &str) -> Result<Self, InvalidUserId> {
        let fits = !text.is_empty() && text.chars().count() <= 255 && !text.chars().any(char::is_control);
        if fits {
            Ok(Self(text.into()))
        } else {
            Err(InvalidUserId)
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for InvalidUserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a user id has 1 to 255 characters and no control characters")
    }
}

impl std::error::Error for InvalidUserId {}
