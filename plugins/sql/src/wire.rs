//! The shape of an answer: each row is one JSON array, made by the database itself, so that every type of column arrives
//! in one form. The mapped columns are named one by one: one that is missing is an error even where no row comes.

use std::fmt;

use idbridge_source::{Secret, User, UserId};
use serde_json::{Map, Number, Value};

use crate::statement::Dialect;

/// A row may not be longer, in bytes.
const MAX_ROW: usize = 256 * 1024;

/// Which column is which part of a user.
#[derive(Clone, Debug)]
pub(crate) struct Columns {
    /// In the order of [`Part::ALL`].
    pub(crate) parts: Vec<(Part, String)>,
    pub(crate) attributes: Vec<String>,
}

macro_rules! parts {
    ($($part:ident $key:literal $default:expr;)*) => {
        /// What a column can be.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(crate) enum Part {
            $($part,)*
        }

        impl Part {
            /// Its key in the settings, and the column that it is if the settings don't say.
            pub(crate) const ALL: &[(Self, &'static str, Option<&'static str>)] = &[$((Self::$part, $key, $default),)*];
        }
    };
}

parts! {
    Email "email" Some("email");
    EmailVerified "email_verified" None;
    FamilyName "family_name" None;
    GivenName "given_name" None;
    Groups "groups" None;
    Id "id" Some("id");
    Locale "locale" None;
    Login "login" Some("login");
    Name "name" None;
    Nickname "nickname" None;
    PasswordExpired "password_expired" None;
    PasswordHash "password_hash" Some("password_hash");
    PhoneNumber "phone_number" None;
    Picture "picture" None;
    Salt "salt" None;
    SecondFactor "second_factor" None;
    Status "status" None;
}

/// Somebody, as the table has them.
#[derive(Clone)]
pub(crate) struct Row {
    /// The two flags are as the table says; the rules decide what becomes of them.
    pub(crate) user: User,
    /// The table's own word, if a column says one.
    pub(crate) status: Option<String>,
    pub(crate) hash: Kept,
    pub(crate) salt: Option<Secret>,
}

/// What stands in the hash's column. A look-up reads its first letter alone.
#[derive(Clone, Debug)]
pub(crate) enum Kept {
    Hash(Secret),
    /// NULL, or nothing.
    Missing,
    /// A `!` before it: Django's and shadow(5)'s mark of a password that nobody can log in with.
    Unusable,
}

/// The row isn't as the settings say. Which column, and nothing of what it holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Garbage(&'static str);

impl Columns {
    /// The statement around the operator's. `hashes`: whether hash and salt are read.
    pub(crate) fn select(&self, dialect: Dialect, query: &str, hashes: bool, most: Option<usize>) -> String {
        let column = |name: &str| format!("q.\"{}\"", name.replace('"', "\"\""));
        let part = |(part, name): &(Part, String)| match part {
            Part::PasswordHash if hashes => format!("CAST({} AS text)", column(name)),
            // Whether there is one, and whether it can be used.
            Part::PasswordHash => format!("substr(CAST({} AS text), 1, 1)", column(name)),
            Part::Salt if hashes => format!("CAST({} AS text)", column(name)),
            Part::Salt => "NULL".to_owned(),
            Part::Id => format!("CAST({} AS text)", column(name)),
            _ => column(name),
        };
        let attributes = self.attributes.iter().map(|name| column(name));
        let columns: Vec<String> = self.parts.iter().map(part).chain(attributes).collect();
        let columns = columns.join(", ");
        let row = match dialect {
            Dialect::Postgres => format!("CAST(json_build_array({columns}) AS text)"),
            Dialect::Sqlite => format!("json_array({columns})"),
        };
        let most = most.map_or(String::new(), |most| format!(" LIMIT {most}"));
        // The line ends, so that a comment at the query's end doesn't hide the bracket.
        format!("SELECT {row} FROM (\n{query}\n) AS q{most}")
    }

    pub(crate) fn has_groups(&self) -> bool {
        self.parts.iter().any(|(part, _)| *part == Part::Groups)
    }

