use idbridge_testkit::Violation;

use super::*;

#[test]
fn the_people_that_are_printed_play_every_part() {
    let whole = people::written();
    let cast = people::read(&whole).expect("people");
    assert_eq!(cast.unplayed().count(), 0);
    assert!(cast.played().all(|(part, player)| part.person.login == player.login));
    let (without, _) = whole.rsplit_once("\n[[people]]").expect("the last");
    let cast = people::read(without).expect("people");
    assert_eq!(cast.unplayed().map(|part| part.name).collect::<Vec<_>>(), ["unsaid"]);
}

const SOMEBODY: &str = "[[people]]\nlogin = \"jo\"\nemail = \"jo@corp.example\"\npassword = \"Se cret\"\n";

#[test]
fn one_person_of_ones_own_is_enough() {
    let cast = people::read(SOMEBODY).expect("people");
    assert_eq!(
        (cast.ada.login, cast.ada.id, cast.nobody),
        ("jo", None, "nobody@example.com")
    );
    assert!(!format!("{cast:?}").contains("jo"));
    let cast = people::read(&format!("nobody = \"no@corp.example\"\n{SOMEBODY}")).expect("people");
    assert_eq!(cast.nobody, "no@corp.example");
}

#[test]
fn a_mistake_in_a_file_of_people_is_named_and_quotes_nothing() {
    for (bad, said) in [
        (String::new(), "has no [[people]]"),
        ("[[people]\n".into(), "is no TOML"),
        ("people = 1".into(), "has no [[people]]"),
        ("people = [1]".into(), "people[0]: is no table"),
        ("people = []".into(), "nobody is fine"),
        (format!("x = 1\n{SOMEBODY}"), "the file: x is no key"),
        (format!("nobody = \"x\"\n{SOMEBODY}"), "nobody: is no e-mail"),
        (
            format!("nobody = \"JO@corp.example\"\n{SOMEBODY}"),
            "`nobody` is somebody",
        ),
        (format!("{SOMEBODY}{SOMEBODY}"), "two of the people have one login"),
        (
            format!("{SOMEBODY}secondfactor = true\n"),
            "people[0]: secondfactor is no key",
        ),
        (
            format!("{SOMEBODY}second_factor = 1\n"),
            "people[0]: second_factor is neither",
        ),
        (format!("{SOMEBODY}second_factor = true\n"), "nobody is fine"),
        (format!("{SOMEBODY}status = \"gone\"\n"), "people[0]: status is none"),
        (
            format!("{SOMEBODY}status = \"no_password\"\n"),
            "people[0]: password is given",
        ),
        (format!("{SOMEBODY}id = 7\n"), "people[0]: id is no text"),
        (
            SOMEBODY.replace("Se cret", "wrong-hunter2"),
            "people[0]: password can't",
        ),
        (SOMEBODY.replace("jo@corp.example", "jo"), "people[0]: email can't"),
        (SOMEBODY.replace("login", "name"), "people[0]: login is missing"),
        (SOMEBODY.replace("password", "#"), "people[0]: password is missing"),
    ] {
        let problem = people::read(&bad).expect_err(said);
        assert!(problem.contains(said), "{said}: {problem}");
        assert!(
            !problem.contains("corp.example") && !problem.contains("Se cret"),
            "{problem}"
        );
    }
}

#[test]
fn a_report_says_what_was_not_run_and_escapes() {
    let ends = [
        Ended::Held,
        Ended::Broken(Violation::new("\"a\" <b> & \u{1} é")),
        Ended::NotRun("nobody <there>".to_owned()),
        Ended::Throttled,
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
    assert_eq!(counts, [Some("4"), Some("1"), Some("2")]);
    let message = |tag: &str| {
        let node = document
            .descendants()
            .find(|node| node.has_tag_name(tag))
            .expect("a verdict");
        node.attribute("message").map(str::to_owned)
    };
    assert_eq!(message("failure").as_deref(), Some("\"a\" <b> & ? é"));
    assert_eq!(message("skipped").as_deref(), Some("nobody <there>"));
    assert!(summary(&verdicts).starts_with("1 held, 1 broken, 2 not run"));
}
