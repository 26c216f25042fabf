//! `[sources.NAME.settings]`.

use std::path::PathBuf;

use idbridge_outbound::{Certificates, Identity, Origin};
use idbridge_source::{Capabilities, Email, ExposeSecret as _, Secret, Table};

/// What a Unix socket's path may have on every system, its end included (`sun_path` in unix(7) and in BSD's).
const SOCKET_PATH: usize = 103;

#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) address: Address,
    pub(crate) authorities: Option<Certificates>,
    pub(crate) identity: Option<Identity>,
    pub(crate) key: Option<Secret>,
    pub(crate) rules: Rules,
}

/// Where the plugin listens.
#[derive(Clone, Debug)]
pub(crate) enum Address {
    Network(Origin),
    Socket(PathBuf),
}

/// What the plugin can do, and what its words mean.
#[derive(Debug)]
pub(crate) struct Rules {
    /// A log-in may be answered with a user who has what was typed neither as login nor as e-mail address.
    pub(crate) aliases: bool,
    /// `None`: password checks only.
    pub(crate) canary: Option<Email>,
    pub(crate) lookup_by_login: bool,
    pub(crate) plain_not_found: bool,
}

impl Settings {
    /// Every mistake is reported; `None` if one leaves nothing to build.
    pub(crate) fn read(table: &Table<'_>) -> Option<Self> {
        let address = table.text("url").parse(|text| Address::parse(&text)).required();
        let key = table.secret("key", "key_file").optional();
        let ca = table
            .file("ca_file")
            .parse(|pem| unless_skipped(&pem, Certificates::parse));
        let chain = table.file("client_cert_file");
        let client_key = table.file("client_key_file");
        for (key, is_present) in [
            ("ca_file", ca.is_present()),
            ("client_cert_file", chain.is_present()),
            ("client_key_file", client_key.is_present()),
        ] {
            if is_present && address.as_ref().is_some_and(|address| !address.is_https()) {
                table.mistake(key, "has no effect without https://");
            }
        }
        for (key, lacks) in [
            ("client_cert_file", client_key.is_present() && !chain.is_present()),
            ("client_key_file", chain.is_present() && !client_key.is_present()),
        ] {
            if lacks {
                table.mistake(key, "is required: a certificate is nothing without its key");
            }
        }
        let identity = client_key.optional().and_then(|key| {
            let identity = chain.parse(|chain| unless_skipped(&chain, |chain| Identity::parse(chain, &key)));
            identity.optional().flatten()
        });
        let rules = Rules::read(table);
        Some(Self {
            address: address?,
            authorities: ca.optional().flatten(),
            identity,
            key: key.filter(|key| !key.expose_secret().is_empty()),
            rules: rules?,
        })
    }

    pub(crate) fn capabilities(&self) -> Capabilities {
        let looks_up = self.rules.canary.is_some();
        Capabilities {
            authenticate: true,
            list: false,
            user_by_email: looks_up,
            user_by_login: looks_up && self.rules.lookup_by_login,
        }
    }
}

impl Rules {
    fn read(table: &Table<'_>) -> Option<Self> {
        let aliases = table.bool("aliases").or(false);
        let look_ups = table.bool("look_ups").or(true);
        let lookup_by_login = table.bool("lookup_by_login").or(false);
        let plain_not_found = table.bool("plain_not_found").or(false);
        let canary = table
            .text("canary")
            .parse(|text| Email::parse(&text).map_err(|_| "is no e-mail address"));
        let said = canary.is_present();
        if look_ups && !said {
            table.mistake(
                "canary",
                "is required: while this user isn't found, \"not found\" means nothing. A plugin that only checks \
                 passwords has look_ups = false",
            );
        }
        for (key, is_said) in [
            ("canary", said),
            ("lookup_by_login", lookup_by_login),
            ("plain_not_found", plain_not_found),
        ] {
            if !look_ups && is_said {
                table.mistake(key, "has no effect with look_ups = false");
            }
        }
        let canary = canary.optional();
        // A canary that is missing is a mistake that was reported.
        (canary.is_some() || !look_ups).then_some(Self {
            aliases,
            canary: canary.filter(|_| look_ups),
            lookup_by_login,
            plain_not_found,
        })
    }
}

impl Address {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let Some(path) = text.strip_prefix("unix://") else {
            let origin = Origin::parse(text);
            return origin
                .map(Self::Network)
                .map_err(|problem| match text.split_once("://") {
                    Some(("http" | "https", _)) => problem,
                    _ => "must begin with https://, unix:///, or http:// for a loopback address",
                });
        };
        if !path.starts_with('/') || path.ends_with('/') || path.contains('\0') {
            return Err("must name a socket by its whole path: \"unix:///run/plugin.sock\"");
        }
        if path.len() > SOCKET_PATH {
            return Err("names a socket by a path of more than 103 bytes, which systems don't take");
        }
        Ok(Self::Socket(PathBuf::from(path)))
    }

    fn is_https(&self) -> bool {
        matches!(self, Self::Network(origin) if origin.is_https())
    }
}

/// A file that was not opened has no bytes.
fn unless_skipped<T>(
    pem: &[u8],
    parse: impl FnOnce(&[u8]) -> Result<T, &'static str>,
) -> Result<Option<T>, &'static str> {
    if pem.is_empty() { Ok(None) } else { parse(pem).map(Some) }
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
