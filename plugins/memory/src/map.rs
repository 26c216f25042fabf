//! The one mapping from a person to an answer. Both methods use it.

use idbridge_source::{Admission, Authentication, Factors, Listed, Lookup, Rejection, User};

use crate::person::{Person, Status};

/// The rules that the settings make.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) on_password_expired: Expired,
    pub(crate) on_second_factor: SecondFactor,
}

/// `on_password_expired`
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Expired {
    Accept,
    Reject,
}

/// `on_second_factor`
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum SecondFactor {
    Accept,
    Ignore,
    Reject,
}

impl Expired {
    pub(crate) const WORDS: [(&'static str, Self); 2] = [("accept", Self::Accept), ("reject", Self::Reject)];
}

impl SecondFactor {
    pub(crate) const WORDS: [(&'static str, Self); 3] = [
        ("accept", Self::Accept),
        ("ignore", Self::Ignore),
        ("reject", Self::Reject),
    ];
}

/// Somebody whose password is right.
pub(crate) fn authentication(person: &Person, rules: Rules) -> Authentication {
    if let Some(rejection) = ineligible(person, rules) {
        return Authentication::Reject(rejection);
    }
    if person.password_expired && rules.on_password_expired == Expired::Reject {
        return Authentication::Reject(Rejection::PasswordExpired);
    }
    Authentication::Accept(user(person, rules))
}

/// Somebody who was looked up. An expired password is no reason to hide them: it is changed in the new place.
pub(crate) fn lookup(person: &Person, rules: Rules) -> Lookup {
    match ineligible(person, rules) {
        Some(rejection) => Lookup::Ineligible(rejection),
        None => Lookup::Found(user(person, rules)),
    }
}

/// Somebody in a list. Here it tells all that the two others do.
pub(crate) fn listed(person: &Person, rules: Rules) -> Listed {
    let refused = ineligible(person, rules);
    let expired = person.password_expired && rules.on_password_expired == Expired::Reject;
    let log_in = refused.or(expired.then_some(Rejection::PasswordExpired));
    let kinds = person.second_factor.then(|| "second_factor".to_owned());
    Listed {
        address_verified: person.user.email_verified,
        log_in: Admission::unless(log_in),
        look_up: Admission::unless(refused),
        factors: Some(Factors {
            admission: Admission::unless(owed_factor(person, rules)),
            kinds: kinds.into_iter().collect(),
        }),
        ..Listed::new(user(person, rules), person.status.word(), "memory")
    }
}

/// Why this person may neither log in nor be migrated. One function for both, so that what a log-in is refused for, a
/// password reset doesn't bring in.
fn ineligible(person: &Person, rules: Rules) -> Option<Rejection> {
    refusal(person.status).or_else(|| owed_factor(person, rules))
}

fn owed_factor(person: &Person, rules: Rules) -> Option<Rejection> {
    let owes = person.second_factor && rules.on_second_factor == SecondFactor::Reject;
    owes.then_some(Rejection::SecondFactorRequired)
}

fn refusal(status: Status) -> Option<Rejection> {
    match status {
        Status::Active => None,
        Status::Denied => Some(Rejection::DeniedByPolicy),
        Status::Disabled => Some(Rejection::AccountDisabled),
        Status::Inactive => Some(Rejection::AccountInactive),
        Status::Locked => Some(Rejection::AccountLocked),
        Status::NoPassword => Some(Rejection::NoPassword),
    }
}

fn user(person: &Person, rules: Rules) -> User {
    User {
        second_factor: person.second_factor && rules.on_second_factor != SecondFactor::Ignore,
        password_expired: person.password_expired,
        ..person.user.clone()
    }
}

#[cfg(test)]
mod tests {
    use idbridge_source::UserId;

    use super::*;

    fn person(status: Status) -> Person {
        Person {
            user: User::new(UserId::parse("1").expect("an id"), "ada", "ada@example.com"),
            password: None,
            status,
            second_factor: false,
            password_expired: false,
        }
    }

    const CAREFUL: Rules = Rules {
        on_password_expired: Expired::Reject,
        on_second_factor: SecondFactor::Reject,
    };

    #[test]
    fn each_status_has_one_answer_in_both_methods() {
        let table = [
            ("denied", Rejection::DeniedByPolicy),
            ("disabled", Rejection::AccountDisabled),
            ("inactive", Rejection::AccountInactive),
            ("locked", Rejection::AccountLocked),
            ("no_password", Rejection::NoPassword),
        ];
        assert_eq!(table.len() + 1, Status::WORDS.len(), "a status is missing here");
        for (word, rejection) in table {
            let (_, status) = Status::WORDS
                .into_iter()
                .find(|(name, _)| *name == word)
                .expect("a status");
            assert_eq!(
                authentication(&person(status), CAREFUL),
                Authentication::Reject(rejection)
            );
            assert_eq!(lookup(&person(status), CAREFUL), Lookup::Ineligible(rejection));
        }
        assert!(matches!(
            authentication(&person(Status::Active), CAREFUL),
            Authentication::Accept(_)
        ));
    }

    #[test]
    fn a_second_factor_is_refused_shown_or_ignored_in_both_methods() {
        let ada = Person {
            second_factor: true,
            ..person(Status::Active)
        };
        let rules = |on_second_factor| Rules {
            on_second_factor,
            ..CAREFUL
        };
        let refused = Rejection::SecondFactorRequired;
        assert_eq!(
            authentication(&ada, rules(SecondFactor::Reject)),
            Authentication::Reject(refused)
        );
        assert_eq!(lookup(&ada, rules(SecondFactor::Reject)), Lookup::Ineligible(refused));
        for (rule, shown) in [(SecondFactor::Accept, true), (SecondFactor::Ignore, false)] {
            let Lookup::Found(user) = lookup(&ada, rules(rule)) else {
                panic!("{rule:?}: not found")
            };
            assert_eq!(user.second_factor, shown, "{rule:?}");
            assert_eq!(
                authentication(&ada, rules(rule)),
                Authentication::Accept(user),
                "{rule:?}"
            );
        }
    }

    #[test]
    fn an_expired_password_stops_a_log_in_and_no_look_up() {
        let ada = Person {
            password_expired: true,
            ..person(Status::Active)
        };
        assert_eq!(
            authentication(&ada, CAREFUL),
            Authentication::Reject(Rejection::PasswordExpired)
        );
        let Lookup::Found(user) = lookup(&ada, CAREFUL) else {
            panic!("not found")
        };
        assert!(user.password_expired);
        let accept = Rules {
            on_password_expired: Expired::Accept,
            ..CAREFUL
        };
        assert_eq!(authentication(&ada, accept), Authentication::Accept(user));
    }
}
