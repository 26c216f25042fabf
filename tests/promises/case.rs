//! The form of a case file. A key that isn't here is an error.

use std::collections::BTreeMap;
use std::time::Duration;

use idbridge_okta_simulator::{
    self as okta, Control, Denial, Endpoint, Factor, Lockout, Mfa, On, Provider, Rights, Status,
};
use serde::Deserialize;
use toml::Table;

/// One file: cases that share their settings, and so their processes, unless they stand `apart`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    pub(crate) description: String,
    /// Over the usual ones.
    #[serde(default)]
    pub(crate) settings: Table,
    /// Usual settings that are left out.
    #[serde(default)]
    pub(crate) without: Vec<String>,
    /// Each case has processes of its own on each transport: what the org tells once isn't asked twice.
    #[serde(default)]
    pub(crate) apart: bool,
    pub(crate) cases: Vec<Case>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) description: String,
    /// Numbers of `defects` that this case keeps out; README.md lists them.
    #[serde(default)]
    pub(crate) defects: Vec<u8>,
    /// A log-in …
    pub(crate) login: Option<String>,
    /// … with this password; everybody's, unless set.
    pub(crate) password: Option<String>,
    /// … or a look-up.
    pub(crate) email: Option<String>,
    /// gRPC only: REST can't name a source.
    pub(crate) source: Option<String>,
    /// Over the usual ones; "" leaves one out.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// Instead of a well-formed question.
    pub(crate) raw: Option<Raw>,
    #[serde(default)]
    pub(crate) org: Org,
    #[serde(default)]
    pub(crate) people: Vec<Person>,
    #[serde(default)]
    pub(crate) faults: Vec<Rule>,
    pub(crate) want: Want,
}

