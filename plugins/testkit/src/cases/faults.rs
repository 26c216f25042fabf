use std::time::Duration;

use idbridge_source::{Authentication, ErrorKind};
use tokio::time::Instant;

use crate::trial::{Trial, call_until, ensure, parsed_email, parsed_login, parsed_password};
use crate::world::WRONG_PASSWORD;
use crate::{Fault, Operation, Verdict, Violation};

/// What a caller grants where the upstream says nothing.
const DEADLINE: Duration = Duration::from_millis(200);
/// How late an answer may be: scheduling, not waiting.
const GRACE: Duration = Duration::from_secs(2);

pub(crate) async fn undeclared_operation_is_unsupported(trial: &Trial) -> Verdict {
    let declared = trial.operations();
    ensure!(!declared.is_empty(), "a source that declares nothing is no source");
    for operation in [
        Operation::Authenticate,
        Operation::List,
        Operation::UserByEmail,
        Operation::UserByLogin,
    ] {
        if declared.contains(&operation) {
            let answer = trial.ask(operation, &trial.call()).await;
            ensure!(answer.is_ok(), "declared {operation:?} of a good user: {answer:?}");
        } else {
            trial.unsupported(operation).await?;
        }
    }
    Ok(())
}

pub(crate) async fn outage_is_never_a_rejection(trial: &Trial) -> Verdict {
    let ada = trial.ada();
    for fault in Fault::ALL {
        trial.subject.inflict(fault).await;
        for (login, password) in [
            (ada.login, ada.password),
            (ada.login, WRONG_PASSWORD),
            (trial.nobody(), ada.password),
        ] {
            let call = call_until(Instant::now() + DEADLINE);
            let answer = trial
                .source
                .authenticate(&call, &parsed_login(login), &parsed_password(password))
                .await;
            // A check that needs no credential of ours is answered, and then rightly.
            let right = (login, password) == (ada.login, ada.password);
            let answered = match &answer {
                Ok(Authentication::Accept(_)) => fault == Fault::CredentialRefused && right,
                Ok(Authentication::Reject(_)) => fault == Fault::CredentialRefused && !right,
                Err(_) => true,
            };
            ensure!(answered, "{fault:?}: {login}: {answer:?}, not an error");
        }
        trial.subject.heal().await;
    }
    Ok(())
}

pub(crate) async fn outage_is_never_absent(trial: &Trial) -> Verdict {
    for fault in Fault::ALL {
        trial.subject.inflict(fault).await;
        for address in [trial.nobody(), trial.ada().email] {
            let call = call_until(Instant::now() + DEADLINE);
            let answer = trial.source.user_by_email(&call, &parsed_email(address)).await;
            ensure!(answer.is_err(), "{fault:?}: {address}: {answer:?}, not an error");
        }
        trial.subject.heal().await;
    }
    Ok(())
}

pub(crate) async fn outage_is_never_absent_by_login(trial: &Trial) -> Verdict {
    for fault in Fault::ALL {
        trial.subject.inflict(fault).await;
        let answer = trial
            .ask(Operation::UserByLogin, &call_until(Instant::now() + DEADLINE))
            .await;
        ensure!(answer.is_err(), "{fault:?}: {answer:?}, not an error");
        trial.subject.heal().await;
    }
    Ok(())
}

pub(crate) async fn down_is_unavailable(trial: &Trial) -> Verdict {
    fails_as(trial, Fault::Unavailable, |kind| {
        matches!(kind, ErrorKind::Unavailable { .. })
    })
    .await
}

pub(crate) async fn garbage_is_a_protocol_error(trial: &Trial) -> Verdict {
    fails_as(trial, Fault::Garbage, |kind| kind == ErrorKind::Protocol).await
}

pub(crate) async fn throttling_is_throttled(trial: &Trial) -> Verdict {
    fails_as(trial, Fault::Throttled, |kind| {
        matches!(kind, ErrorKind::Throttled { .. })
    })
    .await
}

