//! Brokers that don't answer, and what isn't a broker.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{Request, StatusCode};
use tokio::io::AsyncWriteExt as _;
use tokio::time::Instant;
use tonic::Status;

use super::double::{Double, SETTINGS, Says, ada, channel, channel_to, get_user, listener, login, post, router, send};
use crate::rest::Settings;

#[tokio::test]
async fn a_panic_is_500_and_the_next_request_is_answered() {
    let gateway = router(Double::new(Says::Panic).in_memory(), SETTINGS);
    for request in [login(), get_user()] {
        assert_eq!(send(&gateway, request).await.problem(), (500, "internal".to_owned()));
    }
    assert_eq!(send(&gateway, post("/", "")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(start_paused = true)]
async fn time_is_up_for_a_broker_that_says_nothing() {
    let double = Double::new(Says::Hang);
    let gateway = router(double.in_memory(), SETTINGS);
    for request in [login(), get_user()] {
        let start = Instant::now();
        assert_eq!(
            send(&gateway, request).await.problem(),
            (504, "deadline_exceeded".to_owned())
        );
        let grace = Duration::from_millis(250);
        assert_eq!(start.elapsed(), SETTINGS.deadline + grace);
    }
    assert_eq!(double.asked().len(), 2, "each was asked once");
}

#[tokio::test]
async fn time_is_up_over_a_socket_too() {
    let settings = Settings {
        deadline: Duration::from_millis(100),
        ..SETTINGS
    };
    let gateway = router(Double::new(Says::Hang).over_a_socket().await, settings);
    let start = std::time::Instant::now();
    assert_eq!(
        send(&gateway, login()).await.problem(),
        (504, "deadline_exceeded".to_owned())
    );
    assert!(start.elapsed() >= settings.deadline);
}

/// What tonic's own time limit answers, on the far side of a socket.
#[tokio::test(start_paused = true)]
async fn cancelled_at_the_deadline_is_a_deadline_and_before_it_is_nothing() {
    #[derive(Clone)]
    struct After(Duration);

    impl tower::Service<Request<tonic::body::Body>> for After {
        type Response = http::Response<tonic::body::Body>;
        type Error = std::convert::Infallible;
        type Future = std::pin::Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

        fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Self::Error>> {
            std::task::Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Request<tonic::body::Body>) -> Self::Future {
            let Self(wait) = *self;
            Box::pin(async move {
                tokio::time::sleep(wait).await;
                Ok(Status::cancelled("Timeout expired").into_http())
            })
        }
    }

    for (wait, expected) in [
        (SETTINGS.deadline, (504, "deadline_exceeded")),
        (SETTINGS.deadline / 2, (500, "internal")),
    ] {
        let gateway = router(After(wait), SETTINGS);
        assert_eq!(
            send(&gateway, login()).await.problem(),
            (expected.0, expected.1.to_owned())
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_inside_the_deadline() {
    struct Endless;

    impl http_body::Body for Endless {
        type Data = bytes::Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<Self::Data>, Self::Error>>> {
            std::task::Poll::Pending
        }
    }

    let double = Double::new(Says::Yes(ada()));
    let gateway = router(double.in_memory(), SETTINGS);
    let start = Instant::now();
    let seen = send(&gateway, post("/auth0/v1/login", Body::new(Endless))).await;
    assert_eq!(seen.problem(), (504, "deadline_exceeded".to_owned()));
    assert_eq!(start.elapsed(), SETTINGS.deadline);
    assert_eq!(double.asked(), []);
}

/// A reply that begins and breaks off.
struct BreaksOff {
    begun: bool,
}

impl http_body::Body for BreaksOff {
    type Data = bytes::Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Self::Data>, Self::Error>>> {
        let begun = std::mem::replace(&mut self.begun, true);
        std::task::Poll::Ready(Some(match begun {
            false => Ok(http_body::Frame::data(bytes::Bytes::from_static(b"\0\0\0\0\x09"))),
            true => Err(std::io::Error::other("broken off")),
        }))
    }
}

#[tokio::test]
async fn a_broker_that_cannot_be_reached_is_unavailable() {
    let nobody = channel(&listener().await);

    let resets = listener().await;
    let reset = channel(&resets);
    tokio::spawn(async move { while resets.accept().await.is_ok() {} });

    let talks = listener().await;
    let garbage = channel(&talks);
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = talks.accept().await {
            _ = connection
                .write_all(b"this is not HTTP/2, and long enough to be read as a frame\r\n\r\n")
                .await;
        }
    });

    let breaks_off = channel_to(Router::new().fallback(|| async {
        let headers = [("content-type", "application/grpc")];
        (headers, Body::new(BreaksOff { begun: false }))
    }));

    let crashes = Double::new(Says::Panic).over_a_socket().await;

    for (name, channel) in [
        ("breaks off", breaks_off.await),
        ("nobody", nobody),
        ("reset", reset),
        ("garbage", garbage),
        ("crash", crashes),
    ] {
        let gateway = router(channel, SETTINGS);
        for request in [login(), get_user()] {
            let seen = send(&gateway, request).await;
            assert_eq!(seen.problem(), (503, "source_unavailable".to_owned()), "{name}");
            assert_eq!(seen.header("retry-after"), Some("1"), "{name}");
        }
    }
}

/// A proxy, a captive portal, the wrong port: HTTP that isn't the broker's.
#[tokio::test]
async fn what_is_not_the_broker_never_answers() {
    for status in [200, 204, 302, 400, 401, 403, 404, 429, 500, 502, 503, 504] {
        // tonic reads a page as a broken message, and goes by the HTTP status where there is none.
        let by_status = match status {
            429 | 502 | 503 | 504 => (503, "source_unavailable"),
            _ => (500, "internal"),
        };
        for (page, (http, code)) in [("<h1>not here</h1>", (500, "internal")), ("", by_status)] {
            let status = StatusCode::from_u16(status).expect("a status");
            if status == StatusCode::NO_CONTENT && !page.is_empty() {
                continue; // HTTP has no such answer
            }
            let elsewhere =
                Router::new().fallback(move || async move { (status, [("content-type", "text/html")], page) });
            let over_a_socket = router(channel_to(elsewhere.clone()).await, SETTINGS);
            for gateway in [router(elsewhere, SETTINGS), over_a_socket] {
                for request in [login(), get_user()] {
                    let seen = send(&gateway, request).await;
                    assert_eq!(seen.problem(), (http, code.to_owned()), "{status} {page}");
                }
            }
        }
    }
}
