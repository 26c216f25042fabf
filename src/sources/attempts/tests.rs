mod budget;
mod model;
mod upstream;

use std::pin::Pin;
use std::sync::Barrier;
use std::task::Poll;

use idbridge_source::RequestId;
use tokio::task::JoinSet;
use tokio::time::advance;
use tokio_util::task::TaskTracker;

use super::super::run_to_end::RunToEnd;
use super::verdicts::REMEMBERED;
use super::*;
use upstream::{BROKEN, BUSY, LEFT_ALONE, LIMITED, NOT_THERE, PANICS, RIGHT, Upstream, user};

const ADA: &str = "ada@example.com";
const WRONG: &str = "wrong";

type Stack = Arc<RunToEnd<Attempts<Arc<Upstream>>>>;
type Asking = Pin<Box<dyn Future<Output = Result<Authentication, SourceError>> + Send>>;

/// By default, but with a budget that no case but those about it comes to the end of.
fn ample() -> Limits {
    Limits {
        burst: 1_000,
        per_second: 1_000,
        ..Limits::default()
    }
}

fn submissions(limits: Limits) -> Arc<Submissions> {
    let submissions = Submissions::new(limits, Counter::default(), Counter::default());
    Arc::new(submissions.expect("random bytes"))
}

/// As the broker stacks them.
fn stack(upstream: &Arc<Upstream>, submissions: &Arc<Submissions>) -> Stack {
    let attempts = Attempts::new(Arc::clone(upstream), Arc::clone(submissions));
    Arc::new(RunToEnd::new(attempts, TaskTracker::new()))
}

fn call(caller: &str, seconds: u64) -> Call {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    Call {
        caller: Some(caller.into()),
        ..Call::new(RequestId::parse("r").expect("an id"), deadline)
    }
}

async fn ask_as(stack: &Stack, call: Call, login: &str, password: &str) -> Result<Authentication, SourceError> {
    let login = Login::parse(login).expect("a login");
    let password = Password::parse(password.to_owned()).expect("a password");
    stack.authenticate(&call, &login, &password).await
}

/// The outcome in a word.
async fn ask(stack: &Stack, login: &str, password: &str) -> &'static str {
    word(&ask_as(stack, call("auth0", 5), login, password).await)
}

fn word(answer: &Result<Authentication, SourceError>) -> &'static str {
    match answer {
        Ok(Authentication::Accept(_)) => "yes",
        Ok(Authentication::Reject(_)) => "no",
        Err(error) if std::error::Error::source(error).is_some_and(|cause| cause.is::<OverBudget>()) => "over budget",
        Err(error) => error.kind().name(),
    }
}

/// Asks, and is where it waits.
async fn begin(stack: &Stack, call: Call, login: &'static str, password: &'static str) -> Asking {
    let stack = Arc::clone(stack);
    let mut asking: Asking = Box::pin(async move { ask_as(&stack, call, login, password).await });
    let begun = std::future::poll_fn(|context| Poll::Ready(asking.as_mut().poll(context).is_pending()));
    assert!(begun.await, "it waits");
    tokio::task::yield_now().await; // its task comes to where it waits, too
    asking
}

#[tokio::test(start_paused = true)]
async fn equal_attempts_in_flight_are_one_submission() {
    for (password, outcome) in [(RIGHT, "yes"), (WRONG, "no"), (BROKEN, "unavailable")] {
        let (upstream, submissions) = (Upstream::new(), submissions(Limits::default()));
        let stack = stack(&upstream, &submissions);
        upstream.open.send_replace(false);
        let mut asking = JoinSet::new();
        for _ in 0..64 {
            asking.spawn(begin(&stack, call("auth0", 5), ADA, password).await);
        }
        upstream.open.send_replace(true);
        for answer in asking.join_all().await {
            assert_eq!(word(&answer), outcome);
            if let Ok(Authentication::Accept(told)) = answer {
                assert_eq!(told, user(ADA));
            }
        }
        assert_eq!(upstream.submitted(), 1, "{outcome}");
        assert_eq!(submissions.shared.get(), 63);
        assert_eq!(submissions.over_budget.get(), 0, "who shares spends nothing");
        assert_eq!(submissions.state().budget.in_flight(), 0);
    }
}

#[test]
fn workers_share_one_submission() {
    let (upstream, submissions) = (Upstream::new(), submissions(Limits::default()));
    upstream.open.send_replace(false);
    let all_wait = Barrier::new(4);
    let worker = || {
        on_a_runtime(async {
            let stack = stack(&upstream, &submissions);
            let mut asking = JoinSet::new();
            for _ in 0..16 {
                asking.spawn(begin(&stack, call("auth0", 60), ADA, RIGHT).await);
            }
            all_wait.wait();
            upstream.open.send_replace(true);
            for answer in asking.join_all().await {
                assert_eq!(word(&answer), "yes");
            }
        });
    };
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(worker);
        }
    });
    assert_eq!(upstream.submitted(), 1);
}

