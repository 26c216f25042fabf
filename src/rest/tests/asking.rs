//! What is sent to the gateway, and what of it reaches the broker.

use axum::body::Body;
use http::{Method, Request, StatusCode};
use serde_json::json;
use tonic::Code;

use super::double::{Double, SETTINGS, Says, ada, get_user, login, post, router, send};
use super::refusal;

#[tokio::test]
async fn what_is_asked_is_what_came() {
    let identifier = " Jose\u{301}@Example.com ";
    let password = "  \"'\\ 🦀 e\u{301} pass\u{feff} ";
    let double = Double::new(Says::No(10));
    for (name, gateway) in double.gateways(SETTINGS).await {
        let body = json!({"identifier": identifier, "password": password}).to_string();
        send(&gateway, post("/auth0/v1/login", body)).await;
        let asked = double.asked().pop().expect("it was asked");
        assert_eq!(asked.identifier, identifier, "{name}");
        assert_eq!(asked.password.as_deref(), Some(password), "{name}");
        assert_eq!(asked.source, None);

        let body = json!({"identifier": identifier}).to_string();
        send(&gateway, post("/auth0/v1/get-user", body)).await;
        let asked = double.asked().pop().expect("it was asked");
        assert_eq!((&*asked.identifier, asked.password), (identifier, None), "{name}");
    }
    assert_eq!(double.asked().len(), 4, "each question once");
}

#[tokio::test]
async fn what_goes_with_a_question() {
    let passed_on = [
        ("authorization", "bearer  the-key"),
        ("x-request-id", "req-2"),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        ("tracestate", "a=b"),
        ("x-idbridge-client-address", "192.0.2.1"),
    ];
    let kept_back = ["cookie", "x-forwarded-for", "x-api-key", "grpc-timeout-x", "forwarded"];
    let double = Double::new(Says::No(10));
    for (name, gateway) in double.gateways(SETTINGS).await {
        let mut request = login();
        for (key, value) in passed_on {
            request.headers_mut().insert(key, value.parse().expect("a value"));
        }
        for key in kept_back {
            request.headers_mut().insert(key, "x".parse().expect("a value"));
        }
        request
            .headers_mut()
            .insert("grpc-timeout", "9H".parse().expect("a value"));
        let seen = send(&gateway, request).await;
        assert_eq!(seen.header("x-request-id"), Some("req-2"));

        let metadata = double.asked().pop().expect("it was asked").metadata;
        for (key, value) in passed_on {
            assert_eq!(metadata.get_all(key).iter().collect::<Vec<_>>(), [value], "{name}");
        }
        for key in kept_back {
            assert!(!metadata.contains_key(key), "{key} {name}");
        }
        let timeout = metadata["grpc-timeout"].to_str().expect("ASCII");
        let micros: u64 = timeout
            .strip_suffix('u')
            .and_then(|text| text.parse().ok())
            .expect(timeout);
        assert!(
            (1_000_000..=5_000_000).contains(&micros),
            "what is left of 5 s: {timeout}"
        );
    }
}

#[tokio::test]
async fn a_request_id_is_made_where_none_fits_and_is_the_same_everywhere() {
    let double = Double::new(Says::Status(refusal(Code::Unavailable, "OVERLOADED")));
    let gateway = router(double.in_memory(), SETTINGS);
    for bad in [None, Some("with space"), Some("\"quoted\"")] {
        let mut request = login();
        request.headers_mut().remove("x-request-id");
        if let Some(bad) = bad {
            request
                .headers_mut()
                .insert("x-request-id", bad.parse().expect("a value"));
        }
        let seen = send(&gateway, request).await;
        let id = seen.header("x-request-id").expect("always there");
        assert_eq!(id.len(), 32, "{id}");
        assert_eq!(seen.json()["request_id"], id);
        assert_eq!(double.asked().pop().expect("asked").metadata["x-request-id"], id);
    }
}