pub(crate) async fn refused_credential_is_ours_not_the_users(trial: &Trial) -> Verdict {
    trial.subject.inflict(Fault::CredentialRefused).await;
    for operation in trial.operations() {
        let answer = trial.ask(operation, &trial.call()).await;
        let fine = match &answer {
            // A check that needs no credential of ours may succeed. Ada's can't be rejected.
            Ok(text) => operation == Operation::Authenticate && text.starts_with("Accept"),
            Err(error) => error.kind() == ErrorKind::CredentialRefused,
        };
        ensure!(
            fine,
            "{operation:?} with our credential refused: {answer:?}, not CredentialRefused"
        );
    }
    Ok(())
}

pub(crate) async fn hung_upstream_ends_at_the_deadline(trial: &Trial) -> Verdict {
    trial.subject.inflict(Fault::Hang).await;
    for operation in trial.operations() {
        let start = Instant::now();
        let call = call_until(start + DEADLINE);
        let answer = within(trial.ask(operation, &call)).await?;
        let timed_out = matches!(&answer, Err(error) if error.kind() == ErrorKind::TimedOut);
        ensure!(
            timed_out,
            "{operation:?} of an upstream that says nothing: {answer:?}, not TimedOut"
        );
    }
    let probe = within(trial.source.probe(&call_until(Instant::now() + DEADLINE))).await?;
    ensure!(probe.is_err(), "the probe of an upstream that says nothing is well");
    Ok(())
}

pub(crate) async fn password_is_submitted_at_most_once_under_each_fault(trial: &Trial) -> Verdict {
    for fault in Fault::ALL {
        trial.subject.inflict(fault).await;
        let before = trial.submission_count().await;
        // Whatever the answer is, other cases judge it.
        let _ = trial
            .ask(Operation::Authenticate, &call_until(Instant::now() + DEADLINE))
            .await;
        trial.subject.heal().await;
        // The next answer comes after anything that the healed upstream let go.
        let _ = trial.source.probe(&trial.call()).await;
        let times = trial.submission_count().await - before;
        ensure!(times <= 1, "{fault:?}: one call submitted the password {times} times");
    }
    Ok(())
}

pub(crate) async fn answers_again_once_healed(trial: &Trial) -> Verdict {
    for fault in [Fault::Unavailable, Fault::Garbage, Fault::CredentialRefused] {
        trial.subject.inflict(fault).await;
        for operation in trial.operations() {
            // Whatever the answer is, other cases judge it.
            let _ = trial.ask(operation, &trial.call()).await;
        }
        trial.subject.heal().await;
        for operation in trial.operations() {
            let answer = trial.ask(operation, &trial.call()).await;
            ensure!(answer.is_ok(), "{operation:?} after {fault:?} was healed: {answer:?}");
        }
    }
    Ok(())
}

pub(crate) async fn probe_answers_when_well(trial: &Trial) -> Verdict {
    let probe = trial.source.probe(&trial.call()).await;
    ensure!(probe.is_ok(), "the probe of a sound upstream: {probe:?}");
    Ok(())
}

pub(crate) async fn probe_fails_when_down(trial: &Trial) -> Verdict {
    for fault in Fault::ALL {
        trial.subject.inflict(fault).await;
        let probe = trial.source.probe(&call_until(Instant::now() + DEADLINE)).await;
        ensure!(probe.is_err(), "{fault:?}: the probe says that all is well");
        trial.subject.heal().await;
    }
    Ok(())
}

pub(crate) async fn probe_submits_no_password(trial: &Trial) -> Verdict {
    // Whatever the answer is, other cases judge it.
    let _ = trial.source.probe(&trial.call()).await;
    let times = trial.submission_count().await;
    ensure!(times == 0, "a probe submitted {times} passwords");
    Ok(())
}

async fn fails_as(trial: &Trial, fault: Fault, wanted: impl Fn(ErrorKind) -> bool) -> Verdict {
    trial.subject.inflict(fault).await;
    for operation in trial.operations() {
        let answer = trial.ask(operation, &trial.call()).await;
        let named = matches!(&answer, Err(error) if wanted(error.kind()));
        ensure!(named, "{operation:?} under {fault:?}: {answer:?}");
    }
    Ok(())
}

/// The answer, if it comes by the deadline.
async fn within<T>(answer: impl Future<Output = T>) -> Result<T, Violation> {
    let answer = tokio::time::timeout(DEADLINE + GRACE, answer).await;
    answer.map_err(|_| Violation::new("the deadline passed, and no answer came"))
}
