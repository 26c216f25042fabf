//! Everybody, page by page. Okta's plain list leaves deactivated people out; they come after the others, by a filter.

use std::time::{Duration, SystemTime};

use idbridge_source::{Admission, Budget, Cursor, ErrorKind, Factors, Listed, Page, RateLimit, SourceError, UserId};
use jiff::Timestamp;

use crate::api::{Ask, protocol};
use crate::lookup::owner;
use crate::map::{self, Status};
use crate::pace::Counted;
use crate::profile::{self, Facts};
use crate::source::OktaSource;
use crate::wire::{Account, Id, UserRecord};

/// Which of the two lists.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Part {
    Deactivated,
    Others,
}

/// Okta's published defaults for a Workforce org, a minute
/// (<https://developer.okta.com/docs/reference/rl2-limits/>), and a token's share of them, in percent.
const PUBLISHED: [(Counted, &str, u32); 4] = [
    (Counted::Authn, "authn", 500),
    (Counted::User, "users", 2000),
    (Counted::Users, "search", 600),
    (Counted::Other, "other", 1200),
];
const TOKEN_SHARE: u32 = 50;

impl OktaSource {
    pub(crate) async fn page(&self, ask: Ask<'_>, after: Option<&Cursor>) -> Result<Page, SourceError> {
        let (part, after) = match after {
            // Of a token that sees nobody, an empty list means nothing.
            None => {
                self.see_canary(ask).await?;
                (Part::Others, None)
            }
            Some(cursor) => read(cursor)?,
        };
        let (records, accounts, next) = self.api.list(ask, part, after).await?;
        if records.len() != accounts.len() {
            return Err(protocol("a page has two lengths"));
        }
        let people = records
            .iter()
            .zip(accounts)
            .map(|(record, account)| self.listed(record, &account));
        Ok(Page {
            people: people.collect::<Result<_, _>>()?,
            next: match (next, part) {
                (Some(after), part) => Some(write(part, &after)?),
                (None, Part::Others) => Some(write(Part::Deactivated, "")?),
                (None, Part::Deactivated) => None,
            },
        })
    }

    pub(crate) async fn second_factors(&self, ask: Ask<'_>, id: &UserId) -> Result<Factors, SourceError> {
        let id = Id::try_from(id.as_str().to_owned()).map_err(protocol)?;
        let factors = self.api.factors(ask, &id).await?;
        let mut kinds: Vec<String> = factors
            .into_iter()
            .filter(map::is_second_factor)
            .map(|factor| factor.factor_type)
            .collect();
        kinds.sort();
        kinds.dedup();
        let admission = Admission::unless(map::rejected_for_factors(!kinds.is_empty(), &self.settings.rules));
        Ok(Factors { kinds, admission })
    }

    pub(crate) fn log_in_budget(&self) -> Budget {
        let (extras, rules) = (self.extra_calls(), &self.settings.rules);
        let has_token = self.settings.access.is_some();
        let reads = u32::from(!rules.login_is_email);
        let limits = PUBLISHED.into_iter().map(|(counted, name, published)| {
            let (per_log_in, with_look_up) = match counted {
                Counted::Authn => (1, 1),
                Counted::Other => (extras, 2 * extras),
                Counted::User => (reads, reads + 1),
                Counted::Users => (0, 1),
            };
            let measured = self.api.measured_limit(counted);
            let shared = counted != Counted::Authn || rules.send_token_with_authn;
            let default = if shared {
                published * TOKEN_SHARE / 100
            } else {
                published
            };
            RateLimit {
                name: name.to_owned(),
                per_minute: measured.unwrap_or(default),
                per_log_in,
                with_look_up,
                per_factors: u32::from(counted == Counted::Other),
                is_measured: measured.is_some(),
            }
        });
        Budget {
            limits: limits.filter(|limit| has_token || limit.name == "authn").collect(),
            for_lists: 100 - 100 / crate::pace::LEFT_BY_LISTS,
        }
    }

    pub(crate) fn listed(&self, record: &UserRecord, account: &Account) -> Result<Listed, SourceError> {
        let rules = &self.settings.rules;
        let status = Status::parse(&record.status);
        let credentials = record.credentials.as_ref();
        let claims = credentials.filter(|_| status == Some(Status::Active));
        let emails = claims
            .and_then(|credentials| credentials.emails.as_deref())
            .unwrap_or_default();
        let user = profile::user(
            Facts {
                id: &record.id,
                profile: &record.profile,
                emails,
                second_factor: false,
                groups: Vec::new(),
                password_expired: status == Some(Status::PasswordExpired),
            },
            rules,
        )?;
        let provider = credentials.and_then(|credentials| credentials.provider.as_ref());
        let provider = provider.map_or("", |provider| &provider.kind);
        let log_in = match (status, owner(record)) {
            (Some(status), Ok(owner)) => {
                let forgotten =
                    (provider == "OKTA" && !account.has_password()).then_some(idbridge_source::Rejection::NoPassword);
                let rejection = map::rejected_at_login(status, rules)
                    .or_else(|| owner.rejected(false, rules))
                    .or(forgotten);
                Admission::unless(rejection)
            }
            _ => Admission::Unknown,
        };
        Ok(Listed {
            address_verified: profile::claimed(&user.email, emails),
            created: time(account.created.as_ref()),
            last_login: time(account.last_login.as_ref()),
            log_in,
            look_up: match self.eligible(record) {
                Ok(eligible) => Admission::unless(eligible.err()),
                Err(_unknown) => Admission::Unknown,
            },
            ..Listed::new(user, &record.status, provider)
        })
    }
}

/// `null`, or what isn't a time, is not known.
fn time(value: Option<&serde_json::Value>) -> Option<SystemTime> {
    let time: Timestamp = value?.as_str()?.parse().ok()?;
    let since = u64::try_from(time.as_millisecond()).ok()?;
    Some(SystemTime::UNIX_EPOCH + Duration::from_millis(since))
}

const OTHERS: &str = "others:";
const DEACTIVATED: &str = "deactivated:";

fn write(part: Part, after: &str) -> Result<Cursor, SourceError> {
    let name = match part {
        Part::Deactivated => DEACTIVATED,
        Part::Others => OTHERS,
    };
    Cursor::parse(&format!("{name}{after}")).ok_or_else(|| protocol("the cursor is no plain text"))
}

fn read(cursor: &Cursor) -> Result<(Part, Option<&str>), SourceError> {
    let text = cursor.as_str();
    let (part, after) = if let Some(after) = text.strip_prefix(OTHERS) {
        (Part::Others, after)
    } else if let Some(after) = text.strip_prefix(DEACTIVATED) {
        (Part::Deactivated, after)
    } else {
        return Err(SourceError::new(ErrorKind::Protocol, "list").with_source("the cursor is not this source's"));
    };
    Ok((part, Some(after).filter(|after| !after.is_empty())))
}
