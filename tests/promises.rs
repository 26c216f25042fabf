//! The promises, from outside: the real binary, a simulated Okta org, and callers that speak bare HTTP to it.
//!
//! `README.md` beside this file says what is where.

#![expect(clippy::expect_used, reason = "a test that can't go on fails, and says why")]

mod promises {
    #[path = "../architecture.rs"]
    mod architecture;
    mod asking;
    mod assess;
    mod attempts;
    mod bad_plugin;
    mod case;
    mod cases;
    mod chain;
    mod cli;
    mod clients;
    mod docs;
    mod doctor;
    mod documents;
    mod example_client;
    mod guard;
    mod hang_up;
    mod health;
    mod http1;
    mod laws;
    mod lifecycle;
    mod limits;
    mod operating;
    mod plugin;
    mod process;
    mod secrecy;
    mod sent;
    mod settings;
    mod share;
    mod storm;
    mod tls;
    mod tls_org;
    mod tombstones;
    mod wanted;
    mod why;
}
