use super::*;

const KNOWN: &[&str] = &["login", "password"];
const NASTY: &str = "\"}, {{ password }} {% x %} \\ /../?#&=+é\u{2028}\r\n' <b>";

fn filled(source: &str, place: Place, login: &str) -> String {
    let template = Template::parse(source, place, KNOWN).expect("a template");
    template
        .fill(&[("login", Given::Text(login)), ("password", Given::Text("hunter2"))])
        .expect("filled")
}

#[test]
fn a_value_is_encoded_for_where_it_stands() {
    let json: serde_json::Value = serde_json::from_str(&filled(
        "{\"a\": {{ login }}, \"b\": [{{ login }}]}",
        Place::Json,
        NASTY,
    ))
    .expect("JSON");
    assert_eq!(json, serde_json::json!({"a": NASTY, "b": [NASTY]}));
    assert_eq!(filled("{{ login }}", Place::Item, NASTY), NASTY);
    let within = filled("userName eq {{ login }}", Place::Item, NASTY);
    let quoted = within.strip_prefix("userName eq ").expect("its beginning");
    assert_eq!(serde_json::from_str::<String>(quoted).expect("a JSON string"), NASTY);
    let path = filled("/users/{{ login }}/x", Place::Path, NASTY);
    assert_eq!(path.matches('/').count(), 3);
    assert!(
        path.bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"\"?#&=+{}<>\\'".contains(&byte)),
        "{path}"
    );
}

#[test]
fn values_are_no_templates() {
    assert_eq!(
        filled("{{ login }}", Place::Item, "{{ password }}{% raw %}"),
        "{{ password }}{% raw %}"
    );
}

#[test]
fn filters_and_blocks_go_through_the_encoding() {
    assert_eq!(filled("/{{ login|lower }}", Place::Path, "A/B"), "/a%2Fb");
    assert_eq!(
        filled(
            "/{% if login == 'x' %}x{% else %}{{ login }}{% endif %}",
            Place::Path,
            "a/b"
        ),
        "/a%2Fb"
    );
    assert_eq!(filled("/{{ login ~ '/x' }}", Place::Path, "a"), "/a%2Fx");
    assert_eq!(
        filled("{% autoescape false %}{{ login }}{% endautoescape %}", Place::Json, "a"),
        "\"a\""
    );
}

#[test]
fn mistakes_are_seen_at_once_with_their_position_and_without_the_text() {
    let mut wrong = Vec::new();
    for (source, place, problem) in [
        ("/{{ login", Place::Path, "line 1, column 5: syntax error"),
        (
            "{\n \"a\": {{ login || }}}",
            Place::Json,
            "line 2, column 17: syntax error",
        ),
        (
            "/{{ user }}",
            Place::Path,
            "line 1, column 5: `user` is not known here; known: `login`, `password`",
        ),
        ("{{ login|safe }}", Place::Item, "line 1, column 10: unknown filter"),
        ("{{ login.x }}", Place::Item, "line 1, column 4: undefined value"),
        (
            "{\"a\": \"{{ login }}\"}",
            Place::Json,
            "line 1, column 7: a value brings its own quotes; leave them out around {{ … }}",
        ),
        (
            "userName eq '{{ login }}'",
            Place::Item,
            "line 1, column 13: a value brings its own quotes; leave them out around {{ … }}",
        ),
        (
            "{\"a\": hunter2}",
            Place::Json,
            "line 1: makes no JSON; a value brings its own quotes: {\"login\": {{ login }}}",
        ),
        (
            "{\n\"a\": {{ login }},\n}",
            Place::Json,
            "line 3: makes no JSON; a value brings its own quotes: {\"login\": {{ login }}}",
        ),
        ("{{ [login] }}", Place::Item, "line 1"),
    ] {
        let said = Template::parse(source, place, KNOWN).map(drop).expect_err(source);
        if !said.starts_with(problem) {
            wrong.push(format!("{source}: {said}"));
        }
        assert!(!said.contains("hunter2"), "{said}");
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn work_and_length_have_a_limit() {
    for heavy in [
        &("{% for a in [1,2,3,4,5,6,7,8,9] %}".repeat(5) + &"{% endfor %}".repeat(5)),
        &("{% for a in [login] %}".to_owned()
            + &"{% for a in [a ~ a] %}".repeat(31)
            + "{{ a }}"
            + &"{% endfor %}".repeat(32)),
        &("{% set a = login ~ login %}".to_owned() + &"{% set a = a ~ a %}".repeat(60) + "{{ a }}"),
        "{{ 'x' * 1000000000000 }}",
        "{{ ([1] * 1000000000)|upper }}",
        &"{{ login }}".repeat(2000),
        &"{{ (".repeat(2000),
        &format!("{{{{ {}login }}}}", "not ".repeat(3000)),
        &format!("{{{{ {}1 }}}}", "-".repeat(10_000)),
        &format!("{{{{ login{} }}}}", "|upper".repeat(1000)),
        &("{% if login %}".repeat(500) + &"{% endif %}".repeat(500)),
        &format!("{{% if login %}}{}{{% endif %}}", "{% elif login %}".repeat(900)),
    ] {
        assert!(
            Template::parse(heavy, Place::Item, KNOWN).is_err(),
            "{} bytes",
            heavy.len()
        );
    }
    // What is just short enough needs no more of a stack than a test's thread has.
    for deep in [
        format!("{{{{ {}login }}}}", "not ".repeat(125)),
        format!("{{{{ {}login{} }}}}", "(".repeat(245), ")".repeat(245)),
        format!("{{{{ {}login{} }}}}", "[".repeat(245), "]".repeat(245)),
        format!("{{{{ login{} }}}}", "~login".repeat(80)),
        format!("{{{{ login{} }}}}", "|upper".repeat(80)),
        "{% if login %}".repeat(32) + &"{% endif %}".repeat(32),
        format!("{{% if login %}}{}{{% endif %}}", "{% elif login %}".repeat(62)),
    ] {
        let _either = Template::parse(&deep, Place::Item, KNOWN);
    }
    let busy = "{{ login|upper|lower }}".repeat(700);
    let busy = Template::parse(&busy, Place::Item, KNOWN).expect("a template");
    assert!(busy.fill(&[("login", Given::Text("x"))]).is_ok(), "within its fuel");
    let long = Template::parse("{{ login }}{{ login }}", Place::Item, KNOWN).expect("a template");
    let values = [
        ("login", Given::Text(&"x".repeat(40_000))),
        ("password", Given::Text("")),
    ];
    assert!(long.fill(&values).is_err());
}
