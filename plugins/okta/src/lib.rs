#![doc = include_str!("../README.md")]

mod api;
mod config;
mod limits;
mod lookup;
mod map;
mod profile;
mod source;
mod wire;

use std::sync::Arc;

use idbridge_source::{Blueprint, BuildError, Capabilities, IdentitySource, Plugin, SourceContext, Table};

use crate::config::Settings;
use crate::source::OktaSource;

/// The kind `okta`.
#[derive(Clone, Copy, Debug)]
pub struct Okta;

impl Plugin for Okta {
    const KIND: &'static str = "okta";

    fn plan(settings: &Table<'_>, _context: &SourceContext) -> Option<Arc<dyn Blueprint>> {
        Some(Arc::new(Plan(Arc::new(Settings::read(settings)?))))
    }
}

#[derive(Debug)]
struct Plan(Arc<Settings>);

impl Blueprint for Plan {
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    fn build(&self) -> Result<Arc<dyn IdentitySource>, BuildError> {
        Ok(Arc::new(OktaSource::new(Arc::clone(&self.0))?))
    }
}