/// Every check, each request failing its own and all later ones: so the first to speak is the one in order.
#[tokio::test]
async fn checks_come_in_the_public_order_and_nothing_is_asked() {
    let too_large = || Body::from(vec![b'x'; 64 * 1024 + 1]);
    let request = |method: &str, path: &str, headers: &[(&str, &str)], body: Body| {
        let request = Request::builder().method(method).uri(path);
        let request = headers
            .iter()
            .fold(request, |request, (key, value)| request.header(*key, *value));
        request.body(body).expect("a request")
    };
    let key = ("authorization", "Bearer k");
    let json = ("content-type", "application/json");
    let path = "/auth0/v1/login";
    let double = Double::new(Says::Yes(ada()));
    for (_, gateway) in double.gateways(SETTINGS).await {
        for (request, status, code) in [
            (request("GET", "/nowhere", &[], too_large()), 404, "not_found"),
            (request("GET", path, &[], too_large()), 405, "method_not_allowed"),
            (request("POST", path, &[], too_large()), 401, "caller_unauthenticated"),
            (
                request("POST", path, &[key], too_large()),
                415,
                "unsupported_media_type",
            ),
            (request("POST", path, &[key, json], too_large()), 413, "body_too_large"),
            (
                request("POST", path, &[key, json], Body::from("x")),
                400,
                "invalid_request",
            ),
        ] {
            let seen = send(&gateway, request).await;
            assert_eq!(seen.problem(), (status, code.to_owned()));
        }
    }
    assert_eq!(double.asked(), []);
}

