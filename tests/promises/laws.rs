//! Laws 1, 2 and 4 with faults: whatever goes wrong wherever, there is no yes and no no, one password at the most goes
//! out, and the answer comes in time.

use std::time::Duration;

use idbridge_okta_simulator::{Endpoint, Fault, PASSWORD};
use tokio::time::Instant;
use tonic::Code;

use super::case::on;
use super::chain::Chain;
use super::clients::{Grpc, Rest, request_id, with_id};

/// Shorter than any fault lasts.
pub(crate) const DEADLINES: &str = r#"
    [grpc]
    max_deadline = "600ms"
    [rest]
    deadline = "600ms"
"#;

/// The deadline, the gateway's grace, and a busy machine.
const IN_TIME: Duration = Duration::from_secs(4);

pub(crate) fn faults() -> Vec<(&'static str, Fault)> {
    let json = |status, body| Fault::json(status, body);
    let empty = Fault::Exact {
        status: 204,
        headers: Vec::new(),
        body: Default::default(),
    };
    vec![
        ("close", Fault::Close),
        ("empty body", Fault::EmptyBody),
        ("204", empty),
        ("flood", Fault::Flood),
        ("garbage", Fault::Garbage),
        ("hang", Fault::Hang),
        ("HTML 200", Fault::Html(200)),
        ("HTML 401", Fault::Html(401)),
        ("HTML 404", Fault::Html(404)),
        ("HTML 502", Fault::Html(502)),
        ("{}", json(200, "{}")),
        ("null", json(200, "null")),
        ("deep", json(200, &"[".repeat(50_000))),
        ("redirect", Fault::Redirect(307, "/api/v1/authn".to_owned())),
        ("reset", Fault::Reset),
        ("reset in the body", Fault::ResetMidBody),
        ("slow", Fault::Slow(Duration::from_secs(3))),
        ("drip", Fault::SlowDrip(Duration::from_millis(50))),
        ("E0000009", Fault::status(500, "E0000009")),
        ("E0000010", Fault::status(503, "E0000010")),
        ("E0000011", Fault::status(401, "E0000011")),
        ("an unknown code", Fault::status(403, "E0000999")),
        ("truncated", Fault::Truncated),
        ("wrong type", Fault::WrongContentType),
    ]
}

