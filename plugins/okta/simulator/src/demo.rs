//! The people of the demo org: one for every status, provider and trap.

use crate::{Denial, Factor, Lockout, Mfa, Org, Person, Provider, Status};

/// A user whom a token that reads users always sees.
pub const CANARY: &str = "idbridge-canary@example.com";

/// The password of everyone in the demo org who has one.
pub const PASSWORD: &str = "correct horse battery staple";

/// The demo org's API token.
pub const TOKEN: &str = "00demoApiTokenOfTheSimulatedOktaOrg0000001";

impl Org {
    /// An org in example.com with people in every status and provider; each `note` says who it is.
    pub fn demo() -> Org {
        let mut org = Org::new().token(TOKEN).lockout(10, Lockout::Hidden);
        org.people.extend(plain());
        org.people.extend(factors());
        org.people.extend(statuses());
        org.people.extend(providers());
        org.people.extend(traps());
        org
    }
}

fn plain() -> Vec<Person> {
    vec![
        person("ada@example.com", "Ada", "Lovelace")
            .group("Engineering")
            .attribute("department", "Analytical Engines")
            .attribute("displayName", "Ada Lovelace")
            .locale("en_GB")
            .note("signs in"),
        person("bob@example.com", "Bob", "Builder").note("signs in"),
        person("grace", "Grace", "Hopper")
            .email("grace@example.com")
            .note("signs in as `grace`: login is no e-mail"),
        person("zoe@example.com", "Zoë", "Łukasiewicz-Ñandú")
            .locale("pl_PL")
            .note("signs in; non-ASCII name"),
        person("norma@example.com", "", "")
            .nameless()
            .note("signs in; has no name"),
        person("ursula@example.com", "Ursula", "Unverified")
            .email_verified(false)
            .note("signs in; e-mail unverified"),
        Person::new(CANARY)
            .name("Canary", "User")
            .note("the canary: only there to be seen"),
    ]
}

fn factors() -> Vec<Person> {
    vec![
        person("mia@example.com", "Mia", "Factor")
            .factor(Factor::sms("+15554157922"))
            .factor(Factor::push("mia@example.com"))
            .mfa(Mfa::Required)
            .note("second factor: SMS and push"),
        person("ted@example.com", "Ted", "Totp")
            .factor(Factor::totp("GOOGLE", "ted@example.com"))
            .note("has a factor, and a policy that doesn't ask for it"),
        person("emil@example.com", "Emil", "Mail")
            .factor(Factor::email("emil@example.com"))
            .note("signs in; e-mail is the only factor"),
        person("petra@example.com", "Petra", "Pending")
            .factor(Factor::totp("OKTA", "petra@example.com").status("PENDING_ACTIVATION"))
            .note("signs in; never finished setting up a factor"),
        person("enno@example.com", "Enno", "Enroll")
            .mfa(Mfa::Enroll)
            .note("must set up a factor"),
        person("seq@example.com", "Sequoia", "Sequence")
            .mfa(Mfa::PasswordOpen)
            .note("policy asks for another factor before the password"),
    ]
}

fn statuses() -> Vec<Person> {
    let unset = |login: &str, first: &str, last: &str| Person::new(login).name(first, last);
    vec![
        person("eve@example.com", "Eve", "Expired")
            .status(Status::PasswordExpired)
            .note("password expired"),
        person("walt@example.com", "Walt", "Warned")
            .password_warn(5)
            .note("signs in; password expires in 5 days"),
        person("lou@example.com", "Lou", "Locked")
            .status(Status::LockedOut)
            .note("locked out"),
        person("sam@example.com", "Sam", "Suspended")
            .status(Status::Suspended)
            .note("suspended"),
        person("dan@example.com", "Dan", "Deactivated")
            .status(Status::Deprovisioned)
            .note("deactivated"),
        unset("stan@example.com", "Stan", "Staged")
            .status(Status::Staged)
            .note("never activated"),
        unset("pia@example.com", "Pia", "Provisioned")
            .status(Status::Provisioned)
            .note("activated, no password yet"),
        person("rita@example.com", "Rita", "Recovery")
            .status(Status::Recovery)
            .note("password reset in progress"),
        person("polly@example.com", "Polly", "Policy")
            .denied(Denial::SignOnPolicy)
            .note("right password, denied by policy"),
    ]
}

fn providers() -> Vec<Person> {
    let from = |login: &str, first: &str, last: &str, kind: &str, name: &str| {
        person(login, first, last).provider(Provider::new(kind, name))
    };
    let mut fred =
        from("fred@example.com", "Fred", "Federated", "FEDERATION", "FEDERATION").note("federated: no password");
    let mut sofia = from("sofia@example.com", "Sofia", "Social", "SOCIAL", "SOCIAL").note("social: no password");
    fred.password = None;
    sofia.password = None;
    vec![
        fred,
        sofia,
        from(
            "adam@example.com",
            "Adam",
            "Directory",
            "ACTIVE_DIRECTORY",
            "corp.example.com",
        )
        .note("signs in; password owned by Active Directory"),
        from("lena@example.com", "Lena", "Ldap", "LDAP", "ldap.example.com").note("signs in; password owned by LDAP"),
        from("ian@example.com", "Ian", "Import", "IMPORT", "IMPORT")
            .note("signs in; password imported at first log-in"),
    ]
}

fn traps() -> Vec<Person> {
    vec![
        person("tina@example.com", "Tina", "Twin")
            .email("twins@example.com")
            .note("shares twins@example.com"),
        person("toni@example.com", "Toni", "Twin")
            .email("twins@example.com")
            .note("shares twins@example.com"),
        person("rhea@example.com", "Rhea", "Hire")
            .status(Status::Deprovisioned)
            .note("deactivated, hired again as rhea2"),
        person("rhea2@example.com", "Rhea", "Hire")
            .email("rhea@example.com")
            .note("the rehire, with the old e-mail"),
        person("hugo.new@example.com", "Hugo", "Hire")
            .email("hugo@example.com")
            .note("e-mail is somebody else's login"),
        person("hugo@example.com", "Hanna", "Hijack")
            .email("hanna@example.com")
            .note("login is somebody else's e-mail"),
    ]
}

/// Someone active with the password, a verified address and no factor.
fn person(login: &str, first: &str, last: &str) -> Person {
    Person::new(login)
        .name(first, last)
        .password(PASSWORD)
        .email_verified(true)
}

impl Person {
    fn nameless(mut self) -> Person {
        self.first_name = None;
        self.last_name = None;
        self
    }
}
