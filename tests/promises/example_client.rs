//! The example client in Rust, before a broker that is restarted under load.

use std::sync::Arc;
use std::time::Duration;

use idbridge_example_client::{Answer, Client};
use idbridge_okta_simulator::{PASSWORD, Simulator};
use tokio::sync::watch;
use tonic::transport::Endpoint;

use super::chain::{org, write};
use super::process::{Process, bounded};
use super::secrecy::Secrets;
use super::settings::{self, KEY};

const ADA: &str = "ada@example.com";
const PATIENCE: Duration = Duration::from_secs(30);

/// What the callers have been told so far.
#[derive(Clone, Default)]
struct Told {
    yes: usize,
    other: Vec<String>,
}

/// Every call is answered, though the broker is gone three times; and each password was submitted once.
#[tokio::test]
async fn a_restart_under_load_fails_no_call_and_repeats_no_password() {
    const CALLERS: usize = 8;
    let okta = Simulator::start(org()).await.expect("the org starts");
    let secrets = Arc::new(Secrets::of(&org()));
    let folder = tempfile::tempdir().expect("a folder");
    let mut table = settings::broker(&okta.url());
    let mut broker = Process::start(&["serve"], &write(&folder, "broker", &table), &secrets);
    let address = broker.listening().await.grpc.expect("gRPC is on");
    settings::merge(&mut table, &settings::parse(&format!("[grpc]\nlisten = \"{address}\"")));
    let config = write(&folder, "again", &table);

    let endpoint = Endpoint::new(format!("http://{address}")).expect("an endpoint");
    let (told, mut news) = watch::channel(Told::default());
    let (end, ended) = watch::channel(false);
    let callers: Vec<_> = (0..CALLERS)
        .map(|number| {
            let client = Client::new(endpoint.connect_lazy(), KEY, PATIENCE).expect("a key");
            let (told, ended) = (told.clone(), ended.clone());
            tokio::spawn(async move {
                let mut log_ins = 0;
                for call in 0.. {
                    if *ended.borrow() {
                        break;
                    }
                    let request_id = format!("example.{number}.{call}");
                    let answer = if call % 2 == 0 {
                        log_ins += 1;
                        client.log_in(&request_id, ADA, PASSWORD).await
                    } else {
                        client.look_up(&request_id, ADA).await
                    };
                    told.send_modify(|told| match answer {
                        Answer::Yes(_) => told.yes += 1,
                        other => told.other.push(format!("{request_id}: {other:?}")),
                    });
                }
                log_ins
            })
        })
        .collect();

    for _ in 0..3 {
        let before = news.borrow().yes;
        let more = news.wait_for(|told| told.yes >= before + 10 * CALLERS || !told.other.is_empty());
        bounded("answers under way", more).await.expect("callers");
        broker.stop().await;
        broker = Process::start(&["serve"], &config, &secrets);
        broker.listening().await;
    }
    end.send_replace(true);
    let mut log_ins = 0;
    for caller in callers {
        log_ins += bounded("the last answer", caller).await.expect("no panic");
    }
    let told = told.borrow().clone();
    assert_eq!(told.other, Vec::<String>::new());
    assert_eq!(okta.received().passwords(), log_ins, "one password a log-in");
    okta.shutdown().await;
    broker.stop().await;
}
