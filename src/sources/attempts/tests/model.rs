//! Against a naive model, which keeps everything: who asked what when, and what came of it.

use proptest::prelude::*;

use super::*;

const LOGINS: [&str; 3] = ["a@example.com", "b@example.com", "c@example.com"];
const PASSWORDS: [&str; 5] = [RIGHT, WRONG, "another", BROKEN, BUSY];
const CALLERS: [&str; 2] = ["auth0", "billing"];

#[derive(Clone, Copy, Debug)]
struct Step {
    after: Duration,
    caller: usize,
    login: usize,
    password: usize,
}

/// Each second has a thousand attempts of a user, so that the model needs no rule for it.
const LIMITS: Limits = Limits {
    replay: Duration::from_secs(5),
    burst: 3,
    refill: Duration::from_secs(10),
    per_second: 1_000,
};

#[derive(Default)]
struct Model {
    now: Duration,
    /// By caller, login and password: the verdict, until when, and whether it was told again.
    verdicts: Vec<([usize; 3], &'static str, Duration)>,
    /// Of each login when it failed.
    failures: [Vec<Duration>; 3],
    submitted: usize,
}

impl Model {
    fn ask(&mut self, step: Step) -> &'static str {
        self.now += step.after;
        let key = [step.caller, step.login, step.password];
        let (now, password) = (self.now, PASSWORDS[step.password]);
        self.verdicts.retain(|(_, _, until)| *until > now);
        if let Some(at) = self.verdicts.iter().position(|(of, ..)| *of == key) {
            let told = self.verdicts[at].1;
            if told == "yes" {
                self.verdicts.remove(at);
            }
            return told;
        }
        if self.spent(step.login) + LIMITS.refill > LIMITS.refill * LIMITS.burst {
            return "over budget";
        }
        self.submitted += 1;
        let outcome = match password {
            RIGHT => "yes",
            BROKEN | BUSY => "unavailable",
            _ => "no",
        };
        if matches!(outcome, "yes" | "no") {
            self.verdicts.push((key, outcome, now + LIMITS.replay));
        }
        if outcome != "yes" && password != BUSY {
            self.failures[step.login].push(now);
        }
        outcome
    }

    /// A bucket that drains, filled anew from the first failure on.
    fn spent(&self, login: usize) -> Duration {
        let (mut level, mut at) = (Duration::ZERO, Duration::ZERO);
        for &failure in &self.failures[login] {
            level = level.saturating_sub(failure - at) + LIMITS.refill;
            at = failure;
        }
        level.saturating_sub(self.now - at)
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0..8_000_u64, 0..CALLERS.len(), 0..LOGINS.len(), 0..PASSWORDS.len());
    let step = step.prop_map(|(after, caller, login, password)| Step {
        // Often at once.
        after: Duration::from_millis(after.saturating_sub(4_000)),
        caller,
        login,
        password,
    });
    prop::collection::vec(step, 1..80)
}

proptest! {
    #[test]
    fn it_does_as_the_model(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.expect("a runtime").block_on(async {
            let (upstream, submissions) = (Upstream::new(), submissions(LIMITS));
            let stack = stack(&upstream, &submissions);
            let mut model = Model::default();
            for step in steps {
                advance(step.after).await;
                let login = LOGINS[step.login];
                let said = ask_as(&stack, call(CALLERS[step.caller], 5), login, PASSWORDS[step.password]).await;
                prop_assert_eq!(word(&said), model.ask(step), "{:?}", step);
                prop_assert_eq!(upstream.submitted(), model.submitted, "{:?}", step);
            }
            Ok(())
        })?;
    }
}
