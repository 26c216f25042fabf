use idbridge_source::{Lookup, Rejection};

use super::is;
use crate::trial::{Trial, ensure};
use crate::world::{
    ADA, ADDRESS_OWNER, DEACTIVATED, FEDERATED, INACTIVE, LOCKED, LOGIN_IS_NOT_EMAIL, LOGIN_TAKES_ADDRESS, MIXED_CASE,
    Person, SECOND_FACTOR, SUSPENDED,
};
use crate::{Verdict, Violation};

pub(crate) async fn known_login_is_found(trial: &Trial) -> Verdict {
    for person in trial.people([ADA, LOGIN_IS_NOT_EMAIL, MIXED_CASE]) {
        let user = trial.found_by_login(&person.login.to_ascii_lowercase()).await?;
        is(&user, &person)?;
        let same = trial.found(person.email).await?;
        ensure!(
            user == same,
            "{}: by login and by e-mail are different users",
            person.login
        );
    }
    Ok(())
}

pub(crate) async fn unknown_login_is_absent(trial: &Trial) -> Verdict {
    absent(trial, trial.nobody()).await
}

pub(crate) async fn email_hit_is_not_a_login_hit(trial: &Trial) -> Verdict {
    let (owner, taker) = (trial.person(&ADDRESS_OWNER)?, trial.person(&LOGIN_TAKES_ADDRESS)?);
    is(&trial.found_by_login(owner.email).await?, &taker)?;
    absent(trial, trial.person(&LOGIN_IS_NOT_EMAIL)?.email).await
}

pub(crate) async fn ineligible_is_neither_found_nor_absent(trial: &Trial) -> Verdict {
    ineligible(trial, &DEACTIVATED, Rejection::AccountDisabled).await?;
    ineligible(trial, &INACTIVE, Rejection::AccountInactive).await?;
    ineligible(trial, &LOCKED, Rejection::AccountLocked).await?;
    ineligible(trial, &SUSPENDED, Rejection::AccountDisabled).await
}

pub(crate) async fn what_a_log_in_is_refused_for_is_ineligible(trial: &Trial) -> Verdict {
    ineligible(trial, &FEDERATED, Rejection::NoPassword).await?;
    ineligible(trial, &SECOND_FACTOR, Rejection::SecondFactorRequired).await
}

async fn absent(trial: &Trial, login: &str) -> Verdict {
    match trial.by_login(login).await {
        Ok(Lookup::Absent) => Ok(()),
        other => Err(Violation::new(format!(
            "look-up of the login {login}: {other:?}, not Absent"
        ))),
    }
}

async fn ineligible(trial: &Trial, person: &Person, reason: Rejection) -> Verdict {
    let Some(person) = trial.people([*person]).pop() else {
        return Ok(());
    };
    match trial.by_login(person.login).await {
        Ok(Lookup::Ineligible(given)) if given == reason => Ok(()),
        other => Err(Violation::new(format!(
            "{}: {other:?}, not Ineligible({reason:?})",
            person.login
        ))),
    }
}
