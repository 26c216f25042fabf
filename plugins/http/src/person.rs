//! From a record to a user: one mapping, whichever request brought the record.

use std::fmt;

use idbridge_source::{Rejection, Table, User, UserId};
use serde_json::{Map, Value};

use crate::map::{REFUSALS, conditions};
use crate::pointer::{Condition, Pointer, TwoItems, all_hold};

/// `person` of the settings.
#[derive(Debug)]
pub(crate) struct Person {
    id: Pointer,
    login: Pointer,
    email: Option<Pointer>,
    email_verified: Verified,
    texts: [Option<Pointer>; 7],
    groups: Option<(Pointer, Pointer)>,
    attributes: Vec<(String, Pointer)>,
    second_factor: Vec<Condition>,
    password_expired: Vec<Condition>,
    states: Vec<State>,
    status: Option<Pointer>,
}

#[derive(Debug)]
enum Verified {
    At(Pointer),
    NobodySays,
    When(Vec<Condition>),
}

#[derive(Debug)]
struct State {
    when: Vec<Condition>,
    refused: Option<Rejection>,
}

/// Somebody whose record was read, before the rules.
pub(crate) struct Known {
    pub(crate) user: User,
    pub(crate) refused: Option<Rejection>,
}

/// Somebody in a list.
pub(crate) struct Seen {
    pub(crate) user: User,
    pub(crate) refused: Result<Option<Rejection>, Unreadable>,
    pub(crate) status: String,
}

/// A field by which somebody is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Identifier {
    Email,
    Login,
}

/// Why a record can't be read: which of the settings didn't find what it wants. It never quotes the record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Unreadable {
    what: &'static str,
    problem: &'static str,
}

const TEXTS: [&str; 7] = [
    "name",
    "given_name",
    "family_name",
    "nickname",
    "picture",
    "phone_number",
    "locale",
];

impl Person {
    pub(crate) fn read(table: &Table<'_>) -> Option<Self> {
        let id = pointer(table, "id").required();
        let login = pointer(table, "login").required();
        let email = pointer(table, "email").optional();
        let email_verified = Verified::read(table);
        let texts = TEXTS.map(|key| pointer(table, key).optional());
        let group_name = pointer(table, "group_name").or(Pointer::whole());
        let groups = pointer(table, "groups").optional();
        if table.has("group_name") && !table.has("groups") {
            table.mistake("group_name", "has no effect without `groups`");
        }
        let attributes = table.list("attributes").parse(attributes).or(Vec::new());
        let second_factor = conditions(table, "second_factor");
        let password_expired = conditions(table, "password_expired");
        let states = State::read_all(table);
        let status = pointer(table, "status").optional();
        table.finish();
        Some(Self {
            id: id?,
            login: login?,
            email,
            email_verified: email_verified?,
            texts,
            groups: groups.map(|groups| (groups, group_name)),
            attributes,
            second_factor: second_factor?,
            password_expired: password_expired?,
            states: states?,
            status,
        })
    }

    pub(crate) fn has_groups(&self) -> bool {
        self.groups.is_some()
    }

    pub(crate) fn has_email(&self) -> bool {
        self.email.is_some()
    }

