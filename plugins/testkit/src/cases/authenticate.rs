use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use idbridge_source::{Authentication, Call, Rejection, SourceError};
use tokio::time::Instant;

use super::is;
use crate::trial::{Operation, Trial, ensure, parsed_login, parsed_password};
use crate::world::{
    ACCENTED, ADA, BYTES, DEACTIVATED, FEDERATED, INACTIVE, LOCKED, LOGIN_IS_NOT_EMAIL, MIXED_CASE, NOBODY,
    PASSWORD_EXPIRED, SECOND_FACTOR, SUSPENDED, TWIN_ONE, WRONG_PASSWORD,
};
use crate::{Fault, Verdict, Violation};

/// What a wrong password may be called; the second for an upstream that won't say which.
const WRONG: [Rejection; 2] = [Rejection::WrongPassword, Rejection::InvalidCredentials];
const UNKNOWN: [Rejection; 2] = [Rejection::UnknownUser, Rejection::InvalidCredentials];

/// Logins that climb out of a path, close a quote or match everybody, where they are pasted into one.
const HOSTILE: [&str; 8] = [
    "me",
    ".",
    "..",
    "a/b",
    "%2e%2e",
    "*",
    "ada@example.com)(|(uid=*",
    "' OR '1'='1",
];

pub(crate) async fn right_password_is_accepted(trial: &Trial) -> Verdict {
    for person in [ADA, BYTES, TWIN_ONE] {
        is(&trial.accepted(&person).await?, &person)?;
    }
    Ok(())
}

pub(crate) async fn wrong_password_is_rejected_not_an_error(trial: &Trial) -> Verdict {
    let rejection = trial.rejected(ADA.login, WRONG_PASSWORD).await?;
    ensure!(WRONG.contains(&rejection), "a wrong password is called {rejection:?}");
    Ok(())
}

pub(crate) async fn unknown_user_is_rejected_not_an_error(trial: &Trial) -> Verdict {
    let rejection = trial.rejected(NOBODY, ADA.password).await?;
    ensure!(UNKNOWN.contains(&rejection), "an unknown user is called {rejection:?}");
    Ok(())
}

pub(crate) async fn password_of_another_user_is_rejected(trial: &Trial) -> Verdict {
    trial.rejected(ADA.login, MIXED_CASE.password).await?;
    trial.rejected(MIXED_CASE.login, ADA.password).await?;
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
        let rejection = trial.rejected(person.login, person.password).await?;
        let allowed = names.contains(&rejection) || rejection == Rejection::InvalidCredentials;
        ensure!(allowed, "{} is called {rejection:?}", person.login);
    }
    Ok(())
}

pub(crate) async fn second_factor_is_rejected(trial: &Trial) -> Verdict {
    let rejection = trial.rejected(SECOND_FACTOR.login, SECOND_FACTOR.password).await?;
    ensure!(
        rejection == Rejection::SecondFactorRequired,
        "a second factor is called {rejection:?}"
    );
    trial.rejected(SECOND_FACTOR.login, WRONG_PASSWORD).await?;
    Ok(())
}

pub(crate) async fn expired_password_is_rejected(trial: &Trial) -> Verdict {
    let rejection = trial
        .rejected(PASSWORD_EXPIRED.login, PASSWORD_EXPIRED.password)
        .await?;
    ensure!(
        rejection == Rejection::PasswordExpired,
        "an expired password is called {rejection:?}"
    );
    let rejection = trial.rejected(PASSWORD_EXPIRED.login, WRONG_PASSWORD).await?;
    ensure!(
        WRONG.contains(&rejection),
        "a wrong password of the same user is called {rejection:?}"
    );
    Ok(())
}

pub(crate) async fn hostile_login_is_just_unknown(trial: &Trial) -> Verdict {
    for login in HOSTILE {
        let rejection = trial.rejected(login, ADA.password).await?;
        ensure!(UNKNOWN.contains(&rejection), "{login} is called {rejection:?}");
    }
    Ok(())
}

pub(crate) async fn identifier_ignores_ascii_case_but_not_accents(trial: &Trial) -> Verdict {
    is(&trial.accepted_as("ADA@Example.com", &ADA).await?, &ADA)?;
    is(
        &trial.accepted_as("grace.hopper@example.com", &MIXED_CASE).await?,
        &MIXED_CASE,
    )?;
    is(&trial.accepted(&ACCENTED).await?, &ACCENTED)?;
    trial.rejected("zoe@example.com", ACCENTED.password).await?;
    Ok(())
}

pub(crate) async fn user_is_the_sources_own_never_the_login_echoed(trial: &Trial) -> Verdict {
    is(
        &trial.accepted_as("GRACE.hopper@example.COM", &MIXED_CASE).await?,
        &MIXED_CASE,
    )?;
    is(&trial.accepted(&LOGIN_IS_NOT_EMAIL).await?, &LOGIN_IS_NOT_EMAIL)
}

pub(crate) async fn password_reaches_the_upstream_byte_for_byte(trial: &Trial) -> Verdict {
    trial.accepted(&BYTES).await?;
    let composed = BYTES.password.replace("e\u{301}", "\u{e9}");
    let decomposed = BYTES.password.replace('\u{e4}', "a\u{308}");
    let upper = BYTES.password.replace("end", "END");
    let (cut, _) = BYTES.password.split_at(72);
    let spellings = [BYTES.password.trim(), &composed, &decomposed, &upper, cut];
    for spelling in spellings {
        trial.rejected(BYTES.login, spelling).await?;
    }
    let sent = std::iter::once(BYTES.password).chain(spellings);
    let arrived = trial.subject.submissions().await;
    for (sent, submission) in sent.zip(arrived) {
        let same = submission.password.is_none_or(|password| password == sent);
        ensure!(same, "the password that arrived is not the one that was sent, {sent:?}");
    }
    Ok(())
}

pub(crate) async fn login_reaches_the_upstream_byte_for_byte(trial: &Trial) -> Verdict {
    let long = "\u{e9}".repeat(256);
    for login in [" ada@example.com ", "e\u{301}@example.com", "a+b \"c\" \\ & %20", &long] {
        let before = trial.submission_count().await;
        trial.rejected(login, ADA.password).await?;
        for submission in trial.subject.submissions().await.split_off(before) {
            let same = submission.login.is_none_or(|arrived| arrived == login);
            ensure!(same, "the login that arrived is not the one that was sent, {login:?}");
        }
    }
    Ok(())
}

pub(crate) async fn password_is_submitted_once(trial: &Trial) -> Verdict {
    trial.accepted(&ADA).await?;
    let right = trial.submission_count().await;
    ensure!(right == 1, "a right password was submitted {right} times, not once");
    for (login, password) in [
        (ADA.login, WRONG_PASSWORD),
        (NOBODY, ADA.password),
        (SECOND_FACTOR.login, SECOND_FACTOR.password),
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
    let call = trial.call();
    let check = async move {
        source
            .authenticate(&call, &parsed_login(ADA.login), &parsed_password(ADA.password))
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
    let one = async { trial.accepted(&ADA).await.and_then(|user| is(&user, &ADA)) };
    let two = async {
        trial
            .accepted(&MIXED_CASE)
            .await
            .and_then(|user| is(&user, &MIXED_CASE))
    };
    let three = async { trial.rejected(BYTES.login, WRONG_PASSWORD).await.map(drop) };
    let four = async {
        trial
            .accepted(&LOGIN_IS_NOT_EMAIL)
            .await
            .and_then(|user| is(&user, &LOGIN_IS_NOT_EMAIL))
    };
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
