//! What the broker tells of itself to those who hold no key: health, and reflection where it is on.

use bytes::Bytes;
use http_body_util::BodyExt as _;
use idbridge_okta_simulator::PASSWORD;
use prost::Message as _;
use tokio::net::TcpStream;
use tonic::Code;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use super::chain::Chain;
use super::clients::{HEALTH, Said, request_id, with_id};
use super::process::bounded;

const ADA: &str = "ada@example.com";

#[tokio::test]
async fn reflection_tells_the_services_where_it_is_on() {
    let chain = Chain::start("grpc = { reflection = true }").await;
    let grpc = chain.grpc().await;
    // `list_services: "*"`, and nobody's key.
    let path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
    let said = grpc.unary(path, &Vec::new(), b"\x3a\x01*".to_vec()).await;
    assert_eq!(said.code, Code::Ok);
    let text = String::from_utf8_lossy(&said.body).into_owned();
    for service in ["idbridge.v1.IdentityService", "grpc.health.v1.Health"] {
        assert!(text.contains(service), "{text}");
    }
    let said = grpc.authenticate(&Vec::new(), ADA, PASSWORD).await;
    assert_eq!(said.reason(), "CALLER_UNAUTHENTICATED", "it opens nothing else");
    drop(grpc);
    chain.stop().await;
}

#[tokio::test]
async fn health_tells_of_each_source() {
    let chain = Chain::start("").await;
    let (grpc, control) = (chain.grpc().await, chain.okta.control());
    let check = async |service: &str| {
        let question = HealthCheckRequest {
            service: service.to_owned(),
        };
        grpc.unary(HEALTH, &Vec::new(), question.encode_to_vec()).await
    };
    let serves = |said: Said| said.decode::<HealthCheckResponse>().status() == ServingStatus::Serving;
    let mut watch = Watch::start(&chain, "source/okta").await;
    watch.until(ServingStatus::Serving).await;
    assert!(serves(check("").await) && serves(check("idbridge.v1.IdentityService").await));
    assert_eq!(check("source/nowhere").await.code, Code::NotFound);

    control.fault("/api", idbridge_okta_simulator::Fault::Reset);
    let said = grpc.get_user_by_email(&with_id(&request_id()), ADA).await;
    assert_eq!(said.reason(), "SOURCE_UNAVAILABLE");
    watch.until(ServingStatus::NotServing).await;
    assert!(
        serves(check("").await) && serves(check("idbridge.v1.IdentityService").await),
        "the broker is well"
    );
    assert_eq!(chain.get("/readyz").await.status, 200, "whatever the sources");

    control.clear_faults();
    let said = grpc.authenticate(&with_id(&request_id()), ADA, "wrong password").await;
    assert_eq!(said.outcome(), "invalid_credentials");
    watch.until(ServingStatus::Serving).await;
    drop((grpc, watch));
    chain.stop().await;
}

/// `grpc.health.v1.Health/Watch`, read a message at a time.
struct Watch(hyper::body::Incoming);

impl Watch {
    async fn start(chain: &Chain, service: &str) -> Watch {
        let stream = TcpStream::connect(chain.at.grpc.expect("gRPC is on"))
            .await
            .expect("a connection");
        let executor = hyper_util::rt::TokioExecutor::new();
        let io = hyper_util::rt::TokioIo::new(stream);
        let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, io)
            .await
            .expect("HTTP/2");
        tokio::spawn(connection);
        let question = HealthCheckRequest {
            service: service.to_owned(),
        }
        .encode_to_vec();
        let mut frame = vec![0, 0, 0, 0, question.len().try_into().expect("short")];
        frame.extend(question);
        let request = http::Request::post("http://broker/grpc.health.v1.Health/Watch")
            .header("content-type", "application/grpc")
            .body(http_body_util::Full::new(Bytes::from(frame)))
            .expect("a request");
        Watch(sender.send_request(request).await.expect("an answer").into_body())
    }

    async fn until(&mut self, status: ServingStatus) {
        let wanted = async {
            loop {
                let frame = self
                    .0
                    .frame()
                    .await
                    .expect("a watch has no end")
                    .expect("a whole frame");
                let data = frame.into_data().expect("a message");
                if HealthCheckResponse::decode(data.slice(5..)).expect("health").status() == status {
                    return;
                }
            }
        };
        bounded(status.as_str_name(), wanted).await;
    }
}