/// What asks for patience. A source grants it, and later questions would not meet their fault: these have an org that
/// nobody asked before.
fn limits() -> [(&'static str, Fault); 3] {
    [
        ("concurrency limit", Fault::ConcurrencyLimit),
        ("rate limit", Fault::RateLimit(Duration::from_secs(7))),
        ("rate limit for a minute", Fault::RateLimit(Duration::from_secs(60))),
    ]
}

#[tokio::test]
async fn no_fault_decides_a_log_in() {
    let chain = Chain::start(DEADLINES).await;
    log_ins(&chain, faults(), &["authn", "/users/00u", "factors"]).await;
    chain.stop().await;
}

/// None of these faults at any of these places decides a log-in.
pub(crate) async fn log_ins(chain: &Chain, faults: Vec<(&str, Fault)>, places: &[&str]) {
    let grpc = chain.grpc().await;
    for (name, fault) in faults {
        for place in places.iter().copied() {
            let case = format!("{name} at {place}");
            chain.okta.control().fault(on(place), fault.clone());
            // Past the log-in only a right password gets.
            let passwords = if place == "authn" {
                &[PASSWORD, "wrong password"][..]
            } else {
                &[PASSWORD]
            };
            for password in passwords {
                let sent = both(chain, &grpc, &case, "ada@example.com", Some(password)).await;
                assert_eq!(sent, [1, 1], "{case}: both were submitted");
            }
            chain.okta.control().clear_faults();
        }
    }
}

#[tokio::test]
async fn no_fault_decides_a_look_up() {
    let chain = Chain::start(DEADLINES).await;
    let grpc = chain.grpc().await;
    for (name, fault) in faults() {
        for (place, who) in LOOK_UPS {
            chain.okta.control().fault(on(place), fault.clone());
            both(&chain, &grpc, &format!("{name} at {place}, for {who}"), who, None).await;
            chain.okta.control().clear_faults();
        }
    }
    drop(grpc);
    chain.stop().await;
}

/// The first question meets the limit. Of the next ones nothing may be begun.
#[tokio::test]
async fn no_limit_decides_a_log_in() {
    for (name, fault) in limits() {
        for place in ["authn", "/users/00u", "factors"] {
            let case = format!("{name} at {place}");
            let chain = Chain::start(DEADLINES).await;
            let grpc = chain.grpc().await;
            chain.okta.control().fault(on(place), fault.clone());
            let sent = both(&chain, &grpc, &case, "ada@example.com", Some(PASSWORD)).await;
            assert!(sent.contains(&1), "{case}: nobody met it");
            let password = if place == "authn" { "wrong password" } else { PASSWORD };
            both(&chain, &grpc, &case, "ada@example.com", Some(password)).await;
            drop(grpc);
            chain.stop().await;
        }
    }
}

#[tokio::test]
async fn no_limit_decides_a_look_up() {
    for (name, fault) in limits() {
        for (place, who) in LOOK_UPS {
            let chain = Chain::start(DEADLINES).await;
            let grpc = chain.grpc().await;
            chain.okta.control().fault(on(place), fault.clone());
            for _ in 0..2 {
                both(&chain, &grpc, &format!("{name} at {place}, for {who}"), who, None).await;
            }
            drop(grpc);
            chain.stop().await;
        }
    }
}

/// Where a look-up can fail, and whose.
const LOOK_UPS: [(&str, &str); 7] = [
    ("/users/ada", "ada@example.com"),
    ("search", "ada@example.com"),
    ("factors", "ada@example.com"),
    ("/users/nobody", "nobody@example.com"),
    ("search", "nobody@example.com"),
    ("canary", "nobody@example.com"),
    ("/users/sam", "sam@example.com"),
];

/// Over gRPC and REST at the same time. How often each submitted its password: once at the most.
async fn both(chain: &Chain, grpc: &Grpc, case: &str, who: &str, password: Option<&str>) -> [usize; 2] {
    let (one, other) = (request_id(), request_id());
    let (one_headers, other_headers) = (with_id(&one), with_id(&other));
    let began = Instant::now();
    let by_grpc = async {
        let said = match password {
            Some(password) => grpc.authenticate(&one_headers, who, password).await,
            None => grpc.get_user_by_email(&one_headers, who).await,
        };
        (said, began.elapsed())
    };
    let by_rest = async {
        let answer = match password {
            Some(password) => chain.rest().login(&other_headers, who, password).await,
            None => chain.rest().get_user(&other_headers, who).await,
        };
        (answer, began.elapsed())
    };
    let ((said, grpc_took), (answer, rest_took)) = tokio::join!(by_grpc, by_rest);
    assert_ne!(said.code, Code::Ok, "gRPC, {case}: {}", said.outcome());
    assert_ne!(said.reason(), "USER_NOT_FOUND", "gRPC, {case}");
    assert!(
        said.reason.is_some(),
        "gRPC, {case}: a status without a reason: {said:?}"
    );
    assert!(
        answer.status >= 429,
        "REST, {case}: {} {:?}",
        answer.status,
        answer.json()
    );
    let (one_says, other_says) = (said.reason().to_lowercase(), answer.code());
    // On a busy machine one of the two may be out of time before the source has answered.
    let late = [&one_says, &other_says].iter().any(|says| *says == "deadline_exceeded");
    assert!(
        late || one_says == other_says,
        "both say the same, {case}: {one_says}, {other_says}"
    );
    assert!(
        grpc_took < IN_TIME && rest_took < IN_TIME,
        "{case}: {grpc_took:?}, {rest_took:?}"
    );
    [one, other].map(|id| {
        let asked = chain.asked(&id);
        let passwords = asked.iter().filter(|asked| **asked == Endpoint::Authn).count();
        assert!(passwords <= usize::from(password.is_some()), "{case}: asked {asked:?}");
        passwords
    })
}

/// Ten wrong passwords lock a user out at Okta, so each attempt may count once.
#[tokio::test]
async fn an_attempt_counts_once() {
    use idbridge_okta_simulator::Lockout;

    let chain = Chain::start("").await;
    let grpc = chain.grpc().await;
    chain.okta.control().change(|org| org.lockout = Lockout::Shown);
    for attempt in 1..=9 {
        let said = grpc
            .authenticate(&with_id(&request_id()), "bob@example.com", "wrong password")
            .await;
        assert_eq!(said.outcome(), "invalid_credentials", "attempt {attempt}");
    }
    let right = grpc
        .authenticate(&with_id(&request_id()), "bob@example.com", PASSWORD)
        .await;
    assert_eq!(right.outcome(), "yes", "nine attempts lock nobody out");
    for _ in 1..=9 {
        chain
            .rest()
            .login(&with_id(&request_id()), "bob@example.com", "wrong password")
            .await;
    }
    let tenth = chain
        .rest()
        .login(&with_id(&request_id()), "bob@example.com", "wrong password")
        .await;
    assert_eq!(tenth.json()["reason"], "account_locked");
    assert_eq!(chain.okta.received().passwords_for("bob@example.com"), 20);
    drop(grpc);
    chain.stop().await;
}

/// Law 1, where nobody is there at all.
#[tokio::test]
async fn an_org_that_is_gone_is_no_answer() {
    let Chain {
        okta,
        broker,
        at,
        gateway,
        gateway_at,
        secrets,
        ..
    } = Chain::start("").await;
    okta.shutdown().await;
    let grpc = Grpc::connect(at.grpc.expect("gRPC is on"), &secrets).await;
    let began = Instant::now();
    for said in [
        grpc.authenticate(&with_id(&request_id()), "ada@example.com", PASSWORD)
            .await,
        grpc.authenticate(&with_id(&request_id()), "ada@example.com", "wrong password")
            .await,
        grpc.get_user_by_email(&with_id(&request_id()), "ada@example.com").await,
        grpc.get_user_by_email(&with_id(&request_id()), "nobody@example.com")
            .await,
    ] {
        assert_eq!((said.code, said.reason()), (Code::Unavailable, "SOURCE_UNAVAILABLE"));
        assert_eq!(said.retry, Some(Duration::from_secs(1)));
    }
    for address in [at.rest, gateway_at.rest] {
        let rest = Rest::new(address.expect("REST is on"), &secrets);
        for answer in [
            rest.login(&with_id(&request_id()), "ada@example.com", "wrong password")
                .await,
            rest.get_user(&with_id(&request_id()), "nobody@example.com").await,
        ] {
            assert_eq!((answer.status, &*answer.code()), (503, "source_unavailable"));
            assert_eq!(answer.header("retry-after"), Some("1"));
        }
    }
    assert!(began.elapsed() < IN_TIME, "nobody waits for who isn't there");
    drop(grpc);
    gateway.stop().await;
    broker.stop().await;
    secrets.search_answers();
}