/// What is sent where it isn't a question.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Raw {
    pub(crate) grpc: Option<RawGrpc>,
    pub(crate) rest: Option<RawRest>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawGrpc {
    pub(crate) path: String,
    /// The message in hex, each piece so many times.
    #[serde(default)]
    pub(crate) hex: Vec<(String, usize)>,
    /// The body as it is, frame header included, instead.
    pub(crate) body_hex: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRest {
    #[serde(default = "post")]
    pub(crate) method: String,
    pub(crate) path: String,
    /// Pieces, each so many times.
    #[serde(default)]
    pub(crate) body: Vec<(String, usize)>,
    pub(crate) body_hex: Option<String>,
}

fn post() -> String {
    "POST".to_owned()
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Org {
    /// `shown`, `hidden`, `forbidden`
    lockout: Option<String>,
    threat_insight: Option<bool>,
    session_tokens: Option<bool>,
    /// Its clock goes before ours.
    #[serde(default)]
    clock_ahead_seconds: u64,
    /// `forbidden`, `nobody`, `revoked`
    token: Option<String>,
    /// Logins of people whom the token doesn't see.
    #[serde(default)]
    hidden: Vec<String>,
    /// Search sees the people as they were before this case changed them.
    #[serde(default)]
    stale_search: bool,
}

/// Changes the person with this login, or adds them.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Person {
    login: String,
    id: Option<String>,
    email: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    status: Option<String>,
    provider: Option<String>,
    /// "": none.
    password: Option<String>,
    factors: Option<Vec<String>>,
    groups: Option<Vec<String>>,
    #[serde(default)]
    attributes: Table,
    email_verified: Option<bool>,
    mfa: Option<String>,
    password_warn: Option<u32>,
    password_aged: Option<bool>,
    denied: Option<String>,
    authn_status: Option<String>,
    transitioning: Option<String>,
    locale: Option<String>,
    #[serde(default)]
    remove: bool,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    /// `authn`, `canary`, `factors`, `groups`, `search`, `user`, or a part of the raw path.
    on: String,
    fault: Fault,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Fault {
    Close,
    ConcurrencyLimit,
    EmptyBody,
    /// Status, headers, body.
    Exact(u16, BTreeMap<String, String>, String),
    Flood,
    Garbage,
    Hang,
    Html(u16),
    /// Status and body.
    Json(u16, String),
    /// Seconds.
    RateLimit(u64),
    Redirect(u16, String),
    Reset,
    ResetMidBody,
    Status(u16, String),
    Truncated,
    WrongContentType,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Want {
    /// A yes: this user in gRPC, whole. `id` may be left out: it is that of the org's person with this login.
    pub(crate) user: Option<Table>,
    /// A no with this reason.
    pub(crate) rejected: Option<String>,
    /// A look-up that found nobody.
    #[serde(default)]
    pub(crate) absent: bool,
    /// No answer, for this reason of the contract's table.
    pub(crate) error: Option<String>,
    /// Seconds, from and to. 1 unless set, where the contract wants a hint.
    pub(crate) retry: Option<(u64, u64)>,
    pub(crate) source: Option<String>,
    /// What of the REST profile differs from what follows from `user`.
    pub(crate) profile: Option<Table>,
    /// What REST says where it isn't what follows from the above.
    pub(crate) rest: Option<RestWant>,
    /// Which endpoints are asked, sorted; [] is nothing.
    pub(crate) asked: Option<Vec<String>>,
    /// Password submissions. 1 for a log-in and 0 for a look-up, unless set.
    pub(crate) passwords: Option<u64>,
    /// Which endpoints aren't asked if the question comes again, over any transport. Only where cases stand `apart`.
    #[serde(default)]
    pub(crate) left_alone: Vec<String>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RestWant {
    pub(crate) rejected: Option<String>,
    /// The gateway's own error.
    pub(crate) error: Option<(u16, String)>,
    /// Headers that must be there.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
}

impl Case {
    /// Makes the org what the case wants it to be.
    pub(crate) fn arrange(&self, control: &Control) {
        if self.org.stale_search {
            control.freeze_search();
        }
        for person in &self.people {
            person.arrange(control);
        }
        for login in &self.org.hidden {
            control.hide(login);
        }
        self.org.arrange(control);
        for rule in &self.faults {
            control.fault(on(&rule.on), rule.fault.okta());
        }
    }
}

impl Org {
    fn arrange(&self, control: &Control) {
        control.change(|org| {
            if let Some(lockout) = &self.lockout {
                org.lockout = match lockout.as_str() {
                    "forbidden" => Lockout::Forbidden,
                    "hidden" => Lockout::Hidden,
                    "shown" => Lockout::Shown,
                    other => panic!("lockout: {other}"),
                };
            }
            org.clock = org.clock.ahead(Duration::from_secs(self.clock_ahead_seconds));
            org.threat_insight = self.threat_insight.unwrap_or(org.threat_insight);
            org.session_tokens = self.session_tokens.unwrap_or(org.session_tokens);
            match self.token.as_deref() {
                None => {}
                Some("revoked") => org.tokens.clear(),
                Some("forbidden") => org.tokens.iter_mut().for_each(|token| token.rights = Rights::Forbidden),
                Some("nobody") => org.tokens.iter_mut().for_each(|token| token.rights = Rights::Nobody),
                Some(other) => panic!("token: {other}"),
            }
        });
    }
}

impl Person {
    fn arrange(&self, control: &Control) {
        if self.remove {
            return control.remove(&self.login);
        }
        if !control.person(&self.login, |person| self.shape(person)) {
            let mut person = okta::Person::new(&self.login);
            person.password = Some(okta::PASSWORD.to_owned());
            self.shape(&mut person);
            control.add(person);
        }
    }

    fn shape(&self, person: &mut okta::Person) {
        let text = |from: &Option<String>, to: &mut String| {
            if let Some(from) = from {
                to.clone_from(from);
            }
        };
        let optional = |from: &Option<String>, to: &mut Option<String>| {
            if let Some(from) = from {
                *to = Some(from.clone()).filter(|text| !text.is_empty());
            }
        };
        text(&self.id, &mut person.id);
        text(&self.email, &mut person.email);
        optional(&self.first_name, &mut person.first_name);
        optional(&self.last_name, &mut person.last_name);
        optional(&self.password, &mut person.password);
        optional(&self.authn_status, &mut person.authn_status);
        optional(&self.locale, &mut person.locale);
        person.status = self.status.as_deref().map_or(person.status.clone(), status);
        person.transitioning = self.transitioning.as_deref().map(status);
        if let Some(kind) = &self.provider {
            person.provider = Provider::new(kind, kind);
        }
        if let Some(factors) = &self.factors {
            person.factors = factors.iter().map(|text| factor(text)).collect();
        }
        if let Some(groups) = &self.groups {
            person.groups.clone_from(groups);
        }
        for (key, value) in &self.attributes {
            let value = serde_json::to_value(value).expect("TOML fits JSON");
            // TOML has no null.
            let value = if value == "null" {
                serde_json::Value::Null
            } else {
                value
            };
            person.attributes.insert(key.clone(), value);
        }
        person.email_verified = self.email_verified.or(person.email_verified);
        person.password_warn = self.password_warn.or(person.password_warn);
        person.password_aged = self.password_aged.unwrap_or(person.password_aged);
        person.mfa = match self.mfa.as_deref() {
            None => person.mfa,
            Some("enroll") => Mfa::Enroll,
            Some("none") => Mfa::None,
            Some("password_open") => Mfa::PasswordOpen,
            Some("required") => Mfa::Required,
            Some(other) => panic!("mfa: {other}"),
        };
        person.denied = match self.denied.as_deref() {
            None => person.denied,
            Some("breached_password") => Some(Denial::BreachedPassword),
            Some("sign_on_policy") => Some(Denial::SignOnPolicy),
            Some(other) => panic!("denied: {other}"),
        };
    }
}

fn status(text: &str) -> Status {
    match text {
        "ACTIVE" => Status::Active,
        "DEPROVISIONED" => Status::Deprovisioned,
        "LOCKED_OUT" => Status::LockedOut,
        "PASSWORD_EXPIRED" => Status::PasswordExpired,
        "PROVISIONED" => Status::Provisioned,
        "RECOVERY" => Status::Recovery,
        "STAGED" => Status::Staged,
        "SUSPENDED" => Status::Suspended,
        other => Status::Other(other.to_owned()),
    }
}

/// A type, or `type/STATUS`.
fn factor(text: &str) -> Factor {
    let (kind, status) = text.rsplit_once('/').unwrap_or((text, "ACTIVE"));
    Factor::new(kind, serde_json::json!({})).status(status)
}

pub(crate) fn on(text: &str) -> On {
    match text {
        "authn" => Endpoint::Authn.into(),
        "canary" => "/users/idbridge-canary".into(),
        "factors" => Endpoint::Factors.into(),
        "groups" => Endpoint::Groups.into(),
        "search" => Endpoint::Search.into(),
        "user" => Endpoint::User.into(),
        path => path.into(),
    }
}

pub(crate) fn endpoint_name(endpoint: Endpoint) -> &'static str {
    match endpoint {
        Endpoint::Authn => "authn",
        Endpoint::Factors => "factors",
        Endpoint::Groups => "groups",
        Endpoint::Me => "me",
        Endpoint::Organization => "organization",
        Endpoint::Other => "other",
        Endpoint::Search => "search",
        Endpoint::User => "user",
        Endpoint::Users => "users",
    }
}

impl Fault {
    fn okta(&self) -> okta::Fault {
        match self.clone() {
            Fault::Close => okta::Fault::Close,
            Fault::ConcurrencyLimit => okta::Fault::ConcurrencyLimit,
            Fault::EmptyBody => okta::Fault::EmptyBody,
            Fault::Exact(status, headers, body) => okta::Fault::Exact {
                status,
                headers: headers.into_iter().collect(),
                body: body.into(),
            },
            Fault::Flood => okta::Fault::Flood,
            Fault::Garbage => okta::Fault::Garbage,
            Fault::Hang => okta::Fault::Hang,
            Fault::Html(status) => okta::Fault::Html(status),
            Fault::Json(status, body) => okta::Fault::json(status, &body),
            Fault::RateLimit(seconds) => okta::Fault::RateLimit(Duration::from_secs(seconds)),
            Fault::Redirect(status, to) => okta::Fault::Redirect(status, to),
            Fault::Reset => okta::Fault::Reset,
            Fault::ResetMidBody => okta::Fault::ResetMidBody,
            Fault::Status(status, code) => okta::Fault::status(status, &code),
            Fault::Truncated => okta::Fault::Truncated,
            Fault::WrongContentType => okta::Fault::WrongContentType,
        }
    }
}
