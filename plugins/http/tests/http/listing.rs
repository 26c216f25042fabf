//! Everybody, page by page: each way to the next page, and what is an error on it.

use std::sync::Arc;

use idbridge_source::{Admission, Cursor, ErrorKind, IdentitySource, Listed, Page, SourceError};
use idbridge_testkit::upstreams::http::{Double, Reply};
use serde_json::{Value, json};

use crate::behaviour::subject::{BY_CURSOR, BY_LINK, BY_OFFSET, BY_PAGE, list};
use crate::legacy;
use crate::world::{call_within, example, source};

const TIME: std::time::Duration = std::time::Duration::from_secs(2);

async fn page(source: &Arc<dyn IdentitySource>, after: Option<&Cursor>) -> Result<Page, SourceError> {
    source.list(&call_within(TIME), after).await
}

pub(crate) async fn everybody(source: &Arc<dyn IdentitySource>) -> Vec<Listed> {
    let (mut people, mut after) = (Vec::new(), None);
    for _ in 0..100 {
        let mut page = page(source, after.as_ref()).await.expect("a page");
        people.append(&mut page.people);
        match page.next {
            Some(next) => after = Some(next),
            None => return people,
        }
    }
    panic!("the list never ends");
}

fn settings(url: &str, paging: &str) -> String {
    format!("{}\n{}", example(include_str!("../../README.md"), url), list(paging))
}

/// The canary is there, and the list answers this.
async fn told(paging: &str, body: impl Fn(&str) -> Reply + Send + Sync + 'static) -> (Double, Arc<dyn IdentitySource>) {
    let double = Double::start(move |request| match request.path() {
        "/api/users" => Reply::json(200, json!({"count": 1, "users": [one()]})),
        _ => body(&request.target),
    })
    .await;
    let source = source(&settings(&double.url(), paging));
    (double, source)
}

fn one() -> Value {
    legacy::record(0, &legacy::CANARY)
}

#[tokio::test]
async fn every_paging_lists_the_same_people() {
    let mut lists = Vec::new();
    for paging in [BY_CURSOR, BY_LINK, BY_OFFSET, BY_PAGE] {
        let double = legacy::start().await;
        let source = source(&settings(&double.url(), paging));
        assert!(source.capabilities().list);
        lists.push(everybody(&source).await);
        let sent = double.received();
        let first = sent
            .iter()
            .find(|sent| sent.path() == "/api/everybody")
            .expect("a list");
        assert_eq!(first.query("after"), None, "there is no cursor yet");
        let is_ours = |authorization| authorization == Some("Bearer s3cret-token");
        assert!(sent.iter().all(|sent| is_ours(sent.header("authorization"))));
    }
    assert!(lists[0].len() > 10);
    assert!(lists.iter().all(|list| *list == lists[0]));
}

#[tokio::test]
async fn a_link_decides_neither_the_host_nor_the_path() {
    let elsewhere = Double::start(|_| Reply::json(200, json!({"users": []}))).await;
    let url = elsewhere.url();
    for link in [
        format!("{url}/api/everybody?page=2"),
        format!("{}/api/everybody?page=2", url.replace("http://", "//")),
        "https://evil.example.com/api/everybody?page=2".to_owned(),
        "/api/admin?page=2".to_owned(),
        "../admin/everybody?page=2".to_owned(),
        "/api/everybody".to_owned(),
        "file:///etc/passwd?x".to_owned(),
        "?".to_owned(),
    ] {
        let said = link.clone();
        let (_double, source) = told(BY_LINK, move |_| {
            Reply::json(200, json!({"users": [one()], "link": said}))
        })
        .await;
        let error = page(&source, None).await.expect_err(&link);
        assert_eq!(error.kind(), ErrorKind::Protocol, "{link}");
    }
    assert_eq!(elsewhere.received().len(), 0);
}

