//! An examination goes through the decorators as it is, the canary's password with it; a gate says what it holds back.

use async_trait::async_trait;
use idbridge_source::{
    Authentication, Call, Capabilities, Email, ErrorKind, Finding, IdentitySource, Login, Lookup, Password, RequestId,
    SourceError, Verdict,
};
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use super::super::decorate;
use super::super::gate::{Mode, Rules};
use super::{Arc, Duration, lookups, pool, protection, submissions, watcher, words};

/// Finds only whether it was given a password.
#[derive(Debug)]
struct Examined;

fn unsupported<T>() -> Result<T, SourceError> {
    Err(SourceError::new(ErrorKind::Unsupported, "anything else"))
}

#[async_trait]
impl IdentitySource for Examined {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            authenticate: true,
            list: false,
            user_by_email: true,
            user_by_login: false,
        }
    }

    async fn authenticate(&self, _: &Call, _: &Login, _: &Password) -> Result<Authentication, SourceError> {
        unsupported()
    }

    async fn user_by_email(&self, _: &Call, _: &Email) -> Result<Lookup, SourceError> {
        unsupported()
    }

    async fn probe(&self, _: &Call) -> Result<(), SourceError> {
        unsupported()
    }

    async fn examine(&self, _: &Call, canary_password: Option<&Password>) -> Vec<Finding> {
        let given = canary_password.map_or("none", |_| "one");
        vec![Finding::new("password", Verdict::Fine(given.to_owned()))]
    }
}

/// Each finding as `check: verdict`.
async fn found(mode: Mode) -> Vec<String> {
    let rules = Rules {
        mode,
        ..Rules::default()
    };
    let source = decorate(
        Arc::new(Examined),
        &protection(),
        &rules,
        &words(),
        &pool(),
        &watcher(),
        &lookups(),
        &submissions(),
        &TaskTracker::new(),
    );
    let id = RequestId::parse("examine").expect("an id");
    let call = Call::new(id, Instant::now() + Duration::from_secs(5));
    let password = Password::parse("secret".to_owned()).expect("a password");
    let findings = source.examine(&call, Some(&password)).await;
    let told = |finding: Finding| match finding.verdict {
        Verdict::Failed(error) => format!("{}: {}", finding.check, error.kind().name()),
        Verdict::Fine(text) | Verdict::NotChecked(text) => format!("{}: {text}", finding.check),
        other => panic!("{other:?}"),
    };
    findings.into_iter().map(told).collect()
}

#[tokio::test]
async fn an_examination_goes_through_as_it_is() {
    assert_eq!(found(Mode::Serve).await, ["password: one"]);
}

#[tokio::test]
async fn what_the_mode_holds_back_is_said() {
    assert_eq!(found(Mode::Off).await, ["mode: unavailable"]);
    let [inner, mode] = found(Mode::LookupOnly).await.try_into().expect("two findings");
    assert_eq!(inner, "password: none");
    assert!(mode.contains("lookup_only"), "{mode}");
}
