//! The expressions of `search=` and `filter=`.

use serde_json::Value;

use crate::Person;
use crate::errors::OktaError;
use crate::org::same;
use crate::users::CREATED;

/// An expression that was understood.
pub(crate) enum Expression {
    And(Vec<Expression>),
    Or(Vec<Expression>),
    Test(Test),
}

pub(crate) struct Test {
    attribute: String,
    operator: Operator,
    value: String,
    /// `search` ignores case; `filter` doesn't.
    any_case: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Contains,
    Equal,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    NotEqual,
    Present,
    StartsWith,
}

impl Expression {
    /// Parses `search=`: any attribute that the org knows.
    pub(crate) fn search(text: &str, people: &[Person]) -> Result<Expression, OktaError> {
        let known = |attribute: &str| {
            BASE.contains(&attribute)
                || attribute.strip_prefix("profile.").is_some_and(|key| {
                    PROFILE.contains(&key) || people.iter().any(|person| person.attributes.contains_key(key))
                })
        };
        Parser::new(text, true)?.whole(&known)
    }

    /// Parses `filter=`: a few attributes only.
    pub(crate) fn filter(text: &str) -> Result<Expression, OktaError> {
        Parser::new(text, false)?.whole(&|attribute| FILTERABLE.contains(&attribute))
    }

    pub(crate) fn matches(&self, person: &Person) -> bool {
        match self {
            Expression::And(parts) => parts.iter().all(|part| part.matches(person)),
            Expression::Or(parts) => parts.iter().any(|part| part.matches(person)),
            Expression::Test(test) => test.matches(person),
        }
    }
}

impl Test {
    fn matches(&self, person: &Person) -> bool {
        let Some(actual) = text(person, &self.attribute) else {
            return self.operator == Operator::NotEqual;
        };
        let (actual, wanted) = if self.any_case {
            (actual.to_lowercase(), self.value.to_lowercase())
        } else {
            (actual, self.value.clone())
        };
        match self.operator {
            Operator::Contains => actual.contains(&wanted),
            Operator::Equal => actual == wanted,
            Operator::Greater => actual > wanted,
            Operator::GreaterOrEqual => actual >= wanted,
            Operator::Less => actual < wanted,
            Operator::LessOrEqual => actual <= wanted,
            Operator::NotEqual => actual != wanted,
            Operator::Present => true,
            Operator::StartsWith => actual.starts_with(&wanted),
        }
    }
}

/// A user's attribute as text, if it is there.
pub(crate) fn text(person: &Person, attribute: &str) -> Option<String> {
    match attribute {
        "id" => Some(person.id.clone()),
        "status" => Some(person.status.as_str().to_owned()),
        "created" | "lastUpdated" | "activated" | "statusChanged" => Some(CREATED.to_owned()),
        "lastLogin" => person.last_login.clone(),
        "profile.login" => Some(person.login.clone()),
        "profile.email" => Some(person.email.clone()),
        "profile.firstName" => person.first_name.clone(),
        "profile.lastName" => person.last_name.clone(),
        "profile.locale" => person.locale.clone(),
        _ => match person.attributes.get(attribute.strip_prefix("profile.")?)? {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        },
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Close,
    Open,
    Quoted(String),
    Word(String),
}

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    any_case: bool,
}

impl Parser {
    fn new(text: &str, any_case: bool) -> Result<Parser, OktaError> {
        Ok(Parser {
            tokens: tokens(text)?.into_iter().peekable(),
            any_case,
        })
    }

    fn whole(mut self, known: &dyn Fn(&str) -> bool) -> Result<Expression, OktaError> {
        let expression = self.any(known)?;
        if self.tokens.next().is_some() {
            Err(bad("unexpected text at the end"))
        } else {
            Ok(expression)
        }
    }

    /// `and` binds closer than `or`.
    fn any(&mut self, known: &dyn Fn(&str) -> bool) -> Result<Expression, OktaError> {
        let mut parts = vec![self.all(known)?];
        while self.take_word("or") {
            parts.push(self.all(known)?);
        }
        Ok(Expression::Or(parts))
    }

    fn all(&mut self, known: &dyn Fn(&str) -> bool) -> Result<Expression, OktaError> {
        let mut parts = vec![self.test(known)?];
        while self.take_word("and") {
            parts.push(self.test(known)?);
        }
        Ok(Expression::And(parts))
    }

