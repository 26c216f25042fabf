//! Open, the gate changes nothing; otherwise it says what its rules say, and never what nobody found out.

use idbridge_source::{
    Authentication, Call, Email, ErrorKind, IdentitySource, Login, Lookup, Password, Rejection, RequestId, UserName,
};
use idbridge_testkit::Subject as _;
use tokio::time::Instant;

use super::super::gate::cohort::{Cohort, Part, Rule};
use super::super::gate::tombstones::Tombstones;
use super::super::gate::{Gate, Mode, Rules};
use super::subject::MemorySubject;
use super::{Arc, Duration};

const SETTINGS: &str = "lookup_by_login = true";

fn cohort(percent: u8) -> Option<Cohort> {
    let part = Some(Part::new(percent, "memory"));
    Some(Cohort(vec![Rule {
        part,
        ..Rule::default()
    }]))
}

fn tombstones(ids: &str) -> Option<Arc<Tombstones>> {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), ids).expect("it is written");
    Some(Arc::new(
        Tombstones::read("memory", file.path(), "memory").expect("a list"),
    ))
}

fn open() -> Rules {
    Rules {
        mode: Mode::Serve,
        cohort: cohort(100),
        tombstones: tombstones("nobody"),
    }
}

idbridge_testkit::behaviour!(MemorySubject::new(SETTINGS).wrap(|source| Arc::new(Gate::new(source, open()))));

/// What somebody who may move is told through these rules: by log-in, by e-mail, by login.
async fn told(rules: Rules) -> [Result<String, ErrorKind>; 3] {
    let subject = MemorySubject::new(SETTINGS);
    let ada = idbridge_testkit::world::ADA;
    let source = Gate::new(subject.source(), rules);
    let id = RequestId::parse("gate").expect("an id");
    let call = Call::new(id, Instant::now() + Duration::from_secs(5));
    let login = Login::parse(ada.login).expect("a login");
    let email = Email::parse(ada.email).expect("an address");
    let name = UserName::parse(ada.login).expect("a name");
    let password = Password::parse(ada.password.to_owned()).expect("a password");
    let looked_up = |lookup| match lookup {
        Lookup::Absent => "absent".to_owned(),
        Lookup::Found(_) => "found".to_owned(),
        Lookup::Ineligible(why) => why.name().to_owned(),
    };
    let checked = |answer| match answer {
        Authentication::Accept(_) => "yes".to_owned(),
        Authentication::Reject(why) => Rejection::name(why).to_owned(),
    };
    [
        source.authenticate(&call, &login, &password).await.map(checked),
        source.user_by_email(&call, &email).await.map(looked_up),
        source.user_by_login(&call, &name).await.map(looked_up),
    ]
    .map(|answer| answer.map_err(|error| error.kind()))
}

/// The id that this source has for them.
fn ada_id() -> String {
    let people = idbridge_testkit::world::PEOPLE.iter();
    let place = people
        .clone()
        .position(|person| person.login == idbridge_testkit::world::ADA.login);
    format!("p{}", place.expect("Ada is there"))
}

fn all<E>(log_in: &str, look_up: &str) -> [Result<String, E>; 3] {
    [log_in, look_up, look_up].map(|text| Ok(text.to_owned()))
}

#[tokio::test]
async fn a_cohort_lets_nobody_else_in_and_makes_nobody_absent() {
    let rules = |percent| Rules {
        cohort: cohort(percent),
        ..Rules::default()
    };
    assert_eq!(told(rules(100)).await, all("yes", "found"));
    assert_eq!(told(rules(0)).await, all("not_in_cohort", "not_in_cohort"));
}

#[tokio::test]
async fn who_has_gone_is_not_known_in_a_cohort_or_out_of_it() {
    let rules = |ids: &str, percent| Rules {
        tombstones: tombstones(ids),
        cohort: cohort(percent),
        ..Rules::default()
    };
    assert_eq!(told(rules(&ada_id(), 100)).await, all("unknown_user", "absent"));
    assert_eq!(told(rules(&ada_id(), 0)).await, all("unknown_user", "absent"));
    assert_eq!(told(rules("another", 100)).await, all("yes", "found"));
}

#[tokio::test]
async fn modes_are_no_answers() {
    let rules = |mode| Rules {
        mode,
        ..Rules::default()
    };
    let unavailable = ErrorKind::Unavailable { retry_after: None };
    assert_eq!(told(rules(Mode::Off)).await, [0; 3].map(|_| Err(unavailable)));
    let found = || Ok("found".to_owned());
    let told = told(rules(Mode::LookupOnly)).await;
    assert_eq!(told, [Err(ErrorKind::Unsupported), found(), found()]);
}

#[tokio::test]
async fn only_who_serves_is_sent_a_password_and_off_is_not_even_probed() {
    for mode in [Mode::Off, Mode::LookupOnly, Mode::Serve] {
        let subject = MemorySubject::new(SETTINGS);
        let gate = Gate::new(
            subject.source(),
            Rules {
                mode,
                ..Rules::default()
            },
        );
        let id = RequestId::parse("gate").expect("an id");
        let call = Call::new(id, Instant::now() + Duration::from_secs(5));
        let login = Login::parse("nobody").expect("a login");
        let password = Password::parse("secret".to_owned()).expect("a password");
        let _outcome = gate.authenticate(&call, &login, &password).await;
        assert_eq!(!subject.submissions().await.is_empty(), mode == Mode::Serve, "{mode:?}");
        assert_eq!(gate.probe(&call).await.is_ok(), mode != Mode::Off, "{mode:?}");
        assert_eq!(gate.capabilities().authenticate, mode != Mode::LookupOnly, "{mode:?}");
    }
}
