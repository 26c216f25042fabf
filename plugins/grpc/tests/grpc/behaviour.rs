//! The behaviour suite on memory in another process's place: everything that the source says goes over the wire.

#[path = "../../../memory/tests/behaviour/subject.rs"]
mod memory;
mod subject;

/// What goes wrong, goes wrong behind the plugin, which says so in the contract's words.
mod faults_behind_the_plugin {
    use super::subject::{Breaks, GrpcSubject};

    idbridge_testkit::behaviour!(GrpcSubject::start(Breaks::Memory).await);
}

/// What goes wrong, goes wrong between us and the plugin.
mod faults_of_the_plugin {
    use super::subject::{Breaks, GrpcSubject};

    idbridge_testkit::behaviour!(GrpcSubject::start(Breaks::Wire).await);
}
