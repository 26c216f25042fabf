use idbridge_source::{ErrorKind, Lookup, Rejection};

use super::is;
use crate::cast::is_address;
use crate::spelling::{accentless, decomposed, other_case, parts};
use crate::trial::{Trial, ensure};
use crate::world::{
    ACCENTED, ADA, ADDRESS_OWNER, BYTES, DEACTIVATED, FEDERATED, INACTIVE, LOCKED, LOGIN_IS_NOT_EMAIL,
    LOGIN_TAKES_ADDRESS, MIXED_CASE, NAMELESS, PASSWORD_EXPIRED, SECOND_FACTOR, SUSPENDED, TWIN_ONE, UNSAID,
};
use crate::{Verdict, Violation};

pub(crate) async fn known_address_is_found(trial: &Trial) -> Verdict {
    for person in trial.people([ADA, BYTES, LOGIN_IS_NOT_EMAIL]) {
        is(&trial.found(person.email).await?, &person)?;
    }
    Ok(())
}

pub(crate) async fn unknown_address_is_absent(trial: &Trial) -> Verdict {
    trial.absent(trial.nobody()).await
}

pub(crate) async fn hostile_address_is_just_absent(trial: &Trial) -> Verdict {
    let email = trial.ada().email;
    let (name, domain) = parts(email);
    let start: String = name.chars().take(2).collect();
    let rest: String = name.chars().skip(1).collect();
    // Good addresses that mean more than themselves in a path, a filter or a query.
    for address in [
        format!("*@{domain}"),
        format!("{start}*@{domain}"),
        format!("{start}%@{domain}"),
        format!("_{rest}@{domain}"),
        format!("x)(mail=*@{domain}"),
        format!("x'or'1'='1@{domain}"),
        format!("x\\@{domain}"),
        format!("../{email}"),
        format!("{name}%40{domain}@{domain}"),
    ] {
        trial.absent(&address).await?;
    }
    Ok(())
}

pub(crate) async fn identifier_ignores_ascii_case_but_not_accents(trial: &Trial) -> Verdict {
    for person in trial.people([ADA, MIXED_CASE]) {
        is(&trial.found(&other_case(person.email)).await?, &person)?;
    }
    for person in trial.people([ACCENTED]) {
        is(&trial.found(person.email).await?, &person)?;
        trial.absent(&accentless(person.email)).await?;
    }
    Ok(())
}

pub(crate) async fn address_is_compared_after_nfc(trial: &Trial) -> Verdict {
    let person = trial.person(&ACCENTED)?;
    is(&trial.found(&decomposed(person.email)).await?, &person)
}

pub(crate) async fn login_hit_is_not_an_email_hit(trial: &Trial) -> Verdict {
    for person in trial.people([ADDRESS_OWNER, LOGIN_TAKES_ADDRESS]) {
        is(&trial.found(person.email).await?, &person)?;
    }
    let person = trial.person(&LOGIN_IS_NOT_EMAIL)?;
    if !is_address(person.login) {
        trial.lack("login_is_not_email with a login that reads as an e-mail");
        return Ok(());
    }
    trial.absent(person.login).await
}

pub(crate) async fn ambiguous_address_is_an_error(trial: &Trial) -> Verdict {
    match trial.by_email(trial.person(&TWIN_ONE)?.email).await {
        Err(error) if error.kind() == ErrorKind::Ambiguous => Ok(()),
        other => Err(Violation::new(format!(
            "an address that two share: {other:?}, not Ambiguous"
        ))),
    }
}

pub(crate) async fn ineligible_is_neither_found_nor_absent(trial: &Trial) -> Verdict {
    let table = [
        (DEACTIVATED, Rejection::AccountDisabled),
        (INACTIVE, Rejection::AccountInactive),
        (LOCKED, Rejection::AccountLocked),
        (SUSPENDED, Rejection::AccountDisabled),
    ];
    for (person, reason) in table {
        let Some(person) = trial.people([person]).pop() else {
            continue;
        };
        let answer = trial.by_email(person.email).await;
        let ineligible = matches!(&answer, Ok(Lookup::Ineligible(given)) if *given == reason);
        ensure!(ineligible, "{}: {answer:?}, not Ineligible({reason:?})", person.email);
    }
    Ok(())
}

