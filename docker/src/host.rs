//! Addresses of container engines: from `DOCKER_HOST`, from a Docker context, or the default locations.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::process::Command;

use super::EngineError;
use cutover_rollout::model::Digest;

/// The address of a container engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DockerHost {
    /// A Unix socket on this machine.
    Unix(PathBuf),
    /// Host and port, without authentication.
    Tcp(String),
    /// Host and port, over TLS with a client certificate.
    Tls {
        /// Host and port.
        address: String,
        /// The folder with `ca.pem`, `cert.pem` and `key.pem`.
        certificates: PathBuf,
    },
    /// `[user@]host[:port]`, through the `ssh` program.
    Ssh(String),
}

/// An address, and what names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) way: DockerHost,
    pub(super) named_by: String,
}

impl DockerHost {
    /// Parses a value of `DOCKER_HOST`; it is TLS if there are `certificates`.
    fn parse(text: &str, certificates: Option<PathBuf>) -> Result<DockerHost, &'static str> {
        let (scheme, rest) = text.split_once("://").ok_or("it has no scheme")?;
        let address = || -> Result<String, &'static str> {
            let address = rest.trim_end_matches('/');
            if address.is_empty() || address.contains('/') {
                return Err("the scheme must be followed by host and port");
            }
            Ok(address.to_owned())
        };
        let with_port = |port: &str| -> Result<String, &'static str> {
            let address = address()?;
            let host = address.rsplit(']').next().unwrap_or_default();
            Ok(if host.contains(':') { address } else { format!("{address}:{port}") })
        };
        match (scheme, certificates) {
            ("unix", _) if rest.starts_with('/') => Ok(DockerHost::Unix(rest.into())),
            ("unix", _) => Err("the socket's path must be absolute"),
            ("ssh", _) => Ok(DockerHost::Ssh(address()?)),
            ("tcp" | "https", Some(certificates)) => {
                Ok(DockerHost::Tls { address: with_port("2376")?, certificates })
            }
            ("tcp" | "http", _) => Ok(DockerHost::Tcp(with_port("2375")?)),
            ("https", None) => Err("https needs DOCKER_TLS_VERIFY and DOCKER_CERT_PATH"),
            _ => Err("the scheme must be unix, tcp or ssh"),
        }
    }

    /// Returns the address as a value of `DOCKER_HOST`.
    pub(super) fn url(&self) -> String {
        match self {
            DockerHost::Unix(path) => format!("unix://{}", path.display()),
            DockerHost::Tcp(address) | DockerHost::Tls { address, .. } => {
                format!("tcp://{address}")
            }
            DockerHost::Ssh(address) => format!("ssh://{address}"),
        }
    }

    /// Opens a separate connection.
    ///
    /// # Errors
    /// Fails if it cannot be opened. For TLS, use [`net::upgrade`](cutover_net::upgrade) instead.
    pub(super) async fn dial(&self) -> io::Result<Box<dyn Duplex>> {
        match self {
            DockerHost::Unix(path) => Ok(Box::new(UnixStream::connect(path).await?)),
            DockerHost::Tcp(address) => Ok(Box::new(TcpStream::connect(address).await?)),
            DockerHost::Tls { .. } => Err(io::Error::from(io::ErrorKind::Unsupported)),
            DockerHost::Ssh(address) => ssh(address),
        }
    }
}

impl fmt::Display for DockerHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url())
    }
}

/// Both directions of a connection.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// Connects as `docker -H ssh://…` does: the other machine's `docker` forwards to its socket.
fn ssh(address: &str) -> io::Result<Box<dyn Duplex>> {
    let (host, port) = match address.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (host, Some(port)),
        _ => (address, None),
    };
    let mut command = Command::new("ssh");
    command.args(["-o", "ConnectTimeout=30", "-T"]);
    if let Some(port) = port {
        command.args(["-p", port]);
    }
    command.args(["--", host, "docker", "system", "dial-stdio"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(io::Error::other("ssh was started without pipes"));
    };
    // The process ends when its input does.
    tokio::spawn(async move { child.wait().await });
    Ok(Box::new(tokio::io::join(stdout, stdin)))
}

/// Returns the addresses to try, in order. An engine that the environment names is the only one.
pub(super) fn candidates(
    variable: &impl Fn(&str) -> Option<String>,
) -> Result<Vec<Candidate>, EngineError> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let folder = set("DOCKER_CONFIG").map(PathBuf::from);
    let home = set("HOME").map(|home| Path::new(&home).join(".docker"));
    let folder = folder.or(home);
    if let Some(host) = set("DOCKER_HOST") {
        let own = set("DOCKER_CERT_PATH").map(PathBuf::from).or_else(|| folder.clone());
        let certificates = set("DOCKER_TLS_VERIFY").and(own);
        let way = DockerHost::parse(&host, certificates).map_err(|cause| EngineError::Host {
            host: host.clone(),
            named_by: "DOCKER_HOST".to_owned(),
            cause,
        })?;
        return Ok(vec![Candidate { way, named_by: "DOCKER_HOST".to_owned() }]);
    }
    if let Some(folder) = folder
        && let Some(candidate) = context(&folder, set("DOCKER_CONTEXT"))?
    {
        return Ok(vec![candidate]);
    }
    let runtime = set("XDG_RUNTIME_DIR").map(PathBuf::from);
    let below = |name: &str| runtime.as_ref().map(|folder| folder.join(name));
    let places = [
        (Some(PathBuf::from("/var/run/docker.sock")), "Docker's default"),
        (below("docker.sock"), "rootless Docker's default"),
        (below("podman/podman.sock"), "rootless Podman's default"),
        (Some(PathBuf::from("/run/podman/podman.sock")), "Podman's default"),
    ];
    let candidate = |(path, named_by): (Option<PathBuf>, &str)| {
        Some(Candidate { way: DockerHost::Unix(path?), named_by: named_by.to_owned() })
    };
    Ok(places.into_iter().filter_map(candidate).collect())
}

