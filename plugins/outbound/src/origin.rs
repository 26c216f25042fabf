use std::fmt;

use http::uri::{Authority, Parts, PathAndQuery, Scheme};
use http::{HeaderValue, Uri};
use url::{Host, Url};

/// Scheme, host and port of an upstream, from the settings. Everything else of a URL is the program's to build.
#[derive(Clone, Eq, PartialEq)]
pub struct Origin(Url);

impl Origin {
    /// `https://host[:port]`; `http` only for a loopback address. The error says what is wrong and never quotes it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let invalid = "is no URL such as \"https://acme.example.com\"";
        // The parser would strip white space and supply slashes.
        if text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\') || !text.contains("://") {
            return Err(invalid);
        }
        let url = Url::parse(text).map_err(|_| invalid)?;
        if url.host().is_none() {
            return Err(invalid);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must not hold a user name or a password");
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err("must be scheme and host alone, without a path, a query or a fragment");
        }
        match url.scheme() {
            "https" => Ok(Self(url)),
            "http" if is_loopback(&url) => Ok(Self(url)),
            _ => Err("must begin with https:// (http:// is for loopback addresses only)"),
        }
    }

    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// For links, which may only lead back to it.
    pub fn url(&self) -> &Url {
        &self.0
    }

    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// `None` if a URL's host doesn't fit a header: no [`Origin`] has such a one.
    pub(crate) fn target(&self) -> Option<Target> {
        let port = self.0.port().map(|port| format!(":{port}")).unwrap_or_default();
        let authority = format!("{}{port}", self.host());
        Some(Target {
            scheme: if self.is_https() { Scheme::HTTPS } else { Scheme::HTTP },
            host: HeaderValue::try_from(&authority).ok()?,
            authority: Authority::try_from(authority).ok()?,
        })
    }
}

/// An origin in the forms that requests carry.
pub(crate) struct Target {
    scheme: Scheme,
    authority: Authority,
    pub(crate) host: HeaderValue,
}

impl Target {
    pub(crate) fn uri(&self, path: PathAndQuery) -> Uri {
        let mut parts = Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(path);
        // Only a part that is missing would be an error.
        Uri::from_parts(parts).unwrap_or_default()
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.origin().ascii_serialization())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_anywhere_and_http_on_loopback() {
        for good in [
            "https://acme.okta.com",
            "https://acme.okta.com/",
            "https://acme.okta.com:8443",
            "http://127.0.0.1:9091",
            "http://127.9.9.9",
            "http://[::1]:1",
            "http://localhost:9091",
        ] {
            assert!(Origin::parse(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn anything_else_is_a_mistake() {
        for bad in [
            "",
            "acme.okta.com",
            "https:/acme.okta.com",
            "https://",
            "http://acme.okta.com",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "ftp://acme.okta.com",
            "https://user@acme.okta.com",
            "https://user:secret@acme.okta.com",
            "https://acme.okta.com/path",
            "https://acme.okta.com?x=1",
            "https://acme.okta.com#x",
            " https://acme.okta.com",
            "https://acme.\tokta.com",
            "https://acme.okta.com\\@evil.example.com",
        ] {
            let problem = Origin::parse(bad).expect_err("must be a mistake");
            assert!(!problem.contains("secret") && !problem.contains("okta"), "{problem}");
        }
    }
}