#[tokio::test]
async fn a_list_that_is_cut_short_or_goes_round_is_an_error() {
    for (paging, body) in [
        (BY_OFFSET, json!({"users": [], "total": 3})),
        (BY_OFFSET, json!({"users": [one()]})),
        (BY_OFFSET, json!({"users": [one()], "total": "3"})),
        (BY_OFFSET, json!({"users": {}, "total": 3})),
        (BY_OFFSET, json!({"users": [null], "total": 3})),
        (BY_OFFSET, json!({"users": [{}], "total": 3})),
        (BY_OFFSET, json!({"total": 3})),
        (BY_CURSOR, json!({"users": [one()], "next": 7})),
        (BY_CURSOR, json!({"users": [one()], "next": "x".repeat(3000)})),
        (BY_LINK, json!({"users": [one()], "link": {}})),
    ] {
        let (_double, source) = told(paging, move |_| Reply::json(200, &body)).await;
        let error = page(&source, None).await.expect_err(paging);
        assert_eq!(error.kind(), ErrorKind::Protocol, "{paging}");
    }
    let (_double, source) = told(BY_CURSOR, |_| Reply::json(200, json!({"users": [one()], "next": "x"}))).await;
    let first = page(&source, None).await.expect("a page");
    let error = page(&source, first.next.as_ref())
        .await
        .expect_err("the same page again");
    assert_eq!(error.kind(), ErrorKind::Protocol);
}

/// The look-up sees the canary, and a list without anybody would be taken for a source without anybody.
#[tokio::test]
async fn a_list_of_nobody_is_an_error() {
    for paging in [BY_CURSOR, BY_LINK, BY_OFFSET, BY_PAGE] {
        let (_double, source) = told(paging, |_| Reply::json(200, json!({"users": [], "total": 0}))).await;
        let error = page(&source, None).await.expect_err("nobody");
        assert_eq!(error.kind(), ErrorKind::CredentialRefused, "{paging}");
    }
}

#[tokio::test]
async fn somebody_in_a_state_without_a_row_is_listed_as_unknown() {
    let (_double, source) = told(BY_PAGE, |target| {
        let mut record = one();
        record["status"] = "haunted".into();
        let is_first = target.contains("page=1");
        Reply::json(
            200,
            json!({"users": if is_first { json!([record]) } else { json!([]) }}),
        )
    })
    .await;
    let people = everybody(&source).await;
    assert_eq!(people.len(), 1);
    let admissions = (people[0].log_in, people[0].look_up);
    assert_eq!(admissions, (Admission::Unknown, Admission::Unknown));
}

/// Where only the list is ill, so that the canary doesn't hide it.
#[tokio::test]
async fn every_fault_of_the_list_is_an_error() {
    let (unavailable, throttled) = (
        ErrorKind::Unavailable { retry_after: None },
        ErrorKind::Throttled { retry_after: None },
    );
    for (reply, kind) in [
        (Reply::Cut, unavailable),
        (Reply::Hang, ErrorKind::TimedOut),
        (Reply::Endless, ErrorKind::Protocol),
        (Reply::empty(200), ErrorKind::Protocol),
        (Reply::typed(200, "text/html", "<h1>Welcome</h1>"), ErrorKind::Protocol),
        (Reply::json(200, json!([])), ErrorKind::Protocol),
        (Reply::empty(204), ErrorKind::Protocol),
        (Reply::empty(302).with("Location", "/x"), ErrorKind::Protocol),
        (Reply::empty(401), ErrorKind::CredentialRefused),
        (Reply::empty(403), ErrorKind::CredentialRefused),
        (Reply::empty(404), ErrorKind::Protocol),
        (Reply::empty(429), throttled),
        (Reply::empty(503), unavailable),
    ] {
        let name = format!("{reply:?}");
        let (_double, source) = told(BY_CURSOR, move |_| reply.clone()).await;
        let error = page(&source, None).await.expect_err(&name);
        assert_eq!(error.kind(), kind, "{name}");
    }
}
