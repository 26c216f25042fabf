//! All rows, in the order of the table.

mod beside_a_bad_plugin;
mod binary;
mod cpu;
mod first_login;
mod grpc;
mod handshake;
mod hang;
mod hashes;
mod http;
mod latency;
mod memory;
mod overload;
mod side;
mod start;
mod storm;

use crate::row::Row;

pub(crate) fn all() -> Vec<Box<dyn Row>> {
    let rows = [
        cpu::rows(),
        overload::rows(),
        latency::rows(),
        memory::rows(),
        start::rows(),
        binary::rows(),
        first_login::rows(),
        handshake::rows(),
        storm::rows(),
        hang::rows(),
        grpc::rows(),
        http::rows(),
        hashes::rows(),
        beside_a_bad_plugin::rows(),
    ];
    rows.into_iter().flatten().collect()
}
