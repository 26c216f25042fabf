//! The behaviour suite on the Okta source and a simulated org, with and without look-ups by login.

mod subject;

mod by_default {
    use super::subject::OktaSubject;

    idbridge_testkit::behaviour!(OktaSubject::new(&[]).await);
}

mod with_look_ups_by_login {
    use super::subject::OktaSubject;
    use crate::world::yes;

    idbridge_testkit::behaviour!(OktaSubject::new(&[("lookup_by_login", yes())]).await);
}
