use std::time::Duration;

use idbridge_source::{SecretFiles, Table};

use super::Listen;

/// `[grpc]`: the service. It always listens.
#[derive(Clone, Debug)]
pub struct Grpc {
    pub listen: Listen,
    /// A call never takes longer, whatever its caller asks for.
    pub max_deadline: Duration,
    pub reflection: bool,
}

impl Grpc {
    pub(super) fn read(root: &Table<'_>, secrets: SecretFiles) -> Self {
        const PORT: u16 = 50051;
        const MAX_DEADLINE: Duration = Duration::from_secs(30);
        let Some(table) = root.table("grpc") else {
            return Self {
                listen: Listen::on_port(PORT),
                max_deadline: MAX_DEADLINE,
                reflection: false,
            };
        };
        let grpc = Self {
            listen: Listen::read(&table, PORT, secrets),
            max_deadline: table
                .duration("max_deadline", Duration::from_millis(100)..=Duration::from_secs(600))
                .or(MAX_DEADLINE),
            reflection: table.bool("reflection").or(false),
        };
        table.finish();
        grpc
    }
}
