//! Who plays the suite's people where an upstream has people of its own.

use std::fmt;

use idbridge_source::{Email, folded, same_identifier};
use unicode_normalization::UnicodeNormalization as _;

use crate::spelling::{accentless, decomposed};
use crate::world::{self, NOBODY, Person, Status};

/// A part in the suite, which somebody of the upstream's plays.
#[derive(Clone, Copy)]
pub struct Part {
    pub name: &'static str,
    /// Who plays it in the suite's own world. Cases name the part so.
    pub person: Person,
    /// What it takes, in words that follow "who".
    pub takes: &'static str,
    /// Whether this person, among all, has what it takes.
    fits: fn(&Person, &[Person]) -> bool,
}

/// Every part but Ada's, those that fewest people can play first: each is given to the first in the file who fits it
/// and plays none yet.
const PARTS: &[Part] = &[
    Part {
        name: "twin_one",
        person: world::TWIN_ONE,
        takes: "shares an e-mail with another",
        fits: |person, all| is_fine(person) && sharing_email(person, all) > 1,
    },
    Part {
        name: "twin_two",
        person: world::TWIN_TWO,
        takes: "shares that e-mail",
        fits: |person, all| is_fine(person) && sharing_email(person, all) > 1,
    },
    Part {
        name: "address_owner",
        person: world::ADDRESS_OWNER,
        takes: "has an e-mail that is another's login",
        fits: |person, all| is_plain(person, all) && others(person, all).any(|other| same(other.login, person.email)),
    },
    Part {
        name: "login_takes_address",
        person: world::LOGIN_TAKES_ADDRESS,
        takes: "has a login that is another's e-mail",
        fits: |person, all| is_plain(person, all) && others(person, all).any(|other| same(other.email, person.login)),
    },
    Part {
        name: "bytes",
        person: world::BYTES,
        takes: "has a password of more than 72 bytes with white space at an end, a composed and a decomposed letter",
        fits: |person, all| is_plain(person, all) && is_demanding(person.password),
    },
    Part {
        name: "accented",
        person: world::ACCENTED,
        takes: "has an accent in both login and e-mail",
        fits: |person, all| {
            let own = [person.login, person.email];
            let is_free = |text: &str| !all.iter().any(|one| same(one.login, text) || same(one.email, text));
            is_plain(person, all)
                && own
                    .iter()
                    .all(|text| decomposed(text) != *text && is_free(&accentless(text)))
        },
    },
    Part {
        name: "mixed_case",
        person: world::MIXED_CASE,
        takes: "has capitals in the e-mail",
        fits: |person, all| is_plain(person, all) && person.email.chars().any(|c| c.is_ascii_uppercase()),
    },
    Part {
        name: "login_is_not_email",
        person: world::LOGIN_IS_NOT_EMAIL,
        takes: "has a login that is neither their e-mail nor another's",
        fits: |person, all| is_plain(person, all) && !all.iter().any(|one| same(one.email, person.login)),
    },
    Part {
        name: "nameless",
        person: world::NAMELESS,
        takes: "has neither name nor a verified e-mail",
        fits: |person, all| {
            let has_name = person.given_name.or(person.family_name).is_some();
            is_plain(person, all) && !has_name && person.email_verified != Some(true)
        },
    },
    Part {
        name: "unsaid",
        person: world::UNSAID,
        takes: "has an e-mail of which nothing says whether it is verified",
        fits: |person, all| is_plain(person, all) && person.email_verified.is_none(),
    },
    Part {
        name: "deactivated",
        person: world::DEACTIVATED,
        takes: "is disabled",
        fits: |person, all| has_status(person, Status::Deactivated, all) || has_status(person, Status::Suspended, all),
    },
    Part {
        name: "suspended",
        person: world::SUSPENDED,
        takes: "is disabled as well",
        fits: |person, all| has_status(person, Status::Deactivated, all) || has_status(person, Status::Suspended, all),
    },
    Part {
        name: "federated",
        person: world::FEDERATED,
        takes: "has no password",
        fits: |person, all| has_status(person, Status::Federated, all),
    },
    Part {
        name: "inactive",
        person: world::INACTIVE,
        takes: "is inactive",
        fits: |person, all| has_status(person, Status::Inactive, all),
    },
    Part {
        name: "locked",
        person: world::LOCKED,
        takes: "is locked",
        fits: |person, all| has_status(person, Status::Locked, all),
    },
    Part {
        name: "password_expired",
        person: world::PASSWORD_EXPIRED,
        takes: "has an expired password, and no second factor",
        fits: |person, all| person.password_expired && !person.second_factor && has_status(person, Status::Active, all),
    },
    Part {
        name: "second_factor",
        person: world::SECOND_FACTOR,
        takes: "has a second factor, and no expired password",
        fits: |person, all| person.second_factor && !person.password_expired && has_status(person, Status::Active, all),
    },
];

/// Somebody for whom all is well: no case goes without.
pub const ADA: Part = Part {
    name: "ada",
    person: world::ADA,
    takes: "is active, without a second factor and an expired password, and has an e-mail alone",
    fits: is_plain,
};

/// Who plays which part.
#[derive(Clone, Debug)]
pub struct Cast {
    pub ada: Person,
    /// Nobody's login and nobody's e-mail.
    pub nobody: &'static str,
    played: Vec<(Part, Person)>,
}

impl Cast {
    /// The suite's own people.
    pub fn suite() -> Self {
        Self {
            ada: world::ADA,
            nobody: NOBODY,
            played: std::iter::once(&ADA)
                .chain(PARTS)
                .map(|part| (*part, part.person))
                .collect(),
        }
    }

