use std::process::ExitCode;

/// A call takes some hundred pieces of memory and gives them back on the same thread: what this allocator is made for.
/// What it brings stands in `docs/performance.md`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that asks for the environment, to hand it on"
    )]
    let environment = std::env::vars_os().collect();
    idbridge::cli::run(std::env::args_os(), environment).into()
}
