//! Who lives in the org. What the product must make of each stands in `tests/auth0/people.mjs`, under the same names.

use idbridge_okta_simulator::{Factor, Limits, Mfa, Org, Person, Provider, Status};

/// The org's API token.
pub(crate) const TOKEN: &str = "00chainApiTokenOfTheSimulatedOktaOrg000001";

pub(crate) const CANARY: &str = "canary@example.com";

/// Without rate limits: tests ask faster than people. The limits have tests of their own.
pub(crate) fn org() -> Org {
    let mut org = Org::new().token(TOKEN).limits(Limits::none());
    org.people.extend(people());
    org
}

fn people() -> Vec<Person> {
    vec![
        Person::new(CANARY),
        person("ada", "correct horse battery staple")
            .name("Ada", "Lovelace")
            .email_verified(true),
        person("bob", "hunter2 but longer"),
        person("odd", " \"quoted\" \\ 🐎 e\u{301} ").name("Øđđ", "O'Name"),
        person("carol", "carol keeps two names").login("carol@corp.example.com"),
        person("expired", "expired long ago").status(Status::PasswordExpired),
        person("mfa", "and a second factor")
            .factor(Factor::sms("+15554157922"))
            .mfa(Mfa::Required),
        person("fed", "federated elsewhere").provider(Provider::new("FEDERATION", "FEDERATION")),
        person("gone", "gone for good").status(Status::Deprovisioned),
        person("locked", "locked for now").status(Status::LockedOut),
        person("staged", "staged, not active").status(Status::Staged),
        person("sue", "suspended it is").status(Status::Suspended),
        person("one", "one of two").email("twin@example.com"),
        person("two", "two of two").email("twin@example.com"),
    ]
}

/// What may never stand in a log.
pub(crate) fn secrets() -> Vec<String> {
    let people = people().into_iter();
    let mut secrets: Vec<String> = people
        .flat_map(|person| [Some(person.login), Some(person.email), person.password])
        .flatten()
        .collect();
    secrets.push(TOKEN.to_owned());
    secrets
}

fn person(name: &str, password: &str) -> Person {
    Person::new(&format!("{name}@example.com")).password(password)
}

trait WithLogin {
    fn login(self, login: &str) -> Self;
}

impl WithLogin for Person {
    fn login(mut self, login: &str) -> Person {
        login.clone_into(&mut self.login);
        self
    }
}