    pub(crate) fn read(&self, row: &str) -> Result<Row, Garbage> {
        if row.len() > MAX_ROW {
            return Err(Garbage("a row is too long"));
        }
        let values: Vec<Value> = serde_json::from_str(row).map_err(|_| Garbage("a row is no JSON"))?;
        if values.len() != self.parts.len() + self.attributes.len() {
            return Err(Garbage("a row has too many or too few columns"));
        }
        let values = Values {
            columns: self,
            values: &values,
        };
        let id = values.text(Part::Id, "id")?.ok_or(Garbage("the id is NULL"))?;
        let id = UserId::parse(&id).map_err(|_| Garbage("the id is no id"))?;
        let login = values.text(Part::Login, "login")?.filter(|login| !login.is_empty());
        let login = login.ok_or(Garbage("the login is NULL or empty"))?;
        let email = values.text(Part::Email, "email")?.unwrap_or_default();
        let user = User {
            email_verified: values.flag(Part::EmailVerified, "email_verified is no truth value")?,
            name: values.text(Part::Name, "name")?,
            given_name: values.text(Part::GivenName, "given_name")?,
            family_name: values.text(Part::FamilyName, "family_name")?,
            nickname: values.text(Part::Nickname, "nickname")?,
            picture: values.text(Part::Picture, "picture")?,
            phone_number: values.text(Part::PhoneNumber, "phone_number")?,
            locale: values.text(Part::Locale, "locale")?,
            groups: values.groups()?,
            attributes: values.attributes(),
            second_factor: values.certain(Part::SecondFactor, "second_factor is no truth value")?,
            password_expired: values.certain(Part::PasswordExpired, "password_expired is no truth value")?,
            ..User::new(id, login, email)
        };
        let status = match values.get(Part::Status) {
            None => None,
            Some(_) => Some(
                values
                    .text(Part::Status, "status")?
                    .ok_or(Garbage("the status is NULL"))?,
            ),
        };
        Ok(Row {
            user,
            status,
            hash: values.hash()?,
            salt: values.text(Part::Salt, "salt")?.map(Secret::from),
        })
    }
}

struct Values<'a> {
    columns: &'a Columns,
    values: &'a [Value],
}

impl Values<'_> {
    /// `None`: the settings name no such column.
    fn get(&self, part: Part) -> Option<&Value> {
        let index = self.columns.parts.iter().position(|(known, _)| *known == part)?;
        self.values.get(index)
    }

    /// A number is its digits, a truth value its word. An empty text is one, but for names.
    fn text(&self, part: Part, problem: &'static str) -> Result<Option<String>, Garbage> {
        match self.get(part) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() && is_name(part) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(Value::Bool(value)) => Ok(Some(value.to_string())),
            Some(Value::Number(number)) if is_whole(number) => Ok(Some(number.to_string())),
            Some(_) => Err(Garbage(problem)),
        }
    }

    /// SQLite has no truth values, and says 0 and 1.
    fn flag(&self, part: Part, problem: &'static str) -> Result<Option<bool>, Garbage> {
        match self.get(part) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(Value::Number(number)) if number.as_u64() == Some(0) => Ok(Some(false)),
            Some(Value::Number(number)) if number.as_u64() == Some(1) => Ok(Some(true)),
            Some(_) => Err(Garbage(problem)),
        }
    }

    /// A NULL could be either, and one of the two keeps people out.
    fn certain(&self, part: Part, problem: &'static str) -> Result<bool, Garbage> {
        match self.get(part) {
            None => Ok(false),
            Some(_) => self.flag(part, problem)?.ok_or(Garbage(problem)),
        }
    }

    /// An array, or the text of a JSON array.
    fn groups(&self) -> Result<Vec<String>, Garbage> {
        let garbage = Garbage("groups is no array of texts");
        let items = match self.get(Part::Groups) {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::Array(items)) => items.clone(),
            Some(Value::String(text)) => serde_json::from_str(text).map_err(|_| garbage.clone())?,
            Some(_) => return Err(garbage),
        };
        let texts: Option<Vec<String>> = items.iter().map(|item| item.as_str().map(str::to_owned)).collect();
        texts.ok_or(garbage)
    }

    fn attributes(&self) -> Map<String, Value> {
        let values = self.values.iter().skip(self.columns.parts.len());
        let named = self.columns.attributes.iter().zip(values);
        let said = named.filter(|(_, value)| !value.is_null());
        said.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    fn hash(&self) -> Result<Kept, Garbage> {
        Ok(
            match self.text(Part::PasswordHash, "password_hash")?.unwrap_or_default() {
                text if text.is_empty() => Kept::Missing,
                text if text.starts_with('!') => Kept::Unusable,
                text => Kept::Hash(Secret::from(text)),
            },
        )
    }
}

fn is_name(part: Part) -> bool {
    use Part::{FamilyName, GivenName, Locale, Name, Nickname, PhoneNumber, Picture};
    matches!(
        part,
        FamilyName | GivenName | Locale | Name | Nickname | PhoneNumber | Picture
    )
}

/// A fraction is no id, and a whole number beyond 64 bits was rounded when it was read.
fn is_whole(number: &Number) -> bool {
    number.is_i64() || number.is_u64()
}

impl fmt::Display for Garbage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Garbage {}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row").field("id", &self.user.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
