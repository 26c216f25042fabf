//! The promises, from outside: the real binary, a simulated Okta org, and callers that speak bare HTTP to it.
//!
//! `README.md` beside this file says what is where.

mod promises {
    mod architecture;
    mod case;
    mod cases;
    mod chain;
    mod clients;
    mod laws;
    mod lifecycle;
    mod limits;
    mod process;
    mod secrecy;
    mod settings;
    mod tls;
    mod wanted;
}
