//! The behaviour suite on the README's example and a home-made login API, with and without look-ups by login and lists.

pub(crate) mod subject;

mod by_default {
    use super::subject::LegacySubject;

    idbridge_testkit::behaviour!(LegacySubject::new("").await);
}

mod with_look_ups_by_login {
    use super::subject::{BY_LOGIN, LegacySubject};

    idbridge_testkit::behaviour!(LegacySubject::new(BY_LOGIN).await);
}

mod with_a_list_by_cursor {
    use super::subject::{BY_CURSOR, LegacySubject, list};

    idbridge_testkit::behaviour!(LegacySubject::new(&list(BY_CURSOR)).await);
}

mod with_a_list_by_offset {
    use super::subject::{BY_OFFSET, LegacySubject, list};

    idbridge_testkit::behaviour!(LegacySubject::new(&list(BY_OFFSET)).await);
}
