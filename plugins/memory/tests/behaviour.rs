//! The behaviour suite on the memory source, with its settings as they are by default and with every look-up there is.

#[cfg(test)] // where clippy lets a mistake end it
#[path = "behaviour/subject.rs"]
mod subject;

mod by_default {
    use super::subject::MemorySubject;

    idbridge_testkit::behaviour!(MemorySubject::new(""));
}

mod with_look_ups_by_login {
    use super::subject::MemorySubject;

    idbridge_testkit::behaviour!(MemorySubject::new("lookup_by_login = true"));
}
