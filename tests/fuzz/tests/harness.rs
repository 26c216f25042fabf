//! Each reader, given its seeds and then changed ones: always the same, so that what fails fails again.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test that fails says why, and one that passes says with which seed"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};

use idbridge_fuzz::mutate::Chance;
use idbridge_fuzz::{TARGETS, Target};

const SEED: u64 = 0x1db1_d6e0;

/// How many changed inputs. In a debug build some seconds for the slowest.
const TIMES: usize = 100_000;
/// Whole settings are read for each; a template is compiled.
const OF_SLOW_ONES: usize = 15_000;

fn target(name: &str) -> Target {
    *TARGETS.iter().find(|target| target.name == name).expect("a target")
}

#[track_caller]
fn survives(name: &str) {
    let target = target(name);
    let seeds = (target.seeds)();
    assert!(seeds.len() >= 10, "{name} begins with {} inputs", seeds.len());
    for seed in &seeds {
        read(target, seed);
    }
    let slow = ["settings", "http_templates", "identifiers"].contains(&name);
    let mut chance = Chance::new(SEED);
    for _ in 0..if slow { OF_SLOW_ONES } else { TIMES } {
        read(target, &chance.changed(&seeds));
    }
    println!("{name}: {} seeds, changed by {SEED:#x}", seeds.len());
}

#[track_caller]
fn read(target: Target, data: &[u8]) {
    if catch_unwind(AssertUnwindSafe(|| (target.read)(data))).is_err() {
        panic!("{} falls over b\"{}\"", target.name, data.escape_ascii());
    }
}

macro_rules! survive {
    ($($name:ident),* $(,)?) => {
        $(#[test]
        fn $name() {
            survives(stringify!($name));
        })*

        #[test]
        fn every_target_has_its_test_and_its_program() {
            let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(names, [$(stringify!($name)),*]);
            let manifest = include_str!("../../../fuzz/Cargo.toml");
            for name in names {
                let path = format!("path = \"fuzz_targets/{name}.rs\"");
                assert!(manifest.contains(&path), "fuzz/Cargo.toml lacks {path}");
            }
        }
    };
}

survive! {
    grpc_frames,
    hashes,
    http_conditions,
    http_templates,
    identifiers,
    okta_answers,
    plugin_answers,
    rest_bodies,
    settings,
}

#[test]
fn chance_is_the_same_each_time_and_a_fall_is_seen() {
    let seeds = (target("rest_bodies").seeds)();
    let some = |seed| {
        let mut chance = Chance::new(seed);
        (0..100).map(|_| chance.changed(&seeds)).collect::<Vec<_>>()
    };
    assert_eq!(some(1), some(1));
    assert_ne!(some(1), some(2));
    let falls = Target {
        name: "falls",
        read: |data| assert!(!data.contains(&b'{'), "an open brace"),
        seeds: Vec::new,
    };
    let fell = catch_unwind(|| read(falls, b"{\0")).expect_err("it fell");
    assert_eq!(
        fell.downcast_ref::<String>().map(String::as_str),
        Some(r#"falls falls over b"{\x00""#)
    );
}
