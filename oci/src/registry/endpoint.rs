//! The base URL of a registry.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use http::Uri;

/// A registry's base URL: `https://`, or `http://` on this machine.
///
/// The host is usually the one in the repositories' names. They differ when a lab on loopback stands in for
/// ECR's hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Has no trailing slash.
    base: String,
}

/// The error for a text that is not a registry URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a registry URL: it must start with `https://`, or with `http://` and a loopback host, and have no user, query or fragment"
)]
pub struct InvalidEndpoint(String);

impl Endpoint {
    /// Returns the usual endpoint of the registry with this host name, including the port if it has one.
    ///
    /// # Errors
    /// Fails if `host` is not a host name with an optional port.
    pub fn of_host(host: &str) -> Result<Endpoint, InvalidEndpoint> {
        // Docker Hub's images name `docker.io`, but its registry has another host.
        let host = if host == "docker.io" { "registry-1.docker.io" } else { host };
        format!("https://{host}").parse()
    }

    /// Returns whether the registry is on this machine.
    pub fn is_loopback(&self) -> bool {
        self.base.parse::<Uri>().is_ok_and(|uri| uri.host().is_some_and(is_loopback))
    }

    /// Returns the URL of `path`, which starts with a slash.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Resolves a `Location` header, which may be relative or name another host.
    pub(super) fn resolve(&self, location: &str) -> Option<String> {
        let absolute = match location.strip_prefix('/') {
            Some(_) => {
                let base: Uri = self.base.parse().ok()?;
                format!("{}://{}{location}", base.scheme()?, base.authority()?)
            }
            None => location.to_owned(),
        };
        is_safe(&absolute.parse().ok()?).then_some(absolute)
    }

    /// Returns whether this registry's credentials may be sent to `url`.
    pub(super) fn covers(&self, url: &str) -> bool {
        let origin = |text: &str| {
            let uri: Uri = text.parse().ok()?;
            Some((uri.scheme_str()?.to_owned(), uri.authority()?.as_str().to_ascii_lowercase()))
        };
        origin(&self.base).is_some_and(|ours| origin(url) == Some(ours))
    }

    /// Returns host and port, for messages.
    pub(super) fn host(&self) -> &str {
        self.base.split_once("://").map_or(self.base.as_str(), |(_, rest)| rest)
    }
}

/// Returns whether secrets may be sent to `uri`: over TLS, or without leaving this machine.
pub(super) fn is_safe(uri: &Uri) -> bool {
    match uri.scheme_str() {
        Some("https") => uri.host().is_some(),
        Some("http") => uri.host().is_some_and(is_loopback),
        _ => false,
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost"
        || host.ends_with(".localhost")
        || address.is_ok_and(|address| address.is_loopback())
}

impl FromStr for Endpoint {
    type Err = InvalidEndpoint;
    fn from_str(text: &str) -> Result<Endpoint, InvalidEndpoint> {
        let invalid = || InvalidEndpoint(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| invalid())?;
        let plain = uri.query().is_none() && !text.contains(['@', '#']);
        if !is_safe(&uri) || !plain {
            return Err(invalid());
        }
        Ok(Endpoint { base: text.trim_end_matches('/').to_owned() })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_only_on_this_machine() {
        for good in
            ["https://ghcr.io", "http://127.0.0.1:5000", "http://[::1]:5000/", "http://localhost"]
        {
            assert!(good.parse::<Endpoint>().is_ok(), "{good}");
        }
        for bad in [
            "http://ghcr.io",
            "ghcr.io",
            "ftp://127.0.0.1",
            "https://u:p@ghcr.io",
            "http://127.0.0.1.evil.example",
        ] {
            assert!(bad.parse::<Endpoint>().is_err(), "{bad}");
        }
    }

    #[test]
    fn locations_are_resolved_and_credentials_stay_at_home() {
        let endpoint: Endpoint = "https://ghcr.io/".parse().unwrap();
        assert_eq!(endpoint.url("/v2/"), "https://ghcr.io/v2/");
        assert_eq!(endpoint.resolve("/v2/u?x=1").unwrap(), "https://ghcr.io/v2/u?x=1");
        assert_eq!(endpoint.resolve("https://cdn.example/u").unwrap(), "https://cdn.example/u");
        assert_eq!(endpoint.resolve("http://cdn.example/u"), None);
        assert!(endpoint.covers("https://GHCR.io/v2/u"));
        assert!(!endpoint.covers("https://cdn.example/u"));
        assert!(!endpoint.covers("https://ghcr.io.evil.example/u"));
    }
}
