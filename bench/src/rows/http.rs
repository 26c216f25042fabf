//! `kind = "http"` beside the Okta source, before the same upstream: what it costs that an API is described in the settings.
//!
//! Both make one call of a log-in, `POST /api/v1/authn`, and read the same fields of its answer.

use async_trait::async_trait;

use super::side::{Plan, Service, Side, Spent};
use crate::Error;
use crate::broker::Settings;
use crate::context::Context;
use crate::load::target::Question;
use crate::row::{Bar, Figure, Row, Sample};

const CALLS: usize = 40_000;
const TURNS: usize = 4;

const HTTP: Service = Service::Sources(described);
const OKTA: Service = Service::Broker(Settings {
    one_call: true,
    max_in_flight: None,
    more: "",
});

struct Http;

pub(crate) fn rows() -> Vec<Box<dyn Row>> {
    vec![Box::new(Http)]
}

#[async_trait(?Send)]
impl Row for Http {
    fn name(&self) -> &'static str {
        "http"
    }

    fn figures(&self) -> Vec<Figure> {
        vec![Figure {
            title: "CPU a call: `Authenticate` by `kind = \"http\"`, 16 connections × 4 streams".to_owned(),
            unit: "µs",
            theirs: "okta",
            bar: Some(Bar::RatioAtMost(1.2)),
        }]
    }

    async fn round(&self, context: &Context, round: usize) -> Result<Vec<Sample>, Error> {
        let plan = |service| Plan::new(service, Question::Authenticate, 16, 4);
        let mut sides = [
            Side::start(context, plan(HTTP), None).await?,
            Side::start(context, plan(OKTA), None).await?,
        ];
        let calls = context.calls(CALLS) / TURNS;
        let mut spent = [Spent::default(); 2];
        for turn in 0..TURNS {
            for place in 0..2 {
                let side = (place + turn + round) % 2;
                spent[side].cpu += sides[side].run(calls).await?.cpu;
            }
        }
        for side in sides {
            side.settle().await?;
        }
        let [ours, theirs] = spent.map(|spent| spent.cpu.as_secs_f64() * 1e6 / (calls * TURNS) as f64);
        Ok(vec![Sample::beside(ours, theirs)])
    }
}

/// The org's log-in, as the settings of `kind = "http"` say it.
fn described(url: &str) -> String {
    format!(
        r#"
[sources.okta]
kind = "http"
[sources.okta.settings]
base_url = "{url}"
addresses = ["127.0.0.0/8"]
[sources.okta.settings.log_in]
path = "/api/v1/authn"
json = '{{"username": {{{{ login }}}}, "password": {{{{ password }}}}}}'
record = "/_embedded/user"
answers = [
  {{ status = 200, when = ['/status = "SUCCESS"'], outcome = "yes" }},
  {{ status = 401, when = ['/errorCode = "E0000004"'], outcome = "invalid_credentials" }},
]
[sources.okta.settings.user_by_email]
path = "/api/v1/users/{{{{ email }}}}"
canary = "canary@bench.test"
answers = [
  {{ status = 200, outcome = "found" }},
  {{ status = 404, when = ['/errorCode = "E0000007"'], outcome = "absent" }},
]
[sources.okta.settings.person]
id = "/id"
login = "/profile/login"
email = "/profile/login"
given_name = "/profile/firstName"
family_name = "/profile/lastName"
locale = "/profile/locale"
states = [{{ when = ['/profile/firstName = "Ada"'], outcome = "admit" }}]
"#
    )
}
