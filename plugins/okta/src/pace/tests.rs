//! The pacer against an org that counts strictly, on paused time.

use idbridge_source::RequestId;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::*;
use crate::limits::Gauge;

/// A question's way there, and an answer's back.
const WAY: Duration = Duration::from_millis(20);
const PATIENT: Duration = Duration::from_secs(5);

/// Counts by whole windows of its own clock, as Okta does.
struct Org {
    start: Instant,
    limit: u32,
    window: i64,
    /// The reset and the calls of each window.
    windows: Vec<(i64, u32)>,
    refused: u32,
}

impl Org {
    fn new(limit: u32, window: i64) -> Arc<Mutex<Self>> {
        Arc::new(Mutex::new(Self {
            start: Instant::now(),
            limit,
            window,
            windows: Vec::new(),
            refused: 0,
        }))
    }

    fn count(&mut self) -> Notice {
        // Its seconds don't begin with the test's.
        let elapsed = self.start.elapsed() + Duration::from_millis(600);
        let date = 1_000 + i64::try_from(elapsed.as_secs()).unwrap();
        let reset = date - date % self.window + self.window;
        if self.windows.last().is_none_or(|(last, _)| *last != reset) {
            self.windows.push((reset, 0));
        }
        let (_, used) = self.windows.last_mut().unwrap();
        if *used == self.limit {
            self.refused += 1;
        } else {
            *used += 1;
        }
        Notice::Window(Gauge {
            limit: self.limit,
            remaining: self.limit - *used,
            reset,
            date,
        })
    }
}

fn call(patience: Duration) -> Call {
    Call::new(RequestId::parse("r-1").unwrap(), Instant::now() + patience)
}

async fn turn(pacer: &Arc<Pacer>, purpose: Purpose, patience: Duration) -> Result<Turn, ErrorKind> {
    let turn = pacer.turn(Counted::Authn, purpose, &call(patience)).await;
    turn.map_err(|error| error.kind())
}

/// From the turn to the answer.
async fn ask(pacer: &Arc<Pacer>, org: &Mutex<Org>, patience: Duration) -> Result<(), ErrorKind> {
    let turn = turn(pacer, Purpose::LogIn, patience).await?;
    sleep(WAY).await;
    let notice = org.lock().unwrap().count();
    sleep(WAY).await;
    turn.told(notice);
    Ok(())
}

