//! An Okta org on loopback, for the demo and for tests.
//!
//! ```no_run
//! # async fn run() -> std::io::Result<()> {
//! use idbridge_okta_simulator::{Endpoint, Fault, Lockout, Org, Simulator, Status};
//!
//! let okta = Simulator::start(Org::demo()).await?; // 127.0.0.1, a free port: okta.url()
//! let control = okta.control();
//! control.fault(Endpoint::Authn, Fault::Hang); // from now on
//! control.fault_times("/users/ada", Fault::status(502, "E0000240"), 1); // once, by raw path
//! let hold = control.hold(Endpoint::User); // requests arrive and wait …
//! control.arrived(Endpoint::User, 2).await; // … so that nothing need sleep
//! hold.release();
//! control.person("ada@example.com", |ada| ada.status = Status::Suspended);
//! control.change(|org| org.lockout = Lockout::Shown);
//! assert_eq!(okta.received().passwords_for("ada@example.com"), 0);
//! okta.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! [`Org`] says who is in the org and which rules hold. [`Simulator`] runs it. [`Control`] changes it while it runs.
//! [`Received`] tells what reached it. The README says which behaviour is recorded fact and which rests on documents.

mod authn;
mod clock;
mod control;
mod crowd;
mod demo;
mod errors;
mod factor;
mod faults;
mod ids;
mod limits;
mod org;
mod page;
mod person;
mod received;
mod router;
mod search;
mod server;
mod state;
mod transaction;
mod users;

use std::io;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub use clock::Clock;
pub use control::{Control, Hold};
pub use demo::{CANARY, PASSWORD, TOKEN};
pub use factor::Factor;
pub use faults::{Fault, On};
pub use limits::Limits;
pub use org::{Lockout, Org, Pipeline, Rights, Token};
pub use person::{Denial, Mfa, Person, Provider, Status};
pub use received::{Received, Request};
pub use router::Endpoint;

use state::Shared;

/// A running org. It stops when dropped, its connections with it.
#[derive(Debug)]
pub struct Simulator {
    shared: Arc<Shared>,
    /// Dropped with the simulator, which tells the server to end.
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

impl Simulator {
    /// Starts the org on a free port of 127.0.0.1.
    pub async fn start(org: Org) -> io::Result<Simulator> {
        Simulator::start_on(TcpListener::bind(("127.0.0.1", 0)).await?, org).await
    }

    /// Starts the org on a listener of the caller's.
    pub async fn start_on(listener: TcpListener, org: Org) -> io::Result<Simulator> {
        let shared = Arc::new(Shared::new(format!("http://{}", listener.local_addr()?), org));
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(server::accept(listener, Arc::clone(&shared), stopped));
        Ok(Simulator { shared, stop, server })
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn url(&self) -> String {
        self.shared.url.clone()
    }

    /// Changes the org while it runs. Cheap to clone, and outlives borrowing.
    pub fn control(&self) -> Control {
        Control::new(Arc::clone(&self.shared))
    }

    /// What has reached the org so far.
    pub fn received(&self) -> Received {
        self.shared.lock().received.clone()
    }

    /// Stops the org: the port is free and every connection closed when this returns.
    pub async fn shutdown(self) {
        drop(self.stop);
        // An error is a runtime that is going away, and takes the server with it.
        let _ = self.server.await;
    }
}
