#![doc = include_str!("../README.md")]

mod api;
mod config;
mod control;
mod hashing;
mod map;
mod source;
mod statement;
mod wire;

use std::sync::Arc;

use idbridge_source::{Blueprint, Plugin, SourceContext, Table};

pub use config::Settings;
pub use control::{Control, Submission};
pub use source::SqlSource;

/// `kind = "sql"`
#[derive(Clone, Copy, Debug)]
pub struct Sql;

impl Plugin for Sql {
    const KIND: &'static str = "sql";

    fn plan(settings: &Table<'_>, _context: &SourceContext) -> Option<Arc<dyn Blueprint>> {
        let settings = Settings::read(settings)?;
        Some(Arc::new(settings.blueprint(Control::default())))
    }
}
