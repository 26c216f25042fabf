//! The settings: defaults < file < environment, read whole before anything starts.
//!
//! A mistake never stops the reading, so an operator sees all of them at once. Each names its key, its line or variable
//! and what to do; none quotes a value, since any value may be a secret.

mod admin;
mod attempts;
mod callers;
mod environment;
mod file;
mod gate;
mod grpc;
mod guard;
mod layers;
mod listen;
mod log;
mod mapping;
mod names;
mod rest;
mod routes;
mod sources;

use std::ffi::OsString;
use std::path::Path;

use idbridge_source::{Mistake, Node, Reader, Registry, SecretFiles, Table};

pub use admin::Admin;
pub use callers::{Allow, Caller};
pub use grpc::Grpc;
pub use listen::{Listen, TlsFiles};
pub use log::{Audit, Log, LogFormat};
pub(crate) use names::is_name;
pub use rest::{Auth0, EmailFrom, Rest};
pub use sources::Source;

use crate::directory::routing::Route;

/// Everything that `serve` needs. That it exists means that the settings are good.
#[derive(Debug)]
pub struct Config {
    pub grpc: Grpc,
    /// `None`: the gateway is off.
    pub rest: Option<Rest>,
    /// `None`: no health, readiness and metrics over HTTP.
    pub admin: Option<Admin>,
    pub callers: Vec<Caller>,
    pub sources: Vec<Source>,
    /// In the order of the file. Empty with a single source that takes every call.
    pub routes: Vec<Route>,
    pub log: Log,
    pub audit: Audit,
}

/// What `gateway` needs.
#[derive(Debug)]
pub struct GatewayConfig {
    pub rest: Rest,
    pub admin: Option<Admin>,
    pub log: Log,
}

/// Reads the settings in this file and this environment.
pub fn load(
    path: &Path,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    registry: &Registry,
    secrets: SecretFiles,
) -> Result<Config, Vec<Mistake>> {
    read(layers::merge(path, file::read(path), environment)?, registry, secrets)
}

/// Reads settings that stand in this text: for `demo` and for tests. Mistakes name `path` as its file.
pub fn parse(
    path: &Path,
    text: &str,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    registry: &Registry,
    secrets: SecretFiles,
) -> Result<Config, Vec<Mistake>> {
    read(
        layers::merge(path, file::parse(path, text), environment)?,
        registry,
        secrets,
    )
}

/// Reads what `gateway` needs. The broker's sections may be there and aren't looked into.
pub fn load_gateway(
    path: &Path,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<GatewayConfig, Vec<Mistake>> {
    let tree = layers::merge(path, file::read(path), environment)?;
    let reader = Reader::new(SecretFiles::Read);
    let root = reader.root(&tree);
    for other in ["audit", "callers", "grpc", "routes", "sources"] {
        root.has(other);
    }
    let rest = Rest::read(&root, SecretFiles::Read);
    if rest.is_none() {
        root.mistake("rest", "is required: the gateway listens there");
    }
    let admin = Admin::read(&root, SecretFiles::Read);
    let log = Log::read(&root);
    root.finish();
    drop(root);
    match (reader.into_mistakes(), rest) {
        (mistakes, Some(rest)) if mistakes.is_empty() => Ok(GatewayConfig { rest, admin, log }),
        (mistakes, _) => Err(mistakes),
    }
}

fn read(mut tree: Node, registry: &Registry, secrets: SecretFiles) -> Result<Config, Vec<Mistake>> {
    sources::complete(&mut tree);
    let fingerprints = sources::fingerprints(&tree);
    let reader = Reader::new(secrets);
    let root = reader.root(&tree);
    let names = sources::names(&root);
    let rest = Rest::read(&root, secrets);
    let grpc = Grpc::read(&root, secrets);
    let admin = Admin::read(&root, secrets);
    let callers = callers::read(&root, &names);
    let sources = sources::read(&root, &fingerprints, registry, rest.is_some(), secrets);
    let known = routes::Known {
        names: &names,
        sources: &sources,
        callers: &callers,
    };
    let config = Config {
        routes: routes::read(&root, &known),
        grpc,
        admin,
        callers,
        sources,
        log: Log::read(&root),
        audit: Audit::read(&root),
        rest,
    };
    check_ports(&root, &config);
    root.finish();
    let complete = config.sources.len() == names.len();
    drop(root);
    let mut mistakes = reader.into_mistakes();
    if mistakes.is_empty() && !complete {
        mistakes.push(Mistake {
            key: "sources".to_owned(),
            origin: None,
            problem: "are refused by a plugin that doesn't say why: a bug in the plugin".to_owned(),
        });
    }
    if mistakes.is_empty() { Ok(config) } else { Err(mistakes) }
}

/// Two listeners can't have one port, unless each is told apart by its own address.
fn check_ports(root: &Table<'_>, config: &Config) {
    let rest = config.rest.as_ref().map(|rest| ("rest", &rest.listen));
    let admin = config.admin.as_ref().map(|admin| ("admin", &admin.listen));
    let mut taken = vec![("grpc", config.grpc.listen.address)];
    for (section, listen) in rest.into_iter().chain(admin) {
        let address = listen.address;
        let clash = taken.iter().find(|(_, other)| {
            let same_ip = other.ip() == address.ip() || other.ip().is_unspecified() || address.ip().is_unspecified();
            address.port() != 0 && other.port() == address.port() && same_ip
        });
        if let Some((other, _)) = clash {
            root.mistake(
                section,
                format!("listens at the same port as `{other}`; give each its own"),
            );
        }
        taken.push((section, address));
    }
}

#[cfg(test)]
pub(crate) mod test_kinds;
#[cfg(test)]
mod tests;
