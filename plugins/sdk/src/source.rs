use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    Authentication, Budget, Call, Cursor, Email, ErrorKind, Factors, Finding, Listed, Login, Lookup, Page, Password,
    SourceError, UserId, UserName,
};

/// An upstream that knows users. One value serves one worker thread, many calls at a time.
///
/// - Calls share nothing that a user could leave behind: no session, no cookie, no "last user"
///   (`authenticate::calls_at_once_keep_apart`).
/// - Every method answers by [`Call::deadline`] (`faults::hung_upstream_ends_at_the_deadline`), and answers again once
///   the upstream does, without a restart (`faults::answers_again_once_healed`).
/// - `Debug` is required, and must redact (`secrecy::debug_shows_no_secret`). So must the log, at any level
///   (`secrecy::logs_show_no_secret`).
#[async_trait]
pub trait IdentitySource: Debug + Send + Sync + 'static {
    /// What this source can do. It doesn't change while the source lives, and equals what its blueprint said.
    fn capabilities(&self) -> Capabilities;

    /// Is this person who they say they are?
    ///
    /// Requires [`Capabilities::authenticate`].
    ///
    /// # Behaviour
    ///
    /// - The password is submitted upstream at most once, whatever fails: each try counts towards a lock
    ///   (`faults::password_is_submitted_at_most_once_under_each_fault`).
    /// - A check that was sent runs to its end when the caller hangs up: the attempt has been counted, and a caller who
    ///   asks again would count it twice (`authenticate::caller_hanging_up_does_not_cut_the_check`).
    /// - The login and the password reach the upstream byte for byte: a trimmed password is another password.
    /// - `Accept` needs evidence that the plugin's table lists. Everything that has no row is an error.
    /// - A wrong password or an unknown user is `Reject`: nobody is paged for a typing mistake
    ///   (`authenticate::wrong_password_is_rejected_not_an_error`).
    /// - An outage is `Err`, since nobody has looked at the password (`faults::outage_is_never_a_rejection`).
    /// - The returned user is the one that the source itself names, never the login echoed: an upstream may know one
    ///   person by several logins (`authenticate::user_is_the_sources_own_never_the_login_echoed`).
    /// - What makes a look-up ineligible by provider or second factor is rejected here too.
    async fn authenticate(
        &self,
        call: &Call,
        login: &Login,
        password: &Password,
    ) -> Result<Authentication, SourceError>;

    /// Who has this e-mail address?
    ///
    /// Requires [`Capabilities::user_by_email`].
    ///
    /// # Behaviour
    ///
    /// - Found is only the user whose e-mail at the source is the asked one, by [`same_identifier`](crate::same_identifier).
    ///   Upstreams search loosely, and many search logins too: compare what comes back
    ///   (`user_by_email::login_hit_is_not_an_email_hit`).
    /// - `Absent` means that the source is sure. An outage is never that (`faults::outage_is_never_absent`).
    /// - A user who may not be migrated is `Ineligible` (`user_by_email::ineligible_is_neither_found_nor_absent`).
    /// - A user whom a log-in refuses for a second factor or a foreign password is `Ineligible` for it here. A password
    ///   reset would otherwise bring them in (`user_by_email::what_a_log_in_is_refused_for_is_ineligible`).
    /// - A user whose password has expired is found, and marked so: a reset is just what they need
    ///   (`user_by_email::expired_password_is_found_and_marked`).
    /// - Two users for one address are [`ErrorKind::Ambiguous`], never the first. The first may be a stranger
    ///   (`user_by_email::ambiguous_address_is_an_error`).
    /// - The user equals what `authenticate` returns for the same person: the target stores
    ///   whichever comes first (`user_by_email::both_methods_return_the_same_user`).
    /// - No password is submitted (`user_by_email::look_up_submits_no_password`).
    async fn user_by_email(&self, call: &Call, email: &Email) -> Result<Lookup, SourceError>;

    /// Who has this login? For identifiers that are no e-mail address.
    ///
    /// Requires [`Capabilities::user_by_login`]. Behaves as [`user_by_email`](Self::user_by_email), by login: a user whose
    /// *e-mail* is the asked text isn't found by it (`user_by_login::email_hit_is_not_a_login_hit`).
    async fn user_by_login(&self, _call: &Call, _login: &UserName) -> Result<Lookup, SourceError> {
        Err(SourceError::new(ErrorKind::Unsupported, "look-up by login"))
    }

    /// Everybody, page by page: those after the cursor, or the first ones. For assessments before a migration.
    ///
    /// Requires [`Capabilities::list`].
    ///
    /// # Behaviour
    ///
    /// - Following the cursors lists everybody whom the upstream lists, each once (`list::everybody_is_listed_once`).
    ///   What it doesn't list, the plugin's README names.
    /// - A cursor that this source gave still works in another process, for as long as the upstream keeps it
    ///   (`list::a_cursor_is_all_that_it_takes_to_go_on`). One that it didn't give is [`ErrorKind::Protocol`]
    ///   (`list::a_foreign_cursor_is_an_error`).
    /// - A page is one question or few, and its size doesn't grow with the number of people.
    /// - It comes last: log-ins and look-ups that want the same budget go before it, and some of it is left to them.
    /// - No password is submitted (`list::listing_submits_no_password`).
    async fn list(&self, _call: &Call, _after: Option<&Cursor>) -> Result<Page, SourceError> {
        Err(SourceError::new(ErrorKind::Unsupported, "list"))
    }

    /// The active second factors of this user, where [`list`](Self::list) doesn't tell them: one more question each.
    ///
    /// Requires [`Capabilities::list`]. Comes last, as a list does.
    async fn factors(&self, _call: &Call, _id: &UserId) -> Result<Factors, SourceError> {
        Err(SourceError::new(ErrorKind::Unsupported, "factors"))
    }

    /// Everybody who carries this text as a login or as an address, whether or not they may move: for support, who has
    /// one of them on the phone. A source that can't tell answers [`ErrorKind::Unsupported`], as this does.
    ///
    /// # Behaviour
    ///
    /// - The same people, and the same judgement of each, as [`list`](Self::list); with factors, for whom they matter
    ///   (`list::claimants_are_as_listed`).
    /// - None is an answer only if the source is sure, as at a look-up: an outage is `Err`
    ///   (`list::outage_is_never_no_claimant`).
    /// - No password is submitted.
    async fn claimants(&self, _call: &Call, _identifier: &Login) -> Result<Vec<Listed>, SourceError> {
        Err(SourceError::new(ErrorKind::Unsupported, "claimants"))
    }

    /// How many log-ins the upstream lets through, as far as this source knows. Nothing is asked.
    fn budget(&self) -> Budget {
        Budget::default()
    }

    /// Can users be asked for at all? Asks the upstream something that costs little and needs our credential.
    ///
    /// # Behaviour
    ///
    /// - `Ok` only if a call now would get an answer, as far as one question can tell
    ///   (`faults::probe_answers_when_well`, `faults::probe_fails_when_down`).
    /// - No password is submitted: the probe runs for ever, and would lock its user (`faults::probe_submits_no_password`).
    async fn probe(&self, call: &Call) -> Result<(), SourceError>;

    /// Looks at everything that is often wrong on the first day, each thing with its own finding. For an operator who
    /// asks for it, not for the broker as it runs: it may ask more than a probe does, within one call's deadline.
    ///
    /// # Behaviour
    ///
    /// - There is a finding, and something is fine, when the upstream is well (`examine::something_is_fine_when_well`).
    ///   Under an outage nothing that was asked is fine (`examine::an_outage_is_never_fine`), by the deadline
    ///   (`examine::a_hung_upstream_ends_at_the_deadline`).
    /// - Without a password none is submitted (`examine::no_password_is_submitted_unasked`). With the password of the
    ///   source's canary, a user for such tests, at most one that is right and, only if that was taken, one that is
    ///   wrong: an examination must not lock its canary.
    async fn examine(&self, call: &Call, _canary_password: Option<&Password>) -> Vec<Finding> {
        vec![Finding::of_probe(self.probe(call).await)]
    }
}

