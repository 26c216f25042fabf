use std::sync::Arc;

use async_trait::async_trait;
use idbridge_passwords::{Hash, Reading};
use idbridge_source::{
    Authentication, Blueprint, BuildError, Call, Capabilities, Cursor, Email, ErrorKind, ExposeSecret as _,
    IdentitySource, Login, Lookup, Page, Password, Rejection, SourceError, UserName, same_identifier,
};
use tokio::time::{Instant, timeout_at};
use unicode_normalization::UnicodeNormalization as _;

use crate::Control;
use crate::api::{Database, Limits, Target, Value};
use crate::hashing::{Hashing, unreadable};
use crate::map::{self, Rules};
use crate::statement::Parameter;
use crate::wire::{Columns, Row};

/// More rows than this for one identifier, and the statement asks for something else.
pub(crate) const MAX_MATCHES: usize = 20;

/// An address that nobody has: RFC 2606 keeps the domain free.
const PROBE: &str = "probe@idbridge.invalid";

/// A table of users, asked over connections of one worker. Clones share them.
#[derive(Clone, Debug)]
pub struct SqlSource {
    database: Arc<Database>,
    plan: Arc<Plan>,
}

/// What the workers share.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) target: Target,
    pub(crate) limits: Limits,
    pub(crate) questions: Questions,
    pub(crate) columns: Columns,
    pub(crate) rules: Rules,
    pub(crate) reading: Reading,
    /// What a password is checked against if there is nobody whose it could be: that takes the same time.
    pub(crate) decoy: Hash,
    pub(crate) hashing: Hashing,
    pub(crate) lookup_by_login: bool,
    pub(crate) page_size: usize,
    pub(crate) control: Control,
}

/// The statements, wrapped: see [`Columns::select`].
#[derive(Debug)]
pub(crate) struct Questions {
    /// The one that reads hashes.
    pub(crate) log_in: Question,
    pub(crate) by_login: Question,
    pub(crate) by_email: Option<Question>,
    pub(crate) list: Option<Question>,
}

#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) sql: Arc<str>,
    pub(crate) parameters: Vec<Parameter>,
}

/// The blueprint of [`SqlSource`]: a connection belongs to the worker that opened it.
#[derive(Debug)]
pub(crate) struct SqlBlueprint(pub(crate) Arc<Plan>);

impl SqlSource {
    async fn check(self, call: Call, login: Login, password: Password) -> Result<Authentication, SourceError> {
        let plan = &self.plan;
        plan.control.submit(login.as_str());
        let rows = self
            .rows(&call, "read a password hash", &plan.questions.log_in, login.as_str())
            .await;
        plan.control.answer();
        let person = only(rows?, |row| {
            same_identifier(&row.user.login, login.as_str()) || same_identifier(&row.user.email, login.as_str())
        })?;
        let Some(row) = person else {
            plan.hashing.check(&call, plan.decoy.clone(), password).await?;
            return Ok(Authentication::Reject(Rejection::UnknownUser));
        };
        let Some(kept) = map::hash(&row, &plan.rules)? else {
            plan.hashing.check(&call, plan.decoy.clone(), password).await?;
            return Ok(Authentication::Reject(Rejection::NoPassword));
        };
        let salt = row.salt.as_ref().map(|salt| salt.expose_secret());
        let hash = Hash::parse(kept.expose_secret(), salt, &plan.reading).map_err(unreadable)?;
        if plan.hashing.check(&call, hash, password).await? {
            map::authentication(&row, &plan.rules)
        } else {
            Ok(Authentication::Reject(Rejection::WrongPassword))
        }
    }

    async fn look_up(
        &self,
        call: &Call,
        question: &Question,
        asked: &str,
        who: impl Fn(&Row) -> bool,
    ) -> Result<Lookup, SourceError> {
        let rows = self.rows(call, "look a user up", question, asked).await?;
        match only(rows, who)? {
            None => Ok(Lookup::Absent),
            Some(row) => map::lookup(&row, &self.plan.rules),
        }
    }

    /// The rows for this identifier, as the statement found them: too many, maybe, but whole.
    async fn rows(
        &self,
        call: &Call,
        operation: &'static str,
        question: &Question,
        asked: &str,
    ) -> Result<Vec<Row>, SourceError> {
        let folded: String = asked.nfc().collect::<String>().to_ascii_lowercase();
        let values = question.parameters.iter().map(|parameter| match parameter {
            Parameter::Folded => Value::Text(Some(folded.clone())),
            _ => Value::Text(Some(asked.to_owned())),
        });
        let rows = self.ask(call, operation, question, &values.collect::<Vec<_>>()).await?;
        if rows.len() >= MAX_MATCHES {
            let problem = "the statement matches people at large";
            return Err(SourceError::new(ErrorKind::Protocol, operation).with_source(problem));
        }
        Ok(rows)
    }

    async fn ask(
        &self,
        call: &Call,
        operation: &'static str,
        question: &Question,
        values: &[Value],
    ) -> Result<Vec<Row>, SourceError> {
        self.plan.control.ask(operation)?;
        let rows = self
            .database
            .rows(operation, &question.sql, values, call.deadline)
            .await?;
        let rows = rows.iter().map(|row| self.plan.columns.read(row).map_err(map::garbage));
        rows.collect()
    }
}