pub(crate) async fn what_a_log_in_is_refused_for_is_ineligible(trial: &Trial) -> Verdict {
    let table = [
        (FEDERATED, Rejection::NoPassword),
        (SECOND_FACTOR, Rejection::SecondFactorRequired),
    ];
    for (person, reason) in table {
        let Some(person) = trial.people([person]).pop() else {
            continue;
        };
        let answer = trial.by_email(person.email).await;
        let ineligible = matches!(&answer, Ok(Lookup::Ineligible(given)) if *given == reason);
        ensure!(ineligible, "{}: {answer:?}, not Ineligible({reason:?})", person.email);
    }
    Ok(())
}

pub(crate) async fn expired_password_is_found_and_marked(trial: &Trial) -> Verdict {
    let person = trial.person(&PASSWORD_EXPIRED)?;
    let user = trial.found(person.email).await?;
    is(&user, &person)?;
    ensure!(
        user.password_expired,
        "the user isn't marked as one whose password expired"
    );
    let other = trial.found(trial.ada().email).await?;
    ensure!(
        !other.password_expired,
        "a user is marked as one whose password expired, and it didn't"
    );
    Ok(())
}

pub(crate) async fn both_methods_return_the_same_user(trial: &Trial) -> Verdict {
    for person in trial.people([ACCENTED, ADA, LOGIN_IS_NOT_EMAIL, MIXED_CASE, NAMELESS, UNSAID]) {
        let by_password = trial.accepted(&person).await?;
        let by_email = trial.found(person.email).await?;
        ensure!(
            by_password == by_email,
            "{}: log-in and look-up return different users",
            person.login
        );
    }
    Ok(())
}

pub(crate) async fn nothing_is_invented(trial: &Trial) -> Verdict {
    for person in trial.people([NAMELESS]) {
        let user = trial.found(person.email).await?;
        let names = [&user.name, &user.given_name, &user.family_name, &user.nickname];
        ensure!(
            names.iter().all(|name| name.is_none()),
            "somebody without a name was given one"
        );
        ensure!(
            user.email_verified != Some(true),
            "an address was called verified, and the source says that it isn't"
        );
    }
    for person in trial.people([UNSAID]) {
        let user = trial.found(person.email).await?;
        ensure!(
            user.email_verified != Some(true),
            "an address was called verified, and the source doesn't say so"
        );
    }
    Ok(())
}

pub(crate) async fn id_is_stable_and_ones_own(trial: &Trial) -> Verdict {
    let mut ids = Vec::new();
    for person in trial.people([ACCENTED, ADA, ADDRESS_OWNER, LOGIN_TAKES_ADDRESS, MIXED_CASE]) {
        let id = trial.found(person.email).await?.id;
        let again = trial.found(&person.email.to_ascii_uppercase()).await?.id;
        ensure!(id == again, "{} has one id now and another then", person.login);
        ensure!(!ids.contains(&id), "{} has somebody else's id", person.login);
        ids.push(id);
    }
    Ok(())
}

pub(crate) async fn look_up_submits_no_password(trial: &Trial) -> Verdict {
    let before = trial.submission_count().await;
    let refused = trial.people([SECOND_FACTOR, LOCKED]).into_iter();
    let refused = refused.map(|person| person.email);
    for address in [trial.ada().email, trial.nobody()].into_iter().chain(refused) {
        // Whatever the answer is, other cases judge it.
        let _ = trial.by_email(address).await;
    }
    let times = trial.submission_count().await - before;
    ensure!(times == 0, "looking people up submitted {times} passwords");
    Ok(())
}
