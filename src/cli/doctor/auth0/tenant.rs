//! The questions to Auth0's Management API: GET alone, one at a time. What can't be read says which scope is missing.

use std::time::Duration;

use http::{HeaderValue, header};
use idbridge_outbound::{Client, Limits, Origin, Request, Response};
use idbridge_source::{Call, Verdict};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::request_id;

/// For one question.
const WITHIN: Duration = Duration::from_secs(10);
/// A connection's options hold its scripts, and a page of Actions their code.
const BODY: usize = 8 * 1024 * 1024;
const PAGE: &str = "50";
/// More Actions than a tenant can have.
const PAGES: usize = 20;

#[derive(Debug)]
pub(super) struct Tenant {
    client: Client,
    /// `Bearer …`; its `Debug` is redacted.
    token: HeaderValue,
}

impl Tenant {
    /// Opens no connection. What is said never quotes the token.
    pub(super) fn new(domain: &str, token: &str) -> Result<Self, String> {
        let url = if domain.contains("://") {
            domain.to_owned()
        } else {
            format!("https://{domain}")
        };
        let origin = Origin::parse(&url).map_err(|problem| format!("--domain: {problem}"))?;
        let limits = Limits {
            body: BODY,
            total: WITHIN,
            ..Limits::default()
        };
        let mut bearer = HeaderValue::try_from(format!("Bearer {token}"))
            .map_err(|_| "the Management API token fits no header".to_owned())?;
        bearer.set_sensitive(true);
        let client = Client::new(origin, limits).map_err(|error| error.to_string())?;
        Ok(Self { client, token: bearer })
    }

    /// The database connections, or those of this name.
    pub(super) async fn connections(&self, name: Option<&str>) -> Result<Vec<Value>, Verdict> {
        let mut all = Vec::new();
        for page in 0..PAGES {
            let mut request = Request::get("/api/v2/connections")
                .query("strategy", "auth0")
                .query("per_page", PAGE)
                .query("page", page.to_string())
                .query("include_totals", "true");
            if let Some(name) = name {
                request = request.query("name", name);
            }
            let answer = self.read(request, "read:connections").await?;
            if add(&mut all, &answer, "connections")? {
                return Ok(all);
            }
        }
        Err(unread("more connections than this reads; name one with --connection"))
    }

    /// The applications that use a connection: some, if there are any.
    pub(super) async fn clients(&self, connection: &str) -> Result<Vec<Value>, Verdict> {
        let request = Request::get("/api/v2/connections/{id}/clients").segment(connection);
        let answer = self.read(request, "read:connections").await?;
        list(&answer, "clients").cloned()
    }

    pub(super) async fn actions(&self) -> Result<Vec<Value>, Verdict> {
        let mut all = Vec::new();
        for page in 0..PAGES {
            let request = Request::get("/api/v2/actions/actions")
                .query("per_page", PAGE)
                .query("page", page.to_string());
            let answer = self.read(request, "read:actions").await?;
            if add(&mut all, &answer, "actions")? {
                return Ok(all);
            }
        }
        Err(unread("more Actions than this reads"))
    }

    /// The Actions bound to a trigger, in their order.
    pub(super) async fn bindings(&self, trigger: &str) -> Result<Vec<Value>, Verdict> {
        let request = Request::get("/api/v2/actions/triggers/{trigger}/bindings")
            .segment(trigger)
            .query("per_page", PAGE);
        let answer = self.read(request, "read:actions").await?;
        let mut all = Vec::new();
        if add(&mut all, &answer, "bindings")? {
            return Ok(all);
        }
        Err(unread("more bindings than a page has"))
    }

    pub(super) async fn brute_force(&self) -> Result<Value, Verdict> {
        let request = Request::get("/api/v2/attack-protection/brute-force-protection");
        self.read(request, "read:attack_protection").await
    }

    pub(super) async fn factors(&self) -> Result<Vec<Value>, Verdict> {
        let answer = self
            .read(Request::get("/api/v2/guardian/factors"), "read:guardian_factors")
            .await?;
        list(&answer, "factors").cloned()
    }

    pub(super) async fn settings(&self) -> Result<Value, Verdict> {
        self.read(Request::get("/api/v2/tenants/settings"), "read:tenant_settings")
            .await
    }

    async fn read(&self, request: Request, scope: &str) -> Result<Value, Verdict> {
        let request = request
            .header(header::ACCEPT, HeaderValue::from_static("application/json"))
            .header(header::AUTHORIZATION, self.token.clone());
        let call = Call::new(request_id::make(), Instant::now() + WITHIN);
        let answer = self.client.send(&call, request).await;
        let response = answer.map_err(|error| unread(&error.chain()))?;
        pause(&response).await;
        match response.status().as_u16() {
            200 => response.json().map_err(|error| unread(&error.chain())),
            401 => Err(unread(
                "the tenant refuses the token: it has expired, or is another tenant's, or not for the Management API",
            )),
            403 => Err(unread(&format!("the token lacks the scope {scope}"))),
            429 => Err(unread(
                "the Management API's rate limit is used up; try again in a minute",
            )),
            status => Err(unread(&format!("the Management API answered HTTP {status}"))),
        }
    }
}

/// A small tenant may be asked twice a second: who was told that nothing is left waits for more.
async fn pause(response: &Response) {
    if response
        .headers()
        .get("x-ratelimit-remaining")
        .is_some_and(|left| left == "0")
    {
        sleep(Duration::from_secs(1)).await;
    }
}

fn unread(why: &str) -> Verdict {
    Verdict::Unknown(why.to_owned())
}

/// A list as such, or under this key.
fn list<'a>(answer: &'a Value, key: &str) -> Result<&'a Vec<Value>, Verdict> {
    let found = answer.as_array().or_else(|| answer[key].as_array());
    found.ok_or_else(|| unread(&format!("the Management API's answer has no list of {key}")))
}

/// Adds a page. Whether it was the last.
fn add(all: &mut Vec<Value>, answer: &Value, key: &str) -> Result<bool, Verdict> {
    let page = list(answer, key)?;
    all.extend_from_slice(page);
    let total = answer["total"].as_u64().and_then(|total| usize::try_from(total).ok());
    Ok(match total {
        Some(total) => all.len() >= total || page.is_empty(),
        None => true,
    })
}