    /// What the record says at one of the fields that people are asked for by.
    pub(crate) fn identifier<'a>(
        &self,
        record: &'a Value,
        identifier: Identifier,
    ) -> Result<Option<&'a str>, Unreadable> {
        match identifier {
            Identifier::Login => text(record, &self.login, "login"),
            Identifier::Email => match &self.email {
                Some(email) => text(record, email, "email"),
                None => Ok(None),
            },
        }
    }

    /// The user, and whether their account is closed to them. A record that fits no state is an error.
    pub(crate) fn known(&self, record: &Value) -> Result<Known, Unreadable> {
        Ok(Known {
            user: self.user(record)?,
            refused: self.refused(record)?,
        })
    }

    /// The same for a list, where a record that fits no state is somebody about whom nothing can be said.
    pub(crate) fn seen(&self, record: &Value) -> Result<Seen, Unreadable> {
        Ok(Seen {
            user: self.user(record)?,
            refused: self.refused(record),
            status: self.status(record)?,
        })
    }

    fn user(&self, record: &Value) -> Result<User, Unreadable> {
        let login = text(record, &self.login, "login")?.ok_or(missing("login"))?;
        let email = self.identifier(record, Identifier::Email)?.unwrap_or_default();
        let [name, given_name, family_name, nickname, picture, phone_number, locale] = self.texts(record)?;
        Ok(User {
            email_verified: self.email_verified.of(record)?.filter(|_| !email.is_empty()),
            name,
            given_name,
            family_name,
            nickname,
            picture,
            phone_number,
            locale,
            groups: self.groups(record)?,
            attributes: self.attributes(record)?,
            second_factor: holds(&self.second_factor, record, "second_factor")?,
            password_expired: holds(&self.password_expired, record, "password_expired")?,
            ..User::new(self.id(record)?, login, email)
        })
    }

    /// The state in the upstream's own word, for who reads a report.
    fn status(&self, record: &Value) -> Result<String, Unreadable> {
        let Some(pointer) = &self.status else {
            return Ok(String::new());
        };
        match find(record, pointer, "status")? {
            None => Ok(String::new()),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(value @ (Value::Bool(_) | Value::Number(_))) => Ok(value.to_string()),
            Some(_) => Err(unreadable("status", "is a list or an object")),
        }
    }

    fn id(&self, record: &Value) -> Result<UserId, Unreadable> {
        let id = match find(record, &self.id, "id")? {
            Some(Value::String(text)) => UserId::parse(text),
            Some(Value::Number(number)) if number.is_u64() || number.is_i64() => UserId::parse(&number.to_string()),
            None => return Err(missing("id")),
            Some(_) => return Err(unreadable("id", "is no text and no whole number")),
        };
        id.map_err(|_| unreadable("id", "can't be carried"))
    }

    fn refused(&self, record: &Value) -> Result<Option<Rejection>, Unreadable> {
        for state in &self.states {
            if holds(&state.when, record, "states")? {
                return Ok(state.refused);
            }
        }
        Err(unreadable("states", "has no row that fits"))
    }

    fn texts(&self, record: &Value) -> Result<[Option<String>; 7], Unreadable> {
        let mut texts = [const { None }; 7];
        for ((found, pointer), key) in texts.iter_mut().zip(&self.texts).zip(TEXTS) {
            if let Some(pointer) = pointer {
                *found = text(record, pointer, key)?.map(str::to_owned);
            }
        }
        Ok(texts)
    }

    fn groups(&self, record: &Value) -> Result<Vec<String>, Unreadable> {
        let Some((groups, name)) = &self.groups else {
            return Ok(Vec::new());
        };
        let items = match find(record, groups, "groups")? {
            None => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(_) => return Err(unreadable("groups", "is no list")),
        };
        let names = items
            .iter()
            .map(|item| text(item, name, "group_name")?.ok_or(missing("group_name")));
        let names: Result<Vec<&str>, Unreadable> = names.collect();
        let mut names: Vec<String> = names?.into_iter().map(str::to_owned).collect();
        // Few upstreams promise an order, and the same user has to look the same twice.
        names.sort();
        names.dedup();
        Ok(names)
    }

    fn attributes(&self, record: &Value) -> Result<Map<String, Value>, Unreadable> {
        let mut attributes = Map::new();
        for (name, pointer) in &self.attributes {
            if let Some(value) = find(record, pointer, "attributes")? {
                attributes.insert(name.clone(), value.clone());
            }
        }
        Ok(attributes)
    }
}

impl Verified {
    fn read(table: &Table<'_>) -> Option<Self> {
        let at = pointer(table, "email_verified");
        let (is_at, is_when) = (at.is_present(), table.has("email_verified_when"));
        if is_at && is_when {
            table.mistake(
                "email_verified_when",
                "stands beside `email_verified`; keep one of the two",
            );
        }
        let when = conditions(table, "email_verified_when")?;
        if is_at {
            return at.optional().map(Self::At);
        }
        Some(if is_when { Self::When(when) } else { Self::NobodySays })
    }

