use std::fmt;

/// A person, as one source knows them. Any combination of the optional parts is legal.
///
/// `None` means that the source doesn't say. Nothing here is guessed, and nothing is echoed from what was asked.
#[derive(Clone, PartialEq)]
pub struct User {
    /// Stable in its source, for ever.
    pub id: UserId,
    /// As the source spells it.
    pub login: String,
    /// As the source spells it; empty if the source has none.
    pub email: String,
    pub email_verified: Option<bool>,
    /// Display name.
    pub name: Option<String>,
    pub given_name: Option<String>,
    pub family_name: Option<String>,
    pub nickname: Option<String>,
    pub picture: Option<String>,
    pub phone_number: Option<String>,
    /// BCP 47.
    pub locale: Option<String>,
    pub groups: Vec<String>,
    /// Further attributes, those that the settings allow.
    pub attributes: serde_json::Map<String, serde_json::Value>,
    /// The source holds an active second factor for this user.
    pub second_factor: bool,
    /// The password must be changed.
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
