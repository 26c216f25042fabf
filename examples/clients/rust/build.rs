//! Generates the client from the contract, without protoc.

use std::error::Error;

/// Where `idbridge/v1/identity.proto` lies.
const PROTO: &str = "../../../proto";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={PROTO}");
    let files = protox::compile(["idbridge/v1/identity.proto"], [PROTO])?;
    tonic_prost_build::configure()
        .build_server(false)
        // Messages hold passwords and people: no generated Debug prints them.
        .skip_debug(["."])
        .compile_fds(files)?;
    Ok(())
}
