//! An enrolled factor.

use std::fmt;

use serde_json::{Value, json};

use crate::ids;

/// An enrolled factor, as `GET /factors` shows it.
#[derive(Clone)]
pub struct Factor {
    pub kind: String,
    pub provider: String,
    pub vendor: String,
    pub status: String,
    pub profile: Value,
}

/// The profile holds a phone number or an address.
impl fmt::Debug for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Factor")
            .field("kind", &self.kind)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

impl Factor {
    /// An active factor of Okta's own.
    pub fn new(kind: &str, profile: Value) -> Factor {
        Factor {
            kind: kind.to_owned(),
            provider: "OKTA".to_owned(),
            vendor: "OKTA".to_owned(),
            status: "ACTIVE".to_owned(),
            profile,
        }
    }

    pub fn email(address: &str) -> Factor {
        Factor::new("email", json!({"email": address}))
    }

    pub fn push(name: &str) -> Factor {
        Factor::new(
            "push",
            json!({"credentialId": name, "deviceType": "SmartPhone_IPhone", "keys": [{"kty": "PKIX", "use": "sig", "kid": "default", "x5c": ["MIIB"]}], "name": "iPhone", "platform": "IOS", "version": "18.0"}),
        )
    }

    pub fn question() -> Factor {
        Factor::new(
            "question",
            json!({"question": "favorite_art_piece", "questionText": "What is your favorite piece of art?"}),
        )
    }

    pub fn sms(number: &str) -> Factor {
        Factor::new("sms", json!({"phoneNumber": number}))
    }

    pub fn totp(provider: &str, name: &str) -> Factor {
        let mut factor = Factor::new("token:software:totp", json!({"credentialId": name}));
        provider.clone_into(&mut factor.provider);
        provider.clone_into(&mut factor.vendor);
        factor
    }

    /// `ACTIVE` unless set: `PENDING_ACTIVATION`, `INACTIVE`, `NOT_SETUP`, …
    #[must_use]
    pub fn status(mut self, status: &str) -> Factor {
        status.clone_into(&mut self.status);
        self
    }

    pub(crate) fn id(&self, owner: &str) -> String {
        let prefix = match (self.kind.as_str(), self.provider.as_str()) {
            ("email", _) => "emf",
            ("push", _) => "opf",
            ("question", _) => "ufs",
            ("sms", _) => "sms",
            ("token:software:totp", "OKTA") => "ost",
            _ => "uft",
        };
        ids::of(prefix, &format!("{owner}/{}/{}", self.kind, self.provider))
    }

    pub(crate) fn is_active(&self) -> bool {
        self.status == "ACTIVE"
    }
}
