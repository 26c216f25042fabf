use super::*;

/// `email`, `id`, `login`, `password_hash`, and these.
fn columns(more: &[Part], attributes: &[&str]) -> Columns {
    let required = Part::ALL.iter().filter(|(_, _, default)| default.is_some());
    let required = required.map(|(part, name, _)| (*part, (*name).to_owned()));
    Columns {
        parts: required
            .chain(more.iter().map(|part| (*part, "more".to_owned())))
            .collect(),
        attributes: attributes.iter().map(|name| (*name).to_owned()).collect(),
    }
}

/// A good row, with this after its required columns.
fn good(more: &str) -> String {
    format!(r#"["ada@example.com", "1", "ada", "{{SHA}}x"{more}]"#)
}

fn problem(columns: &Columns, row: &str) -> &'static str {
    match columns.read(row) {
        Err(Garbage(problem)) => problem,
        Ok(row) => panic!("{row:?}"),
    }
}

#[test]
fn columns_are_quoted_and_only_log_ins_read_hashes() {
    let mut columns = columns(&[Part::Salt], &["a\"b"]);
    columns
        .parts
        .retain(|(part, _)| matches!(part, Part::PasswordHash | Part::Salt));
    let sql = columns.select(Dialect::Postgres, "SELECT 1 -- x", true, Some(20));
    assert_eq!(
        sql,
        "SELECT CAST(json_build_array(CAST(q.\"password_hash\" AS text), CAST(q.\"more\" AS text), q.\"a\"\"b\") AS text) \
         FROM (\nSELECT 1 -- x\n) AS q LIMIT 20"
    );
    let sql = columns.select(Dialect::Sqlite, "SELECT 1", false, None);
    assert_eq!(
        sql,
        "SELECT json_array(substr(CAST(q.\"password_hash\" AS text), 1, 1), NULL, q.\"a\"\"b\") FROM (\nSELECT 1\n) AS q"
    );
}

#[test]
fn a_row_is_read_whole_or_not_at_all() {
    let bare = columns(&[], &[]);
    let row = bare.read(&good("")).expect("good");
    assert_eq!(
        (row.user.id.as_str(), row.user.login.as_str(), row.user.email.as_str()),
        ("1", "ada", "ada@example.com")
    );
    assert!(matches!(row.hash, Kept::Hash(_)) && row.status.is_none() && row.salt.is_none());
    assert_eq!(
        bare.read(r#"[null, "1", "ada", "x"]"#).expect("good").user.email,
        "",
        "nobody has to have an address"
    );
    let table = [
        ("", "a row is no JSON"),
        ("{}", "a row is no JSON"),
        ("[]", "a row has too many or too few columns"),
        (r#"["a", null, "ada", "x"]"#, "the id is NULL"),
        (r#"["a", 1.5, "ada", "x"]"#, "id"),
        (r#"["a", 123456789012345678901, "ada", "x"]"#, "id"),
        (r#"["a", "a\nb", "ada", "x"]"#, "the id is no id"),
        (r#"["a", "1", null, "x"]"#, "the login is NULL or empty"),
        (r#"["a", "1", [], "x"]"#, "login"),
        (r#"[{}, "1", "ada", "x"]"#, "email"),
        (r#"["a", "1", "ada", {}]"#, "password_hash"),
    ];
    for (text, wanted) in table {
        assert_eq!(problem(&bare, text), wanted, "{text}");
    }
    let long = good("").replace("ada", &"a".repeat(MAX_ROW));
    assert_eq!(problem(&bare, &long), "a row is too long");
}

#[test]
fn a_hash_is_there_missing_or_unusable() {
    let bare = columns(&[], &[]);
    let kept = |hash: &str| bare.read(&format!(r#"["a", "1", "ada", {hash}]"#)).expect("good").hash;
    assert!(matches!(kept("null"), Kept::Missing) && matches!(kept("\"\""), Kept::Missing));
    assert!(matches!(kept("\"!\""), Kept::Unusable) && matches!(kept("\"!abc\""), Kept::Unusable));
    assert!(matches!(kept("\"$\""), Kept::Hash(_)));
}

#[test]
fn truth_values_are_words_or_0_and_1() {
    let flag = columns(&[Part::EmailVerified], &[]);
    for (said, verified) in [
        ("true", Some(true)),
        ("1", Some(true)),
        ("false", Some(false)),
        ("0", Some(false)),
        ("null", None),
    ] {
        assert_eq!(
            flag.read(&good(&format!(", {said}")))
                .expect("good")
                .user
                .email_verified,
            verified,
            "{said}"
        );
    }
    for bad in ["2", "-1", "0.5", "\"true\"", "\"yes\"", "[]"] {
        assert_eq!(
            problem(&flag, &good(&format!(", {bad}"))),
            "email_verified is no truth value",
            "{bad}"
        );
    }
    for (part, wanted) in [
        (Part::SecondFactor, "second_factor is no truth value"),
        (Part::PasswordExpired, "password_expired is no truth value"),
    ] {
        assert_eq!(problem(&columns(&[part], &[]), &good(", null")), wanted);
    }
}

#[test]
fn a_status_is_its_word_and_never_null() {
    let status = columns(&[Part::Status], &[]);
    for (said, word) in [("\"active\"", "active"), ("1", "1"), ("true", "true"), ("\"\"", "")] {
        assert_eq!(
            status
                .read(&good(&format!(", {said}")))
                .expect("good")
                .status
                .as_deref(),
            Some(word)
        );
    }
    assert_eq!(problem(&status, &good(", null")), "the status is NULL");
    assert_eq!(problem(&status, &good(", 0.5")), "status");
}

#[test]
fn groups_are_arrays_and_names_are_not_invented() {
    let groups = columns(&[Part::Groups], &[]);
    let read = |said: &str| groups.read(&good(&format!(", {said}"))).map(|row| row.user.groups);
    assert_eq!(read(r#"["a", "b"]"#).expect("good"), ["a", "b"]);
    assert_eq!(read(r#""[\"a\"]""#).expect("good"), ["a"]);
    assert_eq!(read("null").expect("good"), [""; 0]);
    for bad in [r#""a, b""#, "1", "[1]", "[null]", "{}", r#""""#] {
        assert!(read(bad).is_err(), "{bad}");
    }
    let name = columns(&[Part::GivenName], &["x"]);
    let user = name.read(&good(", \"\", null")).expect("good").user;
    assert_eq!((user.given_name, user.attributes.len()), (None, 0));
}

#[test]
fn debug_shows_the_id_alone() {
    let row = columns(&[Part::Salt], &[]).read(&good(", \"pepper\"")).expect("good");
    assert_eq!(format!("{row:?}"), "Row { id: UserId(\"1\"), .. }");
}
