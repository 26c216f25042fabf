#![doc = include_str!("../README.md")]

mod api;
mod claimants;
mod config;
mod examine;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod limits;
mod listing;
mod lookup;
mod map;
#[cfg(feature = "measured")]
#[doc(hidden)]
pub mod measured;
mod pace;
mod profile;
mod source;
mod wire;

use std::sync::Arc;

use idbridge_source::{Blueprint, BuildError, Capabilities, Clock, IdentitySource, Plugin, SourceContext, Table};

use crate::config::Settings;
use crate::pace::Pacer;
use crate::source::OktaSource;

/// The kind `okta`.
#[derive(Clone, Copy, Debug)]
pub struct Okta;

impl Plugin for Okta {
    const KIND: &'static str = "okta";

    fn plan(settings: &Table<'_>, context: &SourceContext) -> Option<Arc<dyn Blueprint>> {
        Some(Arc::new(Plan {
            settings: Arc::new(Settings::read(settings)?),
            pacer: Pacer::new(),
            clock: Arc::clone(&context.clock),
        }))
    }
}

#[derive(Debug)]
struct Plan {
    settings: Arc<Settings>,
    /// Okta counts for the org, so there is one budget for all workers.
    pacer: Arc<Pacer>,
    clock: Arc<dyn Clock>,
}

impl Blueprint for Plan {
    fn capabilities(&self) -> Capabilities {
        self.settings.capabilities()
    }

    fn returns_groups(&self) -> bool {
        self.settings.rules.groups
    }

    /// Of a wrong password and a stranger Okta says the same (E0000004).
    fn tells_unknown_users(&self) -> bool {
        false
    }

    fn build(&self) -> Result<Arc<dyn IdentitySource>, BuildError> {
        Ok(Arc::new(OktaSource::new(
            Arc::clone(&self.settings),
            Arc::clone(&self.pacer),
            Arc::clone(&self.clock),
        )?))
    }
}
