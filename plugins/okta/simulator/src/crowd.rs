//! A large org: generated people, with what large orgs have gathered over the years.

use jiff::{SignedDuration, Timestamp};

use crate::clock::iso;
use crate::{Factor, Org, Person, Provider, Status};

impl Org {
    /// Adds `count` generated people, who were last here in the 400 days before `now`. The same numbers give the same
    /// people.
    ///
    /// Of each 1,000: 20 are federated, 30 owned by a directory, 30 not active in one way or another, 20 suspended, 10
    /// deactivated; 20 sign in with a short name and 10 with another address; 10 share an address with their
    /// predecessor, 10 differ from theirs in case and 10 in an accent; 5 have no address; 100 hold a second factor; 300
    /// addresses were never verified, and 100 people never came.
    #[must_use]
    pub fn crowd(mut self, count: usize, now: Timestamp) -> Org {
        self.people.extend((0..count).map(|number| member(number, now)));
        self
    }
}

fn member(number: usize, now: Timestamp) -> Person {
    let login = format!("person{number}@crowd.example");
    let kind = number % 1000;
    let made = Person::new(&login)
        .name("Person", &format!("Number{number}"))
        .password("crowd")
        .email_verified(number % 10 >= 3);
    let mut made = match kind {
        0..20 => {
            let mut federated = made.provider(Provider::new("FEDERATION", "FEDERATION"));
            federated.password = None;
            federated
        }
        20..50 => made.provider(Provider::new("ACTIVE_DIRECTORY", "corp.example")),
        50..60 => made.status(Status::Staged),
        60..70 => made.status(Status::Provisioned),
        70..80 => made.status(Status::LockedOut),
        80..100 => made.status(Status::Suspended),
        100..110 => made.status(Status::Deprovisioned),
        110..130 => {
            let mut short = made.email(&login);
            short.login = format!("person.{number}");
            short
        }
        130..140 => made.email(&format!("mail{number}@crowd.example")),
        // Each second one takes the address of the one before.
        140..160 => made.email(&format!("desk{}@crowd.example", number - number % 2)),
        160..180 if number % 2 == 1 => made.email(&format!("Shelf{}@crowd.example", number - 1)),
        160..180 => made.email(&format!("shelf{number}@crowd.example")),
        180..200 if number % 2 == 1 => made.email(&format!("ren\u{e9}{}@crowd.example", number - 1)),
        180..200 => made.email(&format!("rene{number}@crowd.example")),
        200..205 => made.email(""),
        300..400 => made.factor(Factor::push(&login)),
        _ => made,
    };
    if kind < 900 {
        made.last_login = Some(iso(last_seen(number, now)));
    }
    made
}

/// More of them lately than long ago, and more in office hours than at night.
fn last_seen(number: usize, now: Timestamp) -> Timestamp {
    let spread = number.wrapping_mul(2_654_435_761) % 1_000_003;
    let days = i64::try_from(spread % 20 * (spread / 20 % 20)).unwrap_or(0);
    let hours = i64::try_from(spread % 9).unwrap_or(0);
    now.saturating_sub(SignedDuration::from_hours(days * 24 + hours))
        .unwrap_or(now)
}
