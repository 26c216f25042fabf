//! Asks a source, and says the answer in a word.

use std::sync::Arc;
use std::time::Duration;

use idbridge_source::{Authentication, Call, Email, IdentitySource, Login, Lookup, Password, RequestId, SourceError};
use tokio::time::Instant;

pub(crate) type Source = Arc<dyn IdentitySource>;

pub(crate) fn call(time: Duration) -> Call {
    Call::new(RequestId::parse("asking").expect("an id"), Instant::now() + time)
}

pub(crate) async fn authenticate(source: &Source, login: &str, password: &str) -> Result<Authentication, SourceError> {
    let (login, password) = (
        Login::parse(login).expect("a login"),
        Password::parse(password.into()).expect("a password"),
    );
    source
        .authenticate(&call(Duration::from_secs(10)), &login, &password)
        .await
}

/// `accepted`, the rejection's name, or the error in full.
pub(crate) async fn log_in(source: &Source, login: &str, password: &str) -> String {
    match authenticate(source, login, password).await {
        Ok(Authentication::Accept(_)) => "accepted".to_owned(),
        Ok(Authentication::Reject(rejection)) => rejection.name().to_owned(),
        Err(error) => error.chain(),
    }
}

pub(crate) async fn by_email(source: &Source, email: &str) -> Result<Lookup, SourceError> {
    let email = Email::parse(email).expect("an address");
    source.user_by_email(&call(Duration::from_secs(10)), &email).await
}

/// `found`, `absent`, the rejection's name, or the error in full.
pub(crate) async fn look_up(source: &Source, email: &str) -> String {
    match by_email(source, email).await {
        Ok(Lookup::Found(_)) => "found".to_owned(),
        Ok(Lookup::Absent) => "absent".to_owned(),
        Ok(Lookup::Ineligible(rejection)) => rejection.name().to_owned(),
        Err(error) => error.chain(),
    }
}
