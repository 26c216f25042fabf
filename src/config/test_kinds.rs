//! Stand-ins for the plugins: what the settings' reading needs of them.

use std::path::Path;
use std::sync::Arc;

use idbridge_source::{Blueprint, BuildError, Capabilities, IdentitySource, Plugin, Registry, SourceContext, Table};

pub(crate) fn registry() -> Registry {
    Registry::default().with::<Memory>().with::<Okta>()
}

struct Memory;
struct Okta;

impl Plugin for Memory {
    const KIND: &'static str = "memory";

    fn plan(settings: &Table<'_>, _context: &SourceContext) -> Option<Arc<dyn Blueprint>> {
        settings.has("people");
        Some(Arc::new(Planned {
            look_up: true,
            tells_unknown_users: true,
        }))
    }
}

impl Plugin for Okta {
    const KIND: &'static str = "okta";

    fn plan(settings: &Table<'_>, _context: &SourceContext) -> Option<Arc<dyn Blueprint>> {
        let url = settings.text("org_url").parse(|url| {
            if url.starts_with("https://") {
                Ok(url)
            } else {
                Err("must be https")
            }
        });
        let url = url.required();
        let token = settings.secret("api_token", "api_token_file").optional();
        url?;
        Some(Arc::new(Planned {
            look_up: token.is_some(),
            tells_unknown_users: false,
        }))
    }
}

#[derive(Debug)]
struct Planned {
    look_up: bool,
    tells_unknown_users: bool,
}

impl Blueprint for Planned {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            authenticate: true,
            list: false,
            user_by_email: self.look_up,
            user_by_login: false,
        }
    }

    /// As Okta's with `login_is_email`.
    fn returns_groups(&self) -> bool {
        self.look_up
    }

    fn tells_unknown_users(&self) -> bool {
        self.tells_unknown_users
    }

    fn build(&self) -> Result<Arc<dyn IdentitySource>, BuildError> {
        Err(BuildError::new("only planned"))
    }
}

/// The project's folder, where `examples` and `tests` are.
pub(crate) fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
