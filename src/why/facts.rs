//! What one source knows of an identifier, and what follows for a log-in.

use std::time::Duration;

use idbridge_source::{
    Admission, Authentication, BuildError, Call, Capabilities, Email, ErrorKind, Listed, Login, Lookup, Rejection,
    SourceError, User, UserName, same_identifier,
};
use tokio::time::Instant;

use super::told::Told;
use crate::app::broker::{Broker, Source};
use crate::request_id;
use crate::sources::gate::Mode;

/// Longer than a call may take: who carries an identifier is several questions.
const PATIENCE: Duration = Duration::from_secs(30);

/// Long enough for whoever only says what they were told.
pub(super) const AT_ONCE: Duration = Duration::from_secs(5);

/// What was found out. Nothing was asked of a source that is turned off.
#[derive(Debug)]
pub(super) struct Facts {
    /// `None`: the source has no such look-up, or the identifier fits none.
    pub(super) by_email: Option<Result<Lookup, SourceError>>,
    pub(super) by_login: Option<Result<Lookup, SourceError>>,
    /// Unsupported, where a source can't tell.
    pub(super) claimants: Result<Vec<Listed>, SourceError>,
    /// The answers to give in the source's place.
    pub(super) told: Told,
    pub(super) log_in: LogIn,
}

/// How sure the answer to a log-in with the right password is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct LogIn {
    /// Nobody but a log-in can tell: no look-up shows this identifier.
    pub(super) is_unknown: bool,
    /// The source's list doesn't tell this user's groups.
    pub(super) lacks_groups: bool,
    /// It rests on a look-up, which may judge otherwise than a log-in.
    pub(super) rests_on_look_up: bool,
    /// The source has nobody with this login.
    pub(super) is_nobodys_login: bool,
}

impl Facts {
    pub(super) async fn find_out(
        broker: &Broker,
        source: &Source,
        typed: &Login,
        deadline: Duration,
    ) -> Result<Self, BuildError> {
        let bare = source.build_bare()?;
        let can = bare.capabilities();
        if source.rules().mode == Mode::Off {
            return Ok(Self::new(can, None, None, Err(unsupported()), typed));
        }
        // Before the rules of who may move: those have their say later, and aren't taken for the source's word.
        let open = broker.build_open_source(source)?;
        let by_email = match Email::parse(typed.as_str()) {
            Ok(email) if can.user_by_email => Some(open.user_by_email(&call(deadline), &email).await),
            _ => None,
        };
        let by_login = match UserName::parse(typed.as_str()) {
            Ok(login) if can.user_by_login => Some(open.user_by_login(&call(deadline), &login).await),
            _ => None,
        };
        let claimants = open.claimants(&call(PATIENCE), typed).await;
        Ok(Self::new(can, by_email, by_login, claimants, typed))
    }

    pub(super) fn new(
        can: Capabilities,
        by_email: Option<Result<Lookup, SourceError>>,
        by_login: Option<Result<Lookup, SourceError>>,
        claimants: Result<Vec<Listed>, SourceError>,
        typed: &Login,
    ) -> Self {
        let found = [&by_login, &by_email]
            .into_iter()
            .flatten()
            .find_map(|answer| match answer {
                Ok(Lookup::Found(user)) => Some(user),
                _ => None,
            });
        let (answer, log_in) = match &claimants {
            Ok(people) => by_claimants(people, found, typed.as_str()),
            Err(error) if error.kind() == ErrorKind::Unsupported => {
                by_look_up(by_login.as_ref().or(by_email.as_ref()), typed.as_str())
            }
            Err(error) => (Err(error.clone()), LogIn::default()),
        };
        Self {
            told: Told {
                can,
                by_email: by_email.clone().unwrap_or_else(|| Err(unsupported())),
                by_login: by_login.clone().unwrap_or_else(|| Err(unsupported())),
                log_in: answer,
            },
            by_email,
            by_login,
            claimants,
            log_in,
        }
    }

