use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use idbridge_okta_simulator::{Control, Endpoint, Factor, Hold, Limits, Mfa, On, Person, Provider, Status, TOKEN};
use idbridge_source::{IdentitySource, Value};
use idbridge_testkit::world::{self, PEOPLE};
use idbridge_testkit::{Fault, Subject, Submission};

use crate::world::{World, org};

/// The source, and an org with the world's people in it.
pub(crate) struct OktaSubject {
    world: World,
    control: Control,
    hold: Mutex<Option<Hold>>,
}

impl OktaSubject {
    pub(crate) async fn new(settings: &[(&str, Value)]) -> Self {
        let world = World::new(org(PEOPLE.iter().map(person)).limits(Limits::none()), settings).await;
        Self {
            control: world.control(),
            world,
            hold: Mutex::default(),
        }
    }

    fn hold(&self, hold: Option<Hold>) {
        *self.hold.lock().expect("no panic") = hold;
    }
}

#[async_trait]
impl Subject for OktaSubject {
    fn source(&self) -> Arc<dyn IdentitySource> {
        Arc::clone(&self.world.source)
    }

    async fn inflict(&self, fault: Fault) {
        use idbridge_okta_simulator::Fault as Okta;
        self.heal().await;
        match fault {
            Fault::CredentialRefused => self.control.revoke_tokens(),
            Fault::Cut => self.control.fault(On::All, Okta::ResetMidBody),
            Fault::Garbage => self.control.fault(On::All, Okta::Html(200)),
            Fault::Hang => self.hold(Some(self.control.hold(On::All))),
            Fault::Throttled => self.control.fault(On::All, Okta::RateLimit(Duration::from_secs(30))),
            Fault::Unavailable => self.control.fault(On::All, Okta::status(503, "E0000010")),
        }
    }

    async fn heal(&self) {
        // Whoever hung up is noticed first, so that nothing counts as answered that nobody heard.
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
        self.hold(None);
        self.control.clear_faults();
        self.control.change(|org| {
            let whole = idbridge_okta_simulator::Org::new().token(TOKEN);
            org.tokens = whole.tokens;
        });
    }

    async fn submissions(&self) -> Vec<Submission> {
        let received = self.control.received();
        let text = |body: &serde_json::Value, key: &str| body.get(key)?.as_str().map(str::to_owned);
        let submission = |request: &idbridge_okta_simulator::Request| {
            let body = request.json().unwrap_or_default();
            Submission {
                login: text(&body, "username"),
                password: text(&body, "password"),
            }
        };
        received.at(Endpoint::Authn).map(submission).collect()
    }

    async fn arrived(&self, count: usize) {
        self.control.arrived(Endpoint::Authn, count as u64).await;
    }

    async fn answered(&self, count: usize) {
        self.control.answered(Endpoint::Authn, count as u64).await;
    }

    fn secrets(&self) -> Vec<String> {
        vec![TOKEN.to_owned()]
    }
}

fn person(person: &world::Person) -> Person {
    let mut made = Person::new(person.login).email(person.email);
    made.first_name = person.given_name.map(str::to_owned);
    made.last_name = person.family_name.map(str::to_owned);
    made.email_verified = person.email_verified;
    if person.status == world::Status::Federated {
        made = made.provider(Provider::new("FEDERATION", "FEDERATION"));
    } else {
        made = made.password(person.password);
    }
    if person.second_factor {
        made = made.factor(Factor::sms("+1-555-415-7922")).mfa(Mfa::Required);
    }
    made.status(match person.status {
        world::Status::Active | world::Status::Federated if person.password_expired => Status::PasswordExpired,
        world::Status::Active | world::Status::Federated => Status::Active,
        world::Status::Deactivated => Status::Deprovisioned,
        world::Status::Inactive => Status::Staged,
        world::Status::Locked => Status::LockedOut,
        world::Status::Suspended => Status::Suspended,
    })
}