    fn test(&mut self, known: &dyn Fn(&str) -> bool) -> Result<Expression, OktaError> {
        let attribute = match self.tokens.next() {
            Some(Token::Open) => {
                let inner = self.any(known)?;
                return match self.tokens.next() {
                    Some(Token::Close) => Ok(inner),
                    _ => Err(bad("missing )")),
                };
            }
            Some(Token::Word(attribute)) if known(&attribute) => attribute,
            _ => return Err(bad("unknown attribute")),
        };
        let operator = match self.tokens.next() {
            Some(Token::Word(word)) => operator(&word)
                .filter(|operator| self.permits(&attribute, *operator))
                .ok_or_else(|| bad("unknown operator"))?,
            _ => return Err(bad("missing operator")),
        };
        let value = match operator {
            Operator::Present => String::new(),
            _ => match self.tokens.next() {
                Some(Token::Quoted(value)) => value,
                Some(Token::Word(value)) if value == "true" || value == "false" || value.parse::<f64>().is_ok() => {
                    value
                }
                _ => return Err(bad("missing value")),
            },
        };
        Ok(Expression::Test(Test {
            attribute,
            operator,
            value,
            any_case: self.any_case,
        }))
    }

    /// `filter` knows `eq`, and order for `lastUpdated`; `search` knows `co` for four attributes only.
    fn permits(&self, attribute: &str, operator: Operator) -> bool {
        match operator {
            Operator::Equal => true,
            Operator::Contains => self.any_case && CONTAINING.contains(&attribute),
            Operator::NotEqual | Operator::Present | Operator::StartsWith => self.any_case,
            _ => self.any_case || attribute == "lastUpdated",
        }
    }

    fn take_word(&mut self, wanted: &str) -> bool {
        self.tokens
            .next_if(|token| matches!(token, Token::Word(word) if same(word, wanted)))
            .is_some()
    }
}

fn operator(word: &str) -> Option<Operator> {
    Some(match word.to_ascii_lowercase().as_str() {
        "co" => Operator::Contains,
        "eq" => Operator::Equal,
        "ge" => Operator::GreaterOrEqual,
        "gt" => Operator::Greater,
        "le" => Operator::LessOrEqual,
        "lt" => Operator::Less,
        "ne" => Operator::NotEqual,
        "pr" => Operator::Present,
        "sw" => Operator::StartsWith,
        _ => return None,
    })
}

fn tokens(text: &str) -> Result<Vec<Token>, OktaError> {
    let mut tokens = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            ' ' | '\t' => {}
            '(' => tokens.push(Token::Open),
            ')' => tokens.push(Token::Close),
            '"' => {
                let mut quoted = String::new();
                loop {
                    match letters.next() {
                        None => return Err(bad("missing quote")),
                        Some('"') => break,
                        Some('\\') => match letters.next() {
                            Some(escaped @ ('"' | '\\')) => quoted.push(escaped),
                            _ => return Err(bad("unknown escape")),
                        },
                        Some(other) => quoted.push(other),
                    }
                }
                tokens.push(Token::Quoted(quoted));
            }
            _ => {
                let mut word = String::from(letter);
                while let Some(next) = letters.next_if(|next| !matches!(next, ' ' | '\t' | '(' | ')' | '"')) {
                    word.push(next);
                }
                tokens.push(Token::Word(word));
            }
        }
    }
    Ok(tokens)
}

fn bad(cause: &str) -> OktaError {
    OktaError::new("E0000031").cause(cause)
}

const BASE: &[&str] = &[
    "id",
    "status",
    "created",
    "activated",
    "statusChanged",
    "lastUpdated",
    "lastLogin",
];

const CONTAINING: &[&str] = &[
    "profile.firstName",
    "profile.lastName",
    "profile.email",
    "profile.login",
];

const FILTERABLE: &[&str] = &[
    "id",
    "status",
    "lastUpdated",
    "profile.login",
    "profile.email",
    "profile.firstName",
    "profile.lastName",
];

/// Okta's base attributes; a custom one is known when somebody has it.
const PROFILE: &[&str] = &[
    "login",
    "email",
    "secondEmail",
    "firstName",
    "lastName",
    "middleName",
    "honorificPrefix",
    "honorificSuffix",
    "title",
    "displayName",
    "nickName",
    "profileUrl",
    "primaryPhone",
    "mobilePhone",
    "streetAddress",
    "city",
    "state",
    "zipCode",
    "countryCode",
    "postalAddress",
    "preferredLanguage",
    "locale",
    "timezone",
    "userType",
    "employeeNumber",
    "costCenter",
    "organization",
    "division",
    "department",
    "managerId",
    "manager",
];
