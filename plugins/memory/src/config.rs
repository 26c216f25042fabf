use std::sync::Arc;

use idbridge_source::{Table, same_identifier};

use crate::map::{Expired, Rules, SecondFactor};
use crate::person::Person;
use crate::{Control, MemorySource};

/// `[sources.NAME.settings]`, read and found good.
#[derive(Debug)]
pub struct Settings {
    people: Vec<Person>,
    rules: Rules,
    lookup_by_login: bool,
}

impl Settings {
    /// Reports every mistake to the table. `None` if there was any that leaves nothing to build.
    pub fn read(table: &Table<'_>) -> Option<Self> {
        // Every key is read before anything gives up, so that all mistakes are seen at once.
        let rules = Rules {
            on_password_expired: table.choice("on_password_expired", &Expired::WORDS).or(Expired::Reject),
            on_second_factor: table
                .choice("on_second_factor", &SecondFactor::WORDS)
                .or(SecondFactor::Reject),
        };
        let lookup_by_login = table.bool("lookup_by_login").or(false);
        let tables = table.tables("people");
        let people: Vec<Option<Person>> = tables.iter().map(Person::read).collect();
        refuse_doubles(&tables, &people);
        tables.iter().for_each(Table::finish);
        Some(Self {
            people: people.into_iter().collect::<Option<_>>()?,
            rules,
            lookup_by_login,
        })
    }

    /// The source, with a grip on it for whoever tests with it.
    pub fn source(self, control: Control) -> Arc<MemorySource> {
        Arc::new(MemorySource::new(
            self.people,
            self.rules,
            self.lookup_by_login,
            control,
        ))
    }
}

/// Two people of one id or one login can't be told apart. Two of one e-mail can, and the answer to it is an error.
fn refuse_doubles(tables: &[Table<'_>], people: &[Option<Person>]) {
    for (index, (table, person)) in tables.iter().zip(people).enumerate() {
        let Some(person) = person else { continue };
        for earlier in people.iter().take(index).flatten() {
            if earlier.user.id == person.user.id {
                table.mistake("id", "is another person's too");
            }
            if same_identifier(&earlier.user.login, &person.user.login) {
                table.mistake("login", "is another person's too");
            }
        }
    }
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
