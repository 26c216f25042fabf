//! The first log-in as its user sees it: a script with everything cold, by way of a warm gateway or straight to Okta.
//!
//! | | |
//! | --- | --- |
//! | ours | the exported `login.js` → 10 ms → the gateway's TLS listener; broker → 40 ms → Okta over TLS |
//! | direct | the script that people paste → 40 ms → Okta over TLS: password, user, factors, on one connection |
//!
//! The ways are user-space proxies (`delay_proxy.rs`). A script is cold: each log-in runs in a new `node`, which opens
//! its connection and loads its `fetch` within the time that is measured; starting `node` is not in it. The gateway is
//! warm, as others have logged in before. Okta offers HTTP/2, which the broker takes and node's `fetch` doesn't.

use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use async_trait::async_trait;
use serde_json::{Value, json};

use super::start::Launch;
use crate::Error;
use crate::broker::{Broker, Settings};
use crate::context::{self, Context, Upstream};
use crate::load::closed::{Closed, Width};
use crate::load::target::{PASSWORD, Question, Target};
use crate::process::Process;
use crate::row::{Bar, Figure, Row, Sample};

/// Log-ins of each kind in a round; the one in the middle counts.
const LOG_INS: usize = 7;

const TO_GATEWAY: &str = "10";
const TO_OKTA: &str = "40";

const DIRECT: &str = include_str!("first_login/direct.js");
const RUN: &str = include_str!("first_login/run.mjs");

struct FirstLogin;

pub(crate) fn rows() -> Vec<Box<dyn Row>> {
    vec![Box::new(FirstLogin)]
}

#[async_trait(?Send)]
impl Row for FirstLogin {
    fn name(&self) -> &'static str {
        "first_login"
    }

    fn figures(&self) -> Vec<Figure> {
        vec![Figure {
            title: "a first log-in over TLS, gateway 10 ms away, Okta 40 ms from both".to_owned(),
            unit: "ms",
            theirs: "direct",
            bar: Some(Bar::RatioBelow(1.0)),
        }]
    }

    async fn round(&self, context: &Context, _round: usize) -> Result<Vec<Sample>, Error> {
        let scene = Scene::set(context).await?;
        let (mut ours, mut direct) = (Vec::new(), Vec::new());
        for number in 0..if context.short { 1 } else { LOG_INS } {
            ours.push(scene.log_in(&scene.gateway, &format!("gateway-{number}@bench.test"))?);
            direct.push(scene.log_in(&scene.direct, &format!("direct-{number}@bench.test"))?);
        }
        if scene.okta.counts().await?["submissions"]["most_per_login"] != 1 {
            return Err("a password was submitted twice".into());
        }
        Ok(vec![Sample::beside(middle(ours)?, middle(direct)?)])
    }
}

/// Everything that stands between a script and Okta.
struct Scene {
    okta: Upstream,
    _running: [Process; 3],
    gateway: Script,
    direct: Script,
    run: PathBuf,
    authorities: PathBuf,
}

/// A script with its connection's configuration.
struct Script {
    file: PathBuf,
    configuration: Value,
}

impl Scene {
    async fn set(context: &Context) -> Result<Self, Error> {
        let folder = context.folder.path();
        let named = folder.to_str().ok_or("a folder without a name")?;
        let okta = context.upstream(&["--tls", "--ca-folder", named])?;
        let authority = PathBuf::from(okta.ready["ca_pem_file"].as_str().ok_or("no authority")?);
        let (way_to_okta, okta_at) = delayed(context, okta.address, TO_OKTA)?;
        let (tls, certificate) = certificate(folder)?;
        let launch = Launch::prepare(context, &format!("https://{okta_at}"), Settings::default(), &tls).await?;
        let (broker, _) = launch.start(context, Some(&authority)).await?;
        warm_up(&broker).await?;
        let (way_to_gateway, gateway_at) = delayed(context, broker.rest, TO_GATEWAY)?;

        let (direct, run) = (folder.join("direct.js"), folder.join("run.mjs"));
        fs::write(&direct, DIRECT)?;
        fs::write(&run, RUN)?;
        let authorities = folder.join("authorities.pem");
        fs::write(&authorities, fs::read_to_string(&authority)? + &certificate)?;
        Ok(Self {
            gateway: Script {
                file: export(context)?,
                configuration: json!({"IDBRIDGE_URL": format!("https://{gateway_at}"), "IDBRIDGE_KEY": broker.key}),
            },
            direct: Script {
                file: direct,
                configuration: json!({"OKTA_URL": format!("https://{okta_at}"), "OKTA_TOKEN": "00bench-token"}),
            },
            _running: [way_to_okta, way_to_gateway, broker.process],
            okta,
            run,
            authorities,
        })
    }

    /// One log-in by a new process. How long it took, in milliseconds.
    fn log_in(&self, script: &Script, login: &str) -> Result<f64, Error> {
        let mut node = Command::new("node")
            .args([&self.run, &script.file])
            .args([login, PASSWORD])
            .env("NODE_EXTRA_CA_CERTS", &self.authorities)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("node doesn't start: {error}"))?;
        let mut stdin = node.stdin.take().ok_or("node without its input")?;
        stdin.write_all(script.configuration.to_string().as_bytes())?;
        drop(stdin);
        let said: Value = serde_json::from_slice(&node.wait_with_output()?.stdout)?;
        if said["profile"]["email"] != login {
            return Err(format!("{login} was answered {said}").into());
        }
        said["ms"].as_f64().ok_or_else(|| "no time was taken".into())
    }
}

/// A proxy that makes the address as far away as that.
fn delayed(context: &Context, to: SocketAddr, milliseconds: &str) -> Result<(Process, SocketAddr), Error> {
    let args = ["delay-proxy", "--to", &to.to_string(), "--round-trip-ms", milliseconds];
    let (process, ready) = context.role(&args)?;
    Ok((process, context::address(&ready)?))
}

/// Settings for the gateway's TLS, and its certificate.
fn certificate(folder: &Path) -> Result<(String, String), Error> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    let (certificate, key) = (folder.join("gateway.pem"), folder.join("gateway-key.pem"));
    fs::write(&certificate, made.cert.pem())?;
    fs::write(&key, made.signing_key.serialize_pem())?;
    let settings = format!(
        "[rest.tls]\ncert_file = {}\nkey_file = {}\n",
        Value::from(certificate.to_str()),
        Value::from(key.to_str())
    );
    Ok((settings, made.cert.pem()))
}

/// Enough connections that each worker has one to Okta.
async fn warm_up(broker: &Broker) -> Result<(), Error> {
    let target = Target {
        address: broker.grpc,
        question: Question::Authenticate,
        key: Some(broker.key.clone()),
    };
    let width = Width {
        connections: 8,
        streams: 1,
    };
    Closed::open(target, width).await?.run(0, 32).await?;
    Ok(())
}

/// The shipped script, as it is exported.
fn export(context: &Context) -> Result<PathBuf, Error> {
    let tenant = context.folder.path().join("tenant");
    let made = Command::new(&context.idbridge)
        .args(["auth0", "export", "--force", "--connection", "bench", "--out"])
        .arg(&tenant)
        .output()?;
    if !made.status.success() {
        return Err("the scripts can't be exported".into());
    }
    Ok(tenant.join("database-connections/bench/login.js"))
}

fn middle(mut values: Vec<f64>) -> Result<f64, Error> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().ok_or_else(|| "no log-in".into())
}
