//! What tells an operator how it goes: the admin listener, metrics, and one record an attempt.

use aws_lc_rs::hmac;
use idbridge_okta_simulator::{Endpoint, Fault, PASSWORD};
use rustix::process::Signal;
use serde_json::Value;
use tokio::net::TcpStream;

use super::chain::Chain;
use super::clients::{GET_USER_BY_EMAIL, exchange, head, request_id, with_id};
use super::settings::{self, AUDIT_KEY};

const ADA: &str = "ada@example.com";

#[tokio::test]
async fn admin_tells_whether_it_lives_is_ready_and_what_it_counted() {
    let chain = Chain::start("").await;
    let grpc = chain.grpc().await;
    let odd = format!("somebody-{}@odd.example", "x".repeat(20));
    for who in [ADA, &odd, "label\"injection@example.com"] {
        grpc.authenticate(&with_id(&request_id()), who, PASSWORD).await;
        grpc.get_user_by_email(&with_id(&request_id()), who).await;
        chain.rest().login(&with_id(&request_id()), who, PASSWORD).await;
    }
    for number in 0..20 {
        grpc.unary(&format!("/made.up.Service/Number{number}"), &Vec::new(), Vec::new())
            .await;
        chain
            .rest()
            .ask("POST", &format!("/made/up/{number}"), &Vec::new(), b"")
            .await;
    }
    for (path, status) in [
        ("/healthz", 200),
        ("/readyz", 200),
        ("/", 404),
        ("/auth0/v1/login", 404),
    ] {
        assert_eq!(chain.get(path).await.status, status, "{path}");
    }
    let answer = chain.get("/metrics").await;
    let kind = answer.header("content-type").expect("a type");
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    let text = String::from_utf8(answer.body).expect("text");
    chain.secrets.search("metrics", &text);
    let samples = open_metrics(&text);
    let value = |name: &str, labels: &[(&str, &str)]| -> f64 {
        let has = |sample: &&Sample| {
            sample.name == name
                && labels
                    .iter()
                    .all(|(key, value)| sample.labels.contains(&((*key).into(), (*value).into())))
        };
        samples.iter().filter(has).map(|sample| sample.value).sum()
    };
    assert_eq!(
        value("idbridge_authentications_total", &[("outcome", "authenticated")]),
        2.0
    );
    assert_eq!(
        value(
            "idbridge_authentications_total",
            &[("source", "okta"), ("outcome", "invalid_credentials")]
        ),
        4.0
    );
    assert_eq!(value("idbridge_lookups_total", &[("outcome", "found")]), 1.0);
    assert_eq!(value("idbridge_source_up", &[("source", "okta")]), 1.0);
    assert_eq!(value("idbridge_source_in_flight", &[("source", "okta")]), 0.0);
    assert_eq!(
        value("rpc_server_call_duration_seconds_count", &[("rpc_method", "_OTHER")]),
        20.0
    );
    assert_eq!(
        value(
            "http_server_request_duration_seconds_count",
            &[("http_route", "_OTHER")]
        ),
        20.0
    );
    for sample in &samples {
        for (key, value) in &sample.labels {
            assert!(
                !value.contains("made") && !value.contains("odd") && value.len() < 60,
                "{key}={value}"
            );
        }
    }
    // The lone gateway counts too.
    chain.lone_gateway().login(&with_id(&request_id()), ADA, PASSWORD).await;
    let stream = TcpStream::connect(chain.gateway_at.admin.expect("admin is on"))
        .await
        .expect("a connection");
    let answer = exchange(stream, &head("GET", "/metrics", &Vec::new(), 0), b"").await;
    let samples = open_metrics(&String::from_utf8(answer.body).expect("text"));
    assert!(
        samples
            .iter()
            .any(|sample| sample.name == "http_server_request_duration_seconds_count" && sample.value == 1.0)
    );
    drop(grpc);
    chain.stop().await;
}

struct Sample {
    name: String,
    labels: Vec<(String, String)>,
    value: f64,
}

/// Reads OpenMetrics text as strictly as is needed here: every line has a form, and the last says so.
fn open_metrics(text: &str) -> Vec<Sample> {
    let mut lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.pop(), Some("# EOF"));
    let mut samples = Vec::new();
    for line in lines {
        if let Some(comment) = line.strip_prefix("# ") {
            let kind = comment.split(' ').next().expect("a word");
            assert!(matches!(kind, "HELP" | "TYPE" | "UNIT"), "{line}");
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no sample: {line}"));
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        let labels = labels.strip_suffix('}').unwrap_or_else(|| panic!("no labels: {line}"));
        let label = |pair: &str| {
            let (key, value) = pair.split_once('=').unwrap_or_else(|| panic!("no label: {line}"));
            let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
            (
                key.to_owned(),
                value.unwrap_or_else(|| panic!("no value: {line}")).to_owned(),
            )
        };
        samples.push(Sample {
            name: name.to_owned(),
            labels: labels.split(',').filter(|pair| !pair.is_empty()).map(label).collect(),
            value: value.parse().unwrap_or_else(|_| panic!("no number: {line}")),
        });
    }
    samples
}

