use std::time::Duration;

use idbridge_source::{Finding, Verdict as Found};
use tokio::time::{Instant, timeout};

use crate::trial::{Trial, call_until, ensure};
use crate::{Fault, Verdict, Violation};

/// What an operator grants where the upstream says nothing.
const DEADLINE: Duration = Duration::from_millis(200);
/// How late an answer may be: scheduling, not waiting.
const GRACE: Duration = Duration::from_secs(2);

pub(crate) async fn something_is_fine_when_well(trial: &Trial) -> Verdict {
    let findings = trial.source.examine(&trial.call(), None).await;
    ensure!(findings.iter().any(is_fine), "nothing is fine: {findings:?}");
    ensure!(!findings.iter().any(has_failed), "a question failed: {findings:?}");
    Ok(())
}

pub(crate) async fn an_outage_is_never_fine(trial: &Trial) -> Verdict {
    for fault in Fault::ALL {
        trial.subject.inflict(fault).await;
        let findings = trial.source.examine(&call_until(Instant::now() + DEADLINE), None).await;
        ensure!(
            findings.iter().any(has_failed),
            "{fault:?}: no question failed: {findings:?}"
        );
        // What needs no credential of ours may be fine without one, and who asks for patience has answered.
        let silent = !matches!(fault, Fault::CredentialRefused | Fault::Throttled);
        ensure!(
            !silent || !findings.iter().any(is_fine),
            "{fault:?}: something is fine: {findings:?}"
        );
        trial.subject.heal().await;
    }
    Ok(())
}

pub(crate) async fn a_hung_upstream_ends_at_the_deadline(trial: &Trial) -> Verdict {
    trial.subject.inflict(Fault::Hang).await;
    let call = call_until(Instant::now() + DEADLINE);
    let findings = timeout(DEADLINE + GRACE, trial.source.examine(&call, None)).await;
    findings
        .map(drop)
        .map_err(|_| Violation::new("the deadline passed, and no answer came"))
}

pub(crate) async fn no_password_is_submitted_unasked(trial: &Trial) -> Verdict {
    // Whatever the answer is, other cases judge it.
    let _ = trial.source.examine(&trial.call(), None).await;
    let times = trial.submission_count().await;
    ensure!(times == 0, "an examination without a password submitted {times}");
    Ok(())
}

fn is_fine(finding: &Finding) -> bool {
    matches!(finding.verdict, Found::Fine(_))
}

fn has_failed(finding: &Finding) -> bool {
    matches!(finding.verdict, Found::Failed(_))
}
