//! Compiles the messages of `proto/` with protox, as the broker does for its own.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=../../proto");
    let files = protox::compile(["idbridge/v1/identity.proto"], ["../../proto"])?;
    // prost ignores `debug_redact`; src/wire.rs writes Debug for what holds a password or a person.
    prost_build::Config::new().skip_debug(["."]).compile_fds(files)?;
    Ok(())
}
