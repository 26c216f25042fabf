//! The contract between the broker and its identity sources.
//!
//! A source answers one question: *is this person who they say they are?* There are three answers, and they are three
//! different values:
//!
//! | answer | value | on a good day? |
//! | --- | --- | --- |
//! | yes, here they are | `Ok(Authentication::Accept(user))` | yes |
//! | no, because … | `Ok(Authentication::Reject(rejection))` | yes |
//! | I could not find out | `Err(SourceError)` | no: it counts against the source and may page someone |
//!
//! Everything else follows from keeping these apart. An outage that looks like "no" locks people out, or lets a
//! stranger sign up over an account; a "no" that looks like an outage pages an engineer for a typing mistake.
//!
//! # What a source promises
//!
//! 1. *Don't-know is an error.* Time-outs, refused credentials of our own, answers that can't be read: `Err`.
//! 2. *Yes needs listed, positive evidence.* An unknown status is not a yes, and neither is a bare "200 OK".
//! 3. *A suspended or deactivated user is neither found nor absent*: [`Lookup::Ineligible`].
//! 4. *A password is submitted at most once* a call, whatever fails, and never over a redirect.
//! 5. *One mapping*: both methods return the same [`User`] for the same person.
//! 6. *Ids are stable* in the source. The broker puts its prefix before them.
//! 7. *Nothing is invented*: a missing name is `None`, an address that the source doesn't call verified isn't.
//!
//! The behaviour suite (`plugins/testkit`) holds a source to these. `plugins/memory` is the source to copy.
//!
//! # How a source comes to be
//!
//! [`Plugin::plan`] reads the settings and reports every mistake in them; it does no I/O but to read secret files.
//! [`Blueprint::build`] makes the running source, once for each worker thread, over state that they share; it opens
//! nothing. [`IdentitySource::probe`] is the first word with the upstream.

mod call;
mod clock;
mod error;
mod input;
mod outcome;
mod registry;
mod settings;
mod source;
mod user;

pub use call::{Call, RequestId, TraceContext};
pub use clock::{Clock, ManualClock, SystemClock};
pub use error::{BoxError, ErrorKind, SourceError};
pub use input::{Email, InvalidInput, Login, Password, UserName, same_identifier};
pub use outcome::{Authentication, Lookup, Rejection};
pub use registry::{Blueprint, BuildError, Plugin, Registry, SourceContext};
pub use settings::{Field, Mistake, Node, Origin, Reader, SecretFiles, Table, Value};
pub use source::{Capabilities, IdentitySource};
pub use user::{InvalidUserId, User, UserId};

/// A text that must not be printed: an API token, a key. `Debug` redacts it, and its memory is zeroed when dropped.
pub use secrecy::{ExposeSecret, SecretString as Secret};
