//! What `/authn` answers: the body for each outcome.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::authn::Outcome;
use crate::clock::iso;
use crate::errors::{Answer, OktaError};
use crate::users::CREATED;
use crate::{Factor, Person, ids};

/// Writes the answer.
pub(crate) struct Transaction<'a> {
    pub(crate) url: &'a str,
    pub(crate) now: Timestamp,
    pub(crate) person: &'a Person,
    pub(crate) session_token: bool,
    pub(crate) minted: &'a mut u64,
}

impl Transaction<'_> {
    pub(crate) fn answer(mut self, outcome: Outcome) -> Result<Answer, OktaError> {
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
            "passwordChanged": CREATED,
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
