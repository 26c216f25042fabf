use std::sync::Arc;

use async_trait::async_trait;
use idbridge_source::IdentitySource;
use idbridge_testkit::upstreams::http::{Double, Reply};
use idbridge_testkit::{Fault, Subject, Submission};
use serde_json::json;

use crate::legacy::{self, LOG_IN, TOKEN};
use crate::world::{example, source};

/// The look-up that the README's example does without.
pub(crate) const BY_LOGIN: &str = r#"
[user_by_login]
path = "/api/users/{{ login }}"
canary = "idbridge-canary@acme.com"
answers = [
  { status = 200, outcome = "found" },
  { status = 404, when = ['/error = "no_such_user"'], outcome = "absent" },
]
"#;

/// The list that it does without, a page of three at a time.
pub(crate) fn list(paging: &str) -> String {
    format!(
        "[list]\npath = '/api/everybody'\nrecords = '/users'\npage_size = 3\n{paging}\n\
         answers = [{{ status = 200, outcome = 'page' }}]\n"
    )
}

pub(crate) const BY_CURSOR: &str =
    "paging = 'cursor'\nnext = '/next'\nquery = ['limit={{ limit }}', 'after={{ cursor }}']";
pub(crate) const BY_LINK: &str = "paging = 'link'\nnext = '/link'\nquery = ['limit={{ limit }}']";
pub(crate) const BY_OFFSET: &str =
    "paging = 'offset'\ntotal = '/total'\nquery = ['limit={{ limit }}', 'offset={{ offset }}']";
pub(crate) const BY_PAGE: &str = "paging = 'page'\nfirst = 1\nquery = ['limit={{ limit }}', 'page={{ page }}']";

/// The README's example, and a home-made API with the world's people in it.
pub(crate) struct LegacySubject {
    double: Double,
    source: Arc<dyn IdentitySource>,
}

impl LegacySubject {
    pub(crate) async fn new(more: &str) -> Self {
        let double = legacy::start().await;
        let settings = example(include_str!("../../../README.md"), &double.url());
        Self {
            source: source(&format!("{settings}\n{more}")),
            double,
        }
    }
}

#[async_trait]
impl Subject for LegacySubject {
    fn source(&self) -> Arc<dyn IdentitySource> {
        Arc::clone(&self.source)
    }

    async fn inflict(&self, fault: Fault) {
        self.heal().await;
        self.double.answer(match fault {
            Fault::CredentialRefused => Reply::json(401, json!({"error": "unauthorized"})),
            Fault::Cut => Reply::Cut,
            Fault::Garbage => Reply::typed(200, "text/html", "<h1>Welcome</h1>"),
            Fault::Hang => Reply::Hang,
            Fault::Throttled => Reply::json(429, json!({"error": "slow_down"})).with("Retry-After", "7"),
            Fault::Unavailable => Reply::typed(503, "text/html", "<h1>Maintenance</h1>"),
        });
    }

    async fn heal(&self) {
        // Whoever hung up is noticed first, so that nothing counts as answered that nobody heard.
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
        self.double.heal();
    }

    async fn submissions(&self) -> Vec<Submission> {
        let received = self.double.received().into_iter();
        let submission = |request: idbridge_testkit::upstreams::http::Request| {
            let body = request.json();
            let text = |key: &str| body[key].as_str().map(str::to_owned);
            Submission {
                login: text("login"),
                password: text("password"),
            }
        };
        received
            .filter(|request| request.path() == LOG_IN)
            .map(submission)
            .collect()
    }

    async fn arrived(&self, count: usize) {
        self.double.arrived(LOG_IN, count).await;
    }

    async fn answered(&self, count: usize) {
        self.double.answered(LOG_IN, count).await;
    }

    fn secrets(&self) -> Vec<String> {
        vec![TOKEN.to_owned()]
    }
}
