//! `plugin`: for those who write a source.

mod new;
mod templates;
#[cfg(feature = "grpc")]
mod test;

pub(crate) use new::{NewArgs, new};
#[cfg(feature = "grpc")]
pub(crate) use test::{TestArgs, people, test};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Plugin {
    /// Write a source that works, to begin with
    New(NewArgs),
    /// Print people to test a plugin with, as TOML: to load into it, or to replace by people whom it has
    #[cfg(feature = "grpc")]
    #[command(after_help = "Examples:\n  idbridge plugin people > people.toml")]
    People,
    /// Take a running plugin through the behaviour suite. The exit code is 1 if it breaks a law, and 3 if it
    /// asked for patience
    #[cfg(feature = "grpc")]
    Test(TestArgs),
}