    fn of(&self, record: &Value) -> Result<Option<bool>, Unreadable> {
        match self {
            Self::NobodySays => Ok(None),
            Self::When(conditions) => holds(conditions, record, "email_verified_when").map(Some),
            Self::At(pointer) => match find(record, pointer, "email_verified")? {
                None => Ok(None),
                Some(Value::Bool(verified)) => Ok(Some(*verified)),
                Some(_) => Err(unreadable("email_verified", "is neither true nor false")),
            },
        }
    }
}

impl State {
    fn read_all(table: &Table<'_>) -> Option<Vec<Self>> {
        let words: Vec<(&'static str, Option<Rejection>)> = std::iter::once(("admit", None))
            .chain(REFUSALS.map(|rejection| (rejection.name(), Some(rejection))))
            .collect();
        let tables = table.tables("states");
        let states: Vec<Self> = tables.iter().filter_map(|row| Self::read(row, &words)).collect();
        if states.len() < tables.len() {
            return None;
        }
        if !states.iter().any(|state| state.refused.is_none()) {
            table.mistake("states", "need a row whose outcome is \"admit\"");
        }
        Some(states)
    }

    fn read(table: &Table<'_>, words: &[(&'static str, Option<Rejection>)]) -> Option<Self> {
        let when = conditions(table, "when");
        if !table.has("when") {
            table.mistake("when", "is required");
        }
        let refused = table.choice("outcome", words).required();
        table.finish();
        Some(Self {
            when: when?,
            refused: refused?,
        })
    }
}

/// A key whose value is a JSON pointer.
pub(crate) fn pointer<'a>(table: &'a Table<'a>, key: &'static str) -> idbridge_source::Field<'a, Pointer> {
    table.text(key).parse(|text| Pointer::parse(&text))
}

fn attributes(items: Vec<String>) -> Result<Vec<(String, Pointer)>, String> {
    let parse = |(index, item): (usize, &String)| {
        let number = index + 1;
        let (name, pointer) = item
            .split_once('=')
            .filter(|(name, _)| !name.is_empty())
            .ok_or_else(|| format!("item {number} isn't \"name=/pointer\""))?;
        let pointer = Pointer::parse(pointer).map_err(|problem| format!("item {number}, after `=` {problem}"))?;
        Ok((name.to_owned(), pointer))
    };
    items.iter().enumerate().map(parse).collect()
}

/// What stands there, if it is something: a null says as much as nothing.
fn find<'a>(record: &'a Value, pointer: &Pointer, what: &'static str) -> Result<Option<&'a Value>, Unreadable> {
    match pointer.find(record) {
        Ok(found) => Ok(found.filter(|value| !value.is_null())),
        Err(TwoItems) => Err(unreadable(what, "means one item, and there are two")),
    }
}

/// A text; an empty one says as much as nothing.
fn text<'a>(record: &'a Value, pointer: &Pointer, what: &'static str) -> Result<Option<&'a str>, Unreadable> {
    match find(record, pointer, what)? {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.trim().is_empty())),
        Some(_) => Err(unreadable(what, "is no text")),
    }
}

fn holds(conditions: &[Condition], record: &Value, what: &'static str) -> Result<bool, Unreadable> {
    let held = !conditions.is_empty() && all_hold(conditions, record).map_err(|TwoItems| two(what))?;
    Ok(held)
}

fn two(what: &'static str) -> Unreadable {
    unreadable(what, "means one item, and there are two")
}

fn missing(what: &'static str) -> Unreadable {
    unreadable(what, "is missing")
}

fn unreadable(what: &'static str, problem: &'static str) -> Unreadable {
    Unreadable { what, problem }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the record can't be read: person.{} {}", self.what, self.problem)
    }
}

impl std::error::Error for Unreadable {}

#[cfg(test)]
#[path = "person_tests.rs"]
mod tests;
