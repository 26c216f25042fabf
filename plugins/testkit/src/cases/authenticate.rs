use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use idbridge_source::{Authentication, Call, Rejection, SourceError};
use tokio::time::Instant;

use super::is;
use crate::spelling::{accentless, composed, cut, decomposed, other_case};
use crate::trial::{Operation, Trial, ensure, parsed_login, parsed_password};
use crate::world::{
    ACCENTED, ADA, BYTES, DEACTIVATED, FEDERATED, INACTIVE, LOCKED, LOGIN_IS_NOT_EMAIL, MIXED_CASE, PASSWORD_EXPIRED,
    SECOND_FACTOR, SUSPENDED, TWIN_ONE, WRONG_PASSWORD,
};
use crate::{Fault, Verdict, Violation};

/// What a wrong password may be called; the second for an upstream that won't say which.
const WRONG: [Rejection; 2] = [Rejection::WrongPassword, Rejection::InvalidCredentials];
const UNKNOWN: [Rejection; 2] = [Rejection::UnknownUser, Rejection::InvalidCredentials];

/// Logins that climb out of a path, close a quote or match everybody, where they are pasted into one.
const HOSTILE: [&str; 7] = ["me", ".", "..", "a/b", "%2e%2e", "*", "' OR '1'='1"];

pub(crate) async fn right_password_is_accepted(trial: &Trial) -> Verdict {
    for person in trial.people([ADA, BYTES, TWIN_ONE]) {
        is(&trial.accepted(&person).await?, &person)?;
    }
    Ok(())
}

pub(crate) async fn wrong_password_is_rejected_not_an_error(trial: &Trial) -> Verdict {
    let rejection = trial.rejected(trial.ada().login, WRONG_PASSWORD).await?;
    ensure!(WRONG.contains(&rejection), "a wrong password is called {rejection:?}");
    Ok(())
}

pub(crate) async fn unknown_user_is_rejected_not_an_error(trial: &Trial) -> Verdict {
    let rejection = trial.rejected(trial.nobody(), trial.ada().password).await?;
    ensure!(UNKNOWN.contains(&rejection), "an unknown user is called {rejection:?}");
    Ok(())
}

pub(crate) async fn password_of_another_user_is_rejected(trial: &Trial) -> Verdict {
    let (ada, other) = (trial.ada(), trial.person(&MIXED_CASE)?);
    trial.rejected(ada.login, other.password).await?;
    trial.rejected(other.login, ada.password).await?;
    Ok(())
}

pub(crate) async fn ineligible_user_is_rejected(trial: &Trial) -> Verdict {
    use Rejection::{AccountDisabled, AccountInactive, AccountLocked, NoPassword, WrongPassword};
    // An upstream may hide any of them behind the answer to a wrong password.
    let table = [
        (DEACTIVATED, &[AccountDisabled][..]),
        (FEDERATED, &[NoPassword, WrongPassword]),
        (INACTIVE, &[AccountInactive]),
        (LOCKED, &[AccountLocked]),
        (SUSPENDED, &[AccountDisabled]),
    ];
    for (person, names) in table {
        let Some(person) = trial.people([person]).pop() else {
            continue;
        };
        let rejection = trial.rejected(person.login, person.password).await?;
        let allowed = names.contains(&rejection) || rejection == Rejection::InvalidCredentials;
        ensure!(allowed, "{} is called {rejection:?}", person.login);
    }
    Ok(())
}

pub(crate) async fn second_factor_is_rejected(trial: &Trial) -> Verdict {
    let person = trial.person(&SECOND_FACTOR)?;
    let rejection = trial.rejected(person.login, person.password).await?;
    ensure!(
        rejection == Rejection::SecondFactorRequired,
        "a second factor is called {rejection:?}"
    );
    trial.rejected(person.login, WRONG_PASSWORD).await?;
    Ok(())
}

pub(crate) async fn expired_password_is_rejected(trial: &Trial) -> Verdict {
    let person = trial.person(&PASSWORD_EXPIRED)?;
    let rejection = trial.rejected(person.login, person.password).await?;
    ensure!(
        rejection == Rejection::PasswordExpired,
        "an expired password is called {rejection:?}"
    );
    let rejection = trial.rejected(person.login, WRONG_PASSWORD).await?;
    ensure!(
        WRONG.contains(&rejection),
        "a wrong password of the same user is called {rejection:?}"
    );
    Ok(())
}

pub(crate) async fn hostile_login_is_just_unknown(trial: &Trial) -> Verdict {
    let ada = trial.ada();
    let filter = format!("{})(|(uid=*", ada.login);
    for login in HOSTILE.into_iter().chain([&*filter]) {
        let rejection = trial.rejected(login, ada.password).await?;
        ensure!(UNKNOWN.contains(&rejection), "{login} is called {rejection:?}");
    }
    Ok(())
}

pub(crate) async fn identifier_ignores_ascii_case_but_not_accents(trial: &Trial) -> Verdict {
    for person in trial.people([ADA, MIXED_CASE]) {
        is(&trial.accepted_as(&other_case(person.login), &person).await?, &person)?;
    }
    for person in trial.people([ACCENTED]) {
        is(&trial.accepted(&person).await?, &person)?;
        trial.rejected(&accentless(person.login), person.password).await?;
    }
    Ok(())
}

pub(crate) async fn user_is_the_sources_own_never_the_login_echoed(trial: &Trial) -> Verdict {
    for person in trial.people([MIXED_CASE, LOGIN_IS_NOT_EMAIL]) {
        is(&trial.accepted_as(&other_case(person.login), &person).await?, &person)?;
        is(&trial.accepted(&person).await?, &person)?;
    }
    Ok(())
}

