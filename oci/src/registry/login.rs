//! Reads the logins that `docker login` and `podman login` have stored: in a file that holds the password or
//! names a credential helper (Docker CLI reference, "Credential stores").

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::Credentials;

/// The time limit of a credential helper, which may have to prompt its user.
const PATIENCE: Duration = Duration::from_secs(60);

/// The key under which the file may also keep Docker Hub's login.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// Why stored logins cannot be read. A missing login is not an error.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The file cannot be read.
    #[error("{}: {cause}. Fix it, or log in again with `docker login`", .file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        cause: String,
    },
    /// The credential helper that the file names fails.
    #[error("{}: the credential helper `{helper}` for {host} failed: {cause}", .file.display())]
    Helper {
        /// The file that names the helper.
        file: PathBuf,
        /// The program.
        helper: String,
        /// The registry.
        host: String,
        /// What is wrong.
        cause: String,
    },
}

/// `config.json`, or Podman's `auth.json`; other members are ignored.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    #[serde(default)]
    auths: BTreeMap<String, Auth>,
    #[serde(default)]
    cred_helpers: BTreeMap<String, String>,
    #[serde(default)]
    creds_store: Option<String>,
}

#[derive(Default, Deserialize)]
struct Auth {
    #[serde(default)]
    auth: Option<String>,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    password: Option<String>,
}

impl std::fmt::Debug for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Auth").finish_non_exhaustive()
    }
}

/// The output of a credential helper.
#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "Username")]
    username: String,
    #[serde(rename = "Secret")]
    secret: String,
}

/// Returns the files that may hold logins, by the environment; the first one that has the registry wins.
pub fn files(variable: impl Fn(&str) -> Option<String>) -> Vec<PathBuf> {
    let docker = variable("DOCKER_CONFIG").map(PathBuf::from);
    let home = variable("HOME").map(|home| Path::new(&home).join(".docker"));
    let docker = docker.or(home).map(|folder| folder.join("config.json"));
    let podman = variable("REGISTRY_AUTH_FILE").map(PathBuf::from);
    let runtime = variable("XDG_RUNTIME_DIR");
    let runtime = runtime.map(|folder| Path::new(&folder).join("containers/auth.json"));
    podman.into_iter().chain(docker).chain(runtime).collect()
}

/// Returns the credentials for the registry at `host`; `None` if no file has any.
///
/// # Errors
/// Fails if a file, or the credential helper that it names, cannot be used.
pub async fn find(files: &[PathBuf], host: &str) -> Result<Option<Credentials>, LoginError> {
    for path in files {
        if let Some(found) = read(path)?.find(path, host).await? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn read(path: &Path) -> Result<File, LoginError> {
    let failed = |cause: String| LoginError::File { file: path.to_owned(), cause };
    match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| failed(error.to_string())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(File::default()),
        Err(error) => Err(failed(error.to_string())),
    }
}

impl File {
    async fn find(&self, path: &Path, host: &str) -> Result<Option<Credentials>, LoginError> {
        if let Some(helper) = self.cred_helpers.get(host) {
            return run_helper(path, helper, host).await;
        }
        if let Some(auth) = self.auth(host)
            && let Some(found) = auth.credentials().map_err(|cause| LoginError::File {
                file: path.to_owned(),
                cause: format!("`auths.{host}` {cause}"),
            })?
        {
            return Ok(Some(found));
        }
        // An empty entry in `auths` only means that the credential store has the login.
        match &self.creds_store {
            Some(store) => run_helper(path, store, host).await,
            None => Ok(None),
        }
    }

    /// Older versions store logins under a URL.
    fn auth(&self, host: &str) -> Option<&Auth> {
        let plain = |key: &str| {
            let key = key.trim_start_matches("https://").trim_start_matches("http://");
            key.split('/').next().unwrap_or_default().to_owned()
        };
        let hub = (host == "docker.io").then(|| self.auths.get(DOCKER_HUB)).flatten();
        let by_url = || self.auths.iter().find(|(key, _)| plain(key) == host).map(|(_, auth)| auth);
        hub.or_else(|| self.auths.get(host)).or_else(by_url)
    }
}

impl Auth {
    /// Returns user and password; `None` if the entry has neither.
    fn credentials(&self) -> Result<Option<Credentials>, &'static str> {
        if let (Some(user), Some(password)) = (&self.username, &self.password) {
            let (user, password) = (user.clone(), password.clone());
            return Ok(Some(Credentials::Basic { user, password }));
        }
        let Some(auth) = self.auth.as_deref().filter(|auth| !auth.is_empty()) else {
            return Ok(None);
        };
        let text = STANDARD.decode(auth).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let text = text.ok_or("is not Base64")?;
        // Some tools append a NUL.
        let text = text.trim_end_matches('\0');
        let (user, password) = text.split_once(':').ok_or("does not contain `user:password`")?;
        Ok(Some(Credentials::Basic { user: user.to_owned(), password: password.to_owned() }))
    }
}

