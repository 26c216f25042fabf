//! Rows as tables in the wild have them: what is an answer, and what is an error about the table.

use idbridge_source::{Lookup, User};
use idbridge_sql::Control;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _};
use tempfile::TempDir;

use crate::asking::{Source, by_email, call, log_in, look_up};
use crate::settings;

const DECOY: &str = "{SSHA}eIDOqtsz85+DBvlRQtBVGxFIDWJxTqn1";
/// Some digest.
const OTHER: &str = "ca20ca3df37bcd1bd25a7a90945d1c4bcf2ec6f7e4a1ac8a4b13d6ad2e2a0f54";

/// A table with these rows of (id, login, hash, state, extra), read by these further settings.
async fn table(rows: &str, settings: &str) -> (Source, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("users.db");
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let mut file = options.connect().await.expect("a file");
    let script =
        format!("CREATE TABLE users (id, login, email, password_hash, state, extra); INSERT INTO users VALUES {rows}");
    sqlx::raw_sql(AssertSqlSafe(script))
        .execute(&mut file)
        .await
        .expect("a table");
    let settings = format!(
        "url = \"sqlite://{}\"
         by_login = \"SELECT * FROM users WHERE lower(login) = :login_folded\"
         by_email = \"SELECT * FROM users WHERE lower(email) = :email_folded\"
         decoy_hash = \"{DECOY}\"
         {settings}",
        path.display()
    );
    (settings::source(&settings, &Control::default()), folder)
}

fn ada(hash: &str) -> String {
    format!("(1, 'ada', 'ada@example.com', {hash}, 'active', NULL)")
}

/// The password of each is `hunter2` where there is one.
#[tokio::test]
async fn a_hash_that_nobody_can_check_is_an_error_about_the_table() {
    let null = "protocol (read a row): password_hash is NULL or empty";
    let unreadable = |problem: &str| format!("protocol (read a password hash): a password hash {problem}");
    let table = [
        ("NULL", null.to_owned(), null),
        ("''", null.to_owned(), null),
        ("'!'", "no_password".to_owned(), "no_password"),
        ("'!$2b$04$abc'", "no_password".to_owned(), "no_password"),
        (
            "'$2b$31$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS'",
            unreadable("costs more than is computed for anybody"),
            "found",
        ),
        ("'$2b$10$short'", unreadable("isn't written as its format is"), "found"),
        (
            "'hunter2'",
            unreadable("is in no known format, and none was declared"),
            "found",
        ),
        (
            "x'ff'",
            "protocol (read a password hash): a row can't be decoded".to_owned(),
            "protocol",
        ),
    ];
    for (hash, logged_in, looked_up) in table {
        let (source, _folder) = self::table(&ada(hash), "").await;
        let answer = log_in(&source, "ada", "hunter2").await;
        if hash != "x'ff'" {
            assert_eq!(answer, logged_in, "{hash}");
            assert_eq!(look_up(&source, "ada@example.com").await, looked_up, "{hash}");
        } else {
            assert!(answer.starts_with("protocol"), "{answer}");
        }
        assert_eq!(log_in(&source, "nobody", "hunter2").await, "unknown_user", "{hash}");
    }
}

#[tokio::test]
async fn what_a_row_lacks_is_an_error_and_no_answer() {
    let columns = "[columns]\nsecond_factor = \"extra\"\nstatus = \"state\"\n[statuses]\nactive = \"active\"";
    let password = format!("'{DECOY}'");
    let table = [
        ("(NULL, 'ada', 'ada@example.com', HASH, 'active', 0)", "the id is NULL"),
        ("('', 'ada', 'ada@example.com', HASH, 'active', 0)", "the id is no id"),
        ("(1.5, 'ada', 'ada@example.com', HASH, 'active', 0)", "found"),
        (
            "(1, NULL, 'ada@example.com', HASH, 'active', 0)",
            "the login is NULL or empty",
        ),
        ("(1, 'ada', 'ada@example.com', HASH, NULL, 0)", "the status is NULL"),
        (
            "(1, 'ada', 'ada@example.com', HASH, 'odd', 0)",
            "the status has no row in the settings",
        ),
        (
            "(1, 'ada', 'ada@example.com', HASH, 'active', NULL)",
            "second_factor is no truth value",
        ),
        (
            "(1, 'ada', 'ada@example.com', HASH, 'active', 'yes')",
            "second_factor is no truth value",
        ),
        (
            "(1, 'ada', 'ada@example.com', HASH, 'active', 2)",
            "second_factor is no truth value",
        ),
        (
            "(1, 'ada', 'ada@example.com', HASH, 'active', 1)",
            "second_factor_required",
        ),
        ("(1, 'ada', 'ada@example.com', HASH, 'active', 0)", "found"),
    ];
    for (row, wanted) in table {
        let (source, _folder) = self::table(&row.replace("HASH", &password), columns).await;
        let answer = look_up(&source, "ada@example.com").await;
        let wanted = match wanted {
            "found" | "second_factor_required" => wanted.to_owned(),
            problem => format!("protocol (read a row): {problem}"),
        };
        assert_eq!(answer, wanted, "{row}");
    }
}

