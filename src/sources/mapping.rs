//! What of a user is told on, and under which names. Who somebody is isn't touched: id, login, address and what the
//! source says of them pass as they are.

use async_trait::async_trait;
use idbridge_source::{
    Authentication, Budget, Call, Capabilities, Cursor, Email, Factors, Finding, IdentitySource, Listed, Login, Lookup,
    Page, Password, SourceError, User, UserId, UserName,
};
use serde_json::{Map, Value};

/// A source's users in other words. By default: in its own.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Words {
    /// Attributes that are left out, by the source's names.
    pub drop: Vec<String>,
    /// Attributes: the source's name, and ours.
    pub rename: Vec<(String, String)>,
    /// By our names: what stands where the source says nothing.
    pub defaults: Vec<(String, String)>,
    /// By the source's names: the only groups that are told on. `None`: all of them.
    pub allow_groups: Option<Vec<String>>,
    /// The source's name, and ours.
    pub rename_groups: Vec<(String, String)>,
}

/// A source whose users are told on in these words.
#[derive(Debug)]
pub struct Mapping<S> {
    inner: S,
    words: Words,
}

impl Words {
    /// Whether they change nothing.
    pub fn are_its_own(&self) -> bool {
        *self == Self::default()
    }

    fn of(&self, mut user: User) -> User {
        user.attributes = self.attributes(user.attributes);
        user.groups = self.groups(user.groups);
        user
    }

    fn attributes(&self, mut given: Map<String, Value>) -> Map<String, Value> {
        for name in &self.drop {
            given.remove(name);
        }
        // All are taken out before one is put in, so that two may change their names with each other.
        let renamed = self.rename.iter();
        let renamed: Vec<_> = renamed
            .filter_map(|(from, to)| given.remove(from).map(|value| (to, value)))
            .collect();
        given.extend(renamed.into_iter().map(|(to, value)| (to.clone(), value)));
        for (name, value) in &self.defaults {
            if given.get(name).is_none_or(Value::is_null) {
                given.insert(name.clone(), Value::String(value.clone()));
            }
        }
        given
    }

    /// Each once, in the source's order.
    fn groups(&self, given: Vec<String>) -> Vec<String> {
        if self.allow_groups.is_none() && self.rename_groups.is_empty() {
            return given;
        }
        let is_allowed = |group: &String| self.allow_groups.as_ref().is_none_or(|allowed| allowed.contains(group));
        let mut told: Vec<String> = Vec::new();
        for group in given.into_iter().filter(is_allowed) {
            let renamed = self.rename_groups.iter().find(|(from, _)| *from == group);
            let group = renamed.map_or(group, |(_, to)| to.clone());
            if !told.contains(&group) {
                told.push(group);
            }
        }
        told
    }
}

impl<S: IdentitySource> Mapping<S> {
    pub fn new(inner: S, words: Words) -> Self {
        Self { inner, words }
    }

    fn people(&self, people: Vec<Listed>) -> Vec<Listed> {
        let told = people.into_iter().map(|person| Listed {
            user: self.words.of(person.user),
            ..person
        });
        told.collect()
    }

    fn found(&self, lookup: Lookup) -> Lookup {
        match lookup {
            Lookup::Found(user) => Lookup::Found(self.words.of(user)),
            other => other,
        }
    }
}

#[async_trait]
impl<S: IdentitySource> IdentitySource for Mapping<S> {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn authenticate(
        &self,
        call: &Call,
        login: &Login,
        password: &Password,
    ) -> Result<Authentication, SourceError> {
        Ok(match self.inner.authenticate(call, login, password).await? {
            Authentication::Accept(user) => Authentication::Accept(self.words.of(user)),
            other => other,
        })
    }

    async fn user_by_email(&self, call: &Call, email: &Email) -> Result<Lookup, SourceError> {
        Ok(self.found(self.inner.user_by_email(call, email).await?))
    }

