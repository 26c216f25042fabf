//! A bad plugin beside a good source, in one broker: each call to the bad one fails in its time and for the right reason,
//! over gRPC and over REST; it is never a yes and never a no. The good source's calls are answered meanwhile, and no
//! answer makes the process grow.

mod grpc;
mod http;
mod sql;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use idbridge_okta_simulator::{Org, PASSWORD};
use tempfile::TempDir;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use toml::{Table, Value};
use tonic::Code;

use super::chain::write;
use super::clients::{Grpc, Rest, request_id, with_id};
use super::process::Process;
use super::secrecy::Secrets;
use super::settings;
use super::wanted::row;

/// Of every call. What is wrong with a bad answer is seen long before.
const DEADLINE: &str = "2s";

/// The deadline, the gateway's grace, and a busy machine.
const IN_TIME: Duration = Duration::from_secs(7);

/// What a process may grow by in a whole test, in kB: each worker's connections and the records on their way. An answer of
/// a gigabyte is fifty times that.
const GROWTH: u64 = 20 * 1024;

/// How many ask the bad one at the same time, on each transport.
const AT_ONCE: usize = 4;

/// A broker with the source `good`, and with the source `bad`, which has the addresses of `bad.example`.
struct Beside {
    broker: Process,
    grpc: Grpc,
    rest: Rest,
    secrets: Arc<Secrets>,
    _folder: TempDir,
    /// The most memory that it had before anything bad, in kB.
    peak: u64,
}

/// What is asked of the bad one.
#[derive(Clone, Copy, Debug)]
enum Asked {
    LogIn,
    LookUp,
}

impl Beside {
    async fn start(bad: &str) -> Self {
        let good = format!(
            "kind = \"memory\"\nlookup_ttl = \"0s\"\n[[settings.people]]\nid = \"1\"\nlogin = \"ada@example.com\"\n\
             email = \"ada@example.com\"\nemail_verified = true\npassword = \"{PASSWORD}\""
        );
        let mut all = settings::broker("http://127.0.0.1:1");
        let sources = [("bad", bad), ("good", &*good)];
        let sources = sources.map(|(name, text)| (name.to_owned(), Value::Table(settings::parse(text))));
        all["sources"] = Value::Table(sources.into_iter().collect());
        let routes = format!(
            "grpc.max_deadline = \"{DEADLINE}\"\nrest.deadline = \"{DEADLINE}\"\n\
             [[routes]]\ndomains = [\"bad.example\"]\nsource = \"bad\"\n[[routes]]\nsource = \"good\""
        );
        settings::merge(&mut all, &settings::parse(&routes));
        let secrets = Arc::new(Secrets::of(&Org::demo()));
        let folder = tempfile::tempdir().expect("a folder");
        let broker = Process::start(&["serve"], &write(&folder, "broker", &all), &secrets);
        let at = broker.listening().await;
        let mut beside = Self {
            grpc: Grpc::connect(at.grpc.expect("gRPC is on"), &secrets).await,
            rest: Rest::new(at.rest.expect("REST is on"), &secrets),
            broker,
            secrets,
            _folder: folder,
            peak: 0,
        };
        for _ in 0..50 {
            beside.good().await;
        }
        beside.peak = beside.broker.peak_memory();
        beside
    }

    /// What `Beside` is over, when the bad source is gone: a drain waits for password checks that hang.
    async fn stop(self) {
        self.has_not_grown();
        drop(self.grpc);
        self.broker.stop().await;
        self.secrets.search_answers();
    }

    fn has_not_grown(&self) {
        let peak = self.broker.peak_memory();
        assert!(peak < self.peak + GROWTH, "it grew from {} kB to {peak} kB", self.peak);
    }

    /// Every question to the bad source fails for this reason, while all of the good one's are answered. Tells how many
    /// log-ins were sent.
    async fn fails(&self, case: &str, asked: &[Asked], reason: &str) -> usize {
        let over = CancellationToken::new();
        let bad = async {
            for asked in asked {
                let password = matches!(asked, Asked::LogIn).then_some(PASSWORD);
                let once = async |number| {
                    // Addresses of their own, so that none is told what another found out.
                    let [one, other] = ["a", "b"].map(|side| format!("user-{number}{side}@bad.example"));
                    self.fails_once(case, [&one, &other], password, reason).await;
                };
                join_all((0..AT_ONCE).map(once)).await;
            }
            over.cancel();
        };
        let good = async {
            let mut answered = 0;
            while !over.is_cancelled() || answered == 0 {
                self.good().await;
                answered += 1;
            }
        };
        tokio::join!(bad, good);
        self.has_not_grown();
        let log_ins = asked.iter().filter(|asked| matches!(asked, Asked::LogIn)).count();
        2 * AT_ONCE * log_ins
    }