/// Even where no row comes: an empty answer of the wrong table is no "no such user".
#[tokio::test]
async fn a_column_that_is_not_there_is_an_error_for_nobody_too() {
    for (columns, attributes) in [
        ("[columns]\ngiven_name = \"vorname\"", ""),
        ("", "attributes = [\"nothing\"]"),
    ] {
        let (source, _folder) = table(&ada(&format!("'{DECOY}'")), &format!("{attributes}\n{columns}")).await;
        for email in ["ada@example.com", "nobody@example.com"] {
            assert_eq!(
                look_up(&source, email).await,
                "protocol (look a user up): SQLite's result code 1"
            );
        }
        let code = "protocol (read a password hash): SQLite's result code 1";
        assert_eq!(log_in(&source, "nobody", "hunter2").await, code);
        let probe = source.probe(&call(std::time::Duration::from_secs(5))).await;
        assert!(probe.is_err(), "the probe is well");
    }
}

#[tokio::test]
async fn two_rows_for_one_are_an_error_never_the_first() {
    let rows = format!(
        "{}, {}",
        ada(&format!("'{DECOY}'")),
        ada("'x'").replace("(1", "(2").replace("'ada'", "'ADA'")
    );
    let (source, _folder) = table(&rows, "").await;
    assert_eq!(log_in(&source, "ada", "x").await, "ambiguous (find one user)");
    assert_eq!(look_up(&source, "ada@example.com").await, "ambiguous (find one user)");
}

#[tokio::test]
async fn a_loose_query_finds_nobody_whom_it_was_not_asked_for() {
    let rows = ada(&format!("'{DECOY}'"));
    let loose = "SELECT * FROM users WHERE :login <> '' OR :login = ''";
    let (source, _folder) = table(&rows, "").await;
    assert_eq!(look_up(&source, "a%@example.com").await, "absent");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("users.db");
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let mut file = options.connect().await.expect("a file");
    let many: Vec<String> = (0..19)
        .map(|id| format!("({id}, 'u{id}', 'u{id}@example.com', '{DECOY}')"))
        .collect();
    let script = format!(
        "CREATE TABLE users (id, login, email, password_hash); INSERT INTO users VALUES {}",
        many.join(", ")
    );
    sqlx::raw_sql(AssertSqlSafe(script))
        .execute(&mut file)
        .await
        .expect("a table");
    let settings = format!(
        "url = \"sqlite://{}\"\nby_login = \"{loose}\"\ndecoy_hash = \"{DECOY}\"",
        path.display()
    );
    let source = settings::source(&settings, &Control::default());
    assert_eq!(log_in(&source, "nobody", "x").await, "unknown_user");
    assert_eq!(log_in(&source, "u7", "x").await, "wrong_password");
    let one_more = format!("INSERT INTO users VALUES (19, 'u19', 'x', '{DECOY}')");
    sqlx::raw_sql(AssertSqlSafe(one_more))
        .execute(&mut file)
        .await
        .expect("a row");
    let large = "protocol (read a password hash): the statement matches people at large";
    assert_eq!(log_in(&source, "u7", "x").await, large);
}

#[tokio::test]
async fn declared_digests_take_the_salt_of_their_row() {
    let settings = "[columns]\nsalt = \"extra\"\n[digest]\nfunction = \"sha256\"\nlayout = \"salt_password\"";
    let good = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"salthunter2");
    let good: String = good.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let row = |hash: &str, salt: &str| format!("(1, 'ada', 'ada@example.com', '{hash}', 'active', {salt})");
    for (hash, salt, wanted) in [
        (good.as_str(), "'salt'", "accepted"),
        (good.as_str(), "'pepper'", "wrong_password"),
        (OTHER, "'salt'", "wrong_password"),
        (
            good.as_str(),
            "NULL",
            "protocol (read a password hash): a password hash isn't written as its format is",
        ),
    ] {
        let (source, _folder) = table(&row(hash, salt), settings).await;
        assert_eq!(log_in(&source, "ada", "hunter2").await, wanted, "{hash} {salt}");
        assert_eq!(look_up(&source, "ada@example.com").await, "found");
    }
}

