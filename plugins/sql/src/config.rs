use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use idbridge_passwords::{Declared, Encoding, Function, Hash, Layout, LongPasswords, Reading, SaltedBy};
use idbridge_source::{Field, Table};
use percent_encoding::percent_decode_str;
use url::Url;

use crate::Control;
use crate::api::{Limits, Postgres, Sqlite, Target, Tls};
use crate::hashing::Hashing;
use crate::map::{Expired, Rules, SecondFactor, Status};
use crate::source::{MAX_MATCHES, Plan, Question, Questions, SqlBlueprint};
use crate::statement::{self, Dialect, Names, Parameter, Statement};
use crate::wire::{Columns, Part};

/// `[sources.NAME.settings]`, read and found good.
#[derive(Debug)]
pub struct Settings {
    target: Target,
    limits: Limits,
    statements: Statements,
    columns: Columns,
    rules: Rules,
    reading: Reading,
    decoy: Hash,
    hash_threads: usize,
    lookup_by_login: bool,
    page_size: usize,
}

#[derive(Debug)]
struct Statements {
    by_login: Statement,
    by_email: Option<Statement>,
    list: Option<Statement>,
}

/// What `url` says.
enum Place {
    Postgres {
        host: String,
        port: u16,
        user: String,
        database: String,
    },
    Sqlite(PathBuf),
}

const TLS: [(&str, Tls); 3] = [
    ("off", Tls::Off),
    ("verify_ca", Tls::VerifyCa),
    ("verify_full", Tls::VerifyFull),
];

const LONG_PASSWORDS: [(&str, LongPasswords); 2] =
    [("reject", LongPasswords::Reject), ("truncate", LongPasswords::Truncate)];

const SALTED_BY: [(&str, SaltedBy); 2] = [("django", SaltedBy::Django), ("werkzeug", SaltedBy::Werkzeug)];

const FUNCTIONS: [(&str, Function); 5] = [
    ("md5", Function::Md5),
    ("sha1", Function::Sha1),
    ("sha256", Function::Sha256),
    ("sha384", Function::Sha384),
    ("sha512", Function::Sha512),
];

const LAYOUTS: [(&str, Layout); 4] = [
    ("hmac_keyed_by_salt", Layout::HmacKeyedBySalt),
    ("password", Layout::Password),
    ("password_salt", Layout::PasswordSalt),
    ("salt_password", Layout::SaltPassword),
];

const ENCODINGS: [(&str, Encoding); 2] = [("base64", Encoding::Base64), ("hex", Encoding::Hex)];

impl Settings {
    /// Reports every mistake to the table. `None` if there was any that leaves nothing to build.
    pub fn read(table: &Table<'_>) -> Option<Self> {
        // Every key is read before anything gives up, so that all mistakes are seen at once.
        let place = table.text("url").parse(|url| place(&url)).required();
        let target = read_target(table, place);
        let dialect = match target {
            Some(Target::Sqlite(_)) => Dialect::Sqlite,
            _ => Dialect::Postgres,
        };
        let limits = Limits {
            connections: count(table, "connections", 1..=100, 4),
            statement: table
                .duration("statement_timeout", Duration::from_millis(10)..=Duration::from_secs(30))
                .or(Duration::from_secs(5)),
        };
        let by_login = statement(table, "by_login", dialect, statement::BY_LOGIN).required();
        let by_email = statement(table, "by_email", dialect, statement::BY_EMAIL).optional();
        let list = statement(table, "list", dialect, statement::LIST).optional();
        let columns = read_columns(table);
        let rules = Rules {
            on_password_expired: table.choice("on_password_expired", &Expired::WORDS).or(Expired::Reject),
            on_second_factor: table
                .choice("on_second_factor", &SecondFactor::WORDS)
                .or(SecondFactor::Reject),
            statuses: read_statuses(table, &columns),
        };
        let reading = Reading {
            declared: read_digest(table, &columns),
            long_passwords: table
                .choice("bcrypt_long_passwords", &LONG_PASSWORDS)
                .or(LongPasswords::Truncate),
            salted_by: table.choice("salted_by", &SALTED_BY).optional(),
        };
        let decoy = read_decoy(table, &reading);
        let hash_threads = count(table, "hash_threads", 1..=256, default_threads());
        let lookup_by_login = table.bool("lookup_by_login").or(false);
        let page_size = count(table, "page_size", 1..=1000, 200);
        Some(Self {
            target: target?,
            limits,
            statements: Statements {
                by_login: by_login?,
                by_email,
                list,
            },
            columns,
            rules,
            reading,
            decoy: decoy?,
            hash_threads,
            lookup_by_login,
            page_size,
        })
    }