pub(crate) async fn password_reaches_the_upstream_byte_for_byte(trial: &Trial) -> Verdict {
    let person = trial.person(&BYTES)?;
    let password = person.password;
    trial.accepted(&person).await?;
    let spellings = [
        ("trimmed", password.trim().to_owned()),
        ("composed", composed(password)),
        ("decomposed", decomposed(password)),
        ("in the other case", other_case(password)),
        ("cut after 72 bytes", cut(password, 72).to_owned()),
    ];
    for (how, spelling) in &spellings {
        let rejected = trial.rejected(person.login, spelling).await;
        rejected.map_err(|violation| Violation::new(format!("the password {how}: {violation}")))?;
    }
    let sent = std::iter::once(("as it is", password.to_owned())).chain(spellings);
    let arrived = trial.subject.submissions().await;
    for ((how, sent), submission) in sent.zip(arrived) {
        let same = submission.password.is_none_or(|password| password == sent);
        ensure!(same, "the password {how} is not what arrived");
    }
    Ok(())
}

pub(crate) async fn login_reaches_the_upstream_byte_for_byte(trial: &Trial) -> Verdict {
    let long = "\u{e9}".repeat(256);
    for login in [" ada@example.com ", "e\u{301}@example.com", "a+b \"c\" \\ & %20", &long] {
        let before = trial.submission_count().await;
        trial.rejected(login, trial.ada().password).await?;
        for submission in trial.subject.submissions().await.split_off(before) {
            let same = submission.login.is_none_or(|arrived| arrived == login);
            ensure!(same, "the login that arrived is not the one that was sent, {login:?}");
        }
    }
    Ok(())
}

pub(crate) async fn password_is_submitted_once(trial: &Trial) -> Verdict {
    let before = trial.submission_count().await;
    let ada = trial.ada();
    trial.accepted(&ada).await?;
    let right = trial.submission_count().await - before;
    ensure!(right == 1, "a right password was submitted {right} times, not once");
    let factor = trial.person(&SECOND_FACTOR)?;
    for (login, password) in [
        (ada.login, WRONG_PASSWORD),
        (trial.nobody(), ada.password),
        (factor.login, factor.password),
    ] {
        let before = trial.submission_count().await;
        trial.rejected(login, password).await?;
        let times = trial.submission_count().await - before;
        ensure!(times <= 1, "the password of {login} was submitted {times} times");
    }
    Ok(())
}

pub(crate) async fn caller_hanging_up_does_not_cut_the_check(trial: &Trial) -> Verdict {
    trial.subject.inflict(Fault::Hang).await;
    let source = Arc::clone(&trial.source);
    let (call, ada) = (trial.call(), trial.ada());
    let check = async move {
        source
            .authenticate(&call, &parsed_login(ada.login), &parsed_password(ada.password))
            .await
    };
    {
        let mut check = pin!(check);
        let arrived = pin!(trial.subject.arrived(1));
        let early = first(check.as_mut(), arrived).await;
        ensure!(early.is_none(), "an upstream that says nothing, and yet: {early:?}");
    }
    trial.subject.heal().await;
    let answered = trial.subject.answered(1);
    let heard = tokio::time::timeout(std::time::Duration::from_secs(2), answered).await;
    ensure!(
        heard.is_ok(),
        "the check ended with its caller; nobody heard the upstream's answer"
    );
    let times = trial.submission_count().await;
    ensure!(times == 1, "the password was submitted {times} times");
    Ok(())
}

pub(crate) async fn nothing_is_submitted_after_begin_by(trial: &Trial) -> Verdict {
    // Whoever asked has left, and the deadline is that of a check that was sent.
    let call = Call {
        begin_by: Instant::now(),
        ..trial.call()
    };
    let answer = trial.ask(Operation::Authenticate, &call).await;
    ensure!(
        answer.is_err(),
        "a check that is begun too late: {answer:?}, not an error"
    );
    let times = trial.submission_count().await;
    ensure!(
        times == 0,
        "the password was submitted {times} times after its caller had left"
    );
    Ok(())
}

pub(crate) async fn calls_at_once_keep_apart(trial: &Trial) -> Verdict {
    let (mixed, bytes) = (trial.person(&MIXED_CASE)?, trial.person(&BYTES)?);
    let (ada, other) = (trial.ada(), trial.person(&LOGIN_IS_NOT_EMAIL)?);
    let one = async { trial.accepted(&ada).await.and_then(|user| is(&user, &ada)) };
    let two = async { trial.accepted(&mixed).await.and_then(|user| is(&user, &mixed)) };
    let three = async { trial.rejected(bytes.login, WRONG_PASSWORD).await.map(drop) };
    let four = async { trial.accepted(&other).await.and_then(|user| is(&user, &other)) };
    let (one, two, three, four) = tokio::join!(one, two, three, four);
    [one, two, three, four]
        .into_iter()
        .collect::<Result<Vec<()>, Violation>>()
        .map(drop)
}

/// The answer if it comes before the event, else `None`.
async fn first(
    mut answer: Pin<&mut impl Future<Output = Result<Authentication, SourceError>>>,
    mut event: Pin<&mut impl Future<Output = ()>>,
) -> Option<Result<Authentication, SourceError>> {
    std::future::poll_fn(|context| match answer.as_mut().poll(context) {
        Poll::Ready(answer) => Poll::Ready(Some(answer)),
        Poll::Pending => event.as_mut().poll(context).map(|()| None),
    })
    .await
}
