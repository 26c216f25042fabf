use std::path::PathBuf;
use std::time::Duration;

use idbridge_source::{SecretFiles, Table};

use super::Listen;
use super::listen::certificates;

/// `[rest]`: the gateway. It listens if the section is there.
#[derive(Clone, Debug)]
pub struct Rest {
    pub listen: Listen,
    /// How long a call may take.
    pub deadline: Duration,
    pub auth0: Auth0,
    /// `rest.upstream.ca_file`: whom `gateway` trusts to vouch for a remote broker, instead of the system's store.
    pub upstream_ca_file: Option<PathBuf>,
}

/// `[rest.auth0]`: what profiles hold.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Auth0 {
    pub email_from: EmailFrom,
    pub send_username: bool,
}

/// Which of a user's fields becomes the profile's `email`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum EmailFrom {
    #[default]
    Email,
    Login,
}

impl Rest {
    pub(super) fn read(root: &Table<'_>, secrets: SecretFiles) -> Option<Self> {
        const PORT: u16 = 8080;
        const DEADLINE: Duration = Duration::from_secs(5);
        let table = root.table("rest")?;
        let rest = Self {
            listen: Listen::read(&table, PORT, secrets),
            deadline: table
                .duration("deadline", Duration::from_millis(100)..=Duration::from_secs(60))
                .or(DEADLINE),
            auth0: read_auth0(&table),
            upstream_ca_file: read_ca_file(&table, secrets),
        };
        table.finish();
        Some(rest)
    }
}

fn read_auth0(rest: &Table<'_>) -> Auth0 {
    let Some(table) = rest.table("auth0") else {
        return Auth0::default();
    };
    let email_from = [("email", EmailFrom::Email), ("login", EmailFrom::Login)];
    let auth0 = Auth0 {
        email_from: table.choice("email_from", &email_from).or(EmailFrom::Email),
        send_username: table.bool("send_username").or(false),
    };
    table.finish();
    auth0
}

fn read_ca_file(rest: &Table<'_>, secrets: SecretFiles) -> Option<PathBuf> {
    let table = rest.table("upstream")?;
    let file = table.path_to("ca_file").required();
    table.finish();
    if let Some(path) = file.as_deref().filter(|_| secrets == SecretFiles::Read)
        && let Err(problem) = certificates(path)
    {
        table.mistake("ca_file", problem);
    }
    file
}
