//! The one HTTP client that sources use.
//!
//! A general client helps: it follows redirects, repeats requests, keeps cookies, reads proxy variables. Each of these
//! can submit a password twice, hand it to another host, or mix two users' sessions. This one stands on hyper's and h2's
//! connections, and has none of it.
//!
//! | what | how it is held |
//! | --- | --- |
//! | one request is one request | nothing repeats or redirects; a 3xx is an error |
//! | the host is the one in the settings | [`Origin`]; links in answers are never followed |
//! | an upstream is who it says | the machine's certificate store, or the authorities of a [`Way`] and no others |
//! | a path is the one that was meant | [`Request::segment`] encodes, and the built path is compared with the intended one |
//! | an address that isn't public is dialled only where it is allowed | [`Reach`] checks what a name was resolved to |
//! | every wait ends | connecting, and the whole exchange, body included; never later than the call's deadline |
//! | an answer has an end | the cap counts bytes as they arrive, whatever `Content-Length` says |
//! | no address or password in a log | spans and errors name the route's template, never a URL, never a body |
//!
//! A request that was never begun may move from a connection that the server has closed meanwhile to another one: none
//! of it had left this process. Once begun it is not sent again.

mod client;
mod connections;
mod connector;
mod error;
mod origin;
mod reach;
mod request;
mod response;
mod way;
#[cfg(test)]
mod wire_tests;

pub use client::{Client, Limits};
pub use error::{HttpStatus, Undecodable};
pub use origin::Origin;
pub use reach::Reach;
pub use request::Request;
pub use response::Response;
pub use way::{Certificates, Identity, Way};