    /// Nobody can find out anything: a right password, a wrong one, and somebody whom nobody has come to the same.
    async fn is_out(&self, case: &str, reason: &str) {
        let (user, nobody) = ("user@bad.example", "nobody@bad.example");
        for (who, password) in [
            (user, Some(PASSWORD)),
            (user, Some("wrong password")),
            (nobody, Some(PASSWORD)),
            (user, None),
            (nobody, None),
        ] {
            self.fails_once(&format!("{case}, {who}, {password:?}"), [who, who], password, reason)
                .await;
        }
        self.good().await;
        self.has_not_grown();
    }

    /// Over gRPC and over REST at the same time: a log-in, or without a password a look-up.
    async fn fails_once(&self, case: &str, who: [&str; 2], password: Option<&str>, reason: &str) {
        let headers = [with_id(&request_id()), with_id(&request_id())];
        let began = Instant::now();
        let by_grpc = async {
            let said = match password {
                Some(password) => self.grpc.authenticate(&headers[0], who[0], password).await,
                None => self.grpc.get_user_by_email(&headers[0], who[0]).await,
            };
            assert_ne!(said.code, Code::Ok, "gRPC, {case}: {}", said.outcome());
            (said, began.elapsed())
        };
        let by_rest = async {
            let answer = match password {
                Some(password) => self.rest.login(&headers[1], who[1], password).await,
                None => self.rest.get_user(&headers[1], who[1]).await,
            };
            (answer, began.elapsed())
        };
        let ((said, grpc_took), (answer, rest_took)) = tokio::join!(by_grpc, by_rest);
        let (code, status, named) = row(reason);
        assert_eq!((said.code, said.reason()), (code, reason), "gRPC, {case}");
        if named == Some(true) {
            assert_eq!(said.metadata.get("source").map(String::as_str), Some("bad"), "{case}");
        }
        assert_eq!(
            (answer.status, answer.code()),
            (status, reason.to_lowercase()),
            "REST, {case}"
        );
        assert!(
            grpc_took < IN_TIME && rest_took < IN_TIME,
            "{case}: {grpc_took:?}, {rest_took:?}"
        );
    }

    /// Each of the good source's answers, on both transports.
    async fn good(&self) {
        let headers = || with_id(&request_id());
        let (ada, nobody) = ("ada@example.com", "nobody@example.com");
        let yes = self.grpc.authenticate(&headers(), ada, PASSWORD).await;
        assert_eq!(yes.outcome(), "yes");
        let no = self.grpc.authenticate(&headers(), ada, "wrong password").await;
        assert_eq!(no.outcome(), "wrong_password");
        let found = self.rest.get_user(&headers(), ada).await;
        assert_eq!(found.json()["outcome"], "found", "{:?}", found.json());
        let absent = self.rest.get_user(&headers(), nobody).await;
        assert_eq!(absent.json()["outcome"], "not_found", "{:?}", absent.json());
    }

    /// What a mended source says: yes, and found.
    async fn is_well(&self, who: &str) {
        let headers = || with_id(&request_id());
        let yes = self.grpc.authenticate(&headers(), who, PASSWORD).await;
        assert_eq!(yes.outcome(), "yes");
        let yes = self.rest.login(&headers(), who, PASSWORD).await;
        assert_eq!(yes.json()["outcome"], "authenticated", "{:?}", yes.json());
        assert_eq!(self.grpc.get_user_by_email(&headers(), who).await.outcome(), "yes");
        let found = self.rest.get_user(&headers(), who).await;
        assert_eq!(found.json()["outcome"], "found", "{:?}", found.json());
    }
}

const BOTH: [Asked; 2] = [Asked::LogIn, Asked::LookUp];

/// A source of this kind with these settings, under the prefix `bad`.
fn source(kind: &str, settings: &str) -> String {
    let mut source: Table = settings::parse(&format!(
        "kind = \"{kind}\"\nlookup_ttl = \"0s\"\nguard = {{ open_after = 0, retry_percent = 0 }}"
    ));
    source.insert("settings".to_owned(), Value::Table(settings::parse(settings)));
    source.to_string()
}
