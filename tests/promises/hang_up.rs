//! Who hangs up: a password check runs to its end, a look-up stops.

use idbridge_okta_simulator::{Endpoint, PASSWORD};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::chain::Chain;
use super::clients::{head, request_id, with_id};
use super::process::bounded;

const ADA: &str = "ada@example.com";

/// Which transport hangs up, and how.
#[derive(Clone, Copy, Debug)]
enum Caller {
    Grpc,
    LoneGateway,
    Rest,
}

#[tokio::test]
async fn a_password_check_runs_to_its_end_when_its_caller_hangs_up() {
    let chain = Chain::start("").await;
    let control = chain.okta.control();
    for (round, caller) in (1..).zip([Caller::Grpc, Caller::Rest, Caller::LoneGateway]) {
        let before = control.received();
        let hold = control.hold(Endpoint::Authn);
        let id = request_id();
        hang_up(&chain, caller, &id, async {
            bounded(
                "the log-in",
                control.arrived(Endpoint::Authn, before.count(Endpoint::Authn) + 1),
            )
            .await;
        })
        .await;
        let fits = |record: &serde_json::Value| record["request_id"] == *id;
        let records = chain.broker.recorded("attempt", 1, fits).await;
        assert_eq!(records[0]["outcome"], "cancelled", "round {round}: {caller:?}");
        hold.release();
        let answered = before.answered(Endpoint::Authn) + 1;
        bounded("the answer", control.answered(Endpoint::Authn, answered)).await;
        bounded("the rest of the log-in", control.until(|now| now.in_flight() == 0)).await;
        let now = control.received();
        assert_eq!(now.passwords(), before.passwords() + 1, "{caller:?}");
        assert_eq!(now.abandoned(), before.abandoned(), "{caller:?}: nothing was cut");
    }
    chain.stop().await;
}

/// Asks, waits for `begun`, and is gone.
async fn hang_up(chain: &Chain, caller: Caller, id: &str, begun: impl Future<Output = ()>) {
    let headers = with_id(id);
    let address = match caller {
        Caller::Grpc => {
            let grpc = chain.grpc().await;
            tokio::select! {
                said = grpc.authenticate(&headers, ADA, PASSWORD) => panic!("{said:?}"),
                () = begun => return,
            }
        }
        Caller::LoneGateway => chain.lone_gateway().address,
        Caller::Rest => chain.rest().address,
    };
    let body = json!({"identifier": ADA, "password": PASSWORD}).to_string();
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let head = head("POST", "/auth0/v1/login", &headers, body.len());
    stream.write_all((head + &body).as_bytes()).await.expect("sent");
    begun.await;
}

#[tokio::test]
async fn a_look_up_ends_when_its_caller_hangs_up() {
    let chain = Chain::start("").await;
    let (grpc, control) = (chain.grpc().await, chain.okta.control());
    let before = control.received();
    let hold = control.hold(Endpoint::Search);
    let id = request_id();
    let headers = with_id(&id);
    tokio::select! {
        said = grpc.get_user_by_email(&headers, ADA) => panic!("{said:?}"),
        () = bounded("the search", control.arrived(Endpoint::Search, before.count(Endpoint::Search) + 1)) => {}
    }
    // The search is still held: only its caller's going can end it.
    bounded(
        "the end of the search",
        control.until(|now| now.abandoned() > before.abandoned()),
    )
    .await;
    hold.release();
    let records = chain
        .broker
        .recorded("attempt", 1, |record| record["request_id"] == *id)
        .await;
    assert_eq!(records[0]["outcome"], "cancelled");
    let metrics = chain.metrics().await;
    assert!(
        metrics.contains("idbridge_source_in_flight{source=\"okta\"} 0"),
        "{metrics}"
    );
    drop(grpc);
    chain.stop().await;
}