    /// What the source is built from, with a grip on it for whoever tests with it.
    pub fn blueprint(self, control: Control) -> impl idbridge_source::Blueprint + 'static {
        let dialect = match self.target {
            Target::Postgres(_) => Dialect::Postgres,
            Target::Sqlite(_) => Dialect::Sqlite,
        };
        let question = |statement: &Statement, hashes, most| Question {
            sql: self.columns.select(dialect, &statement.text, hashes, most).into(),
            parameters: statement.parameters.clone(),
        };
        let one = |statement: &Statement, hashes| question(statement, hashes, Some(MAX_MATCHES));
        let questions = Questions {
            log_in: one(&self.statements.by_login, true),
            by_login: one(&self.statements.by_login, false),
            by_email: self.statements.by_email.as_ref().map(|statement| one(statement, false)),
            list: self
                .statements
                .list
                .as_ref()
                .map(|statement| question(statement, false, None)),
        };
        SqlBlueprint(Arc::new(Plan {
            target: self.target,
            limits: self.limits,
            questions,
            columns: self.columns,
            rules: self.rules,
            reading: self.reading,
            decoy: self.decoy,
            hashing: Hashing::new(self.hash_threads),
            lookup_by_login: self.lookup_by_login,
            page_size: self.page_size,
            control,
        }))
    }
}

fn read_target(table: &Table<'_>, place: Option<Place>) -> Option<Target> {
    let password = table.secret("password", "password_file");
    let tls = table.choice("tls", &TLS);
    let ca_file = table.path_to("tls_ca_file");
    match place? {
        Place::Sqlite(path) => {
            for key in ["password", "password_file", "tls", "tls_ca_file"] {
                if table.has(key) {
                    table.mistake(key, "has no effect on an SQLite file");
                }
            }
            Some(Target::Sqlite(Sqlite { path }))
        }
        Place::Postgres {
            host,
            port,
            user,
            database,
        } => {
            let socket = host.starts_with('/');
            let tls = tls.or(if socket { Tls::Off } else { Tls::VerifyFull });
            if tls == Tls::Off && !socket && !is_loopback(&host) {
                table.mistake("tls", "can be \"off\" only for a socket or a loopback address");
            }
            if tls != Tls::Off && socket {
                table.mistake("tls", "can only be \"off\" for a socket");
            }
            Some(Target::Postgres(Postgres {
                host,
                port,
                user,
                password: password.optional(),
                database,
                tls,
                ca_file: ca_file.optional(),
            }))
        }
    }
}

fn place(url: &str) -> Result<Place, &'static str> {
    let wanted = "is no URL such as \"postgres://USER@HOST:5432/DATABASE\" or \"sqlite:///PATH\"";
    if let Some(path) = url.strip_prefix("sqlite:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        let bad = path.is_empty() || path.contains(['?', '#']) || path == ":memory:";
        return if bad {
            Err(wanted)
        } else {
            Ok(Place::Sqlite(PathBuf::from(path)))
        };
    }
    let url = Url::parse(url).map_err(|_| wanted)?;
    if !matches!(url.scheme(), "postgres" | "postgresql") {
        return Err(wanted);
    }
    if url.password().is_some() {
        return Err("holds a password; give it as `password_file` or `password`");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("has a `?` or a `#`; what can be set has a key of its own");
    }
    let decoded = |text: &str| {
        percent_decode_str(text)
            .decode_utf8()
            .map(String::from)
            .map_err(|_| wanted)
    };
    let (host, user) = (decoded(url.host_str().unwrap_or_default())?, decoded(url.username())?);
    let database = decoded(url.path().trim_start_matches('/'))?;
    if host.is_empty() || user.is_empty() || database.is_empty() {
        return Err(wanted);
    }
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let port = url.port().unwrap_or(5432);
    Ok(Place::Postgres {
        host,
        port,
        user,
        database,
    })
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host
            .parse()
            .is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

