#![doc = include_str!("../README.md")]

mod config;
mod control;
mod map;
mod person;
mod source;

use std::sync::Arc;

use idbridge_source::{Blueprint, Plugin, SourceContext, Table};

pub use config::Settings;
pub use control::{Control, Fault, Submission};
pub use source::MemorySource;

/// `kind = "memory"`
#[derive(Clone, Copy, Debug)]
pub struct Memory;

impl Plugin for Memory {
    const KIND: &'static str = "memory";

    fn plan(settings: &Table<'_>, _context: &SourceContext) -> Option<Arc<dyn Blueprint>> {
        let settings = Settings::read(settings)?;
        Some(settings.source(Control::default()))
    }
}
