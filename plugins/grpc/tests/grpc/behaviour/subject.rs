//! Memory behind the wire, told and broken in the contract's words: docs/errors.md, a second time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use idbridge_source::{
    Authentication, Call, Email, ErrorKind, IdentitySource, Login, Lookup, Password, Rejection, RequestId, SourceError,
};
use idbridge_testkit::upstreams::grpc::{Question, Upstream};
use idbridge_testkit::world::ADA;
use idbridge_testkit::{Fault, Subject, Submission};
use prost::Message as _;
use tokio::sync::watch;
use tokio::time::Instant;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use super::memory::MemorySubject;
use crate::reply::{End, Reply, Said as _, accepted, found, ineligible, rejected};

use crate::wire::{AuthenticateRequest, GetUserByEmailRequest, RejectionReason, User};
use crate::{source, text};

const KEY: &str = "idbridge-to-plugin-key";

/// Where faults strike.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Breaks {
    Memory,
    Wire,
}

pub(crate) struct GrpcSubject {
    source: Arc<dyn IdentitySource>,
    memory: MemorySubject,
    upstream: Upstream,
    fault: watch::Sender<Option<Fault>>,
    breaks: Breaks,
}

impl GrpcSubject {
    pub(crate) async fn start(breaks: Breaks) -> Self {
        let memory = MemorySubject::new("");
        let fault = watch::Sender::default();
        let (behind, faults) = (memory.source(), fault.clone());
        let upstream = Upstream::start(move |question| answer(question, Arc::clone(&behind), faults.subscribe())).await;
        Self {
            source: source(&[
                ("url", text(&upstream.url)),
                ("canary", text(ADA.email)),
                ("key", text(KEY)),
            ]),
            memory,
            upstream,
            fault,
            breaks,
        }
    }
}

#[async_trait]
impl Subject for GrpcSubject {
    fn source(&self) -> Arc<dyn IdentitySource> {
        Arc::clone(&self.source)
    }

    async fn inflict(&self, fault: Fault) {
        match self.breaks {
            Breaks::Memory => self.memory.inflict(fault).await,
            Breaks::Wire => drop(self.fault.send_replace(Some(fault))),
        }
    }

    async fn heal(&self) {
        self.memory.heal().await;
        self.fault.send_replace(None);
    }

    async fn submissions(&self) -> Vec<Submission> {
        let passwords = self.upstream.seen().passwords.into_iter();
        let whole = |asked| {
            let asked = AuthenticateRequest::decode(asked).expect("a question");
            Submission {
                login: Some(asked.login),
                password: Some(asked.password),
            }
        };
        passwords.map(whole).collect()
    }

    async fn arrived(&self, count: usize) {
        self.upstream.until(|seen| seen.passwords.len() >= count).await;
    }

    async fn answered(&self, count: usize) {
        self.upstream.until(|seen| seen.answered >= count).await;
    }

    fn secrets(&self) -> Vec<String> {
        vec![KEY.to_owned()]
    }
}

async fn answer(
    question: Question,
    behind: Arc<dyn IdentitySource>,
    mut fault: watch::Receiver<Option<Fault>>,
) -> Reply {
    let met = fault.wait_for(|fault| *fault != Some(Fault::Hang)).await;
    match met.map(|fault| *fault) {
        Ok(Some(Fault::CredentialRefused)) => return Reply::status(Status::unauthenticated("who?")),
        Ok(Some(Fault::Cut)) => return Reply::bytes(&b"\0\0"[..]).ending(End::Cut),
        Ok(Some(Fault::Garbage)) => return Reply::bytes("all is well"),
        Ok(Some(Fault::Throttled)) => return Reply::status(Status::resource_exhausted("later")),
        Ok(Some(Fault::Unavailable)) => return Reply::status(Status::unavailable("ill")),
        Ok(Some(Fault::Hang) | None) | Err(_) => {}
    }
    // The client's own deadline comes first.
    let id = RequestId::parse("behind").expect("a request id");
    let call = Call::new(id, Instant::now() + Duration::from_secs(60));
    match question {
        Question::Authenticate(asked) => {
            let asked = AuthenticateRequest::decode(asked).expect("a question");
            let login = Login::parse(&asked.login).expect("a login");
            let password = Password::parse(asked.password).expect("a password");
            match behind.authenticate(&call, &login, &password).await {
                Ok(Authentication::Accept(user)) => Reply::message(&accepted(told(user))),
                Ok(Authentication::Reject(rejection)) => Reply::message(&rejected(reason(rejection))),
                Err(error) => failed(&error),
            }
        }
        Question::LookUp(asked) => {
            let asked = GetUserByEmailRequest::decode(asked).expect("a question");
            let email = Email::parse(&asked.email).expect("an address");
            match behind.user_by_email(&call, &email).await {
                Ok(Lookup::Absent) => Reply::status(status(Code::NotFound, "USER_NOT_FOUND", None)),
                Ok(Lookup::Found(user)) => Reply::message(&found(told(user))),
                Ok(Lookup::Ineligible(rejection)) => Reply::message(&ineligible(reason(rejection))),
                Err(error) => failed(&error),
            }
        }
    }
}

fn told(user: idbridge_source::User) -> User {
    assert!(user.attributes.is_empty(), "memory has none");
    User {
        id: user.id.to_string(),
        login: user.login,
        email: user.email,
        email_verified: user.email_verified,
        name: user.name,
        given_name: user.given_name,
        family_name: user.family_name,
        nickname: user.nickname,
        picture: user.picture,
        phone_number: user.phone_number,
        locale: user.locale,
        groups: user.groups,
        attributes: None,
        second_factor: user.second_factor,
        password_expired: user.password_expired,
    }
}

fn reason(rejection: Rejection) -> i32 {
    let name = format!("REJECTION_REASON_{}", rejection.name().to_uppercase());
    RejectionReason::from_str_name(&name).expect("a reason").into()
}

fn failed(error: &SourceError) -> Reply {
    Reply::status(match error.kind() {
        ErrorKind::Ambiguous => status(Code::Internal, "AMBIGUOUS_USER", None),
        ErrorKind::CredentialRefused => status(Code::Internal, "SOURCE_CREDENTIAL_REFUSED", None),
        ErrorKind::Protocol => status(Code::Internal, "SOURCE_PROTOCOL", None),
        ErrorKind::Throttled { retry_after } => status(Code::ResourceExhausted, "SOURCE_THROTTLED", retry_after),
        ErrorKind::TimedOut => status(Code::DeadlineExceeded, "DEADLINE_EXCEEDED", None),
        ErrorKind::Unavailable { retry_after } => status(Code::Unavailable, "SOURCE_UNAVAILABLE", retry_after),
        ErrorKind::Unsupported => status(Code::FailedPrecondition, "OPERATION_UNSUPPORTED", None),
    })
}

/// As tonic's servers write it.
fn status(code: Code, reason: &str, wait: Option<Duration>) -> Status {
    let metadata = HashMap::from([("request_id".to_owned(), "behind".to_owned())]);
    let mut details = ErrorDetails::with_error_info(reason, "idbridge", metadata);
    if wait.is_some() {
        details.set_retry_info(wait);
    }
    Status::with_error_details(code, "a fixed text", details)
}
