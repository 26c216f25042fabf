//! What Auth0 would be told, and which rule decides it.

use idbridge_source::{Authentication, Email, IdentitySource as _, Login, Lookup, Password, SourceError, UserName};

use super::THE_RIGHT_ONE;
use super::doc::{self, Row};
use super::facts::{self, AT_ONCE, Facts};
use super::report::{Certainty, Verdict};
use crate::app::broker::Source;
use crate::rest::{Answer, Outcome, PasswordPolicy};
use crate::sources::gate::{Gate, Mode};

/// Of the sources that the routes lead to, the one whose rules are looked at.
type Chosen<'a, 'b> = Option<&'a (&'b Source, Facts)>;

pub(super) async fn log_in(answer: &Answer, chosen: Chosen<'_, '_>, typed: &Login) -> Verdict {
    let (mut verdict, code) = verdict(answer, |row| row.login);
    let Some((source, facts)) = chosen else {
        return verdict;
    };
    let mode = source.rules().mode;
    let gate = Gate::new(facts.told.clone(), source.rules().clone());
    let gated = match Password::parse(THE_RIGHT_ONE.to_owned()) {
        Ok(password) => gate.authenticate(&facts::call(AT_ONCE), typed, &password).await,
        Err(_) => facts.told.log_in.clone(),
    };
    let (before, after) = (log_in_word(&facts.told.log_in), log_in_word(&gated));
    verdict.decided_by = match mode {
        Mode::LookupOnly => "mode = \"lookup_only\": no password is checked",
        _ => decider(&verdict, mode, before, after),
    };
    let asks_groups = source.rules().cohort.as_ref();
    let asks_groups = asks_groups.is_some_and(|cohort| cohort.0.iter().any(|rule| !rule.groups.is_empty()));
    if facts.log_in.lacks_groups && asks_groups && code == "not_in_cohort" {
        verdict.could_not_tell("the cohort goes by groups, which only a log-in shows for this user");
    }
    if facts.log_in.is_unknown && mode == Mode::Serve && code == "operation_unsupported" {
        verdict.could_not_tell("no look-up of this source shows who this is: only a log-in tells");
    }
    if facts.log_in.is_nobodys_login && before == after {
        verdict.notes.push(
            "the source has nobody with this login. Where it lets people sign in by something else, or says \
             `unknown_user` for `invalid_credentials`, only a log-in tells",
        );
    }
    if facts.log_in.rests_on_look_up && !facts.log_in.is_unknown {
        verdict
            .notes
            .push("this rests on a look-up: the source may judge a log-in otherwise");
    }
    let hidden = [
        "account_disabled",
        "account_inactive",
        "account_locked",
        "denied_by_policy",
        "no_password",
    ];
    if hidden.contains(&code) {
        verdict.notes.push(
            "the source may say no more than `invalid_credentials` at a log-in, as Okta does: then it is \
             WrongUsernameOrPasswordError(identifier, …)",
        );
    }
    verdict
}

pub(super) async fn get_user(answer: &Answer, chosen: Chosen<'_, '_>, typed: &Login) -> Verdict {
    let (mut verdict, _) = verdict(answer, |row| row.get_user);
    let Some((source, facts)) = chosen else {
        return verdict;
    };
    let gate = Gate::new(facts.told.clone(), source.rules().clone());
    let call = facts::call(AT_ONCE);
    let (before, after) = match (Email::parse(typed.as_str()), UserName::parse(typed.as_str())) {
        (Ok(email), _) => (&facts.told.by_email, gate.user_by_email(&call, &email).await),
        (_, Ok(login)) => (&facts.told.by_login, gate.user_by_login(&call, &login).await),
        _ => return verdict,
    };
    let (before, after) = (look_up_word(before), look_up_word(&after));
    verdict.decided_by = decider(&verdict, source.rules().mode, before, after);
    verdict
}

/// What can't be said without one.
pub(super) fn only_the_password_tells(policy: PasswordPolicy) -> Vec<String> {
    vec![
        "whether it is right. With a wrong one, what is a yes here is a WrongUsernameOrPasswordError".to_owned(),
        "what the source judges at a log-in alone: its sign-on policies, a second factor that they ask for, an \
         expiry or a lock that it shows nowhere else"
            .to_owned(),
        format!(
            "whether Auth0 takes it, by rest.auth0.password (else password_not_accepted_by_target): {}",
            rules(&policy)
        ),
    ]
}

