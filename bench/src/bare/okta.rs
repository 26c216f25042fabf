//! The source, as "bare" calls it.

use idbridge::pb;
use reqwest::{StatusCode, Url};
use serde::Deserialize;
use serde_json::json;

use crate::Error;

pub(super) struct Okta {
    http: reqwest::Client,
    base: Url,
}

#[derive(Deserialize)]
struct Transaction {
    #[serde(rename = "_embedded")]
    embedded: Embedded,
}

#[derive(Deserialize)]
struct Embedded {
    user: Proved,
}

/// The user of a transaction.
#[derive(Deserialize)]
pub(super) struct Proved {
    pub(super) id: String,
    profile: Profile,
}

/// The user's own record.
#[derive(Deserialize)]
pub(super) struct Record {
    pub(super) id: String,
    profile: Profile,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Profile {
    login: String,
    email: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    locale: Option<String>,
}

#[derive(Deserialize)]
struct Factor {
    status: String,
}

impl Okta {
    #[expect(
        clippy::disallowed_methods,
        reason = "the naive way, with all that it does by itself"
    )]
    pub(super) fn new(base: &str) -> Result<Self, Error> {
        Ok(Self {
            http: reqwest::Client::new(),
            base: base.parse()?,
        })
    }

    pub(super) async fn authn(&self, login: &str, password: &str) -> Result<Proved, reqwest::Error> {
        let body = json!({"username": login, "password": password});
        let request = self.http.post(self.url(&["authn"])).json(&body);
        let transaction: Transaction = request.send().await?.error_for_status()?.json().await?;
        Ok(transaction.embedded.user)
    }

    pub(super) async fn user(&self, key: &str) -> Result<Option<Record>, reqwest::Error> {
        let response = self.http.get(self.url(&["users", key])).send().await?;
        if response.status() == StatusCode::NOT_FOUND {
            // Read to its end, so that the connection can be used again.
            response.bytes().await?;
            return Ok(None);
        }
        response.error_for_status()?.json().await.map(Some)
    }

    pub(super) async fn search(&self, email: &str) -> Result<Option<Record>, reqwest::Error> {
        let mut url = self.url(&["users"]);
        url.query_pairs_mut()
            .append_pair("search", &format!("profile.email eq \"{email}\""))
            .append_pair("limit", "10");
        let found: Vec<Record> = self.http.get(url).send().await?.error_for_status()?.json().await?;
        Ok(found.into_iter().next())
    }

    pub(super) async fn has_factor(&self, id: &str) -> Result<bool, reqwest::Error> {
        let request = self.http.get(self.url(&["users", id, "factors"]));
        let factors: Vec<Factor> = request.send().await?.error_for_status()?.json().await?;
        Ok(factors.iter().any(|factor| factor.status == "ACTIVE"))
    }

    fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.base.clone();
        // Only a URL such as `mailto:` has no segments.
        if let Ok(mut path) = url.path_segments_mut() {
            path.clear().extend(["api", "v1"]).extend(segments);
        }
        url
    }
}

impl Proved {
    pub(super) fn into_user(self) -> pb::User {
        self.profile.into_user(&self.id, false)
    }
}

impl Record {
    pub(super) fn into_user(self, second_factor: bool) -> pb::User {
        self.profile.into_user(&self.id, second_factor)
    }
}

impl Profile {
    fn into_user(self, id: &str, second_factor: bool) -> pb::User {
        let names = [&self.first_name, &self.last_name];
        let name: Vec<&str> = names.into_iter().flatten().map(String::as_str).collect();
        pb::User {
            id: format!("okta|{id}"),
            name: Some(name.join(" ")),
            email: self.email.unwrap_or_else(|| self.login.clone()),
            login: self.login,
            given_name: self.first_name,
            family_name: self.last_name,
            locale: self.locale,
            second_factor,
            ..pb::User::default()
        }
    }
}
