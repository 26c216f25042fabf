//! The suite's people as a table, and the settings that read it.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use idbridge_source::IdentitySource;
use idbridge_sql::Control;
use idbridge_testkit::world::{BYTES, PEOPLE, Person, Status};

use crate::settings;

/// Settings for what a source may do beside log-ins and look-ups by e-mail. Pages are small, so that there are several.
pub(crate) const LIST: &str = r#"
lookup_by_login = true
list = "SELECT * FROM people WHERE :after IS NULL OR id > CAST(:after AS integer) ORDER BY id LIMIT :limit"
page_size = 5
"#;

const SETTINGS: &str = r#"
by_login = "SELECT * FROM people WHERE lower(login) = :login_folded"
by_email = "SELECT * FROM people WHERE lower(email) = :email_folded -- whoever has it"
decoy_hash = "$2b$04$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui"
[columns]
email_verified = "email_verified"
given_name = "given_name"
family_name = "family_name"
status = "state"
second_factor = "second_factor"
password_expired = "password_expired"
[statuses]
active = "active"
disabled = ["deactivated", "suspended"]
inactive = "inactive"
locked = "locked"
no_password = "federated"
"#;

/// The table with everybody in it. SQLite and PostgreSQL both read it.
pub(crate) fn script() -> String {
    let rows: Vec<String> = PEOPLE
        .iter()
        .enumerate()
        .map(|(index, person)| row(index, person))
        .collect();
    format!(
        "CREATE TABLE people (id integer PRIMARY KEY, login text, email text, email_verified boolean, given_name text,
             family_name text, password_hash text, state text, second_factor boolean, password_expired boolean);
         INSERT INTO people VALUES {};",
        rows.join(", ")
    )
}

/// The source. `beside` are further settings, `url` and what belongs to it among them.
pub(crate) fn source(beside: &str, control: &Control) -> Arc<dyn IdentitySource> {
    settings::source(&format!("{beside}\n{SETTINGS}"), control)
}

fn row(index: usize, person: &Person) -> String {
    let state = match person.status {
        Status::Active => "active",
        Status::Deactivated => "deactivated",
        Status::Federated => "federated",
        Status::Inactive => "inactive",
        Status::Locked => "locked",
        Status::Suspended => "suspended",
    };
    let hash = (person.status != Status::Federated).then(|| hash(person));
    let values = [
        (index + 1).to_string(),
        text(Some(person.login)),
        text(Some(person.email)),
        person
            .email_verified
            .map_or("NULL".to_owned(), |verified| verified.to_string()),
        text(person.given_name),
        text(person.family_name),
        text(hash.as_deref()),
        text(Some(state)),
        person.second_factor.to_string(),
        person.password_expired.to_string(),
    ];
    format!("({})", values.join(", "))
}

/// bcrypt of the least cost; and Django's bcrypt_sha256 for the one whose password is longer than bcrypt reads.
fn hash(person: &Person) -> String {
    let bcrypt = |text: &str| {
        let parts = bcrypt::hash_with_salt(text, 4, *b"sixteen letters!").expect("a hash");
        parts.format_for_version(bcrypt::Version::TwoB)
    };
    if person.password != BYTES.password {
        return bcrypt(person.password);
    }
    let digest = digest(&SHA256, person.password.as_bytes());
    let hex: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("bcrypt_sha256${}", bcrypt(&hex))
}

fn text(text: Option<&str>) -> String {
    text.map_or("NULL".to_owned(), |text| format!("'{}'", text.replace('\'', "''")))
}

/// A database is asked for a login's hash; the password stays here.
pub(crate) fn submission(submission: idbridge_sql::Submission) -> idbridge_testkit::Submission {
    idbridge_testkit::Submission {
        login: Some(submission.login),
        password: None,
    }
}