/// 300 log-ins, 30 a second: how many got through, and how many were told to come back.
async fn storm(org: &Arc<Mutex<Org>>, patience: Duration) -> (u32, u32) {
    let pacer = Pacer::new();
    let mut callers = JoinSet::new();
    for number in 0..300 {
        let (pacer, org) = (Arc::clone(&pacer), Arc::clone(org));
        callers.spawn(async move {
            sleep(Duration::from_millis(33) * number).await;
            ask(&pacer, &org, patience).await
        });
    }
    let (mut through, mut later) = (0, 0);
    while let Some(outcome) = callers.join_next().await {
        match outcome.unwrap() {
            Ok(()) => through += 1,
            Err(ErrorKind::Throttled { .. }) => later += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    (through, later)
}

#[tokio::test(start_paused = true)]
async fn a_storm_takes_every_windows_budget_and_not_a_call_more() {
    for (limit, window, patience) in [
        (10, 1, 5),
        (10, 1, 30),
        (100, 10, 5),
        (7, 3, 5),
        (4, 1, 5),
        (600, 60, 5),
    ] {
        let org = Org::new(limit, window);
        let (through, later) = storm(&org, Duration::from_secs(patience)).await;
        let org = org.lock().unwrap();
        let what = format!("{limit} in {window} s, {patience} s of patience: {:?}", org.windows);
        assert_eq!(org.refused, 0, "{what}");
        assert_eq!(through + later, 300, "{what}");
        let steps = org.windows.windows(2).map(|pair| pair[1].0 - pair[0].0);
        assert!(
            steps.into_iter().all(|step| step == window),
            "no window is left out: {what}"
        );
        // The first and the last may be half over, or half wanted.
        let whole = org.windows.iter().skip(1).rev().skip(1);
        assert!(whole.into_iter().all(|(_, used)| *used == limit), "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn log_ins_go_before_look_ups() {
    let (pacer, org) = (Pacer::new(), Org::new(10, 2));
    for _ in 0..10 {
        ask(&pacer, &org, PATIENT).await.unwrap();
    }
    let through = Arc::new(Mutex::new(Vec::new()));
    let mut callers = JoinSet::new();
    for purpose in [[Purpose::LookUp; 4].as_slice(), &[Purpose::LogIn; 8]].concat() {
        let (pacer, through) = (Arc::clone(&pacer), Arc::clone(&through));
        callers.spawn(async move {
            let turn = turn(&pacer, purpose, PATIENT).await;
            through.lock().unwrap().push(purpose);
            sleep(PATIENT * 2).await;
            drop(turn);
        });
    }
    sleep(Duration::from_millis(1_900)).await;
    let mut through = std::mem::take(&mut *through.lock().unwrap());
    through.sort_by_key(|purpose| *purpose as u8);
    let (last, log_ins) = through.split_last().unwrap();
    assert_eq!(log_ins, [Purpose::LogIn; 8], "though look-ups had come first");
    assert_eq!(
        *last,
        Purpose::LookUp,
        "and only one: the tenth of a window is kept for log-ins"
    );
}

#[tokio::test(start_paused = true)]
async fn who_can_t_wait_is_told_at_once_how_long() {
    let (pacer, org) = (Pacer::new(), Org::new(2, 60));
    for _ in 0..2 {
        ask(&pacer, &org, PATIENT).await.unwrap();
    }
    let began = Instant::now();
    let Err(ErrorKind::Throttled {
        retry_after: Some(wait),
    }) = turn(&pacer, Purpose::LogIn, PATIENT).await
    else {
        panic!("a turn within the same minute")
    };
    assert_eq!(began.elapsed(), Duration::ZERO);
    ask(&pacer, &org, wait + WAY).await.unwrap();
    assert!(began.elapsed() <= wait + 3 * WAY);
    assert_eq!(org.lock().unwrap().refused, 0);
    assert!(
        pacer
            .foresee(Counted::Authn, Purpose::LogIn, Instant::now() + PATIENT)
            .is_ok()
    );
    assert!(
        pacer
            .foresee(Counted::User, Purpose::LogIn, Instant::now() + PATIENT)
            .is_ok()
    );
    ask(&pacer, &org, PATIENT).await.unwrap();
    assert!(
        pacer
            .foresee(Counted::Authn, Purpose::LogIn, Instant::now() + PATIENT)
            .is_err()
    );
    assert!(
        pacer
            .foresee(Counted::User, Purpose::LogIn, Instant::now() + PATIENT)
            .is_ok()
    );
}

#[tokio::test(start_paused = true)]
async fn a_short_queue_of_look_ups() {
    let (pacer, org) = (Pacer::new(), Org::new(100, 1));
    for _ in 0..100 {
        ask(&pacer, &org, PATIENT).await.unwrap();
        if org.lock().unwrap().windows.len() > 1 {
            break;
        }
    }
    let mut callers = JoinSet::new();
    for _ in 0..200 {
        let pacer = Arc::clone(&pacer);
        callers.spawn(async move {
            let turn = turn(&pacer, Purpose::LookUp, PATIENT).await;
            sleep(PATIENT).await;
            turn.is_ok()
        });
    }
    let through = callers.join_all().await.into_iter().filter(|through| *through).count();
    assert!((90..=90 + 16).contains(&through), "{through}");
}

#[tokio::test(start_paused = true)]
async fn a_list_takes_half_of_each_window_and_log_ins_pass_it() {
    let (pacer, org) = (Pacer::new(), Org::new(10, 60));
    for _ in 0..17 {
        let turn = turn(&pacer, Purpose::List, Duration::from_secs(70)).await.unwrap();
        sleep(WAY).await;
        let notice = org.lock().unwrap().count();
        turn.told(notice);
    }
    let windows = org.lock().unwrap().windows.clone();
    let used: Vec<u32> = windows.into_iter().map(|(_, used)| used).collect();
    assert_eq!(used, [5, 5, 5, 2]);

    // The list waits in a window that it has had its half of, and a log-in goes at once.
    let listing = {
        let pacer = Arc::clone(&pacer);
        tokio::spawn(async move {
            for _ in 0..4 {
                turn(&pacer, Purpose::List, Duration::from_secs(70)).await.unwrap();
            }
        })
    };
    sleep(Duration::from_secs(1)).await;
    assert!(!listing.is_finished());
    let began = Instant::now();
    ask(&pacer, &org, PATIENT).await.unwrap();
    assert_eq!(began.elapsed(), WAY * 2);
    listing.await.unwrap();
    assert_eq!(org.lock().unwrap().refused, 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_known_is_felt_for() {
    let pacer = Pacer::new();
    let mut turns = Vec::new();
    for _ in 0..4 {
        turns.push(turn(&pacer, Purpose::LogIn, PATIENT).await.unwrap());
    }
    let began = Instant::now();
    assert_eq!(
        turn(&pacer, Purpose::LogIn, PATIENT).await.unwrap_err(),
        ErrorKind::TimedOut
    );
    assert_eq!(began.elapsed(), PATIENT, "a silent org's first answers are waited for");

    turns.pop().unwrap().told(Notice::Nothing);
    for _ in 0..100 {
        turns.push(turn(&pacer, Purpose::LogIn, PATIENT).await.unwrap());
    }
}

#[tokio::test(start_paused = true)]
async fn a_crowd_is_given_a_moment_and_not_minutes() {
    let (pacer, org) = (Pacer::new(), Org::new(100, 60));
    ask(&pacer, &org, PATIENT).await.unwrap();
    turn(&pacer, Purpose::LogIn, PATIENT)
        .await
        .unwrap()
        .told(Notice::Concurrency);
    let began = Instant::now();
    let impatient = turn(&pacer, Purpose::LogIn, Duration::from_millis(100)).await;
    assert!(matches!(impatient, Err(ErrorKind::Throttled { retry_after: Some(_) })));
    turn(&pacer, Purpose::LogIn, PATIENT).await.unwrap();
    assert!((250..=500).contains(&began.elapsed().as_millis()));
}

#[tokio::test(start_paused = true)]
async fn who_leaves_the_queue_takes_nobodys_turn() {
    let (pacer, org) = (Pacer::new(), Org::new(3, 1));
    for _ in 0..3 {
        ask(&pacer, &org, PATIENT).await.unwrap();
    }
    let mut gone = Vec::new();
    for _ in 0..50 {
        let waiting = turn(&pacer, Purpose::LogIn, PATIENT);
        gone.push(tokio::time::timeout(Duration::from_millis(1), waiting).await.is_err());
    }
    assert!(gone.iter().any(|left| *left));
    let began = Instant::now();
    ask(&pacer, &org, PATIENT).await.unwrap();
    assert!(began.elapsed() < Duration::from_millis(1_500));
    assert_eq!(org.lock().unwrap().refused, 0);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_never_came_counts_as_spent() {
    let (pacer, org) = (Pacer::new(), Org::new(3, 60));
    ask(&pacer, &org, PATIENT).await.unwrap();
    for _ in 0..2 {
        drop(turn(&pacer, Purpose::LogIn, PATIENT).await.unwrap());
    }
    assert!(turn(&pacer, Purpose::LogIn, PATIENT).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn others_who_use_the_org_are_counted_and_late_answers_are_not() {
    let pacer = Pacer::new();
    let window = |remaining, reset, date| {
        Notice::Window(Gauge {
            limit: 100,
            remaining,
            reset,
            date,
        })
    };
    let mut late = Vec::new();
    for _ in 0..3 {
        late.push(turn(&pacer, Purpose::LogIn, PATIENT).await.unwrap());
    }
    late.pop().unwrap().told(window(50, 60, 10));
    late.pop().unwrap().told(window(1, 60, 10));
    assert!(
        turn(&pacer, Purpose::LogIn, PATIENT).await.is_err(),
        "one is left, and one is in flight"
    );
    sleep(Duration::from_secs(51)).await;
    let next = turn(&pacer, Purpose::LogIn, PATIENT).await.unwrap();
    late.pop().unwrap().told(window(0, 60, 59));
    next.told(window(99, 120, 61));
    turn(&pacer, Purpose::LogIn, PATIENT).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_reset_far_away_is_waited_for_no_longer_than_a_minute() {
    let pacer = Pacer::new();
    turn(&pacer, Purpose::LogIn, PATIENT)
        .await
        .unwrap()
        .told(Notice::Window(Gauge {
            limit: 100,
            remaining: 0,
            reset: 3_000,
            date: 10,
        }));
    assert!(turn(&pacer, Purpose::LogIn, PATIENT).await.is_err());
    sleep(Duration::from_secs(61)).await;
    turn(&pacer, Purpose::LogIn, PATIENT).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_others_emptied_is_left_alone_and_one_users_limit_is_not_everybodys() {
    let pacer = Pacer::new();
    let window = |limit, remaining, reset| {
        Notice::Window(Gauge {
            limit,
            remaining,
            reset,
            date: 10,
        })
    };
    let told = async |notice| turn(&pacer, Purpose::LogIn, PATIENT).await.unwrap().told(notice);
    told(window(300, 200, 60)).await;
    told(window(4, 0, 11)).await;
    assert!(
        turn(&pacer, Purpose::LogIn, PATIENT).await.is_ok(),
        "four a second for one user name"
    );
    told(window(600, 0, 30)).await;
    let refused = turn(&pacer, Purpose::LogIn, PATIENT).await.unwrap_err();
    assert!(matches!(refused, ErrorKind::Throttled { retry_after: Some(wait) } if wait.as_secs() >= 19));
    sleep(Duration::from_secs(21)).await;
    turn(&pacer, Purpose::LogIn, PATIENT).await.unwrap();
}