/// The metadata that `docker context` stores.
#[derive(Deserialize)]
struct Meta {
    #[serde(rename = "Endpoints")]
    endpoints: Endpoints,
}

#[derive(Deserialize)]
struct Endpoints {
    docker: Option<Host>,
}

#[derive(Deserialize)]
struct Host {
    #[serde(rename = "Host")]
    host: String,
}

#[derive(Default, Deserialize)]
struct Settings {
    #[serde(rename = "currentContext")]
    current: Option<String>,
}

/// Returns the engine of the requested context, or else of the one in use; `None` for the default context.
fn context(folder: &Path, asked: Option<String>) -> Result<Option<Candidate>, EngineError> {
    let (name, named_by) = match asked {
        Some(name) => (name, "DOCKER_CONTEXT"),
        None => {
            let text = std::fs::read(folder.join("config.json")).unwrap_or_default();
            // Other errors in this file are reported where logins are read.
            let settings: Settings = serde_json::from_slice(&text).unwrap_or_default();
            (settings.current.unwrap_or_default(), "docker context use")
        }
    };
    if name.is_empty() || name == "default" {
        return Ok(None);
    }
    let failed = |cause: String| EngineError::Context {
        name: name.clone(),
        named_by: named_by.into(),
        cause,
    };
    let id = Digest::of(name.as_bytes());
    let id = id.as_str().trim_start_matches("sha256:");
    let meta = folder.join("contexts/meta").join(id).join("meta.json");
    let text =
        std::fs::read(&meta).map_err(|error| failed(format!("{}: {error}", meta.display())))?;
    let meta: Meta = serde_json::from_slice(&text).map_err(|error| failed(error.to_string()))?;
    let host =
        meta.endpoints.docker.ok_or_else(|| failed("it has no Docker endpoint".to_owned()))?.host;
    let certificates = folder.join("contexts/tls").join(id).join("docker");
    let certificates = certificates.join("cert.pem").exists().then_some(certificates);
    let way = DockerHost::parse(&host, certificates)
        .map_err(|cause| failed(format!("{host}: {cause}")))?;
    Ok(Some(Candidate { way, named_by: format!("the Docker context `{name}` from {named_by}") }))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn ways(variables: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let candidates = candidates(&variable).map_err(|error| error.to_string())?;
        Ok(candidates.into_iter().map(|candidate| candidate.way.to_string()).collect())
    }

    #[test]
    fn who_names_an_engine_gets_that_one() {
        for (host, way) in [
            ("unix:///run/x.sock", "unix:///run/x.sock"),
            ("tcp://10.0.0.1", "tcp://10.0.0.1:2375"),
            ("tcp://[::1]:99", "tcp://[::1]:99"),
            ("ssh://ann@build:2222", "ssh://ann@build:2222"),
        ] {
            assert_eq!(ways(&[("DOCKER_HOST", host)]), Ok(vec![way.to_owned()]));
        }
        let tls = [("DOCKER_HOST", "tcp://h"), ("DOCKER_TLS_VERIFY", "1"), ("HOME", "/h")];
        assert_eq!(ways(&tls), Ok(vec!["tcp://h:2376".to_owned()]));
        for host in ["/run/x.sock", "npipe:////./pipe/x", "unix://x", "tcp://", "https://h"] {
            let reported = ways(&[("DOCKER_HOST", host)]).unwrap_err();
            assert!(reported.contains(host) && reported.contains("DOCKER_HOST"), "{reported}");
        }
    }

    #[test]
    fn where_nobody_names_one_engines_have_their_places() {
        assert_eq!(
            ways(&[("XDG_RUNTIME_DIR", "/run/user/1")]).unwrap(),
            [
                "unix:///var/run/docker.sock",
                "unix:///run/user/1/docker.sock",
                "unix:///run/user/1/podman/podman.sock",
                "unix:///run/podman/podman.sock"
            ]
        );
    }

    #[test]
    fn contexts_of_docker() {
        let folder = tempfile::tempdir().unwrap();
        // The folder is the SHA-256 of `far`.
        let id = Digest::of(b"far").as_str().trim_start_matches("sha256:").to_owned();
        let meta = folder.path().join("contexts/meta").join(id);
        fs::create_dir_all(&meta).unwrap();
        let text = r#"{"Name":"far","Endpoints":{"docker":{"Host":"ssh://far.example"}}}"#;
        fs::write(meta.join("meta.json"), text).unwrap();
        let config = ("DOCKER_CONFIG", folder.path().to_str().unwrap());
        let far = Ok(vec!["ssh://far.example".to_owned()]);
        assert_eq!(ways(&[config, ("DOCKER_CONTEXT", "far")]), far);
        assert_eq!(ways(&[config, ("DOCKER_CONTEXT", "default")]).unwrap().len(), 2);
        let reported = ways(&[config, ("DOCKER_CONTEXT", "near")]).unwrap_err();
        assert!(reported.contains("near") && reported.contains("docker context ls"), "{reported}");
        fs::write(folder.path().join("config.json"), r#"{"currentContext":"far"}"#).unwrap();
        assert_eq!(ways(&[config]), far);
    }
}
