//! What is often wrong with an org on the first day, each with its finding.

use std::time::UNIX_EPOCH;

use idbridge_source::{Call, Finding, Login, Password, Rejection, SourceError, Verdict};

use crate::api::Ask;
use crate::config::EmailVerified;
use crate::listing::Part;
use crate::map::{self, State, Status};
use crate::pace::Purpose;
use crate::profile;
use crate::source::OktaSource;
use crate::wire::{Organization, Transaction, UserRecord};

const ENGINE: &str = "engine";
const CLOCK: &str = "clock";
const CREDENTIAL: &str = "credential and canary";
const RIGHT: &str = "right canary log-in";
const WRONG: &str = "wrong canary log-in";
const LIMITS: &str = "rate limits";
const VERIFIED: &str = "verified addresses";

/// Okta names limits in the answers to these.
const TOLD_WITH_LIMITS: [&str; 4] = [CREDENTIAL, RIGHT, WRONG, VERIFIED];

/// Seconds. Below this the network's delay and whole seconds explain it.
const SKEW: i64 = 30;
/// One a second.
const FEW_LOG_INS: u32 = 60;

type Described = Result<(Organization, Option<i64>), SourceError>;

impl OktaSource {
    pub(crate) async fn findings(&self, call: &Call, password: Option<&Password>) -> Vec<Finding> {
        let described = self.api.organization(call).await;
        let now = self.clock.now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut findings = vec![
            Finding::new(ENGINE, engine(&described)),
            Finding::new(
                CLOCK,
                clock(&described, i64::try_from(now.as_secs()).unwrap_or(i64::MAX)),
            ),
            Finding::new(CREDENTIAL, self.credential(call).await),
        ];
        let [right, wrong] = self.log_ins(call, password, rule(&described)).await;
        findings.push(Finding::new(RIGHT, right));
        findings.push(Finding::new(WRONG, wrong));
        findings.push(Finding::new(VERIFIED, self.verified(call).await));
        // After the others, and by their answers: what earlier ones named says nothing of now.
        let answered = findings
            .iter()
            .any(|finding| TOLD_WITH_LIMITS.contains(&&*finding.check) && has_answer(finding));
        findings.push(Finding::new(LIMITS, if answered { self.limits() } else { unnamed() }));
        findings
    }

    async fn credential(&self, call: &Call) -> Verdict {
        if self.settings.access.is_none() {
            return Verdict::NotChecked("no API token is set, so there are no look-ups".to_owned());
        }
        let purpose = Purpose::LookUp;
        match self.see_canary(Ask { call, purpose }).await {
            Ok(()) => Verdict::Fine("Okta takes the API token and shows it the canary".to_owned()),
            Err(error) => Verdict::Failed(error),
        }
    }

    /// The right password first. A wrong one only behind a right one, which sets Okta's count of failures back: however
    /// often this runs, one attempt is counted.
    async fn log_ins(&self, call: &Call, password: Option<&Password>, rule: &'static str) -> [Verdict; 2] {
        let skipped = |why: &str| Verdict::NotChecked(why.to_owned());
        let Some(access) = &self.settings.access else {
            let why = "no canary is set; it takes an API token";
            return [skipped(why), skipped(why)];
        };
        let (Some(password), Ok(canary)) = (password, Login::parse(access.canary.as_str())) else {
            let why = "the canary's password wasn't given";
            return [skipped(why), skipped(why)];
        };
        let right = judge_right(self.submit(call, &canary, password).await, rule);
        // Only a plain yes is known to set Okta's count of failures back.
        if !matches!(right, Verdict::Fine(_)) {
            let why = "the right password brought no plain SUCCESS, and a failure after it would bring the canary nearer to a lock";
            return [right, skipped(why)];
        }
        let other = format!("wrong-{}", call.request_id.as_str());
        let wrong = match Password::parse(other) {
            Ok(other) if other.expose() != password.expose() => {
                judge_wrong(self.submit(call, &canary, &other).await, rule)
            }
            _ => skipped("no other password could be made"),
        };
        [right, wrong]
    }

    /// Of one page of people.
    async fn verified(&self, call: &Call) -> Verdict {
        if self.settings.access.is_none() {
            return Verdict::NotChecked("no API token is set, so nobody can be listed".to_owned());
        }
        let purpose = Purpose::List;
        let people = match self.api.list(Ask { call, purpose }, Part::Others, None).await {
            Ok((people, _, _)) => people,
            Err(error) => return Verdict::Failed(error),
        };
        let active: Vec<&UserRecord> = people
            .iter()
            .filter(|person| Status::parse(&person.status) == Some(Status::Active))
            .collect();
        let proved = active.iter().filter(|person| has_proof(person)).count();
        share(proved, active.len(), self.settings.rules.email_verified)
    }