#[tokio::test]
async fn paths_are_exact_and_only_post_is_taken() {
    let double = Double::new(Says::Yes(ada()));
    let gateway = router(double.in_memory(), SETTINGS);
    for path in [
        "/",
        "/auth0/v1/login/",
        "//auth0/v1/login",
        "/auth0/v1/Login",
        "/auth0/v1/log%69n",
        "/auth0/v1/x/../login",
        "/auth0/v1",
        "/auth0/v1/get_user",
        "/openapi.json/",
        "/idbridge.v1.IdentityService/Authenticate",
    ] {
        let seen = send(&gateway, post(path, "{}")).await;
        assert_eq!(seen.problem(), (404, "not_found".to_owned()), "{path}");
        assert_eq!(seen.header("allow"), None);
    }
    for method in [
        "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "post", "LOGIN",
    ] {
        for mut request in [login(), get_user()] {
            *request.method_mut() = method.parse().expect("a method");
            let seen = send(&gateway, request).await;
            assert_eq!(seen.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
            assert_eq!(seen.header("allow"), Some("POST"), "{method}");
            let has_body = method != "HEAD";
            assert_eq!(
                seen.body.contains(r#""code":"method_not_allowed""#),
                has_body,
                "{method}"
            );
        }
    }
    assert_eq!(double.asked(), []);
}

#[tokio::test]
async fn the_description_is_for_everybody_and_only_read() {
    let gateway = router(Double::new(Says::Yes(ada())).in_memory(), SETTINGS);
    let ask = |method: &str| {
        let request = Request::builder().method(method).uri("/openapi.json");
        request.body(Body::empty()).expect("a request")
    };
    let seen = send(&gateway, ask("GET")).await;
    assert_eq!(
        (seen.status, seen.header("content-type")),
        (StatusCode::OK, Some("application/json"))
    );
    assert_eq!(seen.json(), crate::rest::openapi());
    assert_eq!(send(&gateway, ask("HEAD")).await.status, StatusCode::OK);
    for method in ["DELETE", "OPTIONS", "POST", "PUT"] {
        let seen = send(&gateway, ask(method)).await;
        assert_eq!(seen.problem(), (405, "method_not_allowed".to_owned()), "{method}");
        assert_eq!(seen.header("allow"), Some("GET, HEAD"), "{method}");
    }
}

#[tokio::test]
async fn a_bad_body_is_400_and_nothing_is_asked() {
    let deep = format!(r#"{{"identifier":{}"#, "[".repeat(60_000));
    let bad: &[&[u8]] = &[
        b"",
        b" ",
        b"null",
        b"[]",
        b"\"ada\"",
        br#"["ada@example.com","x"]"#,
        br#"["ada@example.com"]"#,
        b"{}",
        br#"{"password":"x"}"#,
        br#"{"identifier":"a","password":"x","extra":1}"#,
        br#"{"identifier":"a","password":"x","source":"okta"}"#,
        br#"{"identifier":"a","identifier":"a","password":"x"}"#,
        br#"{"identifier":"a","identifi\u0065r":"b","password":"x"}"#,
        br#"{"identifier":"a","password":"x","password":"x"}"#,
        br#"{"identifier":1,"password":"x"}"#,
        br#"{"identifier":null,"password":"x"}"#,
        br#"{"identifier":true,"password":"x"}"#,
        br#"{"identifier":["a"],"password":"x"}"#,
        br#"{"identifier":{"a":"b"},"password":"x"}"#,
        br#"{"identifier":"a","password":1}"#,
        br#"{"identifier":"a","password":null}"#,
        br#"{"Identifier":"a","password":"x"}"#,
        br#"{"identifier":"a","password":"x"}x"#,
        br#"{"identifier":"a","password":"x"}{}"#,
        b"{\"identifier\":\"a\",\"password\":\"x\"}\0",
        br#"{"identifier":"a","password":"x",}"#,
        br#"{'identifier':'a','password':'x'}"#,
        br#"{"identifier":"a","password":"x""#,
        br#"{"identifier":"a","password":"x"#,
        br#"{"identifier":"a"/**/,"password":"x"}"#,
        b"{\"identifier\":\"a\xff\",\"password\":\"x\"}",
        b"{\"identifier\":\"a\",\"password\":\"\xed\xa0\x80\"}",
        br#"{"identifier":"a","password":"\ud800"}"#,
        br#"{"identifier":"a","password":"\udc00\ud800"}"#,
        br#"{"identifier":"a\ud83e","password":"x"}"#,
        b"{\"identifier\":\"a\nb\",\"password\":\"x\"}",
        b"\xef\xbb\xbf{\"identifier\":\"a\",\"password\":\"x\"}",
        b"\xff\xfe{\0}\0",
        b"\x0c{\"identifier\":\"a\",\"password\":\"x\"}",
        b"identifier=a&password=x",
        deep.as_bytes(),
    ];
    let double = Double::new(Says::Yes(ada()));
    for (name, gateway) in double.gateways(SETTINGS).await {
        for body in bad {
            for path in ["/auth0/v1/login", "/auth0/v1/get-user"] {
                let seen = send(&gateway, post(path, body.to_vec())).await;
                let expected = (400, "invalid_request".to_owned());
                assert_eq!(seen.problem(), expected, "{name} {path} {}", body.escape_ascii());
            }
        }
        let with_password = post("/auth0/v1/get-user", r#"{"identifier":"a","password":"x"}"#);
        assert_eq!(send(&gateway, with_password).await.status, StatusCode::BAD_REQUEST);
        let large = post("/auth0/v1/login", vec![b'{'; 3 * 1024 * 1024]);
        assert_eq!(send(&gateway, large).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    }
    assert_eq!(double.asked(), []);
}

#[tokio::test]
async fn what_only_the_broker_can_refuse_is_asked() {
    let double = Double::new(Says::Status(refusal(Code::InvalidArgument, "INVALID_PASSWORD")));
    let gateway = router(double.in_memory(), SETTINGS);
    for (identifier, password) in [
        ("", "x"),
        ("ada", ""),
        ("a\nb", "x"),
        (&*"x".repeat(5000), "\0"),
        ("..", "x"),
    ] {
        let body = json!({"identifier": identifier, "password": password}).to_string();
        let seen = send(&gateway, post("/auth0/v1/login", body)).await;
        assert_eq!(seen.problem(), (400, "invalid_password".to_owned()));
        assert_eq!(double.asked().pop().expect("asked").identifier, identifier);
    }
}

#[tokio::test]
async fn every_answer_has_the_headers() {
    let status = |code, reason| Says::Status(refusal(code, reason));
    for says in [
        Says::Yes(ada()),
        Says::No(1),
        Says::Nothing,
        Says::Panic,
        status(Code::NotFound, "USER_NOT_FOUND"),
        status(Code::Unauthenticated, "CALLER_UNAUTHENTICATED"),
        status(Code::Unavailable, "OVERLOADED"),
    ] {
        let gateway = router(Double::new(says).in_memory(), SETTINGS);
        let mut wrong_method = login();
        *wrong_method.method_mut() = Method::GET;
        let mut wrong_type = login();
        wrong_type.headers_mut().remove("content-type");
        let mut no_key = login();
        no_key.headers_mut().remove("authorization");
        for request in [
            login(),
            get_user(),
            wrong_method,
            wrong_type,
            no_key,
            post("/nowhere", ""),
            post("/auth0/v1/login", ""),
            post("/auth0/v1/login", vec![0; 70_000]),
        ] {
            let seen = send(&gateway, request).await;
            assert_eq!(seen.header("cache-control"), Some("no-store"), "{seen:?}");
            assert_eq!(seen.header("x-request-id"), Some("req-1"), "{seen:?}");
            let ok = seen.status == StatusCode::OK;
            let expected = if ok {
                "application/json"
            } else {
                "application/problem+json"
            };
            assert_eq!(seen.header("content-type"), Some(expected), "{seen:?}");
        }
    }
}
