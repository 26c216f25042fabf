use std::path::PathBuf;
use std::time::Duration;

use idbridge_source::{SecretFiles, Table};

use super::Listen;
use super::listen::certificates;
use crate::rest::{CharacterTypes, PasswordPolicy, USERNAME_LENGTH};

/// `[rest]`: the gateway. It listens if the section is there.
#[derive(Clone, Debug)]
pub struct Rest {
    pub listen: Listen,
    /// How long a call may take.
    pub deadline: Duration,
    pub auth0: Auth0,
    /// `rest.upstream.ca_file`: whom `gateway` trusts to vouch for a remote broker, instead of the system's store.
    pub upstream_ca_file: Option<PathBuf>,
}

/// `[rest.auth0]`: what profiles hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Auth0 {
    pub email_from: EmailFrom,
    pub send_username: bool,
    /// The connection's limits for user names.
    pub username_length: (usize, usize),
    /// The connection's rules for passwords.
    pub password: PasswordPolicy,
}

/// Which of a user's fields becomes the profile's `email`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum EmailFrom {
    #[default]
    Email,
    Login,
}

impl Default for Auth0 {
    fn default() -> Self {
        Self {
            email_from: EmailFrom::Email,
            send_username: false,
            username_length: USERNAME_LENGTH,
            password: PasswordPolicy::ANY,
        }
    }
}

impl Rest {
    pub(super) fn read(root: &Table<'_>, secrets: SecretFiles) -> Option<Self> {
        const PORT: u16 = 8080;
        const DEADLINE: Duration = Duration::from_secs(5);
        let table = root.table("rest")?;
        let rest = Self {
            listen: Listen::read(&table, PORT, secrets),
            deadline: table
                .duration("deadline", Duration::from_millis(100)..=Duration::from_secs(60))
                .or(DEADLINE),
            auth0: read_auth0(&table),
            upstream_ca_file: read_ca_file(&table, secrets),
        };
        table.finish();
        Some(rest)
    }
}

fn read_auth0(rest: &Table<'_>) -> Auth0 {
    let Some(table) = rest.table("auth0") else {
        return Auth0::default();
    };
    let email_from = [("email", EmailFrom::Email), ("login", EmailFrom::Login)];
    let auth0 = Auth0 {
        email_from: table.choice("email_from", &email_from).or(EmailFrom::Email),
        send_username: table.bool("send_username").or(false),
        username_length: read_username(&table),
        password: table
            .table("password")
            .map_or(PasswordPolicy::ANY, |table| read_password(&table)),
    };
    table.finish();
    auth0
}

/// `[rest.auth0.username]`, by the names of the connection's `options.validation.username`.
fn read_username(auth0: &Table<'_>) -> (usize, usize) {
    let Some(table) = auth0.table("username") else {
        return USERNAME_LENGTH;
    };
    let (least, most) = (
        number(&table, "min", 1, 128, USERNAME_LENGTH.0),
        number(&table, "max", 1, 128, USERNAME_LENGTH.1),
    );
    if least > most {
        table.mistake("max", "is less than `min`: no user name fits");
    }
    table.finish();
    (least, most)
}

/// `[rest.auth0.password]`, by the names of the connection's `options.password_options.complexity`.
fn read_password(table: &Table<'_>) -> PasswordPolicy {
    let default = PasswordPolicy::AUTH0;
    const ALLOW: [(&str, bool); 2] = [("allow", true), ("block", false)];
    let types = table
        .list("character_types")
        .parse(|types| character_types(&types))
        .or(CharacterTypes::default());
    let three_of_four = table
        .choice("character_type_rule", &[("all", false), ("three_of_four", true)])
        .or(false);
    if three_of_four && types.wanted() < 4 {
        table.mistake(
            "character_type_rule",
            "\"three_of_four\" needs all four `character_types`: \"lowercase\", \"number\", \"special\", \"uppercase\"",
        );
    }
    let policy = PasswordPolicy {
        max_bytes: number(table, "max_bytes", 1, 1024, default.max_bytes),
        min_length: number(table, "min_length", 1, 72, default.min_length),
        types,
        types_needed: if three_of_four { 3 } else { types.wanted() },
        identical: table.choice("identical_characters", &ALLOW).or(default.identical),
        sequential: table.choice("sequential_characters", &ALLOW).or(default.sequential),
    };
    table.finish();
    policy
}

fn character_types(words: &[String]) -> Result<CharacterTypes, &'static str> {
    let mut types = CharacterTypes::default();
    for word in words {
        match word.as_str() {
            "lowercase" => types.lowercase = true,
            "number" => types.number = true,
            "special" => types.special = true,
            "uppercase" => types.uppercase = true,
            _ => return Err("has an unknown type; there are \"lowercase\", \"number\", \"special\", \"uppercase\""),
        }
    }
    Ok(types)
}

fn number(table: &Table<'_>, key: &'static str, least: i64, most: i64, default: usize) -> usize {
    let number = table.integer(key, least..=most).optional();
    number
        .and_then(|number| usize::try_from(number).ok())
        .unwrap_or(default)
}

fn read_ca_file(rest: &Table<'_>, secrets: SecretFiles) -> Option<PathBuf> {
    let table = rest.table("upstream")?;
    let file = table.path_to("ca_file").required();
    table.finish();
    if let Some(path) = file.as_deref().filter(|_| secrets == SecretFiles::Read)
        && let Err(problem) = certificates(path)
    {
        table.mistake("ca_file", problem);
    }
    file
}
