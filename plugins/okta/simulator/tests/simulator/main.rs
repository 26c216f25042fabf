//! The simulated org, asked over HTTP.

mod authn;
mod control;
mod faults;
mod limits;
mod search;
mod users;

use std::error::Error;

use idbridge_okta_simulator::{Clock, Control, Org, Person, Received, Simulator, TOKEN};
use serde_json::{Value, json};

type Outcome = Result<(), Box<dyn Error>>;

/// A running org and a client that follows, keeps and repeats nothing.
struct Okta {
    simulator: Simulator,
    client: reqwest::Client,
}

#[derive(Debug)]
struct Answer {
    status: u16,
    headers: http::HeaderMap,
    body: Value,
}

impl Okta {
    async fn start(org: Org) -> Result<Okta, Box<dyn Error>> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the simulator knows nothing of the project's HTTP client"
        )]
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .build()?;
        // A stopped clock: no window ends while a test runs.
        Ok(Okta {
            simulator: Simulator::start(org.clock(Clock::stopped())).await?,
            client,
        })
    }

    async fn demo() -> Result<Okta, Box<dyn Error>> {
        Okta::start(Org::demo()).await
    }

    /// An org whose only user, beside the administrator, is `person`.
    async fn with(person: Person) -> Result<Okta, Box<dyn Error>> {
        Okta::start(Org::new().token(TOKEN).person(person)).await
    }

    fn control(&self) -> Control {
        self.simulator.control()
    }

    fn received(&self) -> Received {
        self.simulator.received()
    }

    fn post(&self, body: impl Into<reqwest::Body>) -> reqwest::RequestBuilder {
        let url = format!("{}/api/v1/authn", self.simulator.url());
        self.client
            .post(url)
            .header("content-type", "application/json")
            .body(body)
    }

    async fn log_in(&self, username: &str, password: &str) -> Result<Answer, Box<dyn Error>> {
        let body = json!({"username": username, "password": password});
        Answer::of(self.post(body.to_string())).await
    }

    fn request(&self, target: &str) -> reqwest::RequestBuilder {
        self.client
            .get(format!("{}{target}", self.simulator.url()))
            .header("authorization", format!("SSWS {TOKEN}"))
    }

    /// Reads `/api/v1{target}` with the token.
    async fn get(&self, target: &str) -> Result<Answer, Box<dyn Error>> {
        Answer::of(self.request(&format!("/api/v1{target}"))).await
    }

    /// Searches, with the expression encoded.
    async fn search(&self, expression: &str) -> Result<Answer, Box<dyn Error>> {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("search", expression)
            .finish();
        self.get(&format!("/users?{query}")).await
    }
}

impl Answer {
    async fn of(request: reqwest::RequestBuilder) -> Result<Answer, Box<dyn Error>> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = serde_json::from_slice(&response.bytes().await?)?;
        Ok(Answer { status, headers, body })
    }

    fn text(&self, pointer: &str) -> &str {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// Status and code of an error: `"401 E0000004"`; status and `status` of an answer: `"200 SUCCESS"`.
    fn verdict(&self) -> String {
        let code = self.text("/errorCode");
        format!(
            "{} {}",
            self.status,
            if code.is_empty() { self.text("/status") } else { code }
        )
    }

    /// The logins in a list.
    fn logins(&self) -> Vec<&str> {
        let users = self.body.as_array().map(Vec::as_slice).unwrap_or_default();
        users
            .iter()
            .filter_map(|user| user.pointer("/profile/login").and_then(Value::as_str))
            .collect()
    }

    /// The address in the `Link` header of this relation, without the org's URL.
    fn link(&self, okta: &Okta, relation: &str) -> Option<String> {
        let wanted = format!("; rel=\"{relation}\"");
        let mut links = self
            .headers
            .get_all("link")
            .iter()
            .filter_map(|value| value.to_str().ok());
        let link = links.find_map(|link| link.strip_suffix(&wanted))?;
        let address = link.strip_prefix('<')?.strip_suffix('>')?;
        address
            .strip_prefix(&format!("{}/api/v1", okta.simulator.url()))
            .map(str::to_owned)
    }
}
