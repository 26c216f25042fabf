use idbridge_source::{ErrorKind, Lookup, Rejection};

use super::is;
use crate::trial::{Trial, ensure};
use crate::world::{
    ACCENTED, ADA, ADDRESS_OWNER, BYTES, DEACTIVATED, FEDERATED, INACTIVE, LOCKED, LOGIN_IS_NOT_EMAIL,
    LOGIN_TAKES_ADDRESS, MIXED_CASE, NAMELESS, NOBODY, PASSWORD_EXPIRED, SECOND_FACTOR, SUSPENDED, TWIN_ONE, UNSAID,
};
use crate::{Verdict, Violation};

/// Good addresses that mean more than themselves in a path, a filter or a query.
const HOSTILE: [&str; 9] = [
    "*@example.com",
    "ad*@example.com",
    "ad%@example.com",
    "_da@example.com",
    "x)(mail=*@example.com",
    "x'or'1'='1@example.com",
    "x\\@example.com",
    "../ada@example.com",
    "ada%40example.com@example.com",
];

pub(crate) async fn known_address_is_found(trial: &Trial) -> Verdict {
    for person in [ADA, BYTES, LOGIN_IS_NOT_EMAIL] {
        is(&trial.found(person.email).await?, &person)?;
    }
    Ok(())
}

pub(crate) async fn unknown_address_is_absent(trial: &Trial) -> Verdict {
    trial.absent(NOBODY).await
}

pub(crate) async fn hostile_address_is_just_absent(trial: &Trial) -> Verdict {
    for address in HOSTILE {
        trial.absent(address).await?;
    }
    Ok(())
}

pub(crate) async fn identifier_ignores_ascii_case_but_not_accents(trial: &Trial) -> Verdict {
    is(&trial.found("ADA@Example.COM").await?, &ADA)?;
    is(&trial.found("grace.hopper@example.com").await?, &MIXED_CASE)?;
    is(&trial.found(ACCENTED.email).await?, &ACCENTED)?;
    trial.absent("zoe@example.com").await
}

pub(crate) async fn address_is_compared_after_nfc(trial: &Trial) -> Verdict {
    is(&trial.found("zoe\u{308}@example.com").await?, &ACCENTED)
}

pub(crate) async fn login_hit_is_not_an_email_hit(trial: &Trial) -> Verdict {
    is(&trial.found(ADDRESS_OWNER.email).await?, &ADDRESS_OWNER)?;
    is(&trial.found(LOGIN_TAKES_ADDRESS.email).await?, &LOGIN_TAKES_ADDRESS)?;
    trial.absent(LOGIN_IS_NOT_EMAIL.login).await
}

pub(crate) async fn ambiguous_address_is_an_error(trial: &Trial) -> Verdict {
    match trial.by_email(TWIN_ONE.email).await {
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
        let answer = trial.by_email(person.email).await;
        let ineligible = matches!(&answer, Ok(Lookup::Ineligible(given)) if *given == reason);
        ensure!(ineligible, "{}: {answer:?}, not Ineligible({reason:?})", person.email);
    }
    Ok(())
}

pub(crate) async fn expired_password_is_found_and_marked(trial: &Trial) -> Verdict {
    let user = trial.found(PASSWORD_EXPIRED.email).await?;
    is(&user, &PASSWORD_EXPIRED)?;
    ensure!(
        user.password_expired,
        "the user isn't marked as one whose password expired"
    );
    let other = trial.found(ADA.email).await?;
    ensure!(
        !other.password_expired,
        "a user is marked as one whose password expired, and it didn't"
    );
    Ok(())
}

pub(crate) async fn both_methods_return_the_same_user(trial: &Trial) -> Verdict {
    for person in [ACCENTED, ADA, LOGIN_IS_NOT_EMAIL, MIXED_CASE, NAMELESS, UNSAID] {
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
    let user = trial.found(NAMELESS.email).await?;
    let names = [&user.name, &user.given_name, &user.family_name, &user.nickname];
    ensure!(
        names.iter().all(|name| name.is_none()),
        "somebody without a name was given one"
    );
    ensure!(
        user.email_verified != Some(true),
        "an address was called verified, and the source says that it isn't"
    );
    let user = trial.found(UNSAID.email).await?;
    ensure!(
        user.email_verified != Some(true),
        "an address was called verified, and the source doesn't say so"
    );
    Ok(())
}

pub(crate) async fn id_is_stable_and_ones_own(trial: &Trial) -> Verdict {
    let mut ids = Vec::new();
    for person in [ACCENTED, ADA, ADDRESS_OWNER, LOGIN_TAKES_ADDRESS, MIXED_CASE] {
        let id = trial.found(person.email).await?.id;
        let again = trial.found(&person.email.to_ascii_uppercase()).await?.id;
        ensure!(id == again, "{} has one id now and another then", person.login);
        ensure!(!ids.contains(&id), "{} has somebody else's id", person.login);
        ids.push(id);
    }
    Ok(())
}

pub(crate) async fn look_up_submits_no_password(trial: &Trial) -> Verdict {
    for address in [ADA.email, NOBODY, SECOND_FACTOR.email, LOCKED.email] {
        // Whatever the answer is, other cases judge it.
        let _ = trial.by_email(address).await;
    }
    let times = trial.submission_count().await;
    ensure!(times == 0, "looking people up submitted {times} passwords");
    Ok(())
}
