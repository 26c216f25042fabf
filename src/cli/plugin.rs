//! `plugin`: for those who write a source.

mod new;
mod templates;

pub(crate) use new::{NewArgs, new};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Plugin {
    /// Write a source that works, to begin with
    New(NewArgs),
}
