//! The suite's people as a file: whom a plugin under test must hold.

use idbridge_testkit::world::{ADA, PEOPLE, Person, Status};
use toml::{Table, Value};

const HEAD: &str = "\
# Whom a plugin must hold while it is tested. The ids are the plugin's own affair; the source `memory` takes them as they
# stand. Remove whom the plugin can't hold: what needs them is then not run. ada@example.com has to stay.
# An `email_verified` that isn't said is not known. Who has no password can't log in. Who has a second factor, or a right
# password that has expired, is refused at a log-in.
";

pub(super) fn written() -> String {
    let mut text = HEAD.to_owned();
    for (index, person) in PEOPLE.iter().enumerate() {
        text.push_str(&format!("\n[[people]]\nid = \"p-{index}\"\n{}", entry(person)));
    }
    text
}

/// Who of the suite's people isn't in this file. The problem quotes nothing but logins of the suite's.
pub(super) fn missing(text: &str) -> Result<Vec<Person>, String> {
    let file: Table = text.parse().map_err(|_| "is no TOML".to_owned())?;
    let people = file.get("people").and_then(Value::as_array);
    let people = people.filter(|_| file.len() == 1);
    let people = people.ok_or("has to be what `idbridge plugin people` prints: [[people]]")?;
    let mut missing = PEOPLE.to_vec();
    for (index, told) in people.iter().enumerate() {
        let told = told
            .as_table()
            .ok_or("has to be what `idbridge plugin people` prints: [[people]]")?;
        let login = told.get("login").and_then(Value::as_str);
        let Some(at) = missing.iter().position(|person| Some(person.login) == login) else {
            return Err(format!(
                "people[{index}] is nobody of the suite's, or stands there twice"
            ));
        };
        let person = missing.remove(at);
        let mut told = told.clone();
        told.remove("id");
        if told != entry(&person) {
            return Err(format!(
                "people[{index}], {}, is not as the suite asks for them",
                person.login
            ));
        }
    }
    if missing.iter().any(|person| person.login == ADA.login) {
        return Err(format!(
            "lacks {}, by whom the plugin is found to see anybody",
            ADA.login
        ));
    }
    Ok(missing)
}

fn entry(person: &Person) -> Table {
    let mut entry = Table::new();
    let mut say = |key: &str, value: Option<Value>| entry.extend(value.map(|value| (key.to_owned(), value)));
    say("login", Some(person.login.into()));
    say("email", Some(person.email.into()));
    say("email_verified", person.email_verified.map(Into::into));
    say("given_name", person.given_name.map(Into::into));
    say("family_name", person.family_name.map(Into::into));
    let has_password = person.status != Status::Federated;
    say("password", has_password.then(|| person.password.into()));
    say("status", Some(status(person.status).into()));
    say("second_factor", Some(person.second_factor.into()));
    say("password_expired", Some(person.password_expired.into()));
    entry
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Active => "active",
        Status::Deactivated | Status::Suspended => "disabled",
        Status::Federated => "no_password",
        Status::Inactive => "inactive",
        Status::Locked => "locked",
    }
}