    /// People of the upstream's own, one part each. `None` if there is nobody to play Ada, or the nobody is somebody.
    pub fn of(people: &[Person], nobody: &'static str) -> Option<Self> {
        let is_nobody = !people
            .iter()
            .any(|one| same(one.login, nobody) || same(one.email, nobody));
        // Whom other parts need least.
        let wanted = |person: &&Person| PARTS.iter().filter(|part| (part.fits)(person, people)).count();
        let fine = people.iter().filter(|person| (ADA.fits)(person, people));
        let ada = *fine.min_by_key(wanted).filter(|_| is_nobody)?;
        let mut played = vec![(ADA, ada)];
        for part in PARTS {
            let free = |person: &&Person| !played.iter().any(|(_, taken)| taken.login == person.login);
            let player = people.iter().filter(free).find(|person| (part.fits)(person, people));
            played.extend(player.map(|player| (*part, *player)));
        }
        Some(Self { ada, nobody, played })
    }

    /// Parts with their players.
    pub fn played(&self) -> impl Iterator<Item = &(Part, Person)> {
        self.played.iter()
    }

    /// Parts that nobody plays.
    pub fn unplayed(&self) -> impl Iterator<Item = &'static Part> {
        PARTS.iter().filter(|part| self.player(&part.person).is_none())
    }

    /// Who plays this person of the suite's.
    pub(crate) fn player(&self, person: &Person) -> Option<Person> {
        let found = self.played.iter().find(|(part, _)| part.person.login == person.login);
        found.map(|(_, player)| *player)
    }

    pub(crate) fn players(&self) -> impl Iterator<Item = Person> {
        self.played.iter().map(|(_, player)| *player)
    }

    /// Whether a look-up of this person finds one, and not two.
    pub(crate) fn has_email_alone(&self, person: &Person) -> bool {
        self.players().filter(|one| same(one.email, person.email)).count() == 1
    }
}

/// The part that this person of the suite's is.
pub(crate) fn name(person: &Person) -> &'static str {
    let part = PARTS.iter().find(|part| part.person.login == person.login);
    part.map_or(ADA.name, |part| part.name)
}

fn same(one: &str, other: &str) -> bool {
    same_identifier(one, other)
}

fn others<'a>(person: &'a Person, all: &'a [Person]) -> impl Iterator<Item = &'a Person> {
    all.iter().filter(|other| !same(other.login, person.login))
}

fn sharing_email(person: &Person, all: &[Person]) -> usize {
    all.iter().filter(|one| same(one.email, person.email)).count()
}

fn is_fine(person: &Person) -> bool {
    person.status == Status::Active && !person.second_factor && !person.password_expired
}

fn is_plain(person: &Person, all: &[Person]) -> bool {
    is_fine(person) && sharing_email(person, all) == 1
}

fn has_status(person: &Person, status: Status, all: &[Person]) -> bool {
    person.status == status && sharing_email(person, all) == 1
}

/// A password that shows it when it is trimmed, normalised either way or cut as bcrypt cuts it.
fn is_demanding(password: &str) -> bool {
    let composed: String = password.nfc().collect();
    password.len() > 72 && password.trim() != password && composed != password && decomposed(password) != password
}

/// Whether two of these people can't be told apart: one login is another's.
pub fn is_login_shared(people: &[Person]) -> bool {
    let logins: std::collections::BTreeSet<String> = people.iter().map(|person| folded(person.login)).collect();
    logins.len() < people.len()
}

/// Whether the suite can look this person up: an address that parses.
pub(crate) fn is_address(text: &str) -> bool {
    Email::parse(text).is_ok()
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::PEOPLE;

    #[test]
    fn the_suites_people_play_themselves() {
        let cast = Cast::of(&PEOPLE, NOBODY).expect("Ada is there");
        assert_eq!(PARTS.len() + 1, PEOPLE.len());
        for person in PEOPLE {
            let player = cast.player(&person).expect("somebody");
            assert_eq!(player.login, person.login);
        }
        assert_eq!(cast.unplayed().count(), 0);
    }

    #[test]
    fn each_plays_one_part_and_ada_is_whom_others_need_least() {
        let mixed = Person {
            login: "jdoe",
            email: "J.Doe@corp.example",
            ..world::ADA
        };
        let plain = Person {
            login: "plain@corp.example",
            email: "plain@corp.example",
            ..world::ADA
        };
        let cast = Cast::of(&[mixed, plain], NOBODY).expect("Ada is there");
        assert_eq!(cast.ada.login, "plain@corp.example");
        assert_eq!(cast.player(&world::MIXED_CASE).expect("somebody").login, "jdoe");
        assert!(cast.player(&world::LOGIN_IS_NOT_EMAIL).is_none());
        assert_eq!(cast.unplayed().count(), PARTS.len() - 1);
        let alone = Cast::of(&[mixed], NOBODY).expect("Ada is there");
        assert_eq!(alone.ada.login, "jdoe");
        for (people, nobody) in [
            (&[][..], NOBODY),
            (&[world::LOCKED], NOBODY),
            (&[plain], "PLAIN@corp.example"),
        ] {
            assert!(Cast::of(people, nobody).is_none());
        }
    }

    #[test]
    fn parts_have_names_and_people_logins_of_their_own() {
        assert_eq!([name(&world::LOCKED), name(&world::ADA)], ["locked", "ada"]);
        assert!(is_login_shared(&[world::ADA, world::ADA]) && !is_login_shared(&PEOPLE));
    }
}