    /// What the answers named.
    fn limits(&self) -> Verdict {
        let budget = self.log_in_budget();
        let named = budget.limits.iter().filter(|limit| limit.is_measured);
        let rates = named.clone().filter(|limit| limit.per_log_in > 0);
        let Some((rate, by)) = rates
            .map(|limit| (limit.per_minute / limit.per_log_in, limit))
            .min_by_key(|(rate, _)| *rate)
        else {
            return unnamed();
        };
        let list: Vec<String> = named
            .clone()
            .map(|limit| format!("{} {}", limit.name, limit.per_minute))
            .collect();
        let open = if named.clone().any(|limit| limit.name == "authn") {
            ""
        } else {
            "; that of /authn is named where the canary logs in"
        };
        let told = format!(
            "{rate} log-ins a minute at the most, for {}; named, a minute: {}{open}",
            by.name,
            list.join(", ")
        );
        if rate < FEW_LOG_INS {
            return Verdict::Wrong(format!(
                "{told}. Raise the token's share in Okta's Admin Console, or have Okta raise the org's limit"
            ));
        }
        Verdict::Fine(told)
    }
}

fn unnamed() -> Verdict {
    let why = "no answer named one; without an error above, a proxy may take Okta's X-Rate-Limit headers away";
    Verdict::Unknown(why.to_owned())
}

fn has_answer(finding: &Finding) -> bool {
    !matches!(finding.verdict, Verdict::Failed(_) | Verdict::NotChecked(_))
}

fn engine(described: &Described) -> Verdict {
    match described.as_ref().map(|(org, _)| org.pipeline()) {
        Ok(Some("idx")) => Verdict::Fine(
            "Identity Engine: /api/v1/authn works as before, and obeys the global session policy".to_owned(),
        ),
        Ok(Some("v1")) => {
            Verdict::Fine("Classic Engine: /api/v1/authn is its own API, and obeys the sign-on policy".to_owned())
        }
        Ok(_) => Verdict::Unknown(
            "/.well-known/okta-organization names neither `idx` nor `v1`; see whether org_url is the org's".to_owned(),
        ),
        Err(error) => Verdict::Failed(error.clone()),
    }
}

/// The rule that lets a password be proved by itself.
fn rule(described: &Described) -> &'static str {
    match described.as_ref().map(|(org, _)| org.pipeline()) {
        Ok(Some("idx")) => {
            "add a rule to the global session policy, for idbridge's network zone and the users who move: password, no \
             second factor"
        }
        _ => "add a rule to the sign-on policy, for idbridge's network zone and the users who move: no second factor",
    }
}

fn clock(described: &Described, now: i64) -> Verdict {
    let date = match described {
        Ok((_, Some(date))) => *date,
        Ok((_, None)) => return Verdict::Unknown("the answer has no date; ask your NTP service".to_owned()),
        // The engine's finding says why.
        Err(_) => return Verdict::Unknown("Okta's time wasn't told; see the engine".to_owned()),
    };
    let apart = now.saturating_sub(date);
    if apart.saturating_abs() < SKEW {
        return Verdict::Fine(format!("within {SKEW} s of Okta's"));
    }
    let way = if apart > 0 { "ahead of" } else { "behind" };
    let seconds = apart.saturating_abs();
    Verdict::Wrong(format!(
        "{seconds} s {way} Okta's; keep it by NTP: certificates are judged by it, and records are compared with Okta's"
    ))
}

