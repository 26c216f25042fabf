//! No password, key, token or address leaves the process except in an answer that says so.
//!
//! Every process of every test logs at TRACE, and all that it wrote is searched when it ends; so is every status and
//! problem that a client was told. The tests here show that the search finds what it is for.

use std::collections::BTreeSet;
use std::sync::Mutex;

use idbridge_okta_simulator::{CANARY, Org, PASSWORD, TOKEN};

use super::chain::Chain;
use super::clients::{AUTHENTICATE, request_id, with_id};
use super::settings::{AUDIT_KEY, KEY};

/// What may not be written, and what clients were told.
pub(crate) struct Secrets {
    words: Mutex<BTreeSet<String>>,
    answers: Mutex<Vec<String>>,
}

/// Shorter words stand in any log.
const SHORTEST: usize = 6;

impl Secrets {
    /// Everybody in the org, and what opens doors.
    pub(crate) fn of(org: &Org) -> Secrets {
        let people = ["Lovelace", "Łukasiewicz", "Analytical Engines", "4157922"];
        let doors = [AUDIT_KEY, CANARY, KEY, PASSWORD, TOKEN];
        let mut words: BTreeSet<String> = people.into_iter().chain(doors).map(str::to_owned).collect();
        for person in org.people() {
            words.extend([person.login.clone(), person.email.clone(), person.id.clone()]);
        }
        words.retain(|word| word.len() >= SHORTEST);
        Secrets {
            words: Mutex::new(words),
            answers: Mutex::default(),
        }
    }

    /// A test is about to send this.
    pub(crate) fn keep(&self, word: &str) {
        if word.len() >= SHORTEST && word.len() <= 300 {
            self.words.lock().expect("no panic").insert(word.to_owned());
        }
    }

    /// A client was told this.
    pub(crate) fn answered(&self, text: String) {
        self.answers.lock().expect("no panic").push(text);
    }

    pub(crate) fn search_answers(&self) {
        let answers = self.answers.lock().expect("no panic").join("\n");
        self.search("what clients were told", &answers);
    }

    /// Fails if a secret stands in the text, or anything like an address.
    pub(crate) fn search(&self, place: &str, text: &str) {
        if let Some((what, line)) = self.found(text) {
            panic!("{place} holds {what}: {line}");
        }
    }

    fn found(&self, text: &str) -> Option<(String, String)> {
        let words = self.words.lock().expect("no panic");
        let spelt: Vec<(&str, Vec<String>)> = words.iter().map(|word| (&**word, spellings(word))).collect();
        for line in text.lines() {
            let lower = line.to_lowercase();
            for (word, spellings) in &spelt {
                if spellings.iter().any(|spelling| lower.contains(spelling)) {
                    return Some((format!("{word:?}"), line.to_owned()));
                }
            }
            if looks_like_an_address(&lower) {
                return Some(("an address".to_owned(), line.to_owned()));
            }
        }
        None
    }
}

/// As it is, as JSON, Rust and a URL write it, in hex, and as a list of bytes; in lower case.
fn spellings(word: &str) -> Vec<String> {
    let json = serde_json::Value::String(word.to_owned()).to_string();
    let url: String = url::form_urlencoded::byte_serialize(word.as_bytes()).collect();
    let hex = word.bytes().map(|byte| format!("{byte:02x}")).collect();
    let bytes = word.bytes().map(|byte| byte.to_string()).collect::<Vec<_>>().join(", ");
    let plain = word.to_owned();
    let debug = format!("{word:?}").trim_matches('"').to_owned();
    let texts = [
        json.trim_matches('"').to_owned(),
        url.replace('+', "%20"),
        url,
        hex,
        bytes,
        plain,
        debug,
    ];
    texts.into_iter().map(|text| text.to_lowercase()).collect()
}

/// `a@b`, or the same in a URL.
fn looks_like_an_address(line: &str) -> bool {
    let line = line.replace("%40", "@");
    let around = |(place, _): (usize, &str)| {
        let before = line[..place].chars().next_back().is_some_and(char::is_alphanumeric);
        let after = line[place + 1..].chars().next().is_some_and(char::is_alphanumeric);
        before && after
    };
    line.match_indices('@').any(around)
}

#[test]
fn the_search_finds_what_it_is_for() {
    let secrets = Secrets::of(&Org::demo());
    secrets.keep("pass\"wörd 1");
    for text in [
        "{\"message\":\"correct horse battery staple\"}",
        "password=correct%20horse%20battery%20staple",
        "password=correct+horse+battery+staple",
        "Bearer idb_tester_3f6c1b90a2key",
        "SSWS 00demoApiTokenOfTheSimulatedOktaOrg0000001",
        "GET /api/v1/users/ada%40example.com",
        "user Lovelace",
        "somebody@else.example",
        r#"{"message":"pass\"wörd 1"}"#,
        "65726e616d65 pass%22w%C3%B6rd+1",
        "[112, 97, 115, 115, 34, 119, 195, 182, 114, 100, 32, 49]",
    ] {
        assert!(secrets.found(text).is_some(), "{text}");
    }
    for text in [
        "{\"message\":\"listening\"}",
        "idbridge@",
        "a @ b",
        "POST /api/v1/users/{id}",
    ] {
        assert_eq!(secrets.found(text), None);
    }
}

