//! Who moves now: rules over the user whom the source named.

use aws_lc_rs::hmac;
use idbridge_source::{User, UserId, same_identifier};

/// A user is in if one of the rules fits.
#[derive(Clone, Debug)]
pub struct Cohort(pub Vec<Rule>);

/// Fits if all that it says is so. What a source doesn't say of a user fits no rule.
#[derive(Clone, Debug, Default)]
pub struct Rule {
    /// The user is in one of them, spelt as the source spells it. Empty: any user.
    pub groups: Vec<String>,
    /// The user's e-mail address at the source is in one of them. Empty: any user.
    pub domains: Vec<String>,
    /// The user's id is in this part of all ids. `None`: any user.
    pub part: Option<Part>,
}

/// So many of a hundred ids, the same ones on every instance and after every restart. More of a hundred are the same
/// ones and others.
#[derive(Clone, Debug)]
pub struct Part {
    percent: u8,
    key: hmac::Key,
}

impl Cohort {
    pub fn has(&self, user: &User) -> bool {
        self.0.iter().any(|rule| rule.fits(user))
    }
}

impl Rule {
    fn fits(&self, user: &User) -> bool {
        let domain = user.email.rsplit_once('@').map(|(_, domain)| domain);
        let in_domain = |wanted: &String| domain.is_some_and(|domain| same_identifier(domain, wanted));
        (self.groups.is_empty() || self.groups.iter().any(|group| user.groups.contains(group)))
            && (self.domains.is_empty() || self.domains.iter().any(in_domain))
            && self.part.as_ref().is_none_or(|part| part.has(&user.id))
    }
}

impl Part {
    /// Another salt draws others.
    pub fn new(percent: u8, salt: &str) -> Self {
        Self {
            percent,
            key: hmac::Key::new(hmac::HMAC_SHA256, salt.as_bytes()),
        }
    }

    fn has(&self, id: &UserId) -> bool {
        self.place(id) < self.percent
    }

    /// From 0 to 99. People's places must never change: whoever was in would be out.
    fn place(&self, id: &UserId) -> u8 {
        let tag = hmac::sign(&self.key, id.as_str().as_bytes());
        let number = tag
            .as_ref()
            .iter()
            .take(8)
            .fold(0, |number, byte| number << 8 | u64::from(*byte));
        // The number's part of all numbers, in hundredths.
        ((u128::from(number) * 100) >> 64) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> UserId {
        UserId::parse(text).expect("an id")
    }

    fn ada() -> User {
        let mut user = User::new(id("00u1"), "ada", "Ada@Acme.example");
        user.groups = vec!["Pilot".to_owned(), "Everyone".to_owned()];
        user
    }

    fn rule(groups: &[&str], domains: &[&str], percent: Option<u8>) -> Rule {
        let list = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        Rule {
            groups: list(groups),
            domains: list(domains),
            part: percent.map(|percent| Part::new(percent, "okta")),
        }
    }

    #[test]
    fn a_rule_fits_if_all_of_it_does() {
        for (rule, fits) in [
            (rule(&["Pilot"], &[], None), true),
            (rule(&["Staff", "Pilot"], &[], None), true),
            (rule(&["pilot"], &[], None), false),
            (rule(&[], &["acme.example"], None), true),
            (rule(&[], &["example"], None), false),
            (rule(&[], &["sub.acme.example"], None), false),
            (rule(&["Pilot"], &["acme.example"], None), true),
            (rule(&["Pilot"], &["other.example"], None), false),
            (rule(&["Staff"], &["acme.example"], None), false),
            (rule(&[], &[], Some(100)), true),
            (rule(&[], &[], Some(0)), false),
            (rule(&["Pilot"], &[], Some(0)), false),
        ] {
            assert_eq!(rule.fits(&ada()), fits, "{rule:?}");
        }
        let nameless = User::new(id("00u2"), "nemo", "");
        assert!(!rule(&[], &["acme.example"], None).fits(&nameless));
        assert!(!rule(&["Pilot"], &[], None).fits(&nameless));
    }

    #[test]
    fn one_rule_is_enough_and_without_any_nobody_is_in() {
        assert!(Cohort(vec![rule(&[], &[], Some(0)), rule(&["Pilot"], &[], None)]).has(&ada()));
        assert!(!Cohort(Vec::new()).has(&ada()));
    }

    #[test]
    fn places_never_change() {
        let places = |salt| ["00u1", "00u2", "00u3"].map(|text| Part::new(0, salt).place(&id(text)));
        assert_eq!(places("okta"), PLACES);
        assert_ne!(places("another"), PLACES);
    }

    /// Worked out beside this code: HMAC-SHA-256 (RFC 2104) of the id with the salt as key, its first eight bytes as a
    /// number, times 100, over 2^64.
    const PLACES: [u8; 3] = [85, 5, 97];

    #[test]
    fn a_higher_percentage_only_adds_people() {
        let people: Vec<UserId> = (0..5_000).map(|number| id(&format!("00u{number}"))).collect();
        let mut before = vec![false; people.len()];
        for percent in 0..=100 {
            let part = Part::new(percent, "okta");
            let now: Vec<bool> = people.iter().map(|id| part.has(id)).collect();
            assert!(
                before.iter().zip(&now).all(|(before, now)| !before || *now),
                "{percent}"
            );
            let count = now.iter().filter(|is_in| **is_in).count();
            let wanted = people.len() * usize::from(percent) / 100;
            assert!(count.abs_diff(wanted) < 150, "{count} are {percent} percent");
            before = now;
        }
        assert!(before.iter().all(|is_in| *is_in), "100 percent are all");
    }
}
