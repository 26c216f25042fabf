//! The breaker against a second one that is written for reading, whatever happens in whatever order.

use proptest::prelude::*;
use tokio::time::advance;

use super::super::breaker::{Breaker, Turn, Weight};
use super::*;

#[derive(Clone, Debug)]
enum Step {
    Ask,
    /// One of those who ask, and what comes of it.
    Answer(usize, Weight),
    HangUp(usize),
    Wait(Duration),
}

#[derive(Debug, Default)]
struct Model {
    closed_for: Vec<bool>,
    /// Since when, if it is open or probed.
    opened: Option<Instant>,
    /// A probe found nothing out.
    may_be_probed: bool,
    probe: Option<usize>,
    epoch: usize,
    probations: u32,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let weight = prop_oneof![
        1 => Just(Weight::Alive),
        5 => Just(Weight::Ill),
        1 => Just(Weight::Nothing),
        2 => Just(Weight::Well),
    ];
    let step = prop_oneof![
        6 => Just(Step::Ask),
        5 => (any::<usize>(), weight).prop_map(|(who, weight)| Step::Answer(who, weight)),
        1 => any::<usize>().prop_map(Step::HangUp),
        2 => (0..2_500_u64).prop_map(|time| Step::Wait(Duration::from_millis(time))),
    ];
    proptest::collection::vec(step, 0..300)
}

impl Model {
    fn longest(&self) -> Duration {
        Duration::from_secs(1 << (self.probations - 1).min(3))
    }

    fn open(&mut self) {
        self.epoch += 1;
        self.probations += 1;
        self.opened = Some(Instant::now());
        self.closed_for.clear();
        (self.probe, self.may_be_probed) = (None, false);
    }

    fn asked(&mut self, id: usize, turn: Option<&Turn>) {
        match self.opened {
            None => assert!(
                turn.is_some_and(|turn| !turn.is_probe()),
                "closed: everybody is let through"
            ),
            Some(_) if self.probe.is_some() => assert!(turn.is_none(), "one probe at a time"),
            Some(opened) if !self.may_be_probed && opened.elapsed() < self.longest() / 2 => {
                assert!(turn.is_none(), "too early")
            }
            Some(opened) => {
                assert!(
                    turn.is_some() || !self.may_be_probed && opened.elapsed() < self.longest(),
                    "too late"
                );
                if let Some(turn) = turn {
                    assert!(turn.is_probe());
                    self.probe = Some(id);
                }
            }
        }
    }

    fn answered(&mut self, id: usize, epoch: usize, weight: Weight) {
        if self.probe == Some(id) {
            self.probe = None;
            match weight {
                Weight::Alive | Weight::Well => {
                    self.opened = None;
                    self.epoch += 1;
                }
                Weight::Ill => self.open(),
                _ => self.may_be_probed = true,
            }
        } else if self.opened.is_none() && epoch == self.epoch {
            match weight {
                Weight::Ill => self.closed_for.push(true),
                Weight::Well => {
                    self.closed_for.push(false);
                    self.probations = 0;
                }
                _ => return,
            }
            let in_a_row = self.closed_for.iter().rev().take_while(|failed| **failed).count();
            let recent = self.closed_for.iter().rev().take(32);
            let failed = recent.filter(|failed| **failed).count();
            // Nothing opens after a good answer.
            if in_a_row >= 5 || (weight == Weight::Ill && self.closed_for.len() >= 32 && failed >= 16) {
                self.open();
            }
        }
    }
}

async fn run(steps: Vec<Step>) {
    let breaker = Breaker::new("memory".into(), USUAL, LONGEST_PATIENCE, GuardMetrics::default());
    let (breaker, mut model) = (Arc::new(breaker), Model::default());
    let mut asking: Vec<(usize, usize, Turn)> = Vec::new();
    for (id, step) in steps.into_iter().enumerate() {
        match step {
            Step::Ask => {
                let turn = breaker.admit().ok();
                model.asked(id, turn.as_ref());
                asking.extend(turn.map(|turn| (id, model.epoch, turn)));
            }
            Step::Answer(who, weight) if !asking.is_empty() => {
                let (id, epoch, turn) = asking.swap_remove(who % asking.len());
                turn.settle(weight, "ada");
                model.answered(id, epoch, weight);
            }
            Step::HangUp(who) if !asking.is_empty() => {
                let (id, epoch, turn) = asking.swap_remove(who % asking.len());
                let patient = turn.began().elapsed() >= LONGEST_PATIENCE;
                drop(turn);
                model.answered(id, epoch, if patient { Weight::Ill } else { Weight::Nothing });
            }
            Step::Answer(..) | Step::HangUp(_) => {}
            Step::Wait(time) => advance(time).await,
        }
        assert_eq!(breaker.is_closed(), model.opened.is_none(), "{id}");
    }
}

proptest! {
    #[test]
    fn it_does_what_the_model_does(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.expect("a runtime").block_on(run(steps));
    }
}