#[async_trait]
impl IdentitySource for SqlSource {
    fn capabilities(&self) -> Capabilities {
        self.plan.capabilities()
    }

    async fn authenticate(
        &self,
        call: &Call,
        login: &Login,
        password: &Password,
    ) -> Result<Authentication, SourceError> {
        if call.begin_by <= Instant::now() {
            return Err(map::late("check a password")); // and it isn't begun any more
        }
        // In a task of its own: a check that was begun is answered, even if the caller hangs up.
        let check = tokio::spawn(self.clone().check(call.clone(), login.clone(), password.clone()));
        match timeout_at(call.deadline, check).await {
            Ok(Ok(answer)) => answer,
            // A task ends without an answer only by a panic: the plugin is at fault.
            Ok(Err(_ended)) => Err(SourceError::new(ErrorKind::Protocol, "check a password")),
            Err(_late) => Err(map::late("check a password")),
        }
    }

    async fn user_by_email(&self, call: &Call, email: &Email) -> Result<Lookup, SourceError> {
        let question = self.plan.questions.by_email.as_ref();
        let question = question.ok_or_else(|| SourceError::new(ErrorKind::Unsupported, "look-up by e-mail"))?;
        let who = |row: &Row| same_identifier(&row.user.email, email.as_str());
        self.look_up(call, question, email.as_str(), who).await
    }

    async fn user_by_login(&self, call: &Call, login: &UserName) -> Result<Lookup, SourceError> {
        if !self.plan.lookup_by_login {
            return Err(SourceError::new(ErrorKind::Unsupported, "look-up by login"));
        }
        let who = |row: &Row| same_identifier(&row.user.login, login.as_str());
        self.look_up(call, &self.plan.questions.by_login, login.as_str(), who)
            .await
    }

    async fn list(&self, call: &Call, after: Option<&Cursor>) -> Result<Page, SourceError> {
        let question = self.plan.questions.list.as_ref();
        let question = question.ok_or_else(|| SourceError::new(ErrorKind::Unsupported, "list"))?;
        let after = after.map(read_cursor).transpose()?;
        let size = self.plan.page_size;
        let values = question.parameters.iter().map(|parameter| match parameter {
            Parameter::Limit => Value::Integer(i64::try_from(size).unwrap_or(i64::MAX)),
            _ => Value::Text(after.clone()),
        });
        let rows = self.ask(call, "list", question, &values.collect::<Vec<_>>()).await?;
        let last = rows.last().filter(|_| rows.len() >= size);
        let next = last.map(|row| write_cursor(row.user.id.as_str())).transpose()?;
        let people = rows.iter().map(|row| map::listed(row, &self.plan.rules)).collect();
        Ok(Page { people, next })
    }

    /// Asks for nobody, with the very statement that a call would be answered by.
    async fn probe(&self, call: &Call) -> Result<(), SourceError> {
        let questions = &self.plan.questions;
        let question = questions.by_email.as_ref().unwrap_or(&questions.by_login);
        self.rows(call, "probe", question, PROBE).await.map(drop)
    }
}

impl Plan {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            authenticate: true,
            list: self.questions.list.is_some(),
            user_by_email: self.questions.by_email.is_some(),
            user_by_login: self.lookup_by_login,
        }
    }
}

impl Blueprint for SqlBlueprint {
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    fn returns_groups(&self) -> bool {
        self.0.columns.has_groups()
    }

    fn build(&self) -> Result<Arc<dyn IdentitySource>, BuildError> {
        Ok(Arc::new(SqlSource {
            database: Arc::new(Database::new(&self.0.target, self.0.limits)),
            plan: Arc::clone(&self.0),
        }))
    }
}

/// The one such person. Statements match loosely, so that what comes back is compared; two are an error, never the first.
fn only(rows: Vec<Row>, who: impl Fn(&Row) -> bool) -> Result<Option<Row>, SourceError> {
    let mut rows = rows.into_iter().filter(|row| who(row));
    match (rows.next(), rows.next()) {
        (_, Some(_)) => Err(SourceError::new(ErrorKind::Ambiguous, "find one user")),
        (row, None) => Ok(row),
    }
}

/// The id in hexadecimal, marked so that nothing else is taken for it.
fn write_cursor(id: &str) -> Result<Cursor, SourceError> {
    let hex: String = id.bytes().map(|byte| format!("{byte:02x}")).collect();
    Cursor::parse(&format!("after-{hex}")).ok_or_else(|| SourceError::new(ErrorKind::Protocol, "list"))
}

fn read_cursor(cursor: &Cursor) -> Result<String, SourceError> {
    let hex = cursor.as_str().strip_prefix("after-");
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes = hex.and_then(|hex| hex.as_bytes().chunks(2).map(byte).collect::<Option<Vec<u8>>>());
    let id = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    id.ok_or_else(|| SourceError::new(ErrorKind::Protocol, "list"))
}
