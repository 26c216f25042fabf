//! Asks a case's question over each transport, and compares.
//!
//! A source remembers what its org says of its limits. Where that is what cases are about, they stand apart: each
//! transport has a broker and an org that nobody asked before.

use std::time::Duration;

use bytes::Bytes;
use idbridge::pb;
use idbridge_okta_simulator::PASSWORD;
use prost::Message as _;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::case::{Case, File, endpoint_name};
use super::chain::Chain;
use super::clients::{AUTHENTICATE, GET_USER_BY_EMAIL, Grpc, Headers, Rest, request_id, with_id};
use super::wanted::{self, Differences};

/// Each case of a file, and how what came differs from what was wanted.
pub(crate) async fn ask_file(file: &File) -> Vec<(&str, String)> {
    let mut all = Vec::new();
    if file.apart {
        for case in &file.cases {
            all.push((&*case.description, ask_apart(file, case).await));
        }
        return all;
    }
    let chain = Chain::start_with(&file.settings, &file.without).await;
    let grpc = chain.grpc().await;
    for case in &file.cases {
        check(case);
        assert!(case.want.left_alone.is_empty(), "{}: not apart", case.description);
        let mut differences = String::new();
        for transport in transports(&chain, case) {
            differences.push_str(&ask(&chain, &grpc, transport, case, "").await);
        }
        all.push((&*case.description, differences));
    }
    drop(grpc);
    chain.stop().await;
    all
}

/// Each transport is the first one once. What was then learned holds for all of them.
async fn ask_apart(file: &File, case: &Case) -> String {
    check(case);
    let mut all = String::new();
    for first in TRANSPORTS {
        let chain = Chain::start_with(&file.settings, &file.without).await;
        let grpc = chain.grpc().await;
        let asked = transports(&chain, case);
        if asked.contains(&first) {
            let began = Instant::now();
            all.push_str(&ask(&chain, &grpc, first, case, "").await);
            for transport in asked.into_iter().filter(|_| !case.want.left_alone.is_empty()) {
                let again = again(case, began.elapsed());
                all.push_str(&ask(&chain, &grpc, transport, &again, &format!(" after {first:?}")).await);
            }
        }
        drop(grpc);
        chain.stop().await;
    }
    all
}