    /// Whether a chain's log-in may end here.
    pub(super) fn know_the_login(&self) -> bool {
        let nobody = [Rejection::InvalidCredentials, Rejection::UnknownUser].map(Authentication::Reject);
        !self.log_in.is_nobodys_login && !self.told.log_in.as_ref().is_ok_and(|told| nobody.contains(told))
    }

    /// Whether a chain's look-up may end here.
    pub(super) fn know_who_is_looked_up(&self) -> bool {
        let [by_email, by_login] = [&self.by_email, &self.by_login];
        let answer = by_email.as_ref().or(by_login.as_ref());
        !matches!(answer, Some(Ok(Lookup::Absent)))
    }

    /// Whom a look-up finds by this id: with groups and all that a list lacks.
    pub(super) fn found(&self, id: &str) -> Option<&User> {
        [&self.by_login, &self.by_email]
            .into_iter()
            .flatten()
            .find_map(|answer| match answer {
                Ok(Lookup::Found(user)) if user.id.as_str() == id => Some(user),
                _ => None,
            })
    }
}

fn by_claimants(people: &[Listed], found: Option<&User>, typed: &str) -> (Result<Authentication, SourceError>, LogIn) {
    let mut holders: Vec<&Listed> = people
        .iter()
        .filter(|person| same_identifier(&person.user.login, typed))
        .collect();
    if holders.is_empty() {
        // A source may take the part before the `@` for the login. Then it named this person for it.
        holders.extend(people.iter().filter(|person| {
            let short = person.user.login.split_once('@').map(|(short, _)| short);
            short.is_some_and(|short| same_identifier(short, typed))
        }));
    }
    let sure = LogIn::default();
    let person = match *holders {
        [] => {
            let is_nobodys_login = true;
            let answer = Ok(Authentication::Reject(Rejection::InvalidCredentials));
            return (
                answer,
                LogIn {
                    is_nobodys_login,
                    ..sure
                },
            );
        }
        [person] => person,
        [..] => return (Err(SourceError::new(ErrorKind::Ambiguous, "find one user")), sure),
    };
    let factors = person
        .factors
        .as_ref()
        .map_or(Admission::Admitted, |factors| factors.admission);
    match (person.log_in, factors) {
        (Admission::Rejected(because), _) | (Admission::Admitted, Admission::Rejected(because)) => {
            (Ok(Authentication::Reject(because)), sure)
        }
        (Admission::Unknown, _) | (_, Admission::Unknown) => {
            let unknown = SourceError::new(ErrorKind::Protocol, "judge a user").with_source("an unknown state");
            (Err(unknown), sure)
        }
        (Admission::Admitted, Admission::Admitted) => {
            let whole = found.filter(|user| user.id == person.user.id);
            let lacks_groups = whole.is_none();
            let user = whole.unwrap_or(&person.user).clone();
            (Ok(Authentication::Accept(user)), LogIn { lacks_groups, ..sure })
        }
    }
}

fn by_look_up(
    answer: Option<&Result<Lookup, SourceError>>,
    typed: &str,
) -> (Result<Authentication, SourceError>, LogIn) {
    let basis = LogIn {
        rests_on_look_up: true,
        ..LogIn::default()
    };
    match answer {
        Some(Ok(Lookup::Absent)) => (Ok(Authentication::Reject(Rejection::InvalidCredentials)), basis),
        // Whose login the address is, this look-up doesn't say.
        Some(Ok(Lookup::Found(user))) if !same_identifier(&user.login, typed) => {
            let is_unknown = true;
            (Err(unsupported()), LogIn { is_unknown, ..basis })
        }
        Some(Ok(Lookup::Found(user))) => (Ok(Authentication::Accept(user.clone())), basis),
        Some(Ok(Lookup::Ineligible(because))) => (Ok(Authentication::Reject(*because)), basis),
        Some(Err(error)) => (Err(error.clone()), basis),
        None => {
            let is_unknown = true;
            (Err(unsupported()), LogIn { is_unknown, ..basis })
        }
    }
}

pub(super) fn call(deadline: Duration) -> Call {
    Call::new(request_id::make(), Instant::now() + deadline)
}

fn unsupported() -> SourceError {
    SourceError::new(ErrorKind::Unsupported, "ask")
}
