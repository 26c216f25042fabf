use idbridge_source::{SecretFiles, Table};

use super::Listen;

/// `[admin]`: liveness, readiness and metrics. It listens if the section is there.
#[derive(Clone, Debug)]
pub struct Admin {
    pub listen: Listen,
}

impl Admin {
    pub(super) fn read(root: &Table<'_>, secrets: SecretFiles) -> Option<Self> {
        let table = root.table("admin")?;
        let listen = Listen::read(&table, 9090, secrets);
        table.finish();
        Some(Self { listen })
    }
}
