use idbridge_testkit::Violation;

use super::*;

#[test]
fn the_people_that_are_printed_are_all_there() {
    let whole = people::written();
    assert_eq!(people::missing(&whole).map(|missing| missing.len()), Ok(0));
    let (without, _) = whole.rsplit_once("\n[[people]]").expect("the last");
    let missing = people::missing(without).expect("whom it can't hold");
    assert_eq!(
        missing.iter().map(|person| person.login).collect::<Vec<_>>(),
        ["unsaid@example.com"]
    );
}

#[test]
fn people_of_ones_own_are_a_mistake() {
    let whole = people::written();
    let doubled = format!("{whole}\n{}", whole.replace("# ", "#"));
    for bad in [
        "",
        "people = 1",
        "[people]",
        "[[people]]\nlogin = \"me@example.com\"",
        &whole.replace("hunter2-ada", "another"),
        &whole.replace("\"locked\"", "\"active\""),
        &format!("x = 1\n{whole}"),
        &doubled,
        "[[people]\n",
    ] {
        assert!(people::missing(bad).is_err(), "{}", bad.len());
    }
    let without_ada = "[[people]]\n".to_owned() + whole.split("[[people]]\n").nth(1).expect("the first");
    assert!(people::missing(&without_ada).is_err_and(|problem| problem.contains("ada@example.com")));
}

#[test]
fn a_report_says_what_was_not_run_and_escapes() {
    let ends = [
        Ended::Held,
        Ended::Broken(Violation::new("\"a\" <b> & \u{1} é")),
        Ended::NotRun("nobody <there>".to_owned()),
    ];
    let verdicts: Vec<Verdict> = CASES
        .iter()
        .zip(ends)
        .map(|(case, ended)| Verdict { case, ended })
        .collect();
    let report = junit::report(&verdicts);
    let document = roxmltree::Document::parse(&report).expect("XML");
    let suite = document.root_element().first_element_child().expect("a suite");
    let counts = ["tests", "failures", "skipped"].map(|name| suite.attribute(name));
    assert_eq!(counts, [Some("3"), Some("1"), Some("1")]);
    let message = |tag: &str| {
        let node = document
            .descendants()
            .find(|node| node.has_tag_name(tag))
            .expect("a verdict");
        node.attribute("message").map(str::to_owned)
    };
    assert_eq!(message("failure").as_deref(), Some("\"a\" <b> & ? é"));
    assert_eq!(message("skipped").as_deref(), Some("nobody <there>"));
    assert!(summary(&verdicts).starts_with("1 held, 1 broken, 1 not run"));
}