fn statement<'a>(
    table: &'a Table<'a>,
    key: &'static str,
    dialect: Dialect,
    names: &'static Names,
) -> Field<'a, Statement> {
    table.text(key).parse(|sql| {
        let statement = Statement::parse(&sql, dialect, names)?;
        let says = |parameter| statement.uses(parameter);
        let list = names == statement::LIST;
        let whole = if list {
            says(Parameter::After) && says(Parameter::Limit)
        } else {
            says(Parameter::Asked) || says(Parameter::Folded)
        };
        if whole {
            return Ok(statement);
        }
        let names: Vec<String> = names.iter().map(|(name, _)| format!("`:{name}`")).collect();
        Err(format!(
            "doesn't use {}",
            names.join(if list { " and " } else { " or " })
        ))
    })
}

fn read_columns(table: &Table<'_>) -> Columns {
    let columns = table.table("columns");
    let named = |key: &'static str| {
        let field = columns.as_ref().map(|columns| columns.text(key).parse(column_name));
        field.and_then(Field::optional)
    };
    let part = |(part, key, default): &(Part, &'static str, Option<&'static str>)| {
        let name = named(key).or_else(|| default.map(str::to_owned));
        name.map(|name| (*part, name))
    };
    let parts = Part::ALL.iter().filter_map(part).collect();
    if let Some(columns) = &columns {
        columns.finish();
    }
    let attributes = table.list("attributes").parse(|names| {
        let fits = names.len() <= 64 && names.iter().all(|name| column_name(name.clone()).is_ok());
        if fits {
            Ok(names)
        } else {
            Err("has an item that is no column, or more than 64")
        }
    });
    Columns {
        parts,
        attributes: attributes.or(Vec::new()),
    }
}

fn column_name(name: String) -> Result<String, &'static str> {
    let fits = !name.is_empty() && name.len() <= 63 && !name.chars().any(char::is_control);
    if fits { Ok(name) } else { Err("is no column") }
}

/// Without a status column everybody is active; with one, each word has to be said.
fn read_statuses(table: &Table<'_>, columns: &Columns) -> Vec<(String, Status)> {
    let statuses = table.table("statuses");
    let has_column = columns.parts.iter().any(|(part, _)| *part == Part::Status);
    match (&statuses, has_column) {
        (None, true) => table.mistake(
            "statuses",
            "is required with `columns.status`: a word that isn't listed is an error",
        ),
        (Some(_), false) => table.mistake("statuses", "has no effect without `columns.status`"),
        _ => {}
    }
    let Some(statuses) = statuses else { return Vec::new() };
    let mut found: Vec<(String, Status)> = Vec::new();
    for (key, status) in Status::WORDS {
        for word in statuses.one_or_more(key).or(Vec::new()) {
            if found.iter().any(|(known, _)| *known == word) {
                statuses.mistake(key, "has a word that another status has too");
            }
            found.push((word, status));
        }
    }
    statuses.finish();
    found
}

fn read_digest(table: &Table<'_>, columns: &Columns) -> Option<Declared> {
    let digest = table.table("digest")?;
    let function = digest.choice("function", &FUNCTIONS).required();
    let layout = digest.choice("layout", &LAYOUTS).required();
    let encoding = digest.choice("encoding", &ENCODINGS).or(Encoding::Hex);
    let has_salt = columns.parts.iter().any(|(part, _)| *part == Part::Salt);
    if layout.is_some_and(|layout| layout != Layout::Password) && !has_salt {
        digest.mistake("layout", "needs a salt: say its column in `columns.salt`");
    }
    if (function, layout) == (Some(Function::Md5), Some(Layout::HmacKeyedBySalt)) {
        digest.mistake("function", "can't be \"md5\" with \"hmac_keyed_by_salt\"");
    }
    digest.finish();
    Some(Declared {
        function: function?,
        layout: layout?,
        encoding,
    })
}

/// Required: nobody but the operator knows how most of the hashes are made.
fn read_decoy(table: &Table<'_>, reading: &Reading) -> Option<Hash> {
    let decoy = table.text("decoy_hash").parse(|text| {
        Hash::parse(&text, Some("decoy"), reading).map_err(|_| "is no password hash that could be checked")
    });
    decoy.required()
}

fn count(table: &Table<'_>, key: &'static str, range: std::ops::RangeInclusive<i64>, default: usize) -> usize {
    let said = table.integer(key, range).optional();
    said.and_then(|count| usize::try_from(count).ok()).unwrap_or(default)
}

/// As many as there are processors.
fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get)
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
