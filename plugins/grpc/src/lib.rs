#![doc = include_str!("../README.md")]

mod api;
mod config;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod map;
mod source;
mod user;
mod wire;

use std::sync::Arc;

use idbridge_source::{Blueprint, BuildError, Capabilities, IdentitySource, Plugin, SourceContext, Table};

use crate::config::Settings;
use crate::source::GrpcSource;

/// `kind = "grpc"`
#[derive(Clone, Copy, Debug)]
pub struct Grpc;

impl Plugin for Grpc {
    const KIND: &'static str = "grpc";

    fn plan(settings: &Table<'_>, _context: &SourceContext) -> Option<Arc<dyn Blueprint>> {
        let settings = Arc::new(Settings::read(settings)?);
        Some(Arc::new(Plan(settings)))
    }
}

#[derive(Debug)]
struct Plan(Arc<Settings>);

impl Blueprint for Plan {
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    /// Another broker's do. The broker holds that they have one where it puts none before them.
    fn ids_may_have_a_prefix(&self) -> bool {
        true
    }

    fn build(&self) -> Result<Arc<dyn IdentitySource>, BuildError> {
        Ok(Arc::new(GrpcSource::new(Arc::clone(&self.0))?))
    }
}