/// What a source can do, at least one thing. To be asked for another is [`ErrorKind::Unsupported`]
/// (`faults::undeclared_operation_is_unsupported`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Capabilities {
    /// [`IdentitySource::authenticate`]
    pub authenticate: bool,
    /// [`IdentitySource::list`]
    pub list: bool,
    /// [`IdentitySource::user_by_email`]
    pub user_by_email: bool,
    /// [`IdentitySource::user_by_login`]
    pub user_by_login: bool,
}

#[async_trait]
impl<S: IdentitySource + ?Sized> IdentitySource for Arc<S> {
    fn capabilities(&self) -> Capabilities {
        (**self).capabilities()
    }

    async fn authenticate(
        &self,
        call: &Call,
        login: &Login,
        password: &Password,
    ) -> Result<Authentication, SourceError> {
        (**self).authenticate(call, login, password).await
    }

    async fn user_by_email(&self, call: &Call, email: &Email) -> Result<Lookup, SourceError> {
        (**self).user_by_email(call, email).await
    }

    async fn user_by_login(&self, call: &Call, login: &UserName) -> Result<Lookup, SourceError> {
        (**self).user_by_login(call, login).await
    }

    async fn list(&self, call: &Call, after: Option<&Cursor>) -> Result<Page, SourceError> {
        (**self).list(call, after).await
    }

    async fn factors(&self, call: &Call, id: &UserId) -> Result<Factors, SourceError> {
        (**self).factors(call, id).await
    }

    async fn claimants(&self, call: &Call, identifier: &Login) -> Result<Vec<Listed>, SourceError> {
        (**self).claimants(call, identifier).await
    }

    fn budget(&self) -> Budget {
        (**self).budget()
    }

    async fn probe(&self, call: &Call) -> Result<(), SourceError> {
        (**self).probe(call).await
    }

    async fn examine(&self, call: &Call, canary_password: Option<&Password>) -> Vec<Finding> {
        (**self).examine(call, canary_password).await
    }
}
