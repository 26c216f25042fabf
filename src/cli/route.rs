//! `route`: who would be asked, by the settings alone.

use std::path::PathBuf;

use idbridge_source::{Login, SecretFiles};
use serde::Serialize;

use super::{Environment, Exit, output};
use crate::app::broker;
use crate::config::{self, Caller, Config};
use crate::directory::routing::{Destination, Locate, Route};
use crate::sources;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  idbridge route ada@example.com --config idbridge.toml\n  \
                        idbridge route ada --config idbridge.toml --caller auth0"
)]
pub(crate) struct Args {
    /// A login or an e-mail address
    identifier: String,
    /// The settings file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Only for this caller. Default: for each of them
    #[arg(long, value_name = "NAME")]
    caller: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Where one caller's question goes.
#[derive(Debug, Eq, PartialEq, Serialize)]
struct Way {
    caller: String,
    /// The place in `[[routes]]`; none if no route fits, or if there is one source and no route.
    route: Option<usize>,
    /// The domain that made it fit; none if the route takes every identifier.
    domain: Option<String>,
    /// In the order of asking.
    sources: Vec<String>,
    /// Why nobody is asked.
    refused: Option<&'static str>,
    #[serde(skip)]
    locate: Option<Locate>,
}

pub(crate) fn run(args: &Args, environment: Environment) -> Exit {
    if let Err(invalid) = Login::parse(&args.identifier) {
        output::error(&format!("the identifier {invalid}"));
        return Exit::Usage;
    }
    // Where a call goes doesn't depend on any secret.
    let config = match super::settings(config::load(
        &args.config,
        environment,
        &sources::registry(),
        SecretFiles::Skip,
    )) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    let wanted = |caller: &&Caller| args.caller.as_ref().is_none_or(|name| *name == caller.name);
    let ways: Vec<Way> = config
        .callers
        .iter()
        .filter(wanted)
        .map(|caller| way(&config, caller, &args.identifier))
        .collect();
    if ways.is_empty() {
        output::error("the settings have no such caller");
        return Exit::Usage;
    }
    if args.json {
        output::json(&serde_json::json!({ "ways": ways }));
    } else {
        ways.iter().for_each(|way| output::line(&way.to_text()));
    }
    if ways.iter().all(|way| way.refused.is_none()) {
        Exit::Fine
    } else {
        Exit::No
    }
}

fn way(config: &Config, caller: &Caller, identifier: &str) -> Way {
    let routing = broker::routing(config);
    let found = routing.find(identifier, &caller.name);
    let sources = found.map_or(&[][..], |(_, route)| route.to.sources());
    let may_ask = |name: &str| {
        caller
            .sources
            .as_ref()
            .is_none_or(|allowed| allowed.iter().any(|one| one == name))
    };
    let refused = if found.is_none() {
        Some("no route fits: UNKNOWN_SOURCE")
    } else if sources.iter().any(|name| !may_ask(name)) {
        Some("the caller may not ask every source of this route: CALLER_NOT_ALLOWED")
    } else {
        None
    };
    let said = |route: &Route| route.domain_of(identifier).map(ToString::to_string);
    Way {
        caller: caller.name.clone(),
        route: found.filter(|_| !config.routes.is_empty()).map(|(at, _)| at),
        domain: found.and_then(|(_, route)| said(route)),
        sources: sources.iter().map(ToString::to_string).collect(),
        refused,
        locate: found.and_then(|(_, route)| match &route.to {
            Destination::Chain(chain) => Some(chain.locate),
            Destination::Source(_) => None,
        }),
    }
}

impl Way {
    fn to_text(&self) -> String {
        let route = match (self.route, &self.domain) {
            (Some(at), Some(domain)) => format!("routes[{at}], which takes {domain}"),
            (Some(at), None) => format!("routes[{at}], which takes every identifier"),
            (None, _) if self.sources.is_empty() => "no route".to_owned(),
            (None, _) => "the only source".to_owned(),
        };
        let mut lines = vec![format!("{}: {route}", self.caller)];
        match (self.refused, self.locate) {
            (Some(refused), _) => lines.push(format!("  nobody is asked: {refused}")),
            (None, locate) => {
                lines.push(format!("  log-in   {}", log_in(&self.sources, locate)));
                let together = if locate.is_some() { ", side by side" } else { "" };
                lines.push(format!("  look-up  {}{together}", self.sources.join(" and ")));
            }
        }
        lines.join("\n")
    }
}

fn log_in(sources: &[String], locate: Option<Locate>) -> String {
    let on = match locate {
        None => return sources.join(""),
        Some(Locate::LookupFirst) => {
            let sources = sources.join(" and ");
            return format!("a look-up at {sources}; the password goes to the one that knows the user");
        }
        Some(Locate::InTurn {
            past_invalid_credentials: false,
        }) => "where that doesn't know the user",
        Some(Locate::InTurn {
            past_invalid_credentials: true,
        }) => "where that doesn't know the user, or doesn't take the password and won't say why",
    };
    format!("{}, {on}", sources.join("; then "))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::test_kinds;

    const SETTINGS: &str = r#"
[callers.auth0]
key_sha256 = "1111111111111111111111111111111111111111111111111111111111111111"
allow = ["authenticate", "get_user_by_email"]
[callers.payroll]
key_sha256 = "2222222222222222222222222222222222222222222222222222222222222222"
allow = ["authenticate"]
sources = ["staff"]
[sources.customers]
kind = "memory"
[sources.partners]
kind = "memory"
[sources.staff]
kind = "memory"
[[routes]]
domains = [".acme.com"]
source = "staff"
[[routes]]
callers = ["auth0"]
chain = ["customers", "partners"]
"#;

    fn text(settings: &str, caller: usize, identifier: &str) -> String {
        let config = config::parse(
            Path::new("s.toml"),
            settings,
            Vec::new(),
            &test_kinds::registry(),
            SecretFiles::Skip,
        );
        let config = config.unwrap_or_else(|mistakes| panic!("{}", output::mistakes(&mistakes)));
        way(&config, &config.callers[caller], identifier).to_text()
    }

    #[test]
    fn what_is_said() {
        for (caller, identifier, said) in [
            (
                0,
                "ada@eu.acme.com",
                "auth0: routes[0], which takes .acme.com\n  log-in   staff\n  look-up  staff",
            ),
            (
                0,
                "ada",
                "auth0: routes[1], which takes every identifier\n  \
                 log-in   customers; then partners, where that doesn't know the user\n  \
                 look-up  customers and partners, side by side",
            ),
            (
                1,
                "ada",
                "payroll: no route\n  nobody is asked: no route fits: UNKNOWN_SOURCE",
            ),
        ] {
            assert_eq!(text(SETTINGS, caller, identifier), said, "{identifier}");
        }
        let open = SETTINGS.replace("callers = [\"auth0\"]\n", "");
        assert_eq!(
            text(&open, 1, "ada"),
            "payroll: routes[1], which takes every identifier\n  nobody is asked: the caller may not ask every source of \
             this route: CALLER_NOT_ALLOWED"
        );
        let chain = "chain = [\"customers\", \"partners\"]\n";
        for (more, said) in [
            (
                "locate = \"lookup_first\"\n",
                "a look-up at customers and partners; the password goes to the one that knows the user",
            ),
            (
                "on_invalid_credentials = \"next\"\n",
                "customers; then partners, where that doesn't know the user, or doesn't take the password and won't say \
                 why",
            ),
        ] {
            let settings = SETTINGS.replace(chain, &format!("{chain}{more}"));
            let text = text(&settings, 0, "ada");
            assert_eq!(text.lines().nth(1), Some(&*format!("  log-in   {said}")), "{more}");
        }
    }

    #[test]
    fn one_source_needs_no_route() {
        let (settings, _) = SETTINGS.split_once("[sources.partners]").expect("two parts");
        let settings = settings.replace("sources = [\"staff\"]\n", "");
        assert_eq!(
            text(&settings, 1, "ada@acme.com"),
            "payroll: the only source\n  log-in   customers\n  look-up  customers"
        );
    }
}
