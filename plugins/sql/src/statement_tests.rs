use super::*;

const BOTH: [Dialect; 2] = [Dialect::Postgres, Dialect::Sqlite];

fn postgres(sql: &str) -> String {
    let statement = Statement::parse(sql, Dialect::Postgres, BY_LOGIN);
    statement.unwrap_or_else(|problem| panic!("{sql}: {problem}")).text
}

fn sqlite(sql: &str) -> String {
    let statement = Statement::parse(sql, Dialect::Sqlite, BY_LOGIN);
    statement.unwrap_or_else(|problem| panic!("{sql}: {problem}")).text
}

#[test]
fn a_name_is_one_place_however_often_it_stands() {
    let sql = "WHERE a = :login OR b = :login_folded OR c=:login";
    let statement = Statement::parse(sql, Dialect::Postgres, BY_LOGIN).expect("good");
    assert_eq!(statement.text, "WHERE a = $1 OR b = $2 OR c=$1");
    assert_eq!(statement.parameters, [Parameter::Asked, Parameter::Folded]);
    assert_eq!(sqlite(sql), "WHERE a = ?1 OR b = ?2 OR c=?1");
}

/// What looks like a parameter and isn't one stays as it stands.
#[test]
fn literals_comments_and_casts_are_left_alone() {
    for dialect in BOTH {
        for sql in [
            "':login'",
            "'it''s :login'",
            "\":login\"",
            "\"a\"\":login\"",
            "-- :login",
            "-- it's\nx",
            "/* :login ' */ x",
            "a::text",
            "'\\' ",
            "12:30",
        ] {
            let statement =
                Statement::parse(sql, dialect, BY_LOGIN).unwrap_or_else(|problem| panic!("{sql}: {problem}"));
            assert_eq!(
                (statement.text.as_str(), statement.parameters.len()),
                (sql, 0),
                "{dialect:?}"
            );
        }
    }
    for sql in [
        "E'\\' :login'",
        "e'\\\\'",
        "$$ :login ' $$",
        "$a$ :login $$ $a$",
        "/* /* */ :login */",
        "x[1:2]",
        "j ? 'a'",
        "a@b",
        "a$1",
    ] {
        assert_eq!(postgres(sql), sql);
    }
    for sql in ["`:login`", "[:login]"] {
        assert_eq!(sqlite(sql), sql);
    }
}

#[test]
fn what_follows_a_literal_is_read_again() {
    assert_eq!(postgres("'a' || :login"), "'a' || $1");
    assert_eq!(postgres(":login::citext"), "$1::citext");
    assert_eq!(postgres("$a$ x $a$ || :login"), "$a$ x $a$ || $1");
    assert_eq!(postgres("-- x\n:login"), "-- x\n$1");
    assert_eq!(
        postgres("'\\' || :login"),
        "'\\' || $1",
        "a backslash ends no plain literal"
    );
    assert_eq!(postgres("/* /* */ */ :login"), "/* /* */ */ $1");
    assert_eq!(sqlite("/* /* */ :login"), "/* /* */ ?1", "SQLite's comments don't nest");
    assert_eq!(postgres("nameE'\\' || :login"), "nameE'\\' || $1", "the E is a name's");
}

#[test]
fn mistakes_name_their_place_and_no_literal() {
    let table = [
        (
            "a\n = :nobody",
            "has an unknown parameter at line 2, column 4; `:login`, `:login_folded` can be used",
        ),
        ("a; b", "has a `;` at line 1, column 2: one statement is wanted"),
        ("'secret", "has a quote at line 1, column 1 that never ends"),
        ("/* secret", "has a comment at line 1, column 1 that never ends"),
    ];
    for dialect in BOTH {
        for (sql, problem) in table {
            assert_eq!(
                Statement::parse(sql, dialect, BY_LOGIN).expect_err(sql),
                problem,
                "{dialect:?}"
            );
        }
    }
    let unnamed = "has a place for a value at line 1, column 5 that isn't named `:name`";
    assert_eq!(
        Statement::parse("a = $1", Dialect::Postgres, BY_LOGIN).expect_err("$1"),
        unnamed
    );
    for sql in ["a = ?", "a = ?1", "a = @a", "a = $a"] {
        assert_eq!(
            Statement::parse(sql, Dialect::Sqlite, BY_LOGIN).expect_err(sql),
            unnamed
        );
    }
    for sql in ["$a$ x", "[x"] {
        let dialect = if sql.starts_with('[') {
            Dialect::Sqlite
        } else {
            Dialect::Postgres
        };
        assert!(Statement::parse(sql, dialect, BY_LOGIN).is_err(), "{sql}");
    }
}
