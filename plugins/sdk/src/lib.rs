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
//! # What a source must not do
//!
//! - Try again. Whether to ask twice is the caller's to say.
//! - Follow a redirect with a password or a credential: it would hand them to whoever the redirect names.
//! - Log, print, or put into an error what a user typed or an upstream wrote.
//! - Read the environment or the machine's clock: [`Table`] and [`SourceContext`] bring both.
//! - Open a connection before it is asked something: an upstream that is down must not keep the broker from starting.
//!
//! # How a source comes to be
//!
//! [`Plugin::plan`] reads the settings and reports every mistake in them; it does no I/O but to read secret files.
//! [`Blueprint::build`] makes the running source, one for each worker thread, over state that they share; it opens
//! nothing. [`IdentitySource::probe`] is the first word with the upstream.
//!
//! # A whole source
//!
//! It knows one person. What an upstream would be asked, it compares by itself.
//!
//! ```
//! use std::{path::Path, sync::Arc, time::Duration};
//! use async_trait::async_trait;
//! use idbridge_source::*;
//! use tokio::time::Instant;
//!
//! /// `kind = "single"`
//! struct Single;
//!
//! /// `Debug` may be derived: a `User` shows its id alone, and a `Secret` shows nothing.
//! #[derive(Clone, Debug)]
//! struct SingleSource {
//!     user: User,
//!     password: Secret,
//!     closed: bool,
//! }
//!
//! impl Plugin for Single {
//!     const KIND: &'static str = "single";
//!
//!     fn plan(settings: &Table<'_>, _context: &SourceContext) -> Option<Arc<dyn Blueprint>> {
//!         // Every key is read before `?` gives up on any, so that all mistakes are seen at once.
//!         let login = settings.text("login").required();
//!         let email = settings.text("email").or(String::new());
//!         let password = settings.secret("password", "password_file").required();
//!         let closed = settings.bool("closed").or(false);
//!         let user = User::new(UserId::parse("1").ok()?, login?, email);
//!         Some(Arc::new(SingleSource { user, password: password?, closed }))
//!     }
//! }
//!
//! // There is nothing to share, so the source is its own blueprint.
//! impl Blueprint for SingleSource {
//!     fn capabilities(&self) -> Capabilities {
//!         IdentitySource::capabilities(self)
//!     }
//!
//!     fn build(&self) -> Result<Arc<dyn IdentitySource>, BuildError> {
//!         Ok(Arc::new(self.clone()))
//!     }
//! }
//!
//! impl SingleSource {
//!     /// Stands for the upstream: it can be asked, or it can't.
//!     fn ask(&self, operation: &'static str) -> Result<&User, SourceError> {
//!         let shut = SourceError::new(ErrorKind::Unavailable { retry_after: None }, operation);
//!         if self.closed { Err(shut) } else { Ok(&self.user) }
//!     }
//! }
//!
//! #[async_trait]
//! impl IdentitySource for SingleSource {
//!     fn capabilities(&self) -> Capabilities {
//!         Capabilities { authenticate: true, list: false, user_by_email: true, user_by_login: false }
//!     }
//!
//!     async fn authenticate(&self, _: &Call, login: &Login, password: &Password) -> Result<Authentication, SourceError> {
//!         let user = self.ask("check a password")?;
//!         if !same_identifier(&user.login, login.as_str()) {
//!             return Ok(Authentication::Reject(Rejection::UnknownUser));
//!         }
//!         let right = self.password.expose_secret() == password.expose();
//!         Ok(if right { Authentication::Accept(user.clone()) } else { Authentication::Reject(Rejection::WrongPassword) })
//!     }
//!
//!     async fn user_by_email(&self, _: &Call, email: &Email) -> Result<Lookup, SourceError> {
//!         let user = self.ask("look a user up")?;
//!         let same = same_identifier(&user.email, email.as_str());
//!         Ok(if same { Lookup::Found(user.clone()) } else { Lookup::Absent })
//!     }
//!
//!     async fn probe(&self, _: &Call) -> Result<(), SourceError> {
//!         self.ask("probe").map(|_| ())
//!     }
//! }
//!
//! // What the broker does: it reads, builds, asks.
//! # #[tokio::main(flavor = "current_thread")]
//! async fn check(closed: bool, password: &str) -> Result<Authentication, SourceError> {
//!     let text = |text: &str| Value::Text(text.to_owned());
//!     let settings = [("login", text("ada")), ("password", text("hunter2")), ("closed", Value::Bool(closed))];
//!     let node = |value| Node { origin: Origin::File("broker.toml".into(), 1), value };
//!     let tree = Node::table(Path::new("broker.toml"), settings.map(|(key, value)| (key.to_owned(), node(value))));
//!     let reader = Reader::new(SecretFiles::Read);
//!     let context = SourceContext { name: "staff".into(), clock: Arc::new(SystemClock) };
//!     let registry = Registry::default().with::<Single>();
//!     let blueprint = registry.plan("single", &reader.root(&tree), &context).expect("good settings");
//!     assert_eq!(reader.into_mistakes(), []);
//!     let call = Call::new(RequestId::parse("r-1").expect("a request id"), Instant::now() + Duration::from_secs(5));
//!     let (login, password) = (Login::parse("Ada").unwrap(), Password::parse(password.into()).unwrap());
//!     blueprint.build().expect("a source").authenticate(&call, &login, &password).await
//! }
//! // Yes: spelt as the source spells it, not as it was typed. No. And: could not find out.
//! assert!(matches!(check(false, "hunter2"), Ok(Authentication::Accept(user)) if user.login == "ada"));
//! assert_eq!(check(false, "guess").unwrap(), Authentication::Reject(Rejection::WrongPassword));
//! assert_eq!(check(true, "hunter2").unwrap_err().to_string(), "unavailable (check a password)");
//! ```
//!
//! A source with a real upstream also answers by the deadline, and lets a password check run on: see [`Call`].
//!
//! # Where to go next
//!
//! - `plugins/memory` is the source to copy, file by file; `plugins/README.md` says in which order.
//! - `docs/source-spec.md` says what a source must do, sentence by sentence, each with the case that holds it.
//! - `plugins/testkit` has those cases. Names such as `authenticate::password_is_submitted_once` in this crate are theirs.

mod call;
mod clock;
mod error;
mod finding;
mod input;
mod listing;
mod outcome;
mod registry;
mod settings;
mod source;
mod user;

pub use call::{Call, RequestId, TraceContext};
pub use clock::{Clock, ManualClock, SystemClock};
pub use error::{BoxError, ErrorKind, SourceError};
pub use finding::{Finding, Verdict};
pub use input::{Email, InvalidInput, Login, Password, UserName, folded, same_identifier};
pub use listing::{Admission, Budget, Cursor, Factors, Listed, Page, RateLimit};
pub use outcome::{Authentication, Lookup, Rejection};
pub use registry::{Blueprint, BuildError, Plugin, Registry, SourceContext};
pub use settings::{Field, Mistake, Node, Origin, Reader, SecretFiles, Table, Value};
pub use source::{Capabilities, IdentitySource};
pub use user::{InvalidUserId, User, UserId};

/// A text that must not be printed: an API token, a key. `Debug` redacts it, and its memory is zeroed when dropped.
pub use secrecy::{ExposeSecret, SecretString as Secret};
