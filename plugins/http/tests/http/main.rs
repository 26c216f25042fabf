//! The source against doubles of upstreams: servers of these tests that answer as the upstream's documents say.

#![expect(clippy::expect_used, reason = "a test helper that can't go on fails the test")]

mod answers;
mod auth;
mod behaviour;
mod fusionauth;
mod hostile;
mod keycloak;
mod legacy;
mod listing;
mod scim;
mod world;
