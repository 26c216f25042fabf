//! Why can't this person sign in? For support, who has them on the phone.
//!
//! Each source is asked what it knows, without a password. What Auth0 would be told isn't worked out a second time: both
//! calls are made, through the gateway, the stack, the routes and the gate that serve callers, over a source that says
//! what the real one was found to say.

mod doc;
mod facts;
pub mod records;
mod report;
mod told;
mod verdict;

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use idbridge_source::{ExposeSecret as _, IdentitySource, Login};
use zeroize::Zeroizing;

use crate::app::broker::{Broker, Source};
use crate::app::{self, Error};
use crate::config::Config;
use crate::request_id;
use crate::rest::{Answer, Call, Gateway, Settings};
use crate::server::callers::Caller;
use crate::sources::gate::Gate;
use crate::telemetry::audit::Hasher;

use facts::Facts;
pub use report::{Audit, Certainty, Report};

/// Stands for the right password where it is never looked at.
const THE_RIGHT_ONE: &str = "the right one";

/// Finds out what there is to know of this identifier. With `show`, logins and addresses stand in the report.
pub async fn examine(config: Config, identifier: &Login, show: bool) -> Result<Report, Error> {
    let typed = identifier.as_str();
    let identifier_hash = hash(&config, typed);
    let settings = app::rest_settings(config.rest.as_ref());
    let (broker, key, is_the_caller) = broker(config).await?;
    let routed = broker.source_for(typed);

    let (mut known, mut sources) = (Vec::new(), Vec::new());
    for source in broker.sources() {
        let facts = Facts::find_out(&broker, source, identifier, settings.deadline).await?;
        sources.push(report::source(source, &facts, typed, routed, show).await);
        known.push((source, facts));
    }
    let rehearsal = Rehearsal {
        broker: &broker,
        known: &known,
        settings,
        key: &key,
    };
    let chosen = known.iter().find(|(source, _)| Some(&*source.name) == routed);
    let log_in = rehearsal.log_in(typed).await?;
    let get_user = rehearsal.get_user(typed).await?;
    Ok(Report {
        identifier: show.then(|| typed.to_owned()),
        identifier_hash,
        source: routed.map(str::to_owned),
        sources,
        log_in: verdict::log_in(&log_in, chosen, identifier).await,
        get_user: verdict::get_user(&get_user, chosen, identifier).await,
        only_the_password_tells: verdict::only_the_password_tells(settings.password),
        notes: if is_the_caller {
            Vec::new()
        } else {
            vec!["the settings have several callers; what each of them may not ask was not looked at".to_owned()]
        },
        audit: None,
    })
}

/// As audit records have it. `None` without a key of the operator's: each process makes its own then.
fn hash(config: &Config, typed: &str) -> Option<String> {
    let key = config.audit.hash_key.as_ref()?;
    Some(Hasher::keyed(key.expose_secret().as_bytes()).hash(typed))
}

/// A broker that takes calls with this key, as the settings' caller does if there is but one.
async fn broker(mut config: Config) -> Result<(Broker, String, bool), Error> {
    let key = request_id::make().to_string();
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, key.as_bytes()).as_ref());
    if let [only] = config.callers.as_mut_slice() {
        only.key_hashes = vec![hash];
        return Ok((Broker::new(config).await?, key, true));
    }
    let mut broker = Broker::new(config).await?;
    broker.only_caller(Caller::new("why", vec![hash]));
    Ok((broker, key, false))
}

/// Auth0's two calls, over what is known.
struct Rehearsal<'a> {
    broker: &'a Broker,
    known: &'a [(&'a Source, Facts)],
    settings: Settings,
    key: &'a str,
}

impl Rehearsal<'_> {
    async fn log_in(&self, typed: &str) -> Result<Answer, Error> {
        // The target's rules for passwords are about a password that isn't here.
        let settings = Settings {
            password: None,
            ..self.settings
        };
        let password = Zeroizing::new(THE_RIGHT_ONE.to_owned());
        let gateway = Gateway::new(self.stack()?, settings);
        Ok(gateway.login(self.call()?, typed.to_owned(), password).await)
    }

    async fn get_user(&self, typed: &str) -> Result<Answer, Error> {
        let gateway = Gateway::new(self.stack()?, self.settings);
        Ok(gateway.get_user(self.call()?, typed.to_owned()).await)
    }

    fn stack(&self) -> Result<axum::Router, Error> {
        Ok(self.broker.grpc_over(|source| {
            let known = self.known.iter().find(|(known, _)| known.name == source.name);
            let told = match known {
                Some((_, facts)) => facts.told.clone(),
                None => return source.build_bare(),
            };
            Ok(Arc::new(Gate::new(told, source.rules().clone())) as Arc<dyn IdentitySource>)
        })?)
    }

    fn call(&self) -> Result<Call, Error> {
        Call::with_key(self.key).ok_or_else(|| Error::Start("the key can't stand in a header".to_owned()))
    }
}

#[cfg(test)]
mod tests;
