//! Which sources are asked, and in which order. Pure: an identifier and a caller go in, a route comes out.

use std::sync::Arc;

use idbridge_source::same_identifier;

/// Routes in the order of the settings; the first that fits decides.
#[derive(Clone, Debug, Default)]
pub struct Routing {
    routes: Vec<Route>,
}

/// Whose calls go where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Route {
    /// None: every identifier, with a domain or without.
    pub domains: Vec<Domain>,
    /// `None`: every caller.
    pub callers: Option<Vec<String>>,
    pub to: Destination,
}

/// E-mail domains, compared as identifiers are.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Domain {
    /// Every domain below this one, and not itself.
    Below(String),
    Exactly(String),
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Destination {
    Chain(Chain),
    Source(Arc<str>),
}

/// Several sources, of which at most one knows a user.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Chain {
    pub sources: Vec<Arc<str>>,
    pub locate: Locate,
}

/// How a log-in finds the source that knows the user. A look-up asks all of them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Locate {
    /// The password is tried at one source after another, until one knows the user.
    InTurn {
        /// Whether one that won't say which of user and password is wrong counts as not knowing the user. A wrong
        /// password is then a failed attempt at each of them.
        past_invalid_credentials: bool,
    },
    /// A look-up finds the one source that knows the user, and the password is tried there and nowhere else.
    LookupFirst,
}

impl Routing {
    /// Everything goes to this one.
    pub fn only(source: Arc<str>) -> Self {
        Self::new(vec![Route {
            domains: Vec::new(),
            callers: None,
            to: Destination::Source(source),
        }])
    }

    pub fn new(routes: Vec<Route>) -> Self {
        Self { routes }
    }

    /// The first route that fits, and its place.
    pub fn find(&self, identifier: &str, caller: &str) -> Option<(usize, &Route)> {
        let mut routes = self.routes.iter().enumerate();
        routes.find(|(_, route)| route.fits(identifier, caller))
    }
}

impl Route {
    fn fits(&self, identifier: &str, caller: &str) -> bool {
        let callers = self.callers.as_ref();
        callers.is_none_or(|callers| callers.iter().any(|one| one == caller))
            && (self.domains.is_empty() || self.domain_of(identifier).is_some())
    }

    /// The first of its domains that this identifier is in.
    pub fn domain_of(&self, identifier: &str) -> Option<&Domain> {
        let (_, asked) = identifier.rsplit_once('@')?;
        self.domains.iter().find(|domain| domain.has(asked))
    }
}

impl Domain {
    fn has(&self, asked: &str) -> bool {
        match self {
            Self::Below(domain) => {
                let mut dots = asked.match_indices('.');
                dots.any(|(at, dot)| at > 0 && same_identifier(&asked[at + dot.len()..], domain))
            }
            Self::Exactly(domain) => same_identifier(domain, asked),
        }
    }

    /// Whether whatever is in the other is in this one too.
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Below(domain), Self::Below(other)) => same_identifier(domain, other) || self.has(other),
            (Self::Below(_), Self::Exactly(other)) => self.has(other),
            (Self::Exactly(domain), Self::Exactly(other)) => same_identifier(domain, other),
            (Self::Exactly(_), Self::Below(_)) => false,
        }
    }
}

impl Destination {
    /// All that may be asked, in order.
    pub fn sources(&self) -> &[Arc<str>] {
        match self {
            Self::Chain(chain) => &chain.sources,
            Self::Source(source) => std::slice::from_ref(source),
        }
    }
}

/// As the settings write it.
impl std::fmt::Display for Domain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Below(domain) => write!(f, ".{domain}"),
            Self::Exactly(domain) => f.write_str(domain),
        }
    }
}

#[cfg(test)]
mod tests;
