//! What goes to Okta, and what doesn't.

use idbridge_okta_simulator::{Endpoint, PASSWORD};
use serde_json::json;

use super::chain::Chain;
use super::clients::{request_id, with_id};

const ADA: &str = "ada@example.com";

#[tokio::test]
async fn okta_is_sent_what_the_settings_say() {
    for (over, token, address) in [
        ("", false, false),
        (
            "[sources.okta]\nforward_client_address = true\n[sources.okta.settings]\nsend_token_with_authn = true",
            true,
            true,
        ),
    ] {
        let chain = Chain::start(over).await;
        let grpc = chain.grpc().await;
        for own in [true, false] {
            let id = request_id();
            let mut headers = with_id(&id);
            headers.push(("x-idbridge-client-address".to_owned(), "203.0.113.7".to_owned()));
            headers.push(("x-forwarded-for".to_owned(), "198.51.100.9".to_owned()));
            headers.push(("cookie".to_owned(), "session=1".to_owned()));
            if own {
                assert_eq!(grpc.authenticate(&headers, ADA, PASSWORD).await.outcome(), "yes");
            } else {
                assert_eq!(chain.lone_gateway().login(&headers, ADA, PASSWORD).await.status, 200);
            }
            let received = chain.okta.received();
            let requests: Vec<_> = received
                .requests()
                .filter(|one| one.header("x-request-id") == Some(&*id))
                .collect();
            assert_eq!(requests.len(), 3);
            for request in requests {
                let authn = request.endpoint == Endpoint::Authn;
                let ssws = request
                    .header("authorization")
                    .is_some_and(|value| value.starts_with("SSWS "));
                assert_eq!(ssws, !authn || token, "{request:?}");
                let forwarded = request.header("x-forwarded-for");
                assert_eq!(forwarded, (authn && address).then_some("203.0.113.7"), "{request:?}");
                assert_eq!(request.header("cookie"), None);
                if authn {
                    assert_eq!(request.json(), Some(json!({"username": ADA, "password": PASSWORD})));
                }
            }
        }
        drop(grpc);
        chain.stop().await;
    }
}