/// Runs `docker-credential-<helper> get`. A helper that has no login for this registry is not an error.
async fn run_helper(
    file: &Path,
    helper: &str,
    host: &str,
) -> Result<Option<Credentials>, LoginError> {
    let program = format!("docker-credential-{helper}");
    let failed = |cause: String| LoginError::Helper {
        file: file.to_owned(),
        helper: program.clone(),
        host: host.to_owned(),
        cause,
    };
    let asked = async {
        let mut child = Command::new(&program)
            .arg("get")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(host.as_bytes()).await?;
        }
        child.wait_with_output().await
    };
    let output = match tokio::time::timeout(PATIENCE, asked).await {
        Ok(output) => output.map_err(|error| failed(format!("it cannot be started: {error}")))?,
        Err(_) => return Err(failed(format!("no output within {} s", PATIENCE.as_secs()))),
    };
    if !output.status.success() {
        // Helpers report errors on either stdout or stderr.
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).trim().to_owned();
        if said.contains("credentials not found") {
            return Ok(None);
        }
        return Err(failed(said));
    }
    let answer: Answer = serde_json::from_slice(&output.stdout)
        .map_err(|_| failed("its output has no `Username` and `Secret`".to_owned()))?;
    Ok(Some(Credentials::Basic { user: answer.username, password: answer.secret }))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn basic(user: &str, password: &str) -> Credentials {
        Credentials::Basic { user: user.to_owned(), password: password.to_owned() }
    }

    async fn found(text: &str, host: &str) -> Result<Option<Credentials>, LoginError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.json");
        fs::write(&file, text).unwrap();
        find(&[folder.path().join("none.json"), file], host).await
    }

    #[tokio::test]
    async fn logins_by_host_by_url_and_in_two_fields() {
        let text = r#"{
            "auths": {
                "ghcr.io": { "auth": "YWxpY2U6czNjOnJldA==" },
                "https://registry.example/v2/": { "username": "bob", "password": "pw" },
                "https://index.docker.io/v1/": { "auth": "YzpkAA==" },
                "store.example": {}
            },
            "HttpHeaders": {}
        }"#;
        assert_eq!(found(text, "ghcr.io").await.unwrap(), Some(basic("alice", "s3c:ret")));
        assert_eq!(found(text, "registry.example").await.unwrap(), Some(basic("bob", "pw")));
        assert_eq!(found(text, "docker.io").await.unwrap(), Some(basic("c", "d")));
        assert_eq!(found(text, "store.example").await.unwrap(), None);
        assert_eq!(found(text, "other.example").await.unwrap(), None);
    }

    #[tokio::test]
    async fn errors_name_the_file_and_never_the_secret() {
        let reported =
            |result: Result<Option<Credentials>, LoginError>| result.unwrap_err().to_string();
        assert!(reported(found("{", "a").await).contains("config.json"));
        let broken = reported(found(r#"{"auths":{"a":{"auth":"c2VjcmV0"}}}"#, "a").await);
        assert!(broken.contains("does not contain `user:password`"), "{broken}");
        assert!(!broken.contains("secret"));
        let missing = reported(found(r#"{"credHelpers":{"a":"no-such-helper"}}"#, "a").await);
        assert!(missing.contains("docker-credential-no-such-helper"), "{missing}");
    }

    #[test]
    fn files_by_the_environment() {
        let variables = BTreeMap::from([
            ("HOME", "/home/ann"),
            ("REGISTRY_AUTH_FILE", "/run/auth.json"),
            ("XDG_RUNTIME_DIR", "/run/user/1"),
        ]);
        let all = files(|name| variables.get(name).map(|value| (*value).to_owned()));
        let named: Vec<_> = all.iter().map(|path| path.to_str().unwrap()).collect();
        let expected =
            ["/run/auth.json", "/home/ann/.docker/config.json", "/run/user/1/containers/auth.json"];
        assert_eq!(named, expected);
        assert!(files(|_| None).is_empty());
    }
}
