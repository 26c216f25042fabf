use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::sync::Arc;

use crate::{BoxError, Capabilities, Clock, IdentitySource, Table};

/// The code that speaks to one sort of source. A unit struct carries it: a plugin has no state, its [`Blueprint`] has.
pub trait Plugin: 'static {
    /// The name in the settings: `kind = "okta"`. It is public for ever, and no other plugin has it.
    const KIND: &'static str;

    /// Reads `[sources.NAME.settings]`.
    ///
    /// - Every mistake is reported to the table, so that an operator sees all of them at once; `None` if there were any
    ///   that leave nothing to build. A `None` without a report would leave the operator without a word.
    /// - No I/O, but that [`Table::secret`] reads files. Settings are checked on machines that can't reach the upstream.
    /// - No [`Table::finish`]: [`Registry::plan`] does it for this table. Tables inside it are the plugin's to finish.
    fn plan(settings: &Table<'_>, context: &SourceContext) -> Option<Arc<dyn Blueprint>>;
}

/// What the broker hands to every source.
#[derive(Clone, Debug)]
pub struct SourceContext {
    /// The operator's name for it: `[sources.NAME]`. Two sources may be of one kind, so a log names this.
    pub name: Arc<str>,
    /// The time of day, for dates that an upstream sends.
    pub clock: Arc<dyn Clock>,
}

/// A source whose settings are good, and the state that its copies share: a rate limit's count, say, which must hold for
/// the source and not for each thread. A connection isn't shared, since it belongs to the runtime that opened it.
pub trait Blueprint: Debug + Send + Sync {
    /// What the source will be able to do: known from the settings alone.
    fn capabilities(&self) -> Capabilities;

    /// Whether its users' ids may come as `prefix|id` already, as those of another broker do. Only then may the broker be told
    /// to put nothing before them.
    fn ids_may_have_a_prefix(&self) -> bool {
        false
    }

    /// Whether its users may have groups. `false` only if the settings rule it out: then a rule about groups is a mistake.
    fn returns_groups(&self) -> bool {
        true
    }

    /// Whether a log-in may be told [`Rejection::UnknownUser`](crate::Rejection::UnknownUser). `false` only if the upstream
    /// never says so: then a chain that waits for it is a mistake.
    fn tells_unknown_users(&self) -> bool {
        true
    }

    /// Makes the source for one worker thread, inside that worker's runtime. Opens no connection.
    ///
    /// Called more than once: for each worker, and for whoever probes the source.
    fn build(&self) -> Result<Arc<dyn IdentitySource>, BuildError>;
}

/// A source could not be made although its settings are good: no certificate store, say.
#[derive(Debug)]
pub struct BuildError(BoxError);

impl BuildError {
    /// Shown to the operator, cause and all: the rule on what a [`SourceError`](crate::SourceError) may hold is its too.
    pub fn new(cause: impl Into<BoxError>) -> Self {
        Self(cause.into())
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the source can't be built: {}", self.0)
    }
}

impl std::error::Error for BuildError {}

/// The kinds of source that this binary has. A plain value: the broker lists them in one function.
#[derive(Clone, Default)]
pub struct Registry {
    kinds: BTreeMap<&'static str, Plan>,
}

type Plan = fn(&Table<'_>, &SourceContext) -> Option<Arc<dyn Blueprint>>;

impl Registry {
    /// Adds a kind. The last of two with one name wins; a test of the broker's list holds that there are none.
    #[must_use]
    pub fn with<P: Plugin>(mut self) -> Self {
        self.kinds.insert(P::KIND, P::plan);
        self
    }

    /// The names, in order: what an operator can choose from.
    pub fn kinds(&self) -> Vec<&'static str> {
        self.kinds.keys().copied().collect()
    }

    /// [`Plugin::plan`] of this kind, and the check for unknown keys. `None` if the kind is unknown or the settings
    /// are mistaken; the caller reports an unknown kind.
    pub fn plan(&self, kind: &str, settings: &Table<'_>, context: &SourceContext) -> Option<Arc<dyn Blueprint>> {
        let plan = self.kinds.get(kind)?;
        let blueprint = plan(settings, context);
        settings.finish();
        blueprint
    }
}

impl Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.kinds.keys()).finish()
    }
}
