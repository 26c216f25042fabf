use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use idbridge_source::{Capabilities, Email, IdentitySource, RequestId, User, UserId};
use proptest::prelude::*;
use tokio::time::Instant;

use super::*;

/// What a source says to everything.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Says {
    Yes,
    Wrong,
    /// Which of user and password is wrong, it won't say.
    Either,
    Stranger,
    Locked,
    Outage,
}

use Says::{Either, Locked, Outage, Stranger, Wrong, Yes};

const ALL: [Says; 6] = [Yes, Wrong, Either, Stranger, Locked, Outage];

/// Where what was asked is written down.
type Asked = Arc<Mutex<Vec<String>>>;

#[derive(Debug)]
struct Fixed {
    name: &'static str,
    says: Says,
    asked: Asked,
}

impl Fixed {
    fn note(&self, what: &str) {
        self.asked.lock().expect("whole").push(format!("{what} {}", self.name));
    }
}

#[async_trait]
impl IdentitySource for Fixed {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            authenticate: true,
            list: false,
            user_by_email: true,
            user_by_login: false,
        }
    }

    async fn authenticate(&self, _: &Call, _: &Login, _: &Password) -> Result<Authentication, SourceError> {
        self.note("password");
        Ok(Authentication::Reject(match self.says {
            Yes => return Ok(Authentication::Accept(user())),
            Wrong => Rejection::WrongPassword,
            Either => Rejection::InvalidCredentials,
            Stranger => Rejection::UnknownUser,
            Locked => Rejection::AccountLocked,
            Outage => return Err(outage()),
        }))
    }

    async fn user_by_email(&self, _: &Call, _: &Email) -> Result<Lookup, SourceError> {
        self.note("look-up");
        match self.says {
            Yes | Wrong | Either => Ok(Lookup::Found(user())),
            Stranger => Ok(Lookup::Absent),
            Locked => Ok(Lookup::Ineligible(Rejection::AccountLocked)),
            Outage => Err(outage()),
        }
    }

    async fn probe(&self, _: &Call) -> Result<(), SourceError> {
        Ok(())
    }
}

fn outage() -> SourceError {
    SourceError::new(ErrorKind::Unavailable { retry_after: None }, "ask")
}

fn user() -> User {
    User::new(UserId::parse("1").expect("an id"), "ada@example.com", "ada@example.com")
}

/// The outcome in a word, with who answered; and what was asked.
fn outcome<T>(answer: Result<Answer<T>, Failure>, word: impl Fn(&T) -> &'static str) -> String {
    match answer {
        Ok(answer) => format!("{} of {}", word(&answer.outcome), answer.source),
        Err(Failure::Source { name, error }) => format!("{} of {name}", error.kind().name()),
        Err(other) => format!("{other:?}"),
    }
}

