//! The behaviour suite that every source and every decorator passes.
//!
//! A source's test says how to stand it up, and calls [`behaviour!`]:
//!
//! ```text
//! async fn acme() -> Acme { /* starts a fake upstream with world::PEOPLE in it */ }
//! impl Subject for Acme { /* the source; breaking its upstream; what reached it */ }
//!
//! idbridge_testkit::behaviour!(acme().await);
//! ```
//!
//! Each case becomes a test of its own, with a fresh subject. `plugins/memory/tests/behaviour.rs` is the one to copy,
//! and `docs/source-spec.md` says in words what each case holds.
//!
//! # Exceptions
//!
//! Where an upstream makes a behaviour impossible, the call names the case, and the upstream's page that says so:
//!
//! ```text
//! behaviour!(acme().await, except: [
//!     user_by_email::address_is_compared_after_nfc => "Acme compares bytes: https://acme.example/docs/search",
//! ]);
//! ```
//!
//! An exception is asserted: the case must fail there. Cases of the laws 1 to 4 have none, and naming one doesn't
//! compile. What a source doesn't declare in its capabilities isn't skipped either: it must answer `Unsupported`.

mod alone;
mod cases;
pub mod cast;
mod log;
mod spelling;
mod subject;
mod suite;
mod trial;
#[cfg(feature = "upstreams")]
pub mod upstreams;
pub mod world;

pub use alone::{Ended, check_alone};
pub use log::Log;
pub use subject::{Fault, Subject, Submission, Wrapped};
pub use suite::{CASES, Case, Exception, check, check_exceptions, exception_problem, run};
pub use trial::{Operation, Verdict, Violation};
