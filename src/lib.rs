//! **idbridge** stands between a target's log-in hooks and the identity sources that users are leaving.
//!
//! # The map
//!
//! ```text
//! main → cli → app → { server → grpc | rest } → directory → plugins/sdk ← plugins/*
//! ```
//!
//! | module | does |
//! | --- | --- |
//! | [`cli`] | the commands, one file each |
//! | [`assess`] | what an owner wants to know before a migration: everybody, counted |
//! | [`why`] | what support wants to know: one identifier, and which rule decides |
//! | [`config`] | settings: layers merged, every mistake collected |
//! | [`app`] | the composition root: settings → sources → directory → servers; start and ordered stop |
//! | [`sources`] | the list of compiled-in kinds, and the decorators around each source |
//! | [`directory`] | the two use cases, free of any transport |
//! | [`disclosure`] | what leaves the process about a rejection or an error |
//! | [`grpc`] | the tonic service, and the one table of statuses |
//! | [`rest`] | the gateway for Auth0's scripts: a client of the gRPC service |
//! | [`server`] | listeners, workers, connections, the stacks of layers, callers, health |
//! | [`telemetry`] | log records, metrics, audit |
//! | [`hex`], [`request_id`], `unwind` | bytes as text; the id of a call; a call's panic |
//! | [`pb`] | what is generated from `proto/` |
//!
//! # Invariants
//!
//! - The broker knows no upstream protocol, and no plugin knows the broker. Only [`sources`] names plugins.
//! - [`directory`] and [`sources`] name neither tonic nor axum. [`rest`] knows [`pb`] and not [`directory`].
//! - What happens on a good day is `Ok`. Every `Err` of a source means that it could not find out.
//! - Errors are translated once, at the edge, and say less outside than the log says inside.
//! - Clock, listeners and the stop signal are handed in. Nothing lives before `main`.
//! - No type that can hold a password, a key or a person prints it.
//!
//! `tests/architecture.rs` holds those that can be read off the code.

pub mod app;
pub mod assess;
pub mod cli;
pub mod config;
pub mod directory;
pub mod disclosure;
pub mod grpc;
pub mod hex;
pub mod pb;
pub mod request_id;
pub mod rest;
pub mod server;
pub mod sources;
pub mod telemetry;
mod unwind;
pub mod why;