/// An attempt: which question, about whom, and what the record must say of it.
#[tokio::test]
async fn every_attempt_leaves_one_record() {
    let chain = Chain::start(
        "[callers.lookup]\nkey_sha256 = \"KEY\"\nallow = [\"get_user_by_email\"]"
            .replace("KEY", &settings::sha256("key-of-lookup"))
            .as_str(),
    )
    .await;
    let (grpc, control) = (chain.grpc().await, chain.okta.control());
    let mut wanted = Vec::new();
    let hash = |identifier: &str| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, AUDIT_KEY.as_bytes());
        let tag = hmac::sign(&key, identifier.as_bytes());
        tag.as_ref()[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let asked = |id: &str,
                 operation: &'static str,
                 outcome: &str,
                 source: bool,
                 caller: Option<&'static str>,
                 who: Option<&str>| {
        (
            id.to_owned(),
            operation,
            outcome.to_owned(),
            source,
            caller,
            who.map(hash),
        )
    };
    let tester = Some("tester");
    for (who, password, outcome) in [
        (ADA, PASSWORD, "authenticated"),
        (ADA, "wrong password", "invalid_credentials"),
        ("mia@example.com", PASSWORD, "second_factor_required"),
    ] {
        let ids = [request_id(), request_id(), request_id()];
        grpc.authenticate(&with_id(&ids[0]), who, password).await;
        chain.rest().login(&with_id(&ids[1]), who, password).await;
        chain
            .lone_gateway()
            .login(&with_id(&ids[2]), &who.to_uppercase(), password)
            .await;
        wanted.extend(
            ids.iter()
                .map(|id| asked(id, "authenticate", outcome, true, tester, Some(who))),
        );
    }
    for (who, outcome) in [
        (ADA, "found"),
        ("nobody@example.com", "not_found"),
        ("sam@example.com", "account_disabled"),
        ("twins@example.com", "ambiguous_user"),
    ] {
        let ids = [request_id(), request_id()];
        grpc.get_user_by_email(&with_id(&ids[0]), who).await;
        chain.lone_gateway().get_user(&with_id(&ids[1]), who).await;
        wanted.extend(
            ids.iter()
                .map(|id| asked(id, "get_user_by_email", outcome, true, tester, Some(who))),
        );
    }
    // Refused ones too.
    let id = request_id();
    grpc.authenticate(&with_id(&id), ADA, "").await;
    wanted.push(asked(&id, "authenticate", "invalid_password", false, tester, Some(ADA)));
    let id = request_id();
    grpc.unary(GET_USER_BY_EMAIL, &with_id(&id), b"\xff".to_vec()).await;
    wanted.push(asked(&id, "get_user_by_email", "invalid_request", false, tester, None));
    let id = request_id();
    let mut headers = with_id(&id);
    headers[0].1 = "Bearer nobody".to_owned();
    grpc.authenticate(&headers, ADA, PASSWORD).await;
    wanted.push(asked(&id, "authenticate", "caller_unauthenticated", false, None, None));
    let id = request_id();
    let mut headers = with_id(&id);
    headers[0].1 = "Bearer key-of-lookup".to_owned();
    grpc.authenticate(&headers, ADA, PASSWORD).await;
    wanted.push(asked(
        &id,
        "authenticate",
        "caller_not_allowed",
        false,
        Some("lookup"),
        Some(ADA),
    ));
    // And those that end at a deadline, or with the source.
    control.fault(Endpoint::Authn, Fault::Hang);
    let id = request_id();
    let mut headers = with_id(&id);
    headers.push(("grpc-timeout".to_owned(), "100m".to_owned()));
    grpc.authenticate(&headers, ADA, PASSWORD).await;
    wanted.push(asked(&id, "authenticate", "deadline_exceeded", true, tester, Some(ADA)));
    control.fault(Endpoint::Search, Fault::Reset);
    let id = request_id();
    grpc.get_user_by_email(&with_id(&id), ADA).await;
    wanted.push(asked(
        &id,
        "get_user_by_email",
        "source_unavailable",
        true,
        tester,
        Some(ADA),
    ));

    let records = chain.broker.recorded("attempt", wanted.len(), |_| true).await;
    let mut differences = Vec::new();
    for (id, operation, outcome, source, caller, identifier) in &wanted {
        let of: Vec<&Value> = records.iter().filter(|record| record["request_id"] == **id).collect();
        let [record] = of.as_slice() else {
            differences.push(format!("{outcome}: {} records", of.len()));
            continue;
        };
        let text = |key: &str| record[key].as_str().map(str::to_owned);
        let came = (text("operation"), text("outcome"), text("caller"), text("identifier"));
        let want = (
            Some((*operation).to_owned()),
            Some(outcome.clone()),
            caller.map(str::to_owned),
            identifier.clone(),
        );
        // At a deadline it is open who is first: the layer, or the source's decorator.
        let named = text("source").as_deref() == Some("okta");
        let fits = named == *source || outcome == "deadline_exceeded";
        let timed = record["duration_ms"].as_f64().is_some_and(|duration| duration >= 0.0);
        let stamped = text("timestamp").is_some_and(|time| time.ends_with('Z'));
        if came != want || !fits || !timed || !stamped || record["level"] != "INFO" {
            differences.push(format!("wanted {want:?}, came {record}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    drop(grpc);
    let Chain {
        okta,
        broker,
        gateway,
        secrets,
        ..
    } = chain;
    gateway.stop().await;
    okta.shutdown().await;
    broker.signal(Signal::TERM);
    let (_, lines) = broker.exit().await;
    let all = lines
        .iter()
        .filter(|line| line.contains("\"message\":\"attempt\""))
        .count();
    assert_eq!(all, wanted.len(), "one record an attempt, to the end");
    secrets.search_answers();
}
