use std::sync::Arc;

use idbridge_source::Table;

use super::callers::Caller;
use super::sources::{self, Source};
use crate::directory::routing::{Chain, Destination, Domain, Locate, Route};
use crate::sources::gate::Mode;

/// What a route may name, and what is known of the sources whose own settings are good.
pub(super) struct Known<'a> {
    pub(super) names: &'a [&'a str],
    pub(super) sources: &'a [Source],
    pub(super) callers: &'a [Caller],
}

#[derive(Clone, Copy, PartialEq)]
enum On {
    Next,
    Stop,
}

#[derive(Clone, Copy, PartialEq)]
enum How {
    InTurn,
    LookupFirst,
}

const HOW: [(&str, How); 2] = [("in_turn", How::InTurn), ("lookup_first", How::LookupFirst)];
const ON: [(&str, On); 2] = [("next", On::Next), ("stop", On::Stop)];

/// `[[routes]]`, in the order of the file.
pub(super) fn read(root: &Table<'_>, known: &Known<'_>) -> Vec<Route> {
    let tables = root.tables("routes");
    if tables.is_empty() && known.names.len() > 1 {
        root.mistake(
            "routes",
            "is required with several sources: `[[routes]]` with `source` and, unless it takes every call, `domains`",
        );
    }
    let mut before: Vec<(&str, Fit)> = Vec::new();
    let mut routes = Vec::new();
    for table in &tables {
        let fit = read_fit(table, known);
        if let Some(fit) = &fit {
            report_unreached(table, fit, &before);
        }
        let to = read_destination(table, known);
        table.finish();
        if let Some(fit) = fit {
            before.push((table.path(), fit.clone()));
            routes.extend(to.map(|to| Route {
                domains: fit.domains,
                callers: fit.only,
                to,
            }));
        }
    }
    routes
}

/// Whose calls a route takes.
#[derive(Clone)]
struct Fit {
    /// Empty: every identifier.
    domains: Vec<Domain>,
    /// The callers that it names.
    only: Option<Vec<String>>,
    /// Those that it takes: all there are, unless it names some.
    callers: Vec<String>,
}

/// `None`: it can't be told, and the mistake is reported.
fn read_fit(table: &Table<'_>, known: &Known<'_>) -> Option<Fit> {
    let (domains_said, callers_said) = (table.has("domains"), table.has("callers"));
    let domains = table.one_or_more("domains").parse(|domains| {
        if domains.is_empty() {
            return Err("is empty; leave it out if the route takes every identifier");
        }
        let domains = domains.iter().map(|domain| parse_domain(domain));
        domains
            .collect::<Option<Vec<_>>>()
            .ok_or("has what is no domain; write them as \"example.com\", or as \".example.com\" for all below it")
    });
    let only = table.one_or_more("callers").parse(|callers| {
        if callers.is_empty() {
            return Err("is empty; leave it out if the route takes every caller".to_owned());
        }
        let unknown = callers
            .iter()
            .any(|caller| known.callers.iter().all(|one| one.name != *caller));
        if unknown {
            let names: Vec<&str> = known.callers.iter().map(|caller| &*caller.name).collect();
            return Err(format!("names an unknown caller; there are: {}", names.join(", ")));
        }
        Ok(callers)
    });
    let (domains, only) = (domains.optional(), only.optional());
    if domains_said && domains.is_none() || callers_said && only.is_none() {
        return None;
    }
    let every = || known.callers.iter().map(|caller| caller.name.clone()).collect();
    Some(Fit {
        domains: domains.unwrap_or_default(),
        callers: only.clone().unwrap_or_else(every),
        only,
    })
}

/// What is never reached, since for each of its callers an earlier route takes it.
fn report_unreached(table: &Table<'_>, fit: &Fit, before: &[(&str, Fit)]) {
    // The last of those who take it, one for each caller.
    let taken_by = |domain: Option<&Domain>| {
        let mut by = None;
        for caller in &fit.callers {
            let mut earlier = before.iter();
            by = Some(earlier.find(|(_, earlier)| earlier.callers.contains(caller) && earlier.has(domain))?);
        }
        by
    };
    let taken: Vec<Option<&(&str, Fit)>> = if fit.domains.is_empty() {
        vec![taken_by(None)]
    } else {
        fit.domains.iter().map(|domain| taken_by(Some(domain))).collect()
    };
    if let Some(Some((by, earlier))) = taken.last().filter(|_| taken.iter().all(Option::is_some)) {
        let key = if table.has("chain") { "chain" } else { "source" };
        let what = if earlier.domains.is_empty() {
            "every call"
        } else {
            "its domains"
        };
        table.mistake(key, format!("is never reached: `{by}` takes {what}"));
        return;
    }
    for (at, domain) in fit.domains.iter().enumerate() {
        if let Some((by, _)) = taken[at] {
            table.mistake(
                "domains",
                format!("has a domain, number {}, that `{by}` takes already", at + 1),
            );
        } else if fit.domains[..at].iter().any(|earlier| earlier.covers(domain)) {
            table.mistake(
                "domains",
                format!("has a domain, number {}, that one before it covers", at + 1),
            );
        }
    }
}

