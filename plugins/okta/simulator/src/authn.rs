//! `POST /api/v1/authn`: the state machine of primary authentication.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::clock::iso;
use crate::errors::{Answer, OktaError};
use crate::received::Request;
use crate::state::State;
use crate::users::locate;
use crate::{Denial, Factor, Lockout, Mfa, Person, Status, ids};

/// How an attempt ends. The words are Okta's `status`.
enum Outcome {
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
        person.provider = crate::Provider::okta();
    }
    Outcome::Success
}

/// Writes the answer.
struct Transaction<'a> {
    url: &'a str,
    now: Timestamp,
    person: &'a Person,
    session_token: bool,
    minted: &'a mut u64,
}

impl Transaction<'_> {
    fn answer(mut self, outcome: Outcome) -> Result<Answer, OktaError> {
        let body = match outcome {
            Outcome::Error(code) => return Err(OktaError::new(code)),
            Outcome::LockedOut => json!({
                "status": "LOCKED_OUT",
                "_embedded": {},
                "_links": {"next": self.step("unlock", "recovery/unlock"), "cancel": self.cancel()},
            }),
            Outcome::MfaEnroll => {
                let factors: Vec<Value> = ["question", "sms", "push", "token:software:totp"]
                    .iter()
                    .map(|kind| json!({
                        "factorType": kind, "provider": "OKTA", "vendorName": "OKTA", "status": "NOT_SETUP", "enrollment": "OPTIONAL",
                        "_links": {"enroll": self.link("factors")},
                    }))
                    .collect();
                self.pending("MFA_ENROLL", json!({"factors": factors}), json!({}))
            }
            Outcome::MfaRequired(factors) => {
                let factors: Vec<Value> = factors.iter().map(|factor| self.factor(factor)).collect();
                let policy = json!({"allowRememberDevice": false, "rememberDeviceLifetimeInMinutes": 0, "rememberDeviceByDefault": false, "factorsPolicyInfo": {}});
                self.pending("MFA_REQUIRED", json!({"factors": factors, "policy": policy}), json!({}))
            }
            Outcome::PasswordExpired => {
                let next = self.step("changePassword", "credentials/change_password");
                self.pending(
                    "PASSWORD_EXPIRED",
                    json!({"policy": {"complexity": complexity()}}),
                    json!({"next": next}),
                )
            }
            Outcome::PasswordWarn(days) => {
                let next = self.step("changePassword", "credentials/change_password");
                let policy = json!({"expiration": {"passwordExpireDays": days}, "complexity": complexity()});
                let links = json!({"next": next, "skip": self.step("skip", "skip")});
                self.pending("PASSWORD_WARN", json!({"policy": policy}), links)
            }
            Outcome::Success => {
                let mut body = json!({
                    "expiresAt": self.expires(),
                    "status": "SUCCESS",
                    "_embedded": {"user": self.user()},
                    "_links": {"cancel": self.cancel()},
                });
                if self.session_token {
                    merge(&mut body, json!({"sessionToken": ids::mint(self.minted, "20111", 55)}));
                } else {
                    merge(&mut body, json!({"type": "SESSION_SSO"}));
                }
                body
            }
            Outcome::Unknown(status) => self.pending(&status, json!({}), json!({})),
        };
        Ok(Answer::ok(&body))
    }

    /// A transaction that waits for more: a state token, the user, what else there is, and a way to cancel.
    fn pending(&mut self, status: &str, embedded: Value, links: Value) -> Value {
        let mut body = json!({
            "stateToken": ids::mint(self.minted, "00", 42),
            "expiresAt": self.expires(),
            "status": status,
            "_embedded": {"user": self.user()},
            "_links": {"cancel": self.cancel()},
        });
        merge(&mut body["_embedded"], embedded);
        merge(&mut body["_links"], links);
        body
    }

    /// Exactly these five keys of the profile: there is no `email`.
    fn user(&self) -> Value {
        let person = self.person;
        json!({
            "id": person.id,
            "passwordChanged": crate::users::CREATED,
            "profile": {
                "login": person.login,
                "firstName": person.first_name,
                "lastName": person.last_name,
                "locale": person.locale.as_deref().unwrap_or("en_US"),
                "timeZone": "America/Los_Angeles",
            },
        })
    }

    fn factor(&self, factor: &Factor) -> Value {
        let id = factor.id(&self.person.id);
        let mut profile = factor.profile.clone();
        if let Some(Value::String(number)) = profile.get_mut("phoneNumber") {
            *number = masked(number);
        }
        json!({
            "id": id,
            "factorType": factor.kind,
            "provider": factor.provider,
            "vendorName": factor.vendor,
            "profile": profile,
            "_links": {"verify": self.link(&format!("factors/{id}/verify"))},
        })
    }

    fn expires(&self) -> String {
        iso(self.now.saturating_add(Duration::from_secs(300)).unwrap_or(self.now))
    }

    fn cancel(&self) -> Value {
        self.link("cancel")
    }

    fn step(&self, name: &str, path: &str) -> Value {
        let mut link = self.link(path);
        merge(&mut link, json!({"name": name}));
        link
    }

    fn link(&self, path: &str) -> Value {
        json!({"href": format!("{}/api/v1/authn/{path}", self.url), "hints": {"allow": ["POST"]}})
    }
}

/// `+1 XXX-XXX-7922`: only the last four digits are shown before the factor is verified.
fn masked(number: &str) -> String {
    let digits: Vec<char> = number.chars().filter(char::is_ascii_digit).collect();
    let last: String = digits.iter().skip(digits.len().saturating_sub(4)).collect();
    format!("+1 XXX-XXX-{last}")
}

fn complexity() -> Value {
    json!({"minLength": 8, "minLowerCase": 1, "minUpperCase": 1, "minNumber": 1, "minSymbol": 0})
}

fn merge(into: &mut Value, more: Value) {
    if let (Value::Object(into), Value::Object(more)) = (into, more) {
        into.extend(more);
    }
}