    async fn user_by_login(&self, call: &Call, login: &UserName) -> Result<Lookup, SourceError> {
        Ok(self.found(self.inner.user_by_login(call, login).await?))
    }

    async fn list(&self, call: &Call, after: Option<&Cursor>) -> Result<Page, SourceError> {
        let Page { people, next } = self.inner.list(call, after).await?;
        let people = self.people(people);
        Ok(Page { people, next })
    }

    async fn factors(&self, call: &Call, id: &UserId) -> Result<Factors, SourceError> {
        self.inner.factors(call, id).await
    }

    async fn claimants(&self, call: &Call, login: &Login) -> Result<Vec<Listed>, SourceError> {
        Ok(self.people(self.inner.claimants(call, login).await?))
    }

    fn budget(&self) -> Budget {
        self.inner.budget()
    }

    async fn probe(&self, call: &Call) -> Result<(), SourceError> {
        self.inner.probe(call).await
    }

    async fn examine(&self, call: &Call, canary_password: Option<&Password>) -> Vec<Finding> {
        self.inner.examine(call, canary_password).await
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = pairs.iter().map(|&(one, other)| (one.to_owned(), other.to_owned()));
        owned.collect()
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    fn user(attributes: &Value, groups: &[&str]) -> User {
        let id = UserId::parse("1").expect("an id");
        let mut user = User::new(id, "ada", "ada@example.com");
        user.attributes = attributes.as_object().expect("an object").clone();
        user.groups = texts(groups);
        user
    }

    #[test]
    fn what_is_told() {
        let words = Words {
            drop: texts(&["secret", "absent"]),
            rename: pairs(&[("a", "b"), ("b", "a"), ("cc", "cost_center"), ("gone", "here")]),
            defaults: pairs(&[("tier", "basic"), ("cost_center", "none"), ("empty", "full")]),
            allow_groups: Some(texts(&["Staff", "Admins", "Pilot"])),
            rename_groups: pairs(&[("Staff", "staff"), ("Admins", "staff")]),
        };
        let given = json!({ "secret": 1, "a": 2, "b": [3], "cc": "9", "empty": null, "other": true });
        let told = json!({ "b": 2, "a": [3], "cost_center": "9", "empty": "full", "other": true, "tier": "basic" });
        assert_eq!(
            words.of(user(&given, &["Everyone", "Admins", "Pilot", "Staff"])),
            user(&told, &["staff", "Pilot"])
        );
    }

    #[test]
    fn what_is_renamed_wins_over_what_has_that_name() {
        let words = Words {
            rename: pairs(&[("a", "b")]),
            ..Words::default()
        };
        assert_eq!(
            words.of(user(&json!({ "a": 1, "b": 2 }), &[])),
            user(&json!({ "b": 1 }), &[])
        );
        assert_eq!(words.of(user(&json!({ "b": 2 }), &[])), user(&json!({ "b": 2 }), &[]));
    }

    #[test]
    fn nobody_in_an_empty_list_of_groups() {
        let words = Words {
            allow_groups: Some(Vec::new()),
            ..Words::default()
        };
        assert_eq!(words.of(user(&json!({}), &["Staff"])), user(&json!({}), &[]));
    }

    proptest! {
        /// Whatever the words are, they don't say who somebody is.
        #[test]
        fn who_somebody_is_stays(
            drop in proptest::collection::vec("id|login|email|name|a", 0..3),
            rename in proptest::collection::vec(("id|email|a|b", "id|email|a|b"), 0..3),
            defaults in proptest::collection::vec(("id|email_verified|a", "[a-z]{0,3}"), 0..3),
        ) {
            let words = Words { drop, rename, defaults, ..Words::default() };
            let mut given = user(&json!({ "a": 1, "id": "2" }), &["Staff"]);
            given.email_verified = Some(true);
            given.second_factor = true;
            let mut told = words.of(given.clone());
            told.attributes = given.attributes.clone();
            prop_assert_eq!(told, given);
        }
    }
}
