//! The people of a plugin under test, as a file: the suite's own to begin with, or people that its system has.

use idbridge_source::{Email, Login, Password, UserId};
use idbridge_testkit::cast::{self, Cast};
use idbridge_testkit::world::{FEDERATED, NOBODY, PEOPLE, Person, Status, WRONG_PASSWORD};
use toml::{Table, Value};

const HEAD: &str = "\
# Whom the plugin knows while it is tested. Load these people into it, or write down people whom it has: accounts for
# tests, since they are asked for with wrong passwords, up to six times for one.
#
# Each plays one part of the suite: the one that they fit by what stands here. `plugin test` says who plays which, and a
# case that needs somebody else is not run. One has to be fine in every way. Everything else may be changed or removed.
#
# id               as the plugin gives it; removed, any will do
# login, email     as the system spells them
# email_verified   not said: the system doesn't say
# given_name, family_name   not said: the system has none
# password         not with status = \"no_password\"
# status           \"active\", \"disabled\", \"inactive\", \"locked\" or \"no_password\"
# second_factor, password_expired   a log-in with the right password is refused for it

# Nobody's login and nobody's e-mail.
";

/// One word for two: nothing outside tells whether somebody is barred for now or for good.
const STATUSES: [(&str, Status); 5] = [
    ("active", Status::Active),
    ("disabled", Status::Deactivated),
    ("inactive", Status::Inactive),
    ("locked", Status::Locked),
    ("no_password", Status::Federated),
];

pub(super) fn written() -> String {
    let mut text = format!("{HEAD}nobody = \"{NOBODY}\"\n");
    for (index, person) in PEOPLE.iter().enumerate() {
        text.push_str(&format!("\n[[people]]\nid = \"p-{index}\"\n{}", entry(person)));
    }
    text
}

/// Who of this file plays which part. A problem names a place and quotes nothing.
pub(super) fn read(text: &str) -> Result<Cast, String> {
    let mut file = Keys {
        place: "the file".to_owned(),
        table: text.parse().map_err(|_| "is no TOML".to_owned())?,
    };
    let nobody = file.text("nobody")?.unwrap_or(NOBODY);
    let nobody_parses = Login::parse(nobody).is_ok() && Email::parse(nobody).is_ok();
    let Some(Value::Array(entries)) = file.table.remove("people") else {
        return Err("has no [[people]]: `idbridge plugin people` prints some".to_owned());
    };
    file.finish()?;
    if !nobody_parses {
        return Err("nobody: is no e-mail address".to_owned());
    }
    let people: Vec<Person> = entries
        .into_iter()
        .enumerate()
        .map(|(index, entry)| person(index, entry))
        .collect::<Result<_, _>>()?;
    if cast::is_login_shared(&people) {
        return Err("two of the people have one login".to_owned());
    }
    let why = "nobody is fine in every way: active, no second factor, no expired password, an e-mail of their own; or \
               `nobody` is somebody";
    Cast::of(&people, nobody).ok_or_else(|| why.to_owned())
}

fn person(index: usize, entry: Value) -> Result<Person, String> {
    let place = format!("people[{index}]");
    let Value::Table(table) = entry else {
        return Err(format!("{place}: is no table"));
    };
    let mut keys = Keys { place, table };
    let status = keys.text("status")?.unwrap_or("active");
    let status = STATUSES.iter().find(|(word, _)| *word == status);
    let (_, status) = status.ok_or_else(|| keys.problem("status", "is none of those that `plugin people` names"))?;
    let password = match (keys.text("password")?, *status == Status::Federated) {
        (Some(password), false) => password,
        // A log-in is tried all the same.
        (None, true) => FEDERATED.password,
        (Some(_), true) => return Err(keys.problem("password", "is given, and the status is no_password")),
        (None, false) => return Err(keys.problem("password", "is missing")),
    };
    let person = Person {
        id: keys.text("id")?,
        login: keys.required("login")?,
        email: keys.required("email")?,
        email_verified: keys.bool("email_verified")?,
        given_name: keys.text("given_name")?,
        family_name: keys.text("family_name")?,
        password,
        status: *status,
        second_factor: keys.bool("second_factor")?.unwrap_or(false),
        password_expired: keys.bool("password_expired")?.unwrap_or(false),
    };
    let parses = [
        ("id", person.id.is_none_or(|id| UserId::parse(id).is_ok())),
        ("login", Login::parse(person.login).is_ok()),
        ("email", Email::parse(person.email).is_ok()),
        (
            "password",
            Password::parse(password.to_owned()).is_ok() && password != WRONG_PASSWORD,
        ),
    ];
    if let Some((key, _)) = parses.iter().find(|(_, parses)| !parses) {
        return Err(keys.problem(key, "can't be asked with"));
    }
    keys.finish()?;
    Ok(person)
}

/// A table that is read key by key.
struct Keys {
    place: String,
    table: Table,
}

impl Keys {
    /// Stays for the rest of the process: the suite's people are constants, and a file of them is read once.
    fn text(&mut self, key: &str) -> Result<Option<&'static str>, String> {
        match self.table.remove(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.leak())),
            Some(_) => Err(self.problem(key, "is no text")),
        }
    }

    fn required(&mut self, key: &str) -> Result<&'static str, String> {
        self.text(key)?.ok_or_else(|| self.problem(key, "is missing"))
    }

    fn bool(&mut self, key: &str) -> Result<Option<bool>, String> {
        match self.table.remove(key) {
            None => Ok(None),
            Some(Value::Boolean(value)) => Ok(Some(value)),
            Some(_) => Err(self.problem(key, "is neither true nor false")),
        }
    }

    /// What is left is a key that nobody knows. A typing mistake must not make a person another.
    fn finish(&self) -> Result<(), String> {
        match self.table.keys().next() {
            Some(key) => Err(self.problem(key, "is no key of a person's that the suite knows")),
            None => Ok(()),
        }
    }

    fn problem(&self, key: &str, problem: &str) -> String {
        format!("{}: {key} {problem}", self.place)
    }
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
    let known = if status == Status::Suspended {
        Status::Deactivated
    } else {
        status
    };
    let row = STATUSES.iter().find(|(_, one)| *one == known);
    row.map_or("", |(word, _)| word)
}
