use std::process::ExitCode;

fn main() -> ExitCode {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that asks for the environment, to hand it on"
    )]
    let environment = std::env::vars_os().collect();
    idbridge::cli::run(std::env::args_os(), environment).into()
}
