//! What the documents name exists, and what exists is named.

use std::collections::BTreeSet;
use std::path::Path;

use idbridge_testkit::CASES;

const SPEC: &str = include_str!("../../../docs/source-spec.md");

#[test]
fn the_specification_names_every_case_and_no_other() {
    let named: Vec<&str> = SPEC
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|code| code.contains("::"))
        .collect();
    let once: BTreeSet<&str> = named.iter().copied().collect();
    let cases: BTreeSet<&str> = CASES.iter().map(|case| case.name).collect();
    assert_eq!(once, cases);
    assert_eq!(named.len(), once.len(), "a case is named twice");
}

#[test]
fn the_specification_names_the_laws_of_each_case() {
    for item in SPEC.split("\n- ").skip(1) {
        let Some((sentence, names)) = item.split_once("\n  `") else {
            continue;
        };
        let laws: BTreeSet<u8> = numbers_in_brackets(sentence).collect();
        let held: BTreeSet<u8> = CASES
            .iter()
            .filter(|case| names.contains(&format!("{}`", case.name)))
            .flat_map(|case| case.laws.iter().copied())
            .collect();
        assert_eq!(laws, held, "{sentence}");
    }
}

#[test]
fn the_checklists_links_lead_somewhere() {
    let plugins = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = include_str!("../../README.md");
    let targets = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target);
    let targets: Vec<&str> = targets.collect();
    assert!(!targets.is_empty(), "plugins/README.md has no link");
    for target in targets {
        assert!(
            plugins.join(target).exists(),
            "plugins/README.md links to {target}, which isn't there"
        );
    }
}

/// `(1, 2)` and `(3)`.
fn numbers_in_brackets(text: &str) -> impl Iterator<Item = u8> {
    let groups = text
        .split('(')
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(group, _)| group);
    groups.flat_map(|group| group.split(',').filter_map(|number| number.trim().parse().ok()))
}
