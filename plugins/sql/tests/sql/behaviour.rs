//! The behaviour suite: on an SQLite file, and on a PostgreSQL server that the tests start.

mod postgres;
mod sqlite;
mod table;

mod sqlite_by_default {
    use super::sqlite::SqliteSubject;

    idbridge_testkit::behaviour!(SqliteSubject::new("").await);
}

mod sqlite_with_all_there_is {
    use super::sqlite::SqliteSubject;
    use super::table::LIST;

    idbridge_testkit::behaviour!(SqliteSubject::new(LIST).await);
}

mod postgres_by_default {
    use super::postgres::PostgresSubject;

    idbridge_testkit::behaviour!(PostgresSubject::new("").await);
}

mod postgres_with_all_there_is {
    use super::postgres::PostgresSubject;
    use super::table::LIST;

    idbridge_testkit::behaviour!(PostgresSubject::new(LIST).await);
}
