mod upstream;

use std::pin::Pin;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use idbridge_source::{Rejection, RequestId, User, UserId};
use tokio::task::JoinSet;
use tokio::time::{advance, sleep};

use super::super::permits::Overloaded;
use super::*;
use upstream::{Says, Upstream};

const ADA: &str = "ada@example.com";
const TTL: Duration = Duration::from_secs(3);

fn lookups(ttl: Duration) -> Arc<Lookups> {
    Arc::new(Lookups::new(ttl, Counter::default()))
}

fn share(upstream: &Arc<Upstream>, lookups: &Arc<Lookups>) -> Arc<Share<Arc<Upstream>>> {
    Arc::new(Share::new(Arc::clone(upstream), Arc::clone(lookups)))
}

fn call(request_id: &str, seconds: u64) -> Call {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    Call::new(RequestId::parse(request_id).expect("an id"), deadline)
}

fn found(identifier: &str) -> Result<Lookup, SourceError> {
    let id = UserId::parse("1").expect("an id");
    Ok(Lookup::Found(User::new(id, identifier, identifier)))
}

fn overloaded(_: &str) -> Result<Lookup, SourceError> {
    let retry_after = Some(Duration::from_secs(7));
    Err(SourceError::new(ErrorKind::Unavailable { retry_after }, "asking").with_source(Overloaded))
}

type Asking = Pin<Box<dyn Future<Output = Result<Lookup, SourceError>> + Send>>;

/// Asks, and is where it waits.
async fn begin(share: &Arc<Share<Arc<Upstream>>>, identifier: &str, call: Call) -> Asking {
    let (share, email) = (Arc::clone(share), Email::parse(identifier).expect("an address"));
    let mut asking: Asking = Box::pin(async move { share.user_by_email(&call, &email).await });
    let begun = std::future::poll_fn(|context| Poll::Ready(asking.as_mut().poll(context).is_pending()));
    assert!(begun.await, "it waits");
    asking
}

async fn ask(share: &Arc<Share<Arc<Upstream>>>, identifier: &str) -> Result<Lookup, SourceError> {
    let email = Email::parse(identifier).expect("an address");
    share.user_by_email(&call("r", 5), &email).await
}

#[tokio::test(start_paused = true)]
async fn equal_look_ups_in_flight_are_one_call() {
    let (upstream, lookups) = (Upstream::new(found), lookups(Duration::ZERO));
    let share = share(&upstream, &lookups);
    let mut asking = JoinSet::new();
    for number in 0..50 {
        let asked = begin(&share, ADA, call(&format!("r{number}"), 5)).await;
        asking.spawn(asked);
    }
    for answer in asking.join_all().await {
        assert_eq!(answer.expect("an answer"), found(ADA).expect("Ada"));
    }
    assert_eq!(upstream.asked(), ["email ada@example.com r0"]);
    assert_eq!(lookups.shared.get(), 49);
    assert_eq!(lookups.by_email.len(), (0, 0));
}

#[test]
fn workers_share_one_call() {
    let (upstream, lookups) = (Upstream::at_once(found), lookups(Duration::ZERO));
    upstream.open.send_replace(false);
    let all_wait = Barrier::new(4);
    let worker = || {
        on_a_runtime(async {
            let share = share(&upstream, &lookups);
            let mut asking = JoinSet::new();
            for _ in 0..25 {
                asking.spawn(begin(&share, ADA, call("r", 60)).await);
            }
            all_wait.wait();
            upstream.open.send_replace(true);
            for answer in asking.join_all().await {
                assert_eq!(answer.expect("an answer"), found(ADA).expect("Ada"));
            }
        });
    };
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(worker);
        }
    });
    assert_eq!(upstream.asked().len(), 1);
    assert_eq!(lookups.shared.get(), 99);
}

fn on_a_runtime<T>(task: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.expect("a runtime").block_on(task)
}