fn on_a_runtime<T>(task: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.expect("a runtime").block_on(task)
}

/// The worker that submitted is gone before the answer. The password may have been counted, so nobody sends it again.
#[test]
fn a_runtime_that_ends_has_spent_the_attempt() {
    let (upstream, submissions) = (Upstream::new(), submissions(Limits { burst: 1, ..ample() }));
    upstream.open.send_replace(false);
    let (begun, waits) = (Barrier::new(2), Barrier::new(2));
    std::thread::scope(|threads| {
        threads.spawn(|| {
            on_a_runtime(async {
                let _leader = begin(&stack(&upstream, &submissions), call("auth0", 60), ADA, WRONG).await;
                begun.wait();
                waits.wait();
            });
        });
        on_a_runtime(async {
            begun.wait();
            let stack = stack(&upstream, &submissions);
            let follower = begin(&stack, call("auth0", 60), ADA, WRONG).await;
            waits.wait();
            assert_eq!(word(&follower.await), "unavailable");
            upstream.open.send_replace(true);
            assert_eq!(ask(&stack, ADA, "another").await, "over budget");
        });
    });
    assert_eq!(upstream.submitted(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_differs_is_submitted_by_itself() {
    let (upstream, one) = (Upstream::new(), submissions(ample()));
    let source = stack(&upstream, &one);
    assert_eq!(word(&ask_as(&source, call("auth0", 5), ADA, WRONG).await), "no");
    for (caller, login, password) in [
        ("billing", ADA, WRONG),
        ("auth0", "Ada@example.com", WRONG),
        ("auth0", ADA, "wrong "),
        // The same letters, cut elsewhere.
        ("auth0", "ada@example.comw", "rong"),
        ("auth0a", "da@example.com", WRONG),
    ] {
        let before = upstream.submitted();
        assert_eq!(word(&ask_as(&source, call(caller, 5), login, password).await), "no");
        assert_eq!(upstream.submitted(), before + 1, "{caller} {login} {password}");
    }
    let (before, another) = (upstream.submitted(), stack(&upstream, &submissions(ample())));
    assert_eq!(ask(&another, ADA, WRONG).await, "no");
    assert_eq!(upstream.submitted(), before + 1, "another source");
}

#[tokio::test(start_paused = true)]
async fn a_no_is_told_again_for_a_while_and_a_yes_once() {
    let (upstream, submissions) = (Upstream::new(), submissions(ample()));
    let stack = stack(&upstream, &submissions);
    for password in [WRONG, RIGHT] {
        let said = ask(&stack, ADA, password).await;
        advance(Duration::from_millis(4_999)).await;
        let before = upstream.submitted();
        assert_eq!(ask(&stack, ADA, password).await, said);
        assert_eq!(upstream.submitted(), before, "{password}: told again");
        assert_eq!(ask(&stack, ADA, password).await, said);
        assert_eq!(
            upstream.submitted() - before,
            usize::from(password == RIGHT),
            "{password}"
        );
        advance(Duration::from_millis(5_000)).await;
        let before = upstream.submitted();
        assert_eq!(ask(&stack, ADA, password).await, said);
        assert_eq!(upstream.submitted(), before + 1, "{password}: forgotten");
    }
    assert_eq!(submissions.shared.get(), 3);
    advance(Duration::from_secs(5)).await;
    stack.probe(&call("auth0", 5)).await.expect("it is well");
    assert_eq!(
        submissions.state().verdicts.len(),
        (0, 0),
        "an idle broker keeps nobody"
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_judged_by_other_rules_is_forgotten() {
    let (upstream, submissions) = (Upstream::new(), submissions(ample()));
    let stack = stack(&upstream, &submissions);
    assert_eq!(ask(&stack, ADA, RIGHT).await, "yes");
    upstream.open.send_replace(false);
    let asking = begin(&stack, call("auth0", 5), ADA, WRONG).await;
    submissions.forget_all();
    upstream.open.send_replace(true);
    assert_eq!(word(&asking.await), "no");
    for password in [RIGHT, WRONG] {
        let before = upstream.submitted();
        ask(&stack, ADA, password).await;
        assert_eq!(upstream.submitted(), before + 1, "{password}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_replay_each_is_submitted_by_itself() {
    let replay = Duration::ZERO;
    let (upstream, submissions) = (Upstream::new(), submissions(Limits { replay, ..ample() }));
    let stack = stack(&upstream, &submissions);
    for asked in 1..=3 {
        assert_eq!(ask(&stack, ADA, RIGHT).await, "yes");
        assert_eq!(upstream.submitted(), asked);
    }
    upstream.open.send_replace(false);
    let mut asking = JoinSet::new();
    for _ in 0..3 {
        asking.spawn(begin(&stack, call("auth0", 5), ADA, RIGHT).await);
    }
    assert_eq!(upstream.submitted(), 6);
    upstream.open.send_replace(true);
    assert_eq!(asking.join_all().await.len(), 3);
    assert_eq!(submissions.state().verdicts.len(), (0, 0));
}

/// Who leaves early is told so by its own deadline, and the submission goes on for the others, the leader's caller
/// included in who may leave.
#[tokio::test(start_paused = true)]
async fn each_waits_for_its_own_deadline() {
    let (upstream, submissions) = (Upstream::new(), submissions(ample()));
    let stack = stack(&upstream, &submissions);
    upstream.open.send_replace(false);
    let leader = begin(&stack, call("auth0", 1), ADA, RIGHT).await;
    let hurried = begin(&stack, call("auth0", 2), ADA, RIGHT).await;
    let gone = begin(&stack, call("auth0", 9), ADA, RIGHT).await;
    let patient = begin(&stack, call("auth0", 9), ADA, RIGHT).await;
    drop(gone);
    let began = Instant::now();
    assert_eq!(word(&leader.await), "timed_out");
    assert_eq!(began.elapsed().as_secs(), 1);
    assert_eq!(word(&hurried.await), "timed_out");
    assert_eq!(began.elapsed().as_secs(), 2);
    // Whoever repeats the call meets the same submission.
    let repeated = begin(&stack, call("auth0", 9), ADA, RIGHT).await;
    upstream.open.send_replace(true);
    assert_eq!(word(&patient.await), "yes");
    assert_eq!(word(&repeated.await), "yes");
    assert_eq!(upstream.submitted(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_hangs_up_at_once_leaves_the_answer() {
    let (upstream, submissions) = (Upstream::new(), submissions(ample()));
    let stack = stack(&upstream, &submissions);
    upstream.open.send_replace(false);
    drop(begin(&stack, call("auth0", 5), ADA, RIGHT).await);
    let repeated = begin(&stack, call("auth0", 5), ADA, RIGHT).await;
    upstream.open.send_replace(true);
    assert_eq!(word(&repeated.await), "yes");
    assert_eq!(upstream.submitted(), 1);
}

#[tokio::test]
async fn a_panic_ends_it_for_all() {
    let (upstream, submissions) = (Upstream::new(), submissions(Limits { burst: 1, ..ample() }));
    let stack = stack(&upstream, &submissions);
    upstream.open.send_replace(false);
    let leader = begin(&stack, call("auth0", 5), ADA, PANICS).await;
    let follower = begin(&stack, call("auth0", 5), ADA, PANICS).await;
    let leader = tokio::spawn(leader);
    upstream.open.send_replace(true);
    assert!(leader.await.is_err_and(|ended| ended.is_panic()));
    assert_eq!(word(&follower.await), "unavailable");
    assert_eq!(submissions.state().budget.in_flight(), 0);
    assert_eq!(ask(&stack, ADA, RIGHT).await, "over budget");
}

#[tokio::test(start_paused = true)]
async fn verdicts_have_an_end_and_the_oldest_goes_first() {
    let (upstream, submissions) = (Upstream::new(), submissions(ample()));
    let stack = stack(&upstream, &submissions);
    let login = |number: usize| format!("user-{number}@example.com");
    for number in 0..=REMEMBERED {
        assert_eq!(ask(&stack, &login(number), RIGHT).await, "yes");
    }
    assert_eq!(submissions.state().verdicts.len(), (REMEMBERED, REMEMBERED));
    let before = upstream.submitted();
    ask(&stack, &login(1), RIGHT).await;
    assert_eq!(upstream.submitted(), before, "remembered");
    ask(&stack, &login(0), RIGHT).await;
    assert_eq!(upstream.submitted(), before + 1, "forgotten");
}

#[tokio::test(start_paused = true)]
async fn nothing_of_it_prints() {
    let (upstream, submissions) = (Upstream::new(), submissions(ample()));
    let stack = stack(&upstream, &submissions);
    ask(&stack, "canary@example.com", "hunter2canary").await;
    upstream.open.send_replace(false);
    let _waits = begin(&stack, call("auth0", 5), "canary-two@example.com", "hunter2canary").await;
    let printed = format!(
        "{submissions:?} {submissions:#?} {stack:?} {:?}",
        over_budget(Duration::ZERO)
    );
    let code = submissions.code(
        &call("auth0", 5),
        &Login::parse("canary@example.com").expect("a login"),
        &Password::parse("hunter2canary".to_owned()).expect("a password"),
    );
    assert!(!printed.contains("canary"), "{printed}");
    assert!(!printed.contains(&format!("{}, {}", code[0], code[1])), "{printed}");
    assert_eq!(format!("{submissions:?}"), "Submissions { .. }");
}

/// Two processes know nothing of each other's codes.
#[test]
fn codes_are_those_of_one_process() {
    let login = Login::parse(ADA).expect("a login");
    let password = Password::parse(WRONG.to_owned()).expect("a password");
    let (one, other, call) = (submissions(ample()), submissions(ample()), call("auth0", 5));
    assert_eq!(one.code(&call, &login, &password), one.code(&call, &login, &password));
    assert_ne!(one.code(&call, &login, &password), other.code(&call, &login, &password));
    assert_ne!(one.user(&login), other.user(&login));
}