/// What tempts a program to write: bodies that don't parse, odd headers, passwords that are refused.
#[tokio::test]
async fn nothing_that_is_refused_is_quoted() {
    let chain = Chain::start("").await;
    let grpc = chain.grpc().await;
    let secret = "hunter2-that-nobody-may-read";
    chain.secrets.keep(secret);
    for rest in [chain.rest(), chain.lone_gateway()] {
        for body in [
            format!(r#"{{"identifier": "{secret}", "password": "{secret}", "{secret}": 1}}"#),
            format!(r#"{{"identifier": "{secret}", "password": "{secret}"#),
            format!(r#"{{"identifier": ["{secret}"], "password": 1}}"#),
            format!(r#"{{"identifier": "{secret}\u0000", "password": "{secret}"}}"#),
            format!(r#"{{"identifier": "{secret}", "password": "{secret}\u0000"}}"#),
        ] {
            let answer = rest
                .ask("POST", "/auth0/v1/login", &with_id(&request_id()), body.as_bytes())
                .await;
            assert_eq!(answer.status, 400);
        }
        let mut headers = with_id(&request_id());
        headers[0].1 = format!("Bearer {secret}");
        assert_eq!(rest.login(&headers, secret, secret).await.status, 401);
        let path = format!("/auth0/v1/login/{secret}?password={secret}");
        assert_eq!(rest.ask("POST", &path, &headers, secret.as_bytes()).await.status, 404);
        headers[1].1 = format!("{secret} {secret}");
        headers.push(("x-forwarded-for".to_owned(), secret.to_owned()));
        headers.push(("cookie".to_owned(), secret.to_owned()));
        assert_eq!(rest.login(&headers, secret, secret).await.status, 401);
    }
    let mut headers = with_id(&request_id());
    headers.push((format!("x-{secret}"), secret.to_owned()));
    let said = grpc.unary(AUTHENTICATE, &headers, secret.as_bytes().to_vec()).await;
    assert_eq!(said.reason(), "INVALID_REQUEST");
    let said = grpc.unary(&format!("/{secret}/{secret}"), &headers, Vec::new()).await;
    assert_eq!(said.reason(), "UNKNOWN_METHOD");
    let said = grpc
        .authenticate(&headers, "ada@example.com", &format!("{secret}\0"))
        .await;
    assert_eq!(said.reason(), "INVALID_PASSWORD");
    headers[0].1 = format!("Bearer {secret}");
    let said = grpc.authenticate(&headers, secret, secret).await;
    assert_eq!(said.reason(), "CALLER_UNAUTHENTICATED");
    drop(grpc);
    chain.stop().await;
}

/// Upstream text is the upstream's: it may hold anything.
#[tokio::test]
async fn nothing_that_the_source_says_is_quoted() {
    use idbridge_okta_simulator::{Endpoint, Fault};

    let chain = Chain::start("").await;
    let grpc = chain.grpc().await;
    let secret = "upstream-text-that-nobody-may-read";
    chain.secrets.keep(secret);
    let control = chain.okta.control();
    let error = format!(r#"{{"errorCode":"{secret}","errorSummary":"{secret} ada@example.com","errorId":"x"}}"#);
    let header = vec![
        ("content-type".to_owned(), "text/html".to_owned()),
        ("x-okta-request-id".to_owned(), "okta-id".to_owned()),
        ("location".to_owned(), format!("https://{secret}.example/")),
    ];
    let exact = |status, body: &str| Fault::Exact {
        status,
        headers: header.clone(),
        body: body.to_owned().into(),
    };
    for fault in [
        Fault::json(200, &error),
        Fault::json(200, &format!(r#"{{"status":"{secret}"}}"#)),
        Fault::json(
            200,
            &format!(r#"{{"status":"SUCCESS","_embedded":{{"user":{{"id":"{secret}/.."}}}}}}"#),
        ),
        Fault::json(400, &error),
        Fault::json(401, &error),
        Fault::json(403, &error),
        Fault::json(500, &error),
        exact(302, secret),
        exact(200, secret),
        exact(503, secret),
    ] {
        for endpoint in [Endpoint::Authn, Endpoint::User, Endpoint::Search, Endpoint::Factors] {
            control.fault(endpoint, fault.clone());
            let said = grpc
                .authenticate(&with_id(&request_id()), "ada@example.com", PASSWORD)
                .await;
            // A log-in doesn't search.
            assert_eq!(said.code == tonic::Code::Ok, endpoint == Endpoint::Search, "{said:?}");
            let said = grpc.get_user_by_email(&with_id(&request_id()), "ada@example.com").await;
            assert_eq!(said.code == tonic::Code::Ok, endpoint == Endpoint::Authn, "{said:?}");
            control.clear_faults();
        }
    }
    drop(grpc);
    chain.stop().await;
}