/// The worker that asks is gone before the answer: those on others ask again.
#[test]
fn a_runtime_that_ends_takes_no_follower_along() {
    let (upstream, lookups) = (Upstream::at_once(found), lookups(TTL));
    upstream.open.send_replace(false);
    let share = share(&upstream, &lookups);
    let (begun, go_on) = (Barrier::new(2), Barrier::new(2));
    std::thread::scope(|threads| {
        threads.spawn(|| {
            on_a_runtime(async {
                let _leader = begin(&share, ADA, call("leader", 60)).await;
                begun.wait();
                go_on.wait();
            });
        });
        on_a_runtime(async {
            begun.wait();
            let follower = begin(&share, ADA, call("follower", 60)).await;
            go_on.wait();
            upstream.open.send_replace(true);
            assert_eq!(follower.await.expect("an answer"), found(ADA).expect("Ada"));
        });
    });
    assert_eq!(
        upstream.asked().last().expect("asked"),
        "email ada@example.com follower"
    );
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_hangs_up_is_not_missed() {
    let upstream = Upstream::new(found);
    let share = share(&upstream, &lookups(TTL));
    let leader = begin(&share, ADA, call("leader", 5)).await;
    let followers = [
        begin(&share, ADA, call("second", 5)).await,
        begin(&share, ADA, call("third", 5)).await,
    ];
    sleep(Duration::from_millis(900)).await;
    drop(leader);
    let began = Instant::now();
    for follower in followers {
        assert_eq!(follower.await.expect("an answer"), found(ADA).expect("Ada"));
    }
    assert!(began.elapsed() <= Duration::from_millis(100), "nothing is lost");
    assert_eq!(upstream.asked(), ["email ada@example.com leader"]);
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_with_the_last_who_waits() {
    let upstream = Upstream::new(found);
    let share = share(&upstream, &lookups(TTL));
    let leader = begin(&share, ADA, call("leader", 5)).await;
    let follower = begin(&share, ADA, call("follower", 5)).await;
    sleep(Duration::from_millis(500)).await;
    drop(leader);
    sleep(Duration::from_millis(100)).await;
    assert_eq!(upstream.cut.load(Ordering::Relaxed), 0, "one waits");
    drop(follower);
    sleep(Duration::from_millis(100)).await;
    assert_eq!(upstream.cut.load(Ordering::Relaxed), 1);
    assert_eq!(share.lookups.by_email.len(), (0, 0));
    assert!(ask(&share, ADA).await.is_ok());
    assert_eq!(upstream.asked().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_forgotten_is_asked_again_and_who_waits_is_answered() {
    let upstream = Upstream::new(found);
    let share = share(&upstream, &lookups(TTL));
    assert!(ask(&share, ADA).await.is_ok() && ask(&share, ADA).await.is_ok());
    assert_eq!(upstream.asked().len(), 1);
    share.lookups.forget_all();
    assert_eq!(share.lookups.by_email.len(), (0, 0));

    let waiting = begin(&share, ADA, call("second", 5)).await;
    share.lookups.forget_all();
    assert!(waiting.await.is_ok());
    assert_eq!(share.lookups.by_email.len(), (0, 0), "it was asked before that");
    assert!(ask(&share, ADA).await.is_ok());
    assert_eq!(upstream.asked().len(), 3);
    assert_eq!(share.lookups.by_email.len(), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn who_has_time_left_is_not_told_that_another_had_none() {
    let upstream = Upstream::that_takes(Duration::from_millis(2500), found);
    let share = share(&upstream, &lookups(TTL));
    let hurried = begin(&share, ADA, call("hurried", 1)).await;
    let mut patient = JoinSet::new();
    for _ in 0..20 {
        patient.spawn(begin(&share, ADA, call("patient", 5)).await);
    }
    let as_hurried = begin(&share, ADA, call("late", 1)).await;
    for asking in [hurried, as_hurried] {
        assert_eq!(asking.await.expect_err("out of time").kind(), ErrorKind::TimedOut);
    }
    let began = Instant::now();
    for answer in patient.join_all().await {
        assert_eq!(answer.expect("an answer"), found(ADA).expect("Ada"));
    }
    assert!(
        began.elapsed() < Duration::from_millis(2600),
        "they share the second call"
    );
    assert_eq!(
        upstream.asked(),
        ["email ada@example.com hurried", "email ada@example.com patient"]
    );
}

#[tokio::test(start_paused = true)]
async fn an_error_is_for_those_who_waited() {
    let (upstream, lookups) = (Upstream::new(overloaded), lookups(TTL));
    let share = share(&upstream, &lookups);
    let asking = [
        begin(&share, ADA, call("leader", 5)).await,
        begin(&share, ADA, call("follower", 5)).await,
    ];
    for asked in asking {
        let error = asked.await.expect_err("nobody found out");
        let alone = overloaded(ADA).expect_err("an error");
        assert_eq!((error.kind(), error.chain()), (alone.kind(), alone.chain()));
        let cause = std::error::Error::source(&error).expect("its cause");
        assert!(cause.is::<Overloaded>(), "callers are told by it");
    }
    assert_eq!(upstream.asked().len(), 1);
    assert!(ask(&share, ADA).await.is_err());
    assert_eq!(upstream.asked().len(), 2, "nothing is remembered");
    assert_eq!(lookups.by_email.len(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn answers_are_remembered_for_their_time() {
    let absent: Says = |_| Ok(Lookup::Absent);
    let ineligible: Says = |_| Ok(Lookup::Ineligible(Rejection::AccountDisabled));
    for says in [found, absent, ineligible] {
        let (upstream, lookups) = (Upstream::new(says), lookups(TTL));
        let share = share(&upstream, &lookups);
        for (wait, calls) in [(0, 1), (2999, 1), (1, 2), (2999, 2), (1, 3)] {
            advance(Duration::from_millis(wait)).await;
            assert_eq!(ask(&share, ADA).await.expect("an answer"), says(ADA).expect("one"));
            assert_eq!(upstream.asked().len(), calls, "after {wait} ms");
        }
        assert_eq!(lookups.shared.get(), 2);
    }
    let upstream = Upstream::new(found);
    let share = share(&upstream, &lookups(Duration::ZERO));
    for calls in 1..=3 {
        assert!(ask(&share, ADA).await.is_ok());
        assert_eq!(upstream.asked().len(), calls, "0 s: nothing is");
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_broker_remembers_nobody() {
    let (upstream, lookups) = (Upstream::new(found), lookups(TTL));
    let share = share(&upstream, &lookups);
    assert!(ask(&share, ADA).await.is_ok());
    let ada = UserName::parse("ada").expect("a user name");
    assert!(share.user_by_login(&call("r", 5), &ada).await.is_ok());
    assert_eq!((lookups.by_email.len(), lookups.by_login.len()), ((1, 1), (1, 1)));
    advance(TTL).await;
    assert!(share.probe(&call("probe", 5)).await.is_ok());
    assert_eq!((lookups.by_email.len(), lookups.by_login.len()), ((0, 0), (0, 0)));
}

/// An upstream may tell apart what we take for one.
#[tokio::test(start_paused = true)]
async fn other_spellings_and_other_methods_are_other_questions() {
    let (upstream, lookups) = (Upstream::new(found), lookups(TTL));
    let share = share(&upstream, &lookups);
    let spellings = [
        "jose@example.com",
        "jose@example.co",
        "Jose@example.com",
        "jose@Example.com",
        "jos\u{e9}@example.com",
        "jose\u{301}@example.com",
    ];
    let mut asking = JoinSet::new();
    for spelling in spellings {
        let asked = begin(&share, spelling, call("r", 5)).await;
        asking.spawn(async move { (spelling, asked.await) });
    }
    let by_login = UserName::parse("jose@example.com").expect("a user name");
    assert!(share.user_by_login(&call("r", 5), &by_login).await.is_ok());
    for (spelling, answer) in asking.join_all().await {
        assert_eq!(answer.expect("an answer"), found(spelling).expect("somebody"));
    }
    assert_eq!((upstream.asked().len(), lookups.shared.get()), (7, 0));
    assert!(share.user_by_login(&call("r", 5), &by_login).await.is_ok());
    for spelling in spellings {
        assert!(ask(&share, spelling).await.is_ok());
    }
    assert_eq!((upstream.asked().len(), lookups.shared.get()), (7, 7));
}

#[tokio::test(start_paused = true)]
async fn password_checks_are_never_shared() {
    let (upstream, lookups) = (Upstream::new(found), lookups(TTL));
    let share = share(&upstream, &lookups);
    let mut asking = JoinSet::new();
    for _ in 0..20 {
        let share = Arc::clone(&share);
        asking.spawn(async move {
            let login = Login::parse(ADA).expect("a login");
            let password = Password::parse("the same".to_owned()).expect("a password");
            share.authenticate(&call("r", 5), &login, &password).await.is_ok()
        });
    }
    assert!(asking.join_all().await.into_iter().all(|answered| answered));
    assert_eq!((upstream.asked().len(), lookups.shared.get()), (20, 0));
}

#[tokio::test(start_paused = true)]
async fn a_panic_poisons_nothing() {
    static PANICS: AtomicUsize = AtomicUsize::new(2);
    let upstream = Upstream::new(|identifier| {
        let left = PANICS.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        assert!(left.is_err(), "a bug in the source");
        found(identifier)
    });
    let share = share(&upstream, &lookups(TTL));
    let mut asking = JoinSet::new();
    for name in ["first", "second", "third", "fourth"] {
        asking.spawn(begin(&share, ADA, call(name, 5)).await);
    }
    let (mut panicked, mut answered) = (0, 0);
    while let Some(ended) = asking.join_next().await {
        match ended {
            Ok(answer) => answered += usize::from(answer.is_ok()),
            Err(ended) => panicked += usize::from(ended.is_panic()),
        }
    }
    // Whoever asked hears of the bug, one after the other; the others ask.
    assert_eq!((panicked, answered), (2, 2));
    assert_eq!(upstream.asked().len(), 3);
    assert!(ask(&share, ADA).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn memory_has_a_bound() {
    let (upstream, lookups) = (
        Upstream::at_once(|_| Ok(Lookup::Absent)),
        lookups(Duration::from_secs(60)),
    );
    let share = share(&upstream, &lookups);
    let many = recent::REMEMBERED + 1000;
    for number in 0..many {
        assert!(ask(&share, &format!("nobody-{number}@example.com")).await.is_ok());
    }
    assert_eq!(lookups.by_email.len(), (recent::REMEMBERED, recent::REMEMBERED));
    for (number, calls) in [(many - 1, many), (1000, many), (0, many + 1)] {
        assert!(ask(&share, &format!("nobody-{number}@example.com")).await.is_ok());
        assert_eq!(upstream.asked().len(), calls, "{number}");
    }
    assert_eq!(lookups.by_email.len(), (recent::REMEMBERED, recent::REMEMBERED));
}
