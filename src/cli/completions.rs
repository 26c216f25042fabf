//! `completions`: from the same definition that parses the arguments.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Cli, Exit, output};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  idbridge completions bash > /etc/bash_completion.d/idbridge\n  \
                        idbridge completions zsh > ~/.zfunc/_idbridge"
)]
pub(crate) struct Args {
    shell: Shell,
}

pub(crate) fn run(args: &Args) -> Exit {
    output::line(script(args.shell).trim_end());
    Exit::Fine
}

fn script(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "idbridge", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn every_shell_learns_every_command() {
        for shell in Shell::value_variants() {
            let script = script(*shell);
            for command in Cli::command().get_subcommands() {
                assert!(script.contains(command.get_name()), "{shell}: {}", command.get_name());
            }
        }
    }
}
