//! `POST /api/v1/authn`: the state machine of primary authentication.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::clock::iso;
use crate::errors::{Answer, OktaError};
use crate::received::Request;
use crate::state::State;
use crate::transaction::Transaction;
use crate::users::locate;
use crate::{Denial, Factor, Lockout, Mfa, Person, Provider, Status};

/// How an attempt ends. The words are Okta's `status`.
pub(crate) enum Outcome {
    Error(&'static str),
    LockedOut,
    MfaEnroll,
    MfaRequired(Vec<Factor>),
    PasswordExpired,
    PasswordWarn(u32),
    Success,
    Unknown(String),
}

/// What a sign-in page sends.
struct Attempt {
    username: String,
    password: String,
    warn: bool,
}

pub(crate) fn answer(state: &mut State, url: &str, request: &Request) -> Result<Answer, OktaError> {
    let attempt = Attempt::parse(request)?;
    let now = state.now();
    if state.org.threat_insight {
        return Err(OktaError::new("E0000006"));
    }
    if let Err(gauge) = state.limiter.attempt(&attempt.username, &state.org.limits, now) {
        return Ok(gauge.exceeded(&mut state.minted));
    }
    let (lockout, lockout_after) = (state.org.lockout, state.org.lockout_after);
    let Some(index) = locate(&state.org.people, &attempt.username) else {
        return Err(OktaError::new("E0000004"));
    };
    let Some(person) = state.org.people.get_mut(index) else {
        return Err(OktaError::new("E0000004"));
    };
    let outcome = match try_password(person, &attempt, lockout_after, now) {
        Outcome::LockedOut => match lockout {
            Lockout::Forbidden => Outcome::Error("E0000069"),
            Lockout::Hidden => Outcome::Error("E0000004"),
            Lockout::Shown => Outcome::LockedOut,
        },
        outcome => outcome,
    };
    let person = person.clone();
    Transaction {
        url,
        now,
        person: &person,
        session_token: state.org.session_tokens,
        minted: &mut state.minted,
    }
    .answer(outcome)
}

impl Attempt {
    fn parse(request: &Request) -> Result<Attempt, OktaError> {
        if !request
            .header("content-type")
            .is_some_and(|kind| kind.to_ascii_lowercase().starts_with("application/json"))
        {
            return Err(OktaError::new("E0000021"));
        }
        let body = match request.json() {
            Some(Value::Object(body)) => body,
            _ => return Err(OktaError::new("E0000003")),
        };
        let text = |key: &str| match body.get(key) {
            None | Some(Value::Null) => Ok(""),
            Some(Value::String(text)) => Ok(text.as_str()),
            Some(_) => Err(OktaError::new("E0000003")),
        };
        let (username, password) = (text("username")?, text("password")?);
        if username.is_empty() && !text("stateToken")?.is_empty() {
            return Err(OktaError::new("E0000011"));
        }
        if username.is_empty() && !text("token")?.is_empty() {
            return Err(OktaError::new("E0000004"));
        }
        if username.is_empty() || password.is_empty() {
            return Err(OktaError::new("E0000001")
                .detail("authRequest")
                .cause("The 'username' and 'password' attributes are required in this context."));
        }
        let warn = body
            .get("options")
            .and_then(|options| options.get("warnBeforePasswordExpired"));
        Ok(Attempt {
            username: username.to_owned(),
            password: password.to_owned(),
            warn: warn.and_then(Value::as_bool).unwrap_or(false),
        })
    }
}

/// Checks the password, then the policies in Okta's order: a factor is asked for before an expired password is told.
fn try_password(person: &mut Person, attempt: &Attempt, lockout_after: u32, now: Timestamp) -> Outcome {
    if person.mfa == Mfa::PasswordOpen {
        return Outcome::MfaRequired(vec![Factor::new("password", json!({}))]);
    }
    if !person.password_usable() {
        return Outcome::Error("E0000004");
    }
    if person.status == Status::LockedOut {
        return Outcome::LockedOut;
    }
    if person.password.as_deref() != Some(attempt.password.as_str()) {
        person.failures += 1;
        if person.failures < lockout_after {
            return Outcome::Error("E0000004");
        }
        person.status = Status::LockedOut;
        return Outcome::LockedOut;
    }
    person.failures = 0;
    match person.denied {
        Some(Denial::BreachedPassword) => return Outcome::Error("E0000259"),
        Some(Denial::SignOnPolicy) => return Outcome::Error("E0000085"),
        None => {}
    }
    if let Some(status) = &person.authn_status {
        return Outcome::Unknown(status.clone());
    }
    let factors: Vec<Factor> = person
        .factors
        .iter()
        .filter(|factor| factor.is_active())
        .cloned()
        .collect();
    if person.mfa == Mfa::Required && !factors.is_empty() {
        return Outcome::MfaRequired(factors);
    }
    if person.password_aged {
        person.status = Status::PasswordExpired;
    }
    if person.status == Status::PasswordExpired {
        return Outcome::PasswordExpired;
    }
    if person.mfa != Mfa::None {
        return Outcome::MfaEnroll;
    }
    if let Some(days) = person.password_warn.filter(|_| attempt.warn) {
        return Outcome::PasswordWarn(days);
    }
    person.last_login = Some(iso(now));
    if person.provider.kind == "IMPORT" {
        // The first log-in brings the password over.
        person.provider = Provider::okta();
    }
    Outcome::Success
}