/// Made by Django and by Werkzeug themselves: plugins/passwords/tests/vectors/old.tsv.
#[tokio::test]
async fn old_digests_are_read_as_those_who_wrote_them_did() {
    const PASSWORD: &str = "correct horse battery staple";
    const DJANGO: [&str; 2] = [
        "sha1$iRLXQqtrFNe13gCwii9OXX$f22437a9556d1e80ac30f4461cfcbd8e7a472a78",
        "md5$hHOrM2aZt4g1eUYJSy2A34$63ebb16ee224e4b969529e658ddf1c9e",
    ];
    const WERKZEUG: [&str; 2] = [
        "sha1$DfPJ6GjOcohgHkat$da8ded9034908e44355f8946716a16451f109c1a",
        "sha256$VaP26fV7cS1b4h3p$07e1b5f804537e7c9705eb1afe271c89ee6e6af27d3de6f8998f34d7719d2c51",
    ];
    const UNKNOWN: &str =
        "protocol (read a password hash): a password hash is in no known format, and none was declared";
    let digest = "[digest]\nfunction = \"sha1\"\nlayout = \"password\"";
    let by = |name: &str| format!("salted_by = \"{name}\"");
    let table = [
        (DJANGO[0], String::new(), UNKNOWN),
        // A declaration is for digests without a mark.
        (DJANGO[0], digest.to_owned(), UNKNOWN),
        (DJANGO[0], by("django"), "accepted"),
        (DJANGO[1], by("django"), "accepted"),
        (WERKZEUG[0], String::new(), UNKNOWN),
        (WERKZEUG[0], by("werkzeug"), "accepted"),
        (WERKZEUG[1], by("werkzeug"), "accepted"),
        // The same letters, computed as the other does.
        (DJANGO[0], by("werkzeug"), "wrong_password"),
        (WERKZEUG[0], by("django"), "wrong_password"),
        // What the other never wrote.
        (DJANGO[1], by("werkzeug"), UNKNOWN),
        (WERKZEUG[1], by("django"), UNKNOWN),
    ];
    let others = [
        "sha224$VaP26fV7cS1b4h3p$00",
        "sha384$VaP26fV7cS1b4h3p$00",
        "plain$$hunter2",
    ];
    let others = others.map(|hash| (hash, by("werkzeug"), UNKNOWN));
    for (hash, settings, wanted) in table.into_iter().chain(others) {
        let (source, _folder) = self::table(&ada(&format!("'{hash}'")), &settings).await;
        let case = format!("{hash}, {settings}");
        assert_eq!(log_in(&source, "ada", PASSWORD).await, wanted, "{case}");
        let wrong = if wanted == "accepted" { "wrong_password" } else { wanted };
        assert_eq!(log_in(&source, "ada", "hunter2").await, wrong, "{case}");
        assert_eq!(look_up(&source, "ada@example.com").await, "found", "{case}");
        assert_eq!(log_in(&source, "nobody", PASSWORD).await, "unknown_user", "{case}");
    }
}

#[tokio::test]
async fn groups_and_attributes_are_the_columns() {
    let row = format!("(1, 'ada', 'ada@example.com', '{DECOY}', 7, '[\"staff\", \"Wheel\"]')");
    let (source, _folder) = table(&row, "attributes = [\"state\"]\n[columns]\ngroups = \"extra\"").await;
    let user = found(&source, "ADA@example.com").await;
    assert_eq!(user.groups, ["staff", "Wheel"]);
    assert_eq!(
        user.attributes.get("state").and_then(serde_json::Value::as_i64),
        Some(7)
    );
    assert_eq!((user.id.as_str(), user.email_verified), ("1", None));
}

#[tokio::test]
async fn a_statement_cannot_write_and_a_missing_file_is_unavailable() {
    let (source, folder) = table(&ada(&format!("'{DECOY}'")), "").await;
    assert_eq!(look_up(&source, "ada@example.com").await, "found");
    let path = folder.path().join("nowhere.db");
    let settings = format!(
        "url = \"sqlite://{}\"\nby_login = \"SELECT * FROM users WHERE login = :login\"\ndecoy_hash = \"{DECOY}\"",
        path.display()
    );
    let away = settings::source(&settings, &Control::default());
    assert_eq!(
        log_in(&away, "ada", "x").await,
        "unavailable (read a password hash): SQLite's result code 14"
    );
    assert!(!path.exists(), "a file was made");
}

async fn found(source: &Source, email: &str) -> User {
    match by_email(source, email).await {
        Ok(Lookup::Found(user)) => user,
        other => panic!("{email}: {other:?}"),
    }
}