impl Fit {
    /// Whether it takes this domain, or with `None` every identifier.
    fn has(&self, domain: Option<&Domain>) -> bool {
        let covers = |domain| self.domains.iter().any(|one| one.covers(domain));
        self.domains.is_empty() || domain.is_some_and(covers)
    }
}

fn read_destination(table: &Table<'_>, known: &Known<'_>) -> Option<Destination> {
    let find = |name: &str| match known.names.iter().find(|one| **one == name) {
        Some(name) => Ok(Arc::from(*name)),
        None => Err(sources::unknown(name, known.names)),
    };
    let source = table.text("source").parse(|source| find(&source));
    let chain = table.one_or_more("chain").parse(|names| {
        let chain = names
            .iter()
            .map(|name| find(name))
            .collect::<Result<Vec<Arc<str>>, _>>()?;
        if chain.len() < 2 {
            return Err("needs two sources; one alone is `source`".to_owned());
        }
        if chain.iter().enumerate().any(|(at, name)| chain[..at].contains(name)) {
            return Err("names a source twice".to_owned());
        }
        Ok(chain)
    });
    let how = table.choice("locate", &HOW);
    let on = table.choice("on_invalid_credentials", &ON);
    if !table.has("chain") {
        for (key, said) in [
            ("locate", how.is_present()),
            ("on_invalid_credentials", on.is_present()),
        ] {
            if said {
                table.mistake(key, "has no effect without `chain`");
            }
        }
        if !source.is_present() {
            table.mistake(
                "source",
                "is required, or `chain`: the sources to ask one after the other",
            );
        }
        return source.optional().map(Destination::Source);
    }
    if source.is_present() {
        table.mistake("source", "stands beside `chain`; keep one of them");
    }
    let on_said = on.is_present();
    let (how, on) = (how.or(How::InTurn), on.or(On::Stop));
    let locate = match how {
        How::InTurn => Locate::InTurn {
            past_invalid_credentials: on == On::Next,
        },
        How::LookupFirst => Locate::LookupFirst,
    };
    if on_said && locate == Locate::LookupFirst {
        table.mistake(
            "on_invalid_credentials",
            "has no effect with locate = \"lookup_first\": one source gets the password",
        );
    }
    let sources = chain.optional()?;
    report_dead_ends(table, &sources, locate, known);
    Some(Destination::Chain(Chain { sources, locate }))
}

/// A chain in which a source stops what could be asked after it, or can't be asked what the chain asks.
fn report_dead_ends(table: &Table<'_>, chain: &[Arc<str>], locate: Locate, known: &Known<'_>) {
    for (at, name) in chain.iter().enumerate() {
        let Some(source) = known.sources.iter().find(|source| source.name == *name) else {
            continue; // its own mistake is reported
        };
        let is_last = at + 1 == chain.len();
        let can = source.blueprint.capabilities();
        let checks_passwords = can.authenticate && source.rules.mode != Mode::LookupOnly;
        match locate {
            Locate::LookupFirst if !can.user_by_email => table.mistake(
                "locate",
                format!("can't be \"lookup_first\": with its settings `{name}` looks up nobody by e-mail"),
            ),
            Locate::InTurn { .. } if !is_last && !checks_passwords => table.mistake(
                "chain",
                format!("ends every log-in at `{name}`, which checks no passwords; put it last, or set locate = \"lookup_first\""),
            ),
            Locate::InTurn {
                past_invalid_credentials: false,
            } if !is_last && !source.blueprint.tells_unknown_users() => table.mistake(
                "chain",
                format!(
                    "ends every log-in at `{name}`, which never says that it doesn't know somebody; set locate = \
                     \"lookup_first\", or on_invalid_credentials = \"next\" if a failed attempt at each source is wanted"
                ),
            ),
            Locate::InTurn { .. } | Locate::LookupFirst => {}
        }
    }
}

fn parse_domain(text: &str) -> Option<Domain> {
    let text = text.to_lowercase();
    match text.strip_prefix('.') {
        Some(below) => is_domain(below).then(|| Domain::Below(below.to_owned())),
        None => is_domain(&text).then_some(Domain::Exactly(text)),
    }
}

pub(super) fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    text.len() <= 253 && text.split('.').all(label)
}