fn judge_right(answer: Result<Result<Transaction, Rejection>, SourceError>, rule: &str) -> Verdict {
    let wrong = |text: &str| Verdict::Wrong(text.to_owned());
    let transaction = match answer {
        Err(error) => return Verdict::Failed(error),
        Ok(Err(rejection)) => return wrong(refused(rejection)),
        Ok(Ok(transaction)) => transaction,
    };
    let state = map::state(&transaction.status);
    let embedded = transaction.embedded.unwrap_or_default();
    let names_user = embedded.user.is_some();
    match (transaction.status.as_str(), state) {
        (_, State::Proved | State::ProvedExpired | State::ProvedOwesFactor) if !names_user => {
            wrong("Okta names no user in its answer, and so no log-in can be told")
        }
        ("SUCCESS", _) => Verdict::Fine("SUCCESS".to_owned()),
        ("PASSWORD_WARN", _) => {
            wrong("PASSWORD_WARN: the canary's password expires soon; give it one, or a policy, that doesn't")
        }
        (_, State::ProvedExpired) => {
            wrong("PASSWORD_EXPIRED: set the canary a new password; see that the policy lets the users' passwords live")
        }
        (_, State::ProvedOwesFactor) if embedded.owes_password() => Verdict::Wrong(format!(
            "the policy asks for another factor before the password, so that no password is proved: {rule}, and the \
             password first"
        )),
        (status, State::ProvedOwesFactor) => Verdict::Wrong(format!("{status}: {rule}")),
        (_, State::Locked) => wrong("LOCKED_OUT: unlock the canary, and find out who guesses its password"),
        _ => Verdict::Wrong(format!("Okta's status proves no password; {rule}")),
    }
}

fn refused(rejection: Rejection) -> &'static str {
    match rejection {
        Rejection::AccountLocked => "the canary is locked: unlock it, and find out who guesses its password",
        Rejection::DeniedByPolicy => {
            "denied by policy: idbridge's address may be blocked (ThreatInsight, network zones), a rule may deny the \
             sign-on, or the password may be known as breached; Okta's System Log says which"
        }
        Rejection::PasswordExpired => "the canary's password has expired: set a new one",
        _ => {
            "refused: the password is wrong, or the canary is locked, inactive or federated, which Okta hides. Look at the \
             user in Okta before you try again: each failure counts towards a lock"
        }
    }
}

fn judge_wrong(answer: Result<Result<Transaction, Rejection>, SourceError>, rule: &str) -> Verdict {
    match answer {
        Err(error) => Verdict::Failed(error),
        Ok(Err(Rejection::InvalidCredentials)) => {
            Verdict::Fine("refused; it counts as one failure of the canary's until the next right one".to_owned())
        }
        Ok(Err(Rejection::AccountLocked)) => Verdict::Wrong(LOCKED_BY_ONE.to_owned()),
        Ok(Err(rejection)) => Verdict::Unknown(format!(
            "{}: refused for something other than the password; see Okta's System Log",
            rejection.name()
        )),
        Ok(Ok(transaction)) => match map::state(&transaction.status) {
            State::Locked => Verdict::Wrong(LOCKED_BY_ONE.to_owned()),
            State::Proved | State::ProvedExpired => Verdict::Wrong(
                "Okta takes a wrong password for a right one: don't go live, and find out what answers at org_url"
                    .to_owned(),
            ),
            State::ProvedOwesFactor | State::ProvesNothing => Verdict::Wrong(format!(
                "Okta doesn't refuse a wrong password before it asks for more, so no answer proves one: don't go live; {rule}"
            )),
        },
    }
}

const LOCKED_BY_ONE: &str =
    "one wrong password locked the canary: unlock it, and raise the lockout threshold above Auth0's brute-force limit";

/// Okta's own evidence, whatever the settings make of it.
fn has_proof(person: &UserRecord) -> bool {
    let emails = person
        .credentials
        .as_ref()
        .and_then(|credentials| credentials.emails.as_deref());
    let address = profile::text(&person.profile, "email");
    address.is_some_and(|address| profile::claimed(&address, emails.unwrap_or_default()) == Some(true))
}

fn share(proved: usize, active: usize, setting: EmailVerified) -> Verdict {
    if active == 0 {
        return Verdict::Unknown(
            "the first page lists nobody who is active; see that the token's role lets it list users".to_owned(),
        );
    }
    let told = format!("Okta has evidence for {proved} of the first {active} active people");
    match setting {
        EmailVerified::FromOkta if proved == 0 => Verdict::Wrong(format!(
            "{told}: with email_verified = \"from_okta\" everybody arrives unverified. Set \"always\" with \
             verified_domains for domains whose mailboxes are yours, or plan for verification mails"
        )),
        EmailVerified::FromOkta => Verdict::Fine(format!("{told}; the others arrive unverified")),
        EmailVerified::Always => Verdict::Fine(format!("{told}; email_verified = \"always\" doesn't ask for it")),
        EmailVerified::Never => Verdict::Fine(format!("{told}; email_verified = \"never\" doesn't ask for it")),
    }
}

#[cfg(test)]
#[path = "examine_tests.rs"]
mod tests;
