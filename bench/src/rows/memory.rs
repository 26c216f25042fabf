//! The most memory that ten thousand waiting log-ins take.
//!
//! All of them wait for a source that takes three seconds, over HTTP/2 (TLS, chosen by ALPN, one connection for each
//! worker) and over HTTP/1.1 (a connection for each call, in plain text: ten thousand handshakes of TLS at once would
//! measure those). Some calls have gone before. A listener of the broker takes 200 streams on a connection, so that the calls come over fifty.

use std::path::PathBuf;
use std::process::Command;

use async_trait::async_trait;

use super::start::{Launch, megabytes};
use crate::Error;
use crate::broker::Settings;
use crate::context::{self, Context, Upstream};
use crate::load::closed::{Closed, Width};
use crate::load::target::{Question, Target};
use crate::process::Process;
use crate::row::{Bar, Figure, Row, Sample};

const STREAMS: usize = 200;

/// Who comes first, so that the service knows that the source speaks HTTP/2, in each worker: otherwise ten thousand
/// calls at once would open a connection each to find out.
const FIRST: Width = Width {
    connections: 8,
    streams: 1,
};

/// Connections at the source over HTTP/2: those of the first calls, and the one that asks for the counts.
const FEW: u64 = 16;

/// Nobody ever has to wait for a limit of ours.
const MAX_IN_FLIGHT: usize = 20_000;

#[derive(Clone, Copy)]
enum Protocol {
    Http1,
    Http2,
}

struct Memory(Protocol);

pub(crate) fn rows() -> Vec<Box<dyn Row>> {
    vec![Box::new(Memory(Protocol::Http2)), Box::new(Memory(Protocol::Http1))]
}

#[async_trait(?Send)]
impl Row for Memory {
    fn name(&self) -> &'static str {
        match self.0 {
            Protocol::Http1 => "memory_http1",
            Protocol::Http2 => "memory_http2",
        }
    }

    fn figures(&self) -> Vec<Figure> {
        let (over, bar) = match self.0 {
            Protocol::Http1 => ("HTTP/1.1", 280.0),
            Protocol::Http2 => ("HTTP/2", 120.0),
        };
        vec![Figure {
            title: format!("memory, 10,000 log-ins waiting for 3 s on a source over {over}"),
            unit: "MB",
            theirs: "bare",
            bar: Some(Bar::AtMost(bar)),
        }]
    }

    async fn round(&self, context: &Context, _round: usize) -> Result<Vec<Sample>, Error> {
        let connections = if context.short { 5 } else { 50 };
        let width = Width {
            connections,
            streams: if context.short { 100 } else { STREAMS },
        };
        let theirs = self.wait(context, width, true).await?;
        let ours = self.wait(context, width, false).await?;
        Ok(vec![Sample::beside(megabytes(ours), megabytes(theirs))])
    }
}

impl Memory {
    /// Makes all calls at once, and tells the most memory that the service had.
    async fn wait(&self, context: &Context, width: Width, is_bare: bool) -> Result<u64, Error> {
        let source = Source::start(context, self.0)?;
        let (process, target) = if is_bare {
            source.bare(context)?
        } else {
            source.broker(context).await?
        };
        let calls = width.connections * width.streams;
        Closed::open(target.clone(), FIRST)
            .await?
            .run(0, FIRST.connections)
            .await?;
        Closed::open(target, width).await?.run(FIRST.connections, calls).await?;
        source.check(FIRST.connections + calls).await?;
        process.peak_resident()
    }
}

/// A slow source.
struct Source {
    upstream: Upstream,
    url: String,
    /// Over HTTP/2.
    authority: Option<PathBuf>,
}

impl Source {
    fn start(context: &Context, protocol: Protocol) -> Result<Self, Error> {
        let folder = context.folder.path().to_str().ok_or("a folder without a name")?;
        let delay = if context.short { "1s" } else { "3s" };
        let (upstream, scheme) = match protocol {
            Protocol::Http1 => (context.upstream(&["--http1-only", "--delay", delay])?, "http"),
            Protocol::Http2 => (
                context.upstream(&["--tls", "--ca-folder", folder, "--delay", delay])?,
                "https",
            ),
        };
        Ok(Self {
            url: format!("{scheme}://{}", upstream.address),
            authority: upstream.ready["ca_pem_file"].as_str().map(PathBuf::from),
            upstream,
        })
    }

    async fn broker(&self, context: &Context) -> Result<(Process, Target), Error> {
        let settings = Settings {
            one_call: true,
            max_in_flight: Some(MAX_IN_FLIGHT),
            ..Settings::default()
        };
        let launch = Launch::prepare(context, &self.url, settings, "").await?;
        let (broker, _) = launch.start(context, self.authority.as_deref()).await?;
        Ok((broker.process, authenticate(broker.grpc, Some(broker.key))))
    }

    fn bare(&self, context: &Context) -> Result<(Process, Target), Error> {
        let mut command = Command::new(&context.bench);
        command.args(["bare", "--org-url", &self.url]);
        command.envs(self.authority.as_ref().map(|file| ("SSL_CERT_FILE", file)));
        let (process, ready) = Process::start(&mut command)?;
        Ok((process, authenticate(context::address(&ready)?, None)))
    }

    /// Whether each call reached the source once, and nearly all of them were there at the same time.
    async fn check(&self, calls: usize) -> Result<(), Error> {
        let counts = self.upstream.counts().await?;
        let calls = u64::try_from(calls)?;
        let submissions = &counts["submissions"];
        if submissions["total"] != calls || submissions["distinct"] != calls {
            return Err(format!("the source counted {submissions}, not {calls}").into());
        }
        let connections = &counts["connections"];
        if self.authority.is_some() && connections["most"].as_u64() > Some(FEW) {
            return Err(format!("that was not HTTP/2, over so many connections: {connections}").into());
        }
        let most = counts["in_flight"]["most"].as_u64().unwrap_or(0);
        if most * 10 < calls * 9 {
            return Err(format!("only {most} of {calls} calls waited at the same time").into());
        }
        Ok(())
    }
}

fn authenticate(address: std::net::SocketAddr, key: Option<String>) -> Target {
    Target {
        address,
        question: Question::Authenticate,
        key,
    }
}
