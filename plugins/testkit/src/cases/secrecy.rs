use std::fmt::Debug;

use idbridge_source::{Authentication, Call, Lookup, SourceError};
use tokio::time::{Duration, Instant};

use super::none_of;
use crate::trial::{Trial, call_until, parsed_email, parsed_login, parsed_password};
use crate::world::{PASSWORD_MARK, PEOPLE, WRONG_PASSWORD};
use crate::{Fault, Verdict};

pub(crate) async fn debug_shows_no_secret(trial: &Trial) -> Verdict {
    let shown = Shown::of(trial).await;
    none_of(&shown.debug, &everything(trial), "Debug")
}

pub(crate) async fn errors_show_no_personal_data(trial: &Trial) -> Verdict {
    let shown = Shown::of(trial).await;
    none_of(&shown.errors, &everything(trial), "an error")
}

pub(crate) async fn findings_show_no_secret(trial: &Trial) -> Verdict {
    let shown = Shown::of(trial).await;
    none_of(&shown.findings, &everything(trial), "a finding")
}

pub(crate) async fn logs_show_no_secret(trial: &Trial) -> Verdict {
    Shown::of(trial).await;
    none_of(&trial.log.text(), &everything(trial), "the log")
}

/// What can be seen of a source after everybody was asked for in every way, in good days and bad.
#[derive(Default)]
struct Shown {
    debug: String,
    errors: String,
    findings: String,
}

impl Shown {
    async fn of(trial: &Trial) -> Self {
        // Where nobody can, this isn't begun: real people's accounts are no place to try for nothing.
        trial.subject.heal().await;
        let mut shown = Self::default();
        shown.add(&trial.source);
        for person in &trial.people(PEOPLE) {
            shown.log_in(&trial.log_in(person).await);
            shown.look_up(&trial.by_email(person.email).await);
            shown.look_up(&trial.by_login(person.login).await);
        }
        shown.log_in(&trial.authenticate(trial.ada().login, WRONG_PASSWORD).await);
        shown.log_in(&trial.authenticate(trial.nobody(), WRONG_PASSWORD).await);
        shown.look_up(&trial.by_email(trial.nobody()).await);
        shown.examine(trial, &trial.call()).await;
        for fault in Fault::ALL {
            trial.subject.inflict(fault).await;
            let person = trial.ada();
            let call = || call_until(Instant::now() + Duration::from_millis(100));
            let (login, password) = (parsed_login(person.login), parsed_password(person.password));
            shown.log_in(&trial.source.authenticate(&call(), &login, &password).await);
            shown.look_up(&trial.source.user_by_email(&call(), &parsed_email(person.email)).await);
            if let Err(error) = trial.source.probe(&call()).await {
                shown.error(&error);
            }
            shown.examine(trial, &call()).await;
            shown.add(&trial.source);
            trial.subject.heal().await;
        }
        shown
    }

    /// With somebody's password for the canary's.
    async fn examine(&mut self, trial: &Trial, call: &Call) {
        let password = parsed_password(trial.ada().password);
        for finding in trial.source.examine(call, Some(&password)).await {
            self.add(&finding);
            self.findings.push_str(&format!("{finding:?}\n"));
        }
    }

    fn add(&mut self, value: &impl Debug) {
        self.debug.push_str(&format!("{value:?}\n{value:#?}\n"));
    }

    fn error(&mut self, error: &SourceError) {
        self.add(error);
        self.errors.push_str(&format!("{error} {}\n", error.chain()));
        let mut cause = std::error::Error::source(error);
        while let Some(error) = cause {
            self.errors.push_str(&format!("{error} {error:?}\n"));
            cause = error.source();
        }
    }

    fn log_in(&mut self, answer: &Result<Authentication, SourceError>) {
        match answer {
            Ok(authentication) => self.add(authentication),
            Err(error) => self.error(error),
        }
    }

    fn look_up(&mut self, answer: &Result<Lookup, SourceError>) {
        match answer {
            Ok(lookup) => self.add(lookup),
            Err(error) => self.error(error),
        }
    }
}

/// Passwords, addresses, logins, family names, and what the subject guards beside.
fn everything(trial: &Trial) -> Vec<String> {
    let mut needles = trial.subject.secrets();
    needles.push(PASSWORD_MARK.to_owned());
    needles.push(trial.nobody().to_owned());
    let everybody = trial.people(PEOPLE);
    let people = everybody
        .iter()
        .flat_map(|person| [Some(person.login), Some(person.email), person.family_name]);
    needles.extend(people.flatten().map(str::to_owned));
    // As they stand in a URL.
    needles.extend(everybody.iter().map(|person| person.email.replace('@', "%40")));
    needles
}
