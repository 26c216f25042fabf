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
use idbridge_source::{ExposeSecret as _, Login};
use zeroize::Zeroizing;

use crate::app::broker::{Broker, Source};
use crate::app::{self, Error};
use crate::config::Config;
use crate::request_id;
use crate::rest::{Answer, Call, Gateway, PasswordPolicy, Settings};
use crate::server::callers::Caller;
use crate::sources;
use crate::telemetry::audit::Hasher;

use facts::Facts;
pub use report::{Audit, Certainty, Report};

/// No caller's name: those have no capital letters.
const NOBODY: &str = "WHY";

/// Stands for the right password where it is never looked at.
const THE_RIGHT_ONE: &str = "the right one";

/// Finds out what there is to know of this identifier, asked by this one of the settings' callers. With `show`, logins and
/// addresses stand in the report.
pub async fn examine(config: Config, identifier: &Login, caller: Option<&str>, show: bool) -> Result<Report, Error> {
    let typed = identifier.as_str();
    let identifier_hash = hash(&config, typed);
    let settings = app::rest_settings(config.rest.as_ref());
    let (broker, key, caller) = broker(config, caller).await?;
    let routed = broker.routed(typed, caller.as_deref().unwrap_or(NOBODY));

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
    let log_in = rehearsal.log_in(typed).await?;
    let get_user = rehearsal.get_user(typed).await?;
    let who_knows = |knows: fn(&Facts) -> bool| {
        let asked: Vec<_> = known
            .iter()
            .filter(|(source, _)| routed.contains(&source.name))
            .collect();
        let first = asked.iter().find(|(_, facts)| knows(facts)).copied();
        first.or(asked.last().copied())
    };
    Ok(Report {
        identifier: show.then(|| typed.to_owned()),
        identifier_hash,
        source: (!routed.is_empty()).then(|| routed.join(", ")),
        sources,
        log_in: verdict::log_in(&log_in, who_knows(Facts::know_the_login), identifier).await,
        get_user: verdict::get_user(&get_user, who_knows(Facts::know_who_is_looked_up), identifier).await,
        only_the_password_tells: verdict::only_the_password_tells(settings.password),
        notes: match caller {
            Some(_) => Vec::new(),
            None => vec![
                "the settings have several callers, and none was named by --caller: what each of them may not ask, and \
                 routes of their own, were not looked at"
                    .to_owned(),
            ],
        },
        audit: None,
    })
}

/// As audit records have it. `None` without a key of the operator's: each process makes its own then.
fn hash(config: &Config, typed: &str) -> Option<String> {
    let key = config.audit.hash_key.as_ref()?;
    Some(Hasher::keyed(key.expose_secret().as_bytes()).hash(typed))
}

/// A broker that takes calls of this caller with this key; of nobody in particular, where several could be meant.
async fn broker(mut config: Config, caller: Option<&str>) -> Result<(Broker, String, Option<String>), Error> {
    let key = request_id::make().to_string();
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, key.as_bytes()).as_ref());
    if let Some(name) = caller {
        config.callers.retain(|caller| caller.name == name);
    }
    if let [only] = config.callers.as_mut_slice() {
        only.key_hashes = vec![hash];
        let name = only.name.clone();
        return Ok((Broker::new(config).await?, key, Some(name)));
    }
    let mut broker = Broker::new(config).await?;
    broker.only_caller(Caller::new(NOBODY, vec![hash]));
    Ok((broker, key, None))
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
        // The target's own rules for passwords are about a password that isn't here.
        let settings = Settings {
            password: PasswordPolicy::ANY,
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
            Ok(sources::judge(Arc::new(told), source.rules(), source.words()))
        })?)
    }

    fn call(&self) -> Result<Call, Error> {
        Call::with_key(self.key).ok_or_else(|| Error::Start("the key can't stand in a header".to_owned()))
    }
}

#[cfg(test)]
mod tests;