fn run(says: &[Says], locate: Locate, identifier: Option<&str>) -> (String, Vec<String>) {
    let asked = Asked::default();
    let members: Vec<Member> = ["a", "b", "c"]
        .iter()
        .zip(says)
        .map(|(name, says)| Member {
            name: (*name).into(),
            source: Arc::new(Fixed {
                name,
                says: *says,
                asked: Arc::clone(&asked),
            }),
            id_prefix: (*name).into(),
            forward_client_address: false,
        })
        .collect();
    let chain = Chain {
        members: members.iter().collect(),
        locate,
    };
    let call = Call::new(
        RequestId::parse("r-1").expect("an id"),
        Instant::now() + Duration::from_secs(5),
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let outcome = runtime.block_on(async {
        match identifier {
            Some(identifier) => outcome(chain.look_up(&call, identifier).await, |found| match found {
                Lookup::Absent => "absent",
                Lookup::Found(_) => "found",
                Lookup::Ineligible(rejection) => rejection.name(),
            }),
            None => {
                let login = Login::parse("ada@example.com").expect("a login");
                let password = Password::parse("p".to_owned()).expect("a password");
                let answer = chain.authenticate(&call, &login, &password).await;
                outcome(answer, |outcome| match outcome {
                    Authentication::Accept(_) => "yes",
                    Authentication::Reject(rejection) => rejection.name(),
                })
            }
        }
    });
    let asked = asked.lock().expect("whole").clone();
    (outcome, asked)
}

const STOP: Locate = Locate::InTurn {
    past_invalid_credentials: false,
};
const NEXT: Locate = Locate::InTurn {
    past_invalid_credentials: true,
};

#[test]
fn a_log_in_in_turn() {
    for (locate, says, want, passwords) in [
        (STOP, [Yes, Yes], "yes of a", "a"),
        (STOP, [Stranger, Yes], "yes of b", "ab"),
        (STOP, [Stranger, Stranger], "unknown_user of a", "ab"),
        (STOP, [Stranger, Wrong], "wrong_password of b", "ab"),
        (STOP, [Wrong, Yes], "wrong_password of a", "a"),
        (STOP, [Either, Yes], "invalid_credentials of a", "a"),
        (STOP, [Locked, Yes], "account_locked of a", "a"),
        (STOP, [Outage, Yes], "unavailable of a", "a"),
        (STOP, [Stranger, Outage], "unavailable of b", "ab"),
        (NEXT, [Either, Yes], "yes of b", "ab"),
        (NEXT, [Either, Stranger], "invalid_credentials of a", "ab"),
        (NEXT, [Stranger, Either], "invalid_credentials of b", "ab"),
        (NEXT, [Stranger, Stranger], "unknown_user of a", "ab"),
        (NEXT, [Either, Outage], "unavailable of b", "ab"),
        (NEXT, [Wrong, Yes], "wrong_password of a", "a"),
        (NEXT, [Locked, Yes], "account_locked of a", "a"),
        (NEXT, [Outage, Yes], "unavailable of a", "a"),
    ] {
        let (outcome, asked) = run(&says, locate, None);
        assert_eq!(outcome, want, "{locate:?} {says:?}");
        let submitted: Vec<String> = passwords.chars().map(|name| format!("password {name}")).collect();
        assert_eq!(asked, submitted, "{locate:?} {says:?}");
    }
}

#[test]
fn a_log_in_after_a_look_up() {
    for (says, want, password) in [
        ([Yes, Stranger], "yes of a", Some("a")),
        ([Stranger, Yes], "yes of b", Some("b")),
        ([Stranger, Wrong], "wrong_password of b", Some("b")),
        ([Stranger, Either], "invalid_credentials of b", Some("b")),
        ([Stranger, Locked], "account_locked of b", Some("b")),
        ([Stranger, Stranger], "unknown_user of b", None),
        ([Yes, Yes], "ambiguous of a", None),
        ([Locked, Yes], "ambiguous of a", None),
        ([Yes, Outage], "unavailable of b", None),
        ([Outage, Yes], "unavailable of a", None),
        ([Stranger, Outage], "unavailable of b", None),
    ] {
        let (outcome, asked) = run(&says, Locate::LookupFirst, None);
        assert_eq!(outcome, want, "{says:?}");
        let mut wanted = vec!["look-up a".to_owned(), "look-up b".to_owned()];
        wanted.extend(password.map(|name| format!("password {name}")));
        assert_eq!(asked, wanted, "{says:?}");
    }
}

#[test]
fn a_look_up() {
    for (says, want) in [
        ([Yes, Stranger], "found of a"),
        ([Stranger, Yes], "found of b"),
        ([Stranger, Locked], "account_locked of b"),
        ([Stranger, Stranger], "absent of b"),
        ([Yes, Yes], "ambiguous of a"),
        ([Yes, Locked], "ambiguous of a"),
        ([Outage, Stranger], "unavailable of a"),
        ([Stranger, Outage], "unavailable of b"),
        ([Yes, Outage], "unavailable of b"),
    ] {
        for locate in [STOP, NEXT, Locate::LookupFirst] {
            assert_eq!(run(&says, locate, Some("ada@example.com")).0, want, "{says:?}");
        }
    }
}

#[test]
fn what_no_source_can_look_up() {
    let (outcome, asked) = run(&[Stranger, Yes], STOP, Some("ada"));
    assert!(outcome.starts_with("InvalidIdentifier"), "{outcome}");
    assert_eq!(asked, [""; 0]);
}

proptest! {
    /// The laws, whatever three sources say: an outage that was met is never a no, no password goes past whoever may
    /// know the user, and nobody gets a password twice.
    #[test]
    fn the_laws(picks in proptest::collection::vec(0..ALL.len(), 2..=3), past in any::<bool>(), first in any::<bool>()) {
        let says: Vec<Says> = picks.into_iter().map(|pick| ALL[pick]).collect();
        let locate = if first { Locate::LookupFirst } else { Locate::InTurn { past_invalid_credentials: past } };
        let (outcome, asked) = run(&says, locate, None);
        let said = |entry: &String| says[usize::from(entry.as_bytes()[entry.len() - 1] - b'a')];
        let passwords: Vec<Says> = asked.iter().filter(|entry| entry.starts_with("password")).map(said).collect();

        let met_outage = asked.iter().map(said).any(|says| says == Outage);
        prop_assert_eq!(met_outage, outcome.starts_with("unavailable"), "{}", &outcome);
        let may_pass = |says: &Says| *says == Stranger || (past && *says == Either);
        prop_assert!(passwords.iter().rev().skip(1).all(may_pass));
        prop_assert!(!first || passwords.len() <= 1);
        prop_assert_eq!(outcome.starts_with("yes"), passwords.last() == Some(&Yes));
        let mut once = asked.clone();
        once.sort();
        once.dedup();
        prop_assert_eq!(once.len(), asked.len());
    }
}
