//! `[sources.NAME.settings]`.

use idbridge_outbound::Origin;
use idbridge_source::{Capabilities, Email, Secret, Table, UserName};

use crate::map::Status;

#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) origin: Origin,
    /// `None`: log-ins only, and nothing is known of a user but what `/authn` says.
    pub(crate) access: Option<Access>,
    pub(crate) rules: Rules,
}

/// Who gets in, and what is told of them.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) attributes: Vec<String>,
    pub(crate) directory_users: Choice,
    pub(crate) email_verified: EmailVerified,
    pub(crate) groups: bool,
    pub(crate) login_is_email: bool,
    pub(crate) lookup_by_login: bool,
    pub(crate) lookup_statuses: Vec<Status>,
    pub(crate) password_expired: Choice,
    pub(crate) second_factor: SecondFactor,
    pub(crate) send_token_with_authn: bool,
    pub(crate) verified_domains: Vec<String>,
}

/// The credential for reading users, and the user that proves that it can.
#[derive(Debug)]
pub(crate) struct Access {
    pub(crate) token: Secret,
    pub(crate) canary: UserName,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Choice {
    Accept,
    Reject,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum EmailVerified {
    Always,
    FromOkta,
    Never,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum SecondFactor {
    Accept,
    Ignore,
    Reject,
}

const REJECT_OR_ACCEPT: &[(&str, Choice)] = &[("reject", Choice::Reject), ("accept", Choice::Accept)];

const EMAIL_VERIFIED: &[(&str, EmailVerified)] = &[
    ("from_okta", EmailVerified::FromOkta),
    ("always", EmailVerified::Always),
    ("never", EmailVerified::Never),
];

const SECOND_FACTOR: &[(&str, SecondFactor)] = &[
    ("reject", SecondFactor::Reject),
    ("accept", SecondFactor::Accept),
    ("ignore", SecondFactor::Ignore),
];

impl Settings {
    /// Every mistake is reported; `None` if one leaves nothing to build.
    pub(crate) fn read(table: &Table<'_>) -> Option<Self> {
        let origin = table.text("org_url").parse(|text| org_url(&text)).required();
        let token = table.secret("api_token", "api_token_file");
        let canary = table
            .text("canary")
            .parse(|text| UserName::parse(&text).map_err(|_| "is no login or e-mail address that can be looked up"));
        let rules = Rules::read(table);
        let (has_token, has_canary) = (token.is_present(), canary.is_present());
        rules.check(table, has_token, has_canary);
        let access = token.optional().zip(canary.optional());
        // Half an access is a mistake that was reported.
        (access.is_some() || !has_token && rules.login_is_email).then_some(Self {
            origin: origin?,
            access: access.map(|(token, canary)| Access { token, canary }),
            rules,
        })
    }

    pub(crate) fn capabilities(&self) -> Capabilities {
        Capabilities {
            authenticate: true,
            list: self.access.is_some(),
            user_by_email: self.access.is_some(),
            user_by_login: self.access.is_some() && self.rules.lookup_by_login,
        }
    }
}

impl Rules {
    fn read(table: &Table<'_>) -> Self {
        Self {
            attributes: table.list("attributes").parse(attributes).or(Vec::new()),
            directory_users: table.choice("directory_users", REJECT_OR_ACCEPT).or(Choice::Reject),
            email_verified: table
                .choice("email_verified", EMAIL_VERIFIED)
                .or(EmailVerified::FromOkta),
            groups: table.bool("groups").or(false),
            login_is_email: table.bool("login_is_email").or(false),
            lookup_by_login: table.bool("lookup_by_login").or(false),
            lookup_statuses: table
                .list("lookup_statuses")
                .parse(lookup_statuses)
                .or(Status::LISTED_BY_DEFAULT.to_vec()),
            password_expired: table.choice("on_password_expired", REJECT_OR_ACCEPT).or(Choice::Reject),
            second_factor: table.choice("on_second_factor", SECOND_FACTOR).or(SecondFactor::Reject),
            send_token_with_authn: table.bool("send_token_with_authn").or(false),
            verified_domains: table.list("verified_domains").parse(domains).or(Vec::new()),
        }
    }

    /// The key of `profile` that identifies a user by e-mail.
    pub(crate) fn email_key(&self) -> &'static str {
        if self.login_is_email { "login" } else { "email" }
    }

    /// What single keys can't know.
    fn check(&self, table: &Table<'_>, token: bool, canary: bool) {
        if self.login_is_email {
            let only = "has no effect with login_is_email = true, which returns id, login, names and locale only";
            if !self.attributes.is_empty() {
                table.mistake("attributes", only);
            }
            if self.groups {
                table.mistake("groups", only);
            }
        }
        if token {
            if !canary {
                table.mistake(
                    "canary",
                    "is required with an API token: while this user isn't visible, \"not found\" means nothing",
                );
            }
            return;
        }
        if !self.login_is_email {
            table.mistake(
                "api_token",
                "is required (or api_token_file) unless login_is_email = true: /authn doesn't tell e-mail addresses",
            );
        }
        if self.second_factor == SecondFactor::Accept {
            table.mistake(
                "on_second_factor",
                "can't be \"accept\" without an API token: nobody could tell who holds a factor",
            );
        }
        if self.lookup_by_login {
            table.mistake("lookup_by_login", "needs an API token");
        }
        if self.send_token_with_authn {
            table.mistake("send_token_with_authn", "needs an API token");
        }
    }
}

fn org_url(text: &str) -> Result<Origin, &'static str> {
    let origin = Origin::parse(text)?;
    let mut labels = origin.host().split('.');
    let admin = labels.next().is_some_and(|label| label.ends_with("-admin"));
    if admin && labels.next().is_some_and(|label| label.starts_with("okta")) {
        return Err("is the admin console's host; the org's is the same without \"-admin\"");
    }
    Ok(origin)
}

fn lookup_statuses(items: Vec<String>) -> Result<Vec<Status>, &'static str> {
    let listed: Option<Vec<Status>> = items
        .iter()
        .map(|item| Status::parse(item).filter(|status| status.can_be_listed()))
        .collect();
    listed.ok_or(
        "can list ACTIVE, LOCKED_OUT, PASSWORD_EXPIRED, PROVISIONED, RECOVERY and STAGED only: a suspended or \
         deactivated user may not come in by a password reset",
    )
}

fn attributes(items: Vec<String>) -> Result<Vec<String>, &'static str> {
    if items.iter().any(|item| item.is_empty() || item.contains('.')) {
        return Err("has an item that is no key of an Okta profile; nested keys don't exist there");
    }
    Ok(items)
}

fn domains(items: Vec<String>) -> Result<Vec<String>, &'static str> {
    if items.iter().all(|item| Email::parse(&format!("a@{item}")).is_ok()) {
        Ok(items)
    } else {
        Err("has an item that is no domain such as \"example.com\"")
    }
}

#[cfg(test)]
#[path = "config_tests.rs"]
pub(crate) mod tests;
