//! `plugin`: for those who write a source.

mod test;

pub(crate) use test::{TestArgs, people, test};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Plugin {
    /// Print the people whom a plugin must hold to be tested, as TOML
    #[command(after_help = "Examples:\n  idbridge plugin people > people.toml")]
    People,
    /// Take a running plugin through the behaviour suite. The exit code is 1 if it breaks a law
    Test(TestArgs),
}
