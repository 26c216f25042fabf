//! Which source is asked. Pure: an identifier goes in, a name comes out.

use std::sync::Arc;

use idbridge_source::same_identifier;

/// Routes in the order of the settings; the first that fits decides.
#[derive(Clone, Debug, Default)]
pub struct Routing {
    routes: Vec<Route>,
}

/// One route.
#[derive(Clone, Debug)]
pub struct Route {
    /// E-mail domains, compared as identifiers are. None: every identifier.
    pub domains: Vec<String>,
    pub source: Arc<str>,
}

impl Routing {
    /// Everything goes to this one.
    pub fn only(source: Arc<str>) -> Self {
        Self {
            routes: vec![Route {
                domains: Vec::new(),
                source,
            }],
        }
    }

    pub fn new(routes: Vec<Route>) -> Self {
        Self { routes }
    }

    /// The one source for this identifier, if a route fits.
    pub fn source_for(&self, identifier: &str) -> Option<&str> {
        let asked = identifier.rsplit_once('@').map(|(_, domain)| domain);
        let fits = |route: &&Route| {
            let mut domains = route.domains.iter();
            route.domains.is_empty() || asked.is_some_and(|asked| domains.any(|domain| same_identifier(domain, asked)))
        };
        self.routes.iter().find(fits).map(|route| &*route.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_route_that_fits_decides() {
        let route = |domains: &[&str], source: &str| Route {
            domains: domains.iter().map(|&domain| domain.to_owned()).collect(),
            source: source.into(),
        };
        let routing = Routing::new(vec![
            route(&["acme.com", "acme.de", "bücher.example"], "staff"),
            route(&[], "customers"),
        ]);
        for (identifier, source) in [
            ("ada@acme.com", "staff"),
            ("ada@ACME.DE", "staff"),
            ("ada@bücher.EXAMPLE", "staff"),
            ("ada@bu\u{308}cher.example", "staff"),
            ("ada@bucher.example", "customers"),
            ("ada@acme.com.evil.example", "customers"),
            ("ada@sub.acme.com", "customers"),
            ("acme.com", "customers"),
            ("ada", "customers"),
        ] {
            assert_eq!(routing.source_for(identifier), Some(source), "{identifier}");
        }
        assert_eq!(
            Routing::new(vec![route(&["acme.com"], "staff")]).source_for("ada"),
            None
        );
    }
}
