use std::fmt;

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

    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// `None` if the parser would make another path or query of these than they are.
    pub(crate) fn join(&self, path: &str, query: Option<&str>) -> Option<Url> {
        let mut url = self.0.clone();
        url.set_path(path);
        url.set_query(query);
        (url.path() == path && url.query() == query).then_some(url)
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
