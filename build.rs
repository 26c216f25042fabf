//! Compiles `proto/` with protox, so that nobody needs protoc.

use std::error::Error;
use std::path::PathBuf;

use prost::Message as _;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let files = protox::compile(["idbridge/v1/identity.proto"], ["proto"])?;

    // The descriptor set is what reflection serves.
    #[expect(clippy::disallowed_methods, reason = "this is how cargo speaks to build scripts")]
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    std::fs::write(out.join("idbridge.v1.bin"), files.encode_to_vec())?;

    tonic_prost_build::configure()
        // prost ignores `debug_redact`; src/pb.rs writes Debug for what holds a password or a person.
        .skip_debug(["."])
        .compile_fds(files)?;
    Ok(())
}
