use std::collections::BTreeMap;
use std::sync::Arc;

use idbridge_source::Table;

use super::sources;

/// One of `[[routes]]`: who is asked. The first that fits decides.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Route {
    /// Fits identifiers with one of these after their `@`, in lower case. Empty: fits every identifier.
    pub domains: Vec<String>,
    pub source: Arc<str>,
}

pub(super) fn read(root: &Table<'_>, names: &[&str]) -> Vec<Route> {
    let tables = root.tables("routes");
    if tables.is_empty() && names.len() > 1 {
        root.mistake(
            "routes",
            "is required with several sources: `[[routes]]` with `source` and, unless it takes every call, `domains`",
        );
    }
    let mut always: Option<&str> = None;
    let mut owners = BTreeMap::new();
    let mut routes = Vec::new();
    for table in &tables {
        if let Some(first) = always {
            table.mistake("source", format!("is never reached: `{first}` takes every call"));
        }
        let said = table.has("domains");
        let domains = read_domains(table, &mut owners);
        let source = table.text("source").parse(|source| {
            if names.contains(&source.as_str()) {
                Ok(source)
            } else {
                Err(sources::unknown(&source, names))
            }
        });
        let source = source.required();
        table.finish();
        if !said {
            always = always.or(Some(table.path()));
        }
        routes.extend(source.map(|source| Route {
            domains,
            source: Arc::from(source),
        }));
    }
    routes
}

fn read_domains(table: &Table<'_>, owners: &mut BTreeMap<String, String>) -> Vec<String> {
    let domains = table.one_or_more("domains").parse(|domains| {
        if domains.is_empty() {
            return Err("is empty; leave it out if the route takes every call");
        }
        if !domains.iter().all(|domain| is_domain(domain)) {
            return Err("has what is no domain; write them as \"example.com\"");
        }
        Ok(domains.iter().map(|domain| domain.to_lowercase()).collect::<Vec<_>>())
    });
    let domains = domains.optional().unwrap_or_default();
    for domain in &domains {
        if let Some(owner) = owners.insert(domain.clone(), table.path().to_owned()) {
            table.mistake("domains", format!("has a domain that `{owner}` has already"));
        }
    }
    domains
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