/// The same question so much later: the same answer, and no password goes out. A reset that comes nearer shows.
fn again(case: &Case, later: Duration) -> Case {
    let mut again = case.clone();
    let (from, to) = case.want.retry.expect("who leaves the org alone says for how long");
    again.want.retry = Some((from.saturating_sub(later.as_secs() + 1).max(1), to));
    again.want.passwords = Some(0);
    again.want.asked = None;
    again
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Transport {
    Grpc,
    LoneGateway,
    Rest,
}

const TRANSPORTS: [Transport; 3] = [Transport::Grpc, Transport::Rest, Transport::LoneGateway];

/// Those that this case can be asked over.
fn transports(chain: &Chain, case: &Case) -> Vec<Transport> {
    let can = |transport: &Transport| match (transport, &case.raw) {
        (Transport::Rest, _) if chain.own_gateway().is_none() => false,
        (Transport::Grpc, raw) => raw.as_ref().is_none_or(|raw| raw.grpc.is_some()),
        (_, raw) => case.source.is_none() && raw.as_ref().is_none_or(|raw| raw.rest.is_some()),
    };
    TRANSPORTS.into_iter().filter(can).collect()
}

/// A case says what it asks once, and what it wants once.
fn check(case: &Case) {
    let asks = [case.login.is_some(), case.email.is_some(), case.raw.is_some()];
    let asks = asks.iter().filter(|asks| **asks).count();
    assert_eq!(asks, 1, "{}: one of login, email and raw", case.description);
    let want = &case.want;
    let own = want.rest.as_ref().is_some_and(|rest| rest.error.is_some());
    let wants = [
        want.user.is_some(),
        want.rejected.is_some(),
        want.absent,
        want.error.is_some(),
    ];
    let wants = wants.iter().filter(|wants| **wants).count();
    assert!(
        wants == 1 || wants == 0 && own,
        "{}: one of user, rejected, absent, error",
        case.description
    );
}

async fn ask(chain: &Chain, grpc: &Grpc, transport: Transport, case: &Case, when: &str) -> String {
    chain.reset();
    case.arrange(&chain.okta.control());
    let id = request_id();
    let mut headers = with_id(&id);
    for (name, value) in &case.headers {
        headers.retain(|(known, _)| known != name);
        headers.push((name.clone(), value.clone()));
    }
    let wanted = wanted(chain, case);
    let before = chain.okta.received().passwords();
    let mut differences = Differences::default();
    let rest = match transport {
        Transport::Grpc => None,
        Transport::LoneGateway => Some(chain.lone_gateway()),
        Transport::Rest => Some(chain.rest()),
    };
    match rest {
        None => {
            headers.retain(|(_, value)| !value.is_empty());
            let said = ask_grpc(chain, grpc, case, &headers).await;
            wanted::grpc(case, &wanted, &said, &id, &mut differences);
        }
        Some(rest) => {
            let answer = ask_rest(chain, &rest, case, &headers).await;
            wanted::rest(case, &wanted, &answer, &id, &mut differences);
        }
    }
    let mut asked: Vec<&str> = chain.asked(&id).into_iter().map(endpoint_name).collect();
    asked.sort_unstable();
    if let Some(wanted) = &case.want.asked {
        differences.same("asked", wanted.iter().map(String::as_str).collect(), asked.clone());
    }
    let nothing = case.want.asked.as_ref().is_some_and(Vec::is_empty) || case.raw.is_some();
    let usual = u64::from(case.login.is_some() && !nothing);
    let passwords = chain.okta.received().passwords() - before;
    differences.same("password submissions", case.want.passwords.unwrap_or(usual), passwords);
    if case.raw.is_some() {
        differences.same("asked", Vec::new(), asked.clone());
    }
    if !when.is_empty() {
        asked.retain(|endpoint| case.want.left_alone.iter().any(|left| left == endpoint));
        differences.same("asked of what is left alone", Vec::new(), asked);
    }
    if differences.0.is_empty() {
        return String::new();
    }
    format!("\n  {transport:?}{when}{}", differences.0)
}

/// The gRPC answer as JSON, where there is one.
fn wanted(chain: &Chain, case: &Case) -> Value {
    if let Some(reason) = &case.want.rejected {
        return json!({"rejected": reason});
    }
    let Some(user) = &case.want.user else {
        return Value::Null;
    };
    let mut user = serde_json::to_value(user).expect("TOML fits JSON");
    if user.get("id").is_none() {
        let login = user["login"].as_str().expect("a wanted user has a login");
        let id = chain
            .okta
            .control()
            .change(|org| org.find(login).map(|person| person.id.clone()));
        user["id"] = json!(format!("okta|{}", id.expect("somebody in the org")));
    }
    user
}

async fn ask_grpc(chain: &Chain, grpc: &Grpc, case: &Case, headers: &Headers) -> super::clients::Said {
    if let Some(raw) = case.raw.as_ref().and_then(|raw| raw.grpc.as_ref()) {
        return match &raw.body_hex {
            Some(hex) => grpc.post(&raw.path, headers, Bytes::from(bytes(hex))).await,
            None => {
                let message = raw.hex.iter().flat_map(|(hex, times)| bytes(hex).repeat(*times));
                grpc.unary(&raw.path, headers, message.collect()).await
            }
        };
    }
    let source = case.source.clone();
    if let Some(email) = case.email.clone() {
        chain.secrets.keep(&email);
        let question = pb::GetUserByEmailRequest { email, source };
        return grpc.unary(GET_USER_BY_EMAIL, headers, question.encode_to_vec()).await;
    }
    let (login, password) = credentials(chain, case);
    let question = pb::AuthenticateRequest {
        login,
        password,
        source,
    };
    grpc.unary(AUTHENTICATE, headers, question.encode_to_vec()).await
}

async fn ask_rest(chain: &Chain, rest: &Rest, case: &Case, headers: &Headers) -> super::clients::Answer {
    if let Some(raw) = case.raw.as_ref().and_then(|raw| raw.rest.as_ref()) {
        let body = match &raw.body_hex {
            Some(hex) => bytes(hex),
            None => raw
                .body
                .iter()
                .flat_map(|(text, times)| text.repeat(*times).into_bytes())
                .collect(),
        };
        return rest.ask(&raw.method, &raw.path, headers, &body).await;
    }
    if let Some(email) = &case.email {
        return rest.get_user(headers, email).await;
    }
    let (login, password) = credentials(chain, case);
    rest.login(headers, &login, &password).await
}

fn credentials(chain: &Chain, case: &Case) -> (String, String) {
    let login = case.login.clone().expect("a log-in");
    let password = case.password.clone().unwrap_or_else(|| PASSWORD.to_owned());
    chain.secrets.keep(&login);
    chain.secrets.keep(&password);
    (login, password)
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(|digit| !digit.is_ascii_whitespace()).collect();
    let pairs = digits.chunks(2).map(|pair| std::str::from_utf8(pair).expect("ASCII"));
    pairs
        .map(|pair| u8::from_str_radix(pair, 16).expect("hex digits"))
        .collect()
}
