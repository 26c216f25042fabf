//! A statement with named parameters. What a user typed is bound, and never becomes a part of the text.

use std::iter::Peekable;
use std::str::CharIndices;

/// The text as the database is given it, and what is bound to its places, in order.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    pub(crate) text: String,
    pub(crate) parameters: Vec<Parameter>,
}

/// What a statement may name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Parameter {
    /// `:after`: the id of the last one of the page before; NULL at the first page.
    After,
    /// `:email`, `:login`: as it was asked for.
    Asked,
    /// `:email_folded`, `:login_folded`: after NFC, its ASCII letters in lower case.
    Folded,
    /// `:limit`: how many a page has.
    Limit,
}

/// How the database reads its SQL.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Dialect {
    Postgres,
    Sqlite,
}

/// The names that one setting's statement may use.
pub(crate) type Names = [(&'static str, Parameter)];

pub(crate) const BY_EMAIL: &Names = &[("email", Parameter::Asked), ("email_folded", Parameter::Folded)];
pub(crate) const BY_LOGIN: &Names = &[("login", Parameter::Asked), ("login_folded", Parameter::Folded)];
pub(crate) const LIST: &Names = &[("after", Parameter::After), ("limit", Parameter::Limit)];

impl Statement {
    /// The problem names places, never a literal.
    pub(crate) fn parse(sql: &str, dialect: Dialect, names: &'static Names) -> Result<Self, String> {
        let mut scan = Scan {
            sql,
            dialect,
            names,
            letters: sql.char_indices().peekable(),
            statement: Self {
                text: String::with_capacity(sql.len()),
                parameters: Vec::new(),
            },
        };
        scan.run()?;
        Ok(scan.statement)
    }

    pub(crate) fn uses(&self, parameter: Parameter) -> bool {
        self.parameters.contains(&parameter)
    }
}

struct Scan<'a> {
    sql: &'a str,
    dialect: Dialect,
    names: &'static Names,
    letters: Peekable<CharIndices<'a>>,
    statement: Statement,
}

impl Scan<'_> {
    fn run(&mut self) -> Result<(), String> {
        let sqlite = self.dialect == Dialect::Sqlite;
        let mut before = ' ';
        while let Some((at, letter)) = self.letters.next() {
            let next = self.letters.peek().map(|(_, next)| *next);
            match (letter, next) {
                // E'…' alone knows the backslash; n'…' and the like don't.
                ('\'', _) => self.quoted(at, '\'', !sqlite && self.is_escape_string(at))?,
                ('"', _) => self.quoted(at, '"', false)?,
                ('`', _) if sqlite => self.quoted(at, '`', false)?,
                ('[', _) if sqlite => self.skip_to(at, "]")?,
                ('-', Some('-')) => self.skip_line(at),
                ('/', Some('*')) => self.comment(at)?,
                ('$', _) if !sqlite && !is_word(before) => self.dollar(at)?,
                (':', Some(':')) => {
                    self.letters.next();
                    self.statement.text.push_str("::");
                }
                (':', Some(next)) if is_name_start(next) => self.parameter(at)?,
                (';', _) => return Err(format!("has a `;` {}: one statement is wanted", self.place(at))),
                ('?' | '@' | '$', _) if sqlite && !is_word(before) => {
                    return Err(format!(
                        "has a place for a value {} that isn't named `:name`",
                        self.place(at)
                    ));
                }
                _ => self.statement.text.push(letter),
            }
            before = letter;
        }
        Ok(())
    }

    fn parameter(&mut self, at: usize) -> Result<(), String> {
        let mut name = String::new();
        while let Some((_, letter)) = self.letters.next_if(|(_, letter)| is_word(*letter)) {
            name.push(letter);
        }
        let Some((_, parameter)) = self.names.iter().find(|(known, _)| *known == name) else {
            let known: Vec<String> = self.names.iter().map(|(known, _)| format!("`:{known}`")).collect();
            let place = self.place(at);
            return Err(format!(
                "has an unknown parameter {place}; {} can be used",
                known.join(", ")
            ));
        };
        let known = self.statement.parameters.iter().position(|known| known == parameter);
        let index = known.unwrap_or_else(|| {
            self.statement.parameters.push(*parameter);
            self.statement.parameters.len() - 1
        });
        let mark = if self.dialect == Dialect::Postgres { '$' } else { '?' };
        self.statement.text.push_str(&format!("{mark}{}", index + 1));
        Ok(())
    }

    /// Up to the closing quote; a doubled one stands for itself.
    fn quoted(&mut self, at: usize, quote: char, escapes: bool) -> Result<(), String> {
        self.statement.text.push(quote);
        while let Some((_, letter)) = self.letters.next() {
            self.statement.text.push(letter);
            if escapes && letter == '\\' {
                let escaped = self.letters.next().map(|(_, letter)| letter);
                self.statement.text.extend(escaped);
            } else if letter == quote {
                match self.letters.next_if(|(_, next)| *next == quote) {
                    Some((_, doubled)) => self.statement.text.push(doubled),
                    None => return Ok(()),
                }
            }
        }
        Err(format!("has a quote {} that never ends", self.place(at)))
    }

    /// `$1` would be a place of nobody's; `$tag$…$tag$` is a literal.
    fn dollar(&mut self, at: usize) -> Result<(), String> {
        let rest = &self.sql[at + 1..];
        if rest.starts_with(|letter: char| letter.is_ascii_digit()) {
            return Err(format!(
                "has a place for a value {} that isn't named `:name`",
                self.place(at)
            ));
        }
        let tag = rest.find(|letter| !is_word(letter)).unwrap_or(rest.len());
        if !rest[tag..].starts_with('$') {
            self.statement.text.push('$');
            return Ok(());
        }
        let delimiter = &self.sql[at..at + tag + 2];
        let body = at + delimiter.len();
        let length = self.sql[body..].find(delimiter);
        let length = length.ok_or_else(|| format!("has a quote {} that never ends", self.place(at)))?;
        self.copy_to(at, body + length + delimiter.len());
        Ok(())
    }

    fn skip_to(&mut self, at: usize, end: &str) -> Result<(), String> {
        let length = self.sql[at..].find(end);
        let length = length.ok_or_else(|| format!("has a quote {} that never ends", self.place(at)))?;
        self.copy_to(at, at + length + end.len());
        Ok(())
    }

    fn skip_line(&mut self, at: usize) {
        let length = self.sql[at..].find('\n').unwrap_or(self.sql.len() - at);
        self.copy_to(at, at + length);
    }

    /// PostgreSQL's comments nest, SQLite's end at the first mark.
    fn comment(&mut self, at: usize) -> Result<(), String> {
        let (mut depth, mut end) = (0_usize, at);
        loop {
            let rest = &self.sql[end..];
            if rest.starts_with("/*") && (depth == 0 || self.dialect == Dialect::Postgres) {
                (depth, end) = (depth + 1, end + 2);
            } else if rest.starts_with("*/") {
                (depth, end) = (depth - 1, end + 2);
                if depth == 0 {
                    self.copy_to(at, end);
                    return Ok(());
                }
            } else {
                let letter = rest.chars().next();
                let letter = letter.ok_or_else(|| format!("has a comment {} that never ends", self.place(at)))?;
                end += letter.len_utf8();
            }
        }
    }

    /// As it stands, the letter at the beginning having been taken.
    fn copy_to(&mut self, at: usize, end: usize) {
        self.statement.text.push_str(&self.sql[at..end]);
        while self.letters.next_if(|(index, _)| *index < end).is_some() {}
    }

    fn is_escape_string(&self, at: usize) -> bool {
        let mut before = self.sql[..at].chars().rev();
        let mark = before.next().is_some_and(|letter| letter.eq_ignore_ascii_case(&'e'));
        mark && !before.next().is_some_and(is_word)
    }

    fn place(&self, at: usize) -> String {
        let before = &self.sql[..at];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!("at line {line}, column {column}")
    }
}

fn is_name_start(letter: char) -> bool {
    letter.is_alphabetic() || letter == '_'
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

#[cfg(test)]
#[path = "statement_tests.rs"]
mod tests;
