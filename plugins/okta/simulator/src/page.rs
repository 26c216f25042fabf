//! Lists in pages, with an opaque cursor and `Link` headers.

use std::borrow::Cow;

use serde_json::Value;

use crate::errors::{Answer, OktaError};
use crate::router::{Endpoint, Route};

/// Okta's largest page, and the default.
pub(crate) const PAGE: usize = 200;

/// Which part of a list is asked for.
pub(crate) struct Page<'a> {
    limit: usize,
    after: Option<&'a str>,
    query: &'a [(String, String)],
    goes_on: bool,
}

impl<'a> Page<'a> {
    pub(crate) fn of(route: &'a Route, default_limit: usize) -> Result<Page<'a>, OktaError> {
        let limit = match route.parameter("limit") {
            None => default_limit,
            Some(text) => match text.parse::<usize>() {
                Ok(limit) if limit > 0 => limit.min(PAGE),
                _ => {
                    return Err(OktaError::new("E0000001")
                        .detail("limit")
                        .cause("limit: must be a positive number"));
                }
            },
        };
        Ok(Page {
            limit,
            after: route.parameter("after"),
            query: &route.query,
            // `q` has one page only.
            goes_on: route.endpoint == Endpoint::Search
                || route.parameter("filter").is_some()
                || route.parameter("q").is_none(),
        })
    }

    /// The page, with two `Link` headers. A full page names a next one, even if that turns out empty.
    pub(crate) fn answer<T>(
        &self,
        base: &str,
        items: &[&T],
        id: impl Fn(&T) -> Cow<'_, str>,
        json: impl Fn(&T) -> Value,
    ) -> Result<Answer, OktaError> {
        let start = match self.after {
            None => 0,
            Some(after) => {
                let wanted = turned(after.strip_prefix(CURSOR).unwrap_or_default());
                let last = items.iter().position(|item| id(item) == wanted);
                last.ok_or_else(|| OktaError::new("E0000029"))? + 1
            }
        };
        let page: Vec<&T> = items.iter().skip(start).take(self.limit).copied().collect();
        let body = Value::Array(page.iter().map(|item| json(item)).collect());
        let answer = Answer::ok(&body).header("link", self.link(base, self.after, "self"));
        Ok(match page.last() {
            Some(last) if self.goes_on && page.len() == self.limit => {
                answer.header("link", self.link(base, Some(&cursor(&id(last))), "next"))
            }
            _ => answer,
        })
    }

    fn link(&self, base: &str, after: Option<&str>, relation: &str) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(after.map(|after| ("after", after)));
        query.extend_pairs(self.query.iter().filter(|(name, _)| name != "after" && name != "limit"));
        query.append_pair("limit", &self.limit.to_string());
        format!("<{base}?{}>; rel=\"{relation}\"", query.finish())
    }
}

const CURSOR: &str = "200";

/// Opaque to clients: the last id, spelt otherwise, so that a page of a large list is found without hashing every id.
fn cursor(id: &str) -> String {
    format!("{CURSOR}{}", turned(id))
}

/// Its own inverse.
fn turned(text: &str) -> String {
    text.chars().rev().collect()
}
