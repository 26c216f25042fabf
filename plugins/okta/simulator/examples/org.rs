//! An org as a program: prints its URL, and runs until standard input ends.
//!
//! `org` is the demo org. `org strict` is the demo org where three wrong passwords lock out and lockouts are shown, the first `GET` of `users/ada` and of
//! `users/bob` meets the org's rate limit for a second, and lists meet the concurrency limit.

use std::io::{self, Read, Write};
use std::time::Duration;

use idbridge_okta_simulator::{Endpoint, Fault, Lockout, Org, Simulator};

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let okta = Simulator::start(Org::demo()).await?;
    if std::env::args().nth(1).as_deref() == Some("strict") {
        let control = okta.control();
        control.change(|org| {
            org.lockout = Lockout::Shown;
            org.lockout_after = 3; // with one more attempt after it, what a user name has in a second
        });
        control.fault_times("/api/v1/users/ada", Fault::RateLimit(Duration::from_secs(1)), 1);
        control.fault_times("/api/v1/users/bob", Fault::RateLimit(Duration::from_secs(1)), 1);
        control.fault(Endpoint::Users, Fault::ConcurrencyLimit);
    }
    let mut out = io::stdout();
    writeln!(out, "{}", okta.url())?;
    out.flush()?;
    let (ended, end) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        // An error ends the input as well.
        let _ = io::stdin().read_to_end(&mut Vec::new());
        let _ = ended.send(());
    });
    let _ = end.await;
    okta.shutdown().await;
    Ok(())
}
