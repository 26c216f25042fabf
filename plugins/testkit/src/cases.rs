//! The cases, one function each. `suite.rs` lists them with the laws that they hold.

pub(crate) mod authenticate;
pub(crate) mod examine;
pub(crate) mod faults;
pub(crate) mod list;
pub(crate) mod secrecy;
pub(crate) mod user_by_email;
pub(crate) mod user_by_login;

use idbridge_source::User;

use crate::trial::ensure;
use crate::world::Person;
use crate::{Verdict, Violation};

/// Whether this is that person, as the source spells them, with nothing added.
fn is(user: &User, person: &Person) -> Verdict {
    let who = person.login;
    // What stands before the bar is said by whoever is asked on the way, such as another broker.
    let same_id = |id: &str| {
        user.id
            .as_str()
            .rsplit_once('|')
            .map_or(user.id.as_str(), |(_, own)| own)
            == id
    };
    ensure!(person.id.is_none_or(same_id), "{who}: the id is not the source's");
    ensure!(
        user.login == person.login,
        "{who}: the login is not spelt as at the source"
    );
    ensure!(
        user.email == person.email,
        "{who}: the e-mail is not spelt as at the source"
    );
    ensure!(
        user.given_name.as_deref() == person.given_name,
        "{who}: the given name is not the source's"
    );
    ensure!(
        user.family_name.as_deref() == person.family_name,
        "{who}: the family name is not the source's"
    );
    let verified_alike = user.email_verified.is_none() || user.email_verified == person.email_verified;
    ensure!(
        verified_alike,
        "{who}: the source doesn't say email_verified = {:?}",
        user.email_verified
    );
    Ok(())
}

fn none_of(text: &str, needles: &[String], place: &str) -> Result<(), Violation> {
    let lower = text.to_lowercase();
    for needle in needles {
        ensure!(!lower.contains(&needle.to_lowercase()), "{place} shows {needle:?}");
    }
    Ok(())
}
