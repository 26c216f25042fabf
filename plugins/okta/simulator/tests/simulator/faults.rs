//! What goes wrong on demand.

use std::time::Duration;

use idbridge_okta_simulator::{Endpoint, Fault, PASSWORD};

use crate::{Okta, Outcome};

#[tokio::test]
async fn connections_break_in_each_way() -> Outcome {
    for fault in [Fault::Close, Fault::Garbage, Fault::Reset] {
        let okta = Okta::demo().await?;
        okta.control().fault(Endpoint::User, fault.clone());
        assert!(okta.request("/api/v1/users/ada").send().await.is_err(), "{fault:?}");
        assert_eq!(
            okta.received().count(Endpoint::User),
            1,
            "{fault:?}: counted all the same"
        );
        okta.control().idle().await;
        assert_eq!(okta.received().abandoned(), 1, "{fault:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_reset_is_a_reset() -> Outcome {
    let okta = Okta::demo().await?;
    okta.control().fault(Endpoint::User, Fault::Reset);
    let error = okta
        .request("/api/v1/users/ada")
        .send()
        .await
        .err()
        .ok_or("an answer")?;
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    let mut reset = false;
    while let Some(error) = cause {
        let io = error.downcast_ref::<std::io::Error>();
        reset |= io.is_some_and(|io| io.kind() == std::io::ErrorKind::ConnectionReset);
        cause = error.source();
    }
    assert!(reset, "{error:?}");
    Ok(())
}

#[tokio::test]
async fn bodies_break_off() -> Outcome {
    for fault in [Fault::ResetMidBody, Fault::Truncated] {
        let okta = Okta::demo().await?;
        okta.control().fault(Endpoint::Authn, fault.clone());
        let body = format!(r#"{{"username":"ada@example.com","password":"{PASSWORD}"}}"#);
        let result = match okta.post(body).send().await {
            Ok(response) => response.bytes().await,
            Err(error) => Err(error),
        };
        assert!(result.is_err(), "{fault:?}");
        okta.control().clear_faults();
        let lookup = okta.get("/users/ada@example.com").await?;
        assert_eq!(
            lookup.text("/lastLogin"),
            "2026-01-15T09:00:00.000Z",
            "{fault:?}: the org had worked on it"
        );
    }
    Ok(())
}

#[tokio::test]
async fn bodies_never_end() -> Outcome {
    for fault in [Fault::Flood, Fault::SlowDrip(Duration::from_millis(1))] {
        let okta = Okta::demo().await?;
        okta.control().fault(Endpoint::User, fault.clone());
        let mut response = okta.request("/api/v1/users/ada").send().await?;
        let mut read = 0;
        while read < 16 {
            read += response.chunk().await?.ok_or("the body ended")?.len();
        }
    }
    Ok(())
}

#[tokio::test]
async fn answers_are_wrong_in_each_way() -> Outcome {
    let okta = Okta::demo().await?;
    let control = okta.control();
    for (fault, status, content_type, body) in [
        (Fault::EmptyBody, 200, "application/json", Some("")),
        (Fault::Html(502), 502, "text/html; charset=utf-8", None),
        (
            Fault::Redirect(302, "https://elsewhere.example/".to_owned()),
            302,
            "text/html",
            Some(""),
        ),
        (
            Fault::json(201, r#"{"odd":true}"#),
            201,
            "application/json",
            Some(r#"{"odd":true}"#),
        ),
        (Fault::WrongContentType, 200, "text/html", None),
    ] {
        control.fault_times(Endpoint::User, fault.clone(), 1);
        let response = okta.request("/api/v1/users/ada").send().await?;
        let got = response
            .headers()
            .get("content-type")
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        assert_eq!(
            (response.status().as_u16(), got.as_deref()),
            (status, Some(content_type)),
            "{fault:?}"
        );
        let bytes = response.bytes().await?;
        assert!(body.is_none_or(|body| bytes == body), "{fault:?}");
    }
    Ok(())
}

#[tokio::test]
async fn errors_come_with_their_status_and_code() -> Outcome {
    let okta = Okta::demo().await?;
    okta.control()
        .fault_times("/users/ada", Fault::status(502, "E0000240"), 2);
    assert_eq!(okta.get("/users/bob").await?.status, 200, "another target");
    assert_eq!(okta.get("/users/ada").await?.verdict(), "502 E0000240");
    assert_eq!(okta.get("/users/ada").await?.verdict(), "502 E0000240");
    assert_eq!(okta.get("/users/ada").await?.status, 200, "only twice");
    okta.control()
        .fault(Endpoint::User, Fault::RateLimit(Duration::from_secs(48)));
    let limited = okta.get("/users/ada").await?;
    assert_eq!(
        (limited.verdict().as_str(), limited.header("x-rate-limit-reset")),
        ("429 E0000047", "1768467648")
    );
    okta.control().clear_faults();
    okta.control().fault(Endpoint::User, Fault::ConcurrencyLimit);
    assert_eq!(okta.get("/users/ada").await?.header("x-rate-limit-limit"), "0");
    Ok(())
}

#[tokio::test]
async fn a_slow_answer_comes() -> Outcome {
    let okta = Okta::demo().await?;
    okta.control()
        .fault(Endpoint::User, Fault::Slow(Duration::from_millis(5)));
    assert_eq!(okta.get("/users/ada").await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn a_hang_lasts_until_the_client_leaves() -> Outcome {
    let okta = Okta::demo().await?;
    okta.control().fault(Endpoint::User, Fault::Hang);
    let client = tokio::spawn(okta.request("/api/v1/users/ada").send());
    okta.control().arrived(Endpoint::User, 1).await;
    assert_eq!(okta.received().in_flight(), 1);
    client.abort();
    okta.control().idle().await;
    assert_eq!(
        (okta.received().answered(Endpoint::User), okta.received().abandoned()),
        (0, 1)
    );
    Ok(())
}
