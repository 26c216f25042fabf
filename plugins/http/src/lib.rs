#![doc = include_str!("../README.md")]

mod api;
mod auth;
mod config;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod listing;
mod map;
mod person;
mod pointer;
mod request;
mod source;
mod template;
mod token;
mod wire;

use std::sync::Arc;

use idbridge_source::{Blueprint, BuildError, Capabilities, Clock, IdentitySource, Plugin, SourceContext, Table};

use crate::config::Settings;
use crate::source::HttpSource;
use crate::token::Tokens;

/// `kind = "http"`
#[derive(Clone, Copy, Debug)]
pub struct Http;

impl Plugin for Http {
    const KIND: &'static str = "http";

    fn plan(settings: &Table<'_>, context: &SourceContext) -> Option<Arc<dyn Blueprint>> {
        Some(Arc::new(Plan {
            settings: Arc::new(Settings::read(settings)?),
            tokens: Arc::default(),
            clock: Arc::clone(&context.clock),
        }))
    }
}

#[derive(Debug)]
struct Plan {
    settings: Arc<Settings>,
    /// One token for all workers.
    tokens: Arc<Tokens>,
    clock: Arc<dyn Clock>,
}

impl Blueprint for Plan {
    fn capabilities(&self) -> Capabilities {
        self.settings.capabilities()
    }

    fn returns_groups(&self) -> bool {
        self.settings.person.has_groups()
    }

    fn build(&self) -> Result<Arc<dyn IdentitySource>, BuildError> {
        Ok(Arc::new(HttpSource::new(&self.settings, &self.tokens, &self.clock)?))
    }
}
