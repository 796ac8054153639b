//! Where an engine listens: as `DOCKER_HOST` says it, as a context of Docker's says it, or in one of
//! the places that engines choose by themselves.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::process::Command;

use super::EngineError;
use crate::model::Digest;

/// The way to an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// A socket on this machine.
    Unix(PathBuf),
    /// Host and port, open to whoever reaches them.
    Tcp(String),
    /// Host and port, by TLS with a certificate of our own.
    Tls {
        /// Host and port.
        address: String,
        /// The folder with `ca.pem`, `cert.pem` and `key.pem`.
        certificates: PathBuf,
    },
    /// `[user@]host[:port]`, by the program `ssh`.
    Ssh(String),
}

/// A way, and what named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) way: Way,
    pub(super) named_by: String,
}

impl Way {
    /// Reads a value of `DOCKER_HOST`. By TLS if there are `certificates`.
    fn parse(text: &str, certificates: Option<PathBuf>) -> Result<Way, &'static str> {
        let (scheme, rest) = text.split_once("://").ok_or("it has no scheme")?;
        let address = || -> Result<String, &'static str> {
            let address = rest.trim_end_matches('/');
            if address.is_empty() || address.contains('/') {
                return Err("after the scheme come host and port");
            }
            Ok(address.to_owned())
        };
        let with_port = |port: &str| -> Result<String, &'static str> {
            let address = address()?;
            let host = address.rsplit(']').next().unwrap_or_default();
            Ok(if host.contains(':') { address } else { format!("{address}:{port}") })
        };
        match (scheme, certificates) {
            ("unix", _) if rest.starts_with('/') => Ok(Way::Unix(rest.into())),
            ("unix", _) => Err("the socket's path must be absolute"),
            ("ssh", _) => Ok(Way::Ssh(address()?)),
            ("tcp" | "https", Some(certificates)) => {
                Ok(Way::Tls { address: with_port("2376")?, certificates })
            }
            ("tcp" | "http", _) => Ok(Way::Tcp(with_port("2375")?)),
            ("https", None) => Err("https needs DOCKER_TLS_VERIFY and DOCKER_CERT_PATH"),
            _ => Err("the schemes are unix, tcp and ssh"),
        }
    }

    /// The value of `DOCKER_HOST` that leads there.
    pub(super) fn url(&self) -> String {
        match self {
            Way::Unix(path) => format!("unix://{}", path.display()),
            Way::Tcp(address) | Way::Tls { address, .. } => format!("tcp://{address}"),
            Way::Ssh(address) => format!("ssh://{address}"),
        }
    }

    /// A connection of its own.
    ///
    /// # Errors
    /// Where it does not come about; by TLS, [`net::upgrade`](crate::net::upgrade) makes one.
    pub(super) async fn dial(&self) -> io::Result<Box<dyn Duplex>> {
        match self {
            Way::Unix(path) => Ok(Box::new(UnixStream::connect(path).await?)),
            Way::Tcp(address) => Ok(Box::new(TcpStream::connect(address).await?)),
            Way::Tls { .. } => Err(io::Error::from(io::ErrorKind::Unsupported)),
            Way::Ssh(address) => ssh(address),
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url())
    }
}

/// Both directions of a connection.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// What `docker -H ssh://…` does, too: the other machine's `docker` passes on to its socket.
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
        return Err(io::Error::other("ssh has no pipes"));
    };
    // It ends when its input does.
    tokio::spawn(async move { child.wait().await });
    Ok(Box::new(tokio::io::join(stdout, stdin)))
}

/// Where to look, in order. Who names an engine gets that one or none.
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
        let way = Way::parse(&host, certificates).map_err(|cause| EngineError::Host {
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
        (Some(PathBuf::from("/var/run/docker.sock")), "Docker's own place"),
        (below("docker.sock"), "rootless Docker's place"),
        (below("podman/podman.sock"), "rootless Podman's place"),
        (Some(PathBuf::from("/run/podman/podman.sock")), "Podman's own place"),
    ];
    let candidate = |(path, named_by): (Option<PathBuf>, &str)| {
        Some(Candidate { way: Way::Unix(path?), named_by: named_by.to_owned() })
    };
    Ok(places.into_iter().filter_map(candidate).collect())
}

/// What `docker context` keeps of an endpoint.
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

/// The engine of the context that is `asked` for, or that is in use; `None` for the default one.
fn context(folder: &Path, asked: Option<String>) -> Result<Option<Candidate>, EngineError> {
    let (name, named_by) = match asked {
        Some(name) => (name, "DOCKER_CONTEXT"),
        None => {
            let text = std::fs::read(folder.join("config.json")).unwrap_or_default();
            // What else may be wrong with this file is for the registries' logins to say.
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
    let host = meta.endpoints.docker.ok_or_else(|| failed("it names no engine".to_owned()))?.host;
    let certificates = folder.join("contexts/tls").join(id).join("docker");
    let certificates = certificates.join("cert.pem").exists().then_some(certificates);
    let way =
        Way::parse(&host, certificates).map_err(|cause| failed(format!("{host}: {cause}")))?;
    Ok(Some(Candidate { way, named_by: format!("the context `{name}` of {named_by}") }))
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
            let told = ways(&[("DOCKER_HOST", host)]).unwrap_err();
            assert!(told.contains(host) && told.contains("DOCKER_HOST"), "{told}");
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
        // The digest of `far`, by sha256sum.
        let id = Digest::of(b"far").as_str().trim_start_matches("sha256:").to_owned();
        let meta = folder.path().join("contexts/meta").join(id);
        fs::create_dir_all(&meta).unwrap();
        let text = r#"{"Name":"far","Endpoints":{"docker":{"Host":"ssh://far.example"}}}"#;
        fs::write(meta.join("meta.json"), text).unwrap();
        let config = ("DOCKER_CONFIG", folder.path().to_str().unwrap());
        let far = Ok(vec!["ssh://far.example".to_owned()]);
        assert_eq!(ways(&[config, ("DOCKER_CONTEXT", "far")]), far);
        assert_eq!(ways(&[config, ("DOCKER_CONTEXT", "default")]).unwrap().len(), 2);
        let told = ways(&[config, ("DOCKER_CONTEXT", "near")]).unwrap_err();
        assert!(told.contains("near") && told.contains("docker context ls"), "{told}");
        fs::write(folder.path().join("config.json"), r#"{"currentContext":"far"}"#).unwrap();
        assert_eq!(ways(&[config]), far);
    }
}