fn rules(policy: &PasswordPolicy) -> String {
    let mut rules = format!(
        "{} bytes at most, {} characters at least",
        policy.max_bytes, policy.min_length
    );
    if policy.types_needed > 0 {
        rules += &format!(
            ", {} of {} types of characters",
            policy.types_needed,
            policy.types.wanted()
        );
    }
    if !policy.identical {
        rules += ", no three the same in a row";
    }
    if !policy.sequential {
        rules += ", no abc or 321";
    }
    rules
}

/// The verdict, and its outcome, reason or code.
fn verdict(answer: &Answer, script: fn(&Row) -> &'static str) -> (Verdict, &str) {
    let (certainty, code, row, own) = match &answer.result {
        Ok(Outcome::Authenticated { .. }) => (Certainty::Yes, "authenticated", None, false),
        Ok(Outcome::Found { .. }) => (Certainty::Yes, "found", None, false),
        Ok(Outcome::NotFound) => (Certainty::No, "not_found", doc::not_found(), false),
        Ok(Outcome::Rejected { reason }) => match doc::rejection(reason) {
            Some(row) => (Certainty::No, &**reason, Some(row), false),
            None => (Certainty::No, &**reason, doc::own_rejection(reason), true),
        },
        Err(problem) => (Certainty::Unknown, problem.code, doc::problem(problem.code), false),
    };
    let verdict = Verdict {
        answer: certainty,
        status: Some(answer.status().as_u16()),
        outcome: code.to_owned(),
        auth0: called_back(row.as_ref().map(script), code),
        decided_by: match code {
            "caller_not_allowed" => "the caller's `allow` or `sources`",
            "unknown_source" => "the routes",
            "invalid_identifier" => "what was typed: look-ups take e-mail addresses, unless the source looks up logins",
            _ if own => "the gateway: rest.auth0",
            _ => "the source",
        },
        means: row.map(|row| row.means.replace('`', "")),
        who_does_what: row.map(|row| row.who_does_what.replace('`', "")),
        notes: Vec::new(),
    };
    (verdict, code)
}

/// In the words of the scripts. Who is refused with a text reads it.
fn called_back(cell: Option<&str>, code: &str) -> String {
    let Some(cell) = cell else {
        return "callback(null, profile)".to_owned();
    };
    match doc::text(code).filter(|_| cell.starts_with("refused with a text")) {
        Some(text) => {
            format!("UnauthorizedError; the user reads \"{text}\", unless the tenant's script has another text")
        }
        None => cell.replace('`', ""),
    }
}

/// By what the source said before the rules of who may move, and after them.
fn decider(verdict: &Verdict, mode: Mode, before: &str, after: &str) -> &'static str {
    match &*verdict.outcome {
        "caller_not_allowed" | "invalid_identifier" | "unknown_source" => return verdict.decided_by,
        "ambiguous_user" if after != "ambiguous" => return "the chain: more than one of its sources know the user",
        _ if mode == Mode::Off => return "mode = \"off\": the source is not asked",
        _ => {}
    }
    match after {
        "not_in_cohort" if before != after => "the source's `cohort`",
        "not_found" | "unknown_user" if before != after => "the source's `tombstones_file`",
        _ if verdict.answer == Certainty::Yes => "nothing stands against it",
        "authenticated" | "found" => "the gateway: rest.auth0, and Auth0's limits for profiles",
        _ => "the source",
    }
}

pub(super) fn look_up_word(answer: &Result<Lookup, SourceError>) -> &'static str {
    match answer {
        Ok(Lookup::Absent) => "not_found",
        Ok(Lookup::Found(_)) => "found",
        Ok(Lookup::Ineligible(because)) => because.name(),
        Err(error) => error.kind().name(),
    }
}

fn log_in_word(answer: &Result<Authentication, SourceError>) -> &'static str {
    match answer {
        Ok(Authentication::Accept(_)) => "authenticated",
        Ok(Authentication::Reject(because)) => because.name(),
        Err(error) => error.kind().name(),
    }
}
