//! Docker's own registry on a free port, and skopeo to read it back: both independent of this code.

#![allow(dead_code, clippy::unwrap_used, clippy::panic, clippy::print_stderr)] // each test uses a part

use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use cutover_net::Net;
use cutover_oci::registry::{Credentials, Endpoint, Registry};
use cutover_rollout::model::Repository;
use tempfile::TempDir;

/// `docker-registry serve` on a free port; it ends with the test.
pub(crate) struct Served {
    child: Child,
    pub(crate) port: u16,
    pub(crate) folder: TempDir,
    /// The folder of its TLS keys, which must outlive it.
    keys: Option<TempDir>,
}

impl Served {
    /// Returns `None`, and prints why, if the programs aren't installed. In CI they must be.
    pub(crate) async fn start(htpasswd: Option<&str>) -> Option<Served> {
        Served::start_with(htpasswd, "").await
    }

    /// The same with TLS, as `registry.test` and as 127.0.0.1, signed by an authority of its own:
    /// `ca.pem`.
    pub(crate) async fn start_by_tls() -> Option<Served> {
        let folder = tempfile::tempdir().unwrap();
        let openssl = |arguments: &str| {
            let made = Command::new("openssl")
                .args(arguments.split(' '))
                .current_dir(folder.path())
                .output()
                .unwrap();
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        };
        let names = "subjectAltName=DNS:registry.test,IP:127.0.0.1";
        fs::write(folder.path().join("names"), names).unwrap();
        openssl(
            "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -keyout ca.key -out ca.pem",
        );
        openssl(
            "req -newkey rsa:2048 -nodes -subj /CN=registry.test -keyout key.pem -out asked.pem",
        );
        openssl(
            "x509 -req -in asked.pem -CA ca.pem -CAkey ca.key -days 2 -extfile names -out own.pem",
        );
        let path = |name: &str| folder.path().join(name).display().to_string();
        let tls = format!("tls: {{ certificate: {}, key: {} }}", path("own.pem"), path("key.pem"));
        let mut served = Served::start_with(None, &tls).await?;
        fs::copy(path("ca.pem"), served.folder.path().join("ca.pem")).unwrap();
        served.keys = Some(folder);
        Some(served)
    }

    async fn start_with(htpasswd: Option<&str>, tls: &str) -> Option<Served> {
        for program in ["docker-registry", "skopeo"] {
            if Command::new(program).arg("--version").output().is_err() {
                let missing = format!("{program} is not installed (apt-get install {program})");
                assert!(std::env::var("CI").as_deref() != Ok("true"), "{missing}");
                eprintln!("skipped: {missing}");
                return None;
            }
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let mut config = format!(
            "version: 0.1\nlog: {{ level: error }}\nstorage: {{ filesystem: {{ rootdirectory: {} }} }}\n\
             http: {{ addr: '127.0.0.1:{port}', {tls} }}\n",
            path("data")
        );
        if let Some(line) = htpasswd {
            fs::write(path("htpasswd"), line).unwrap();
            config +=
                &format!("auth: {{ htpasswd: {{ realm: test, path: {} }} }}\n", path("htpasswd"));
        }
        fs::write(path("config.yml"), config).unwrap();
        let child = Command::new("docker-registry")
            .args(["serve", &path("config.yml")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let served = Served { child, port, folder, keys: None };
        for _ in 0..100 {
            if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return Some(served);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("docker-registry does not listen on port {port}");
    }

    pub(crate) fn registry(&self, credentials: Credentials) -> Registry {
        let endpoint: Endpoint = format!("http://127.0.0.1:{}", self.port).parse().unwrap();
        Registry::new(Net::real().unwrap(), endpoint, credentials)
    }

    pub(crate) fn repository(&self) -> Repository {
        self.repository_at("team/news")
    }

    pub(crate) fn repository_at(&self, path: &str) -> Repository {
        format!("127.0.0.1:{}/{path}", self.port).parse().unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns skopeo's output.
pub(crate) fn skopeo(arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } =
        Command::new("skopeo").arg("--insecure-policy").args(arguments).output().unwrap();
    assert!(status.success(), "skopeo {arguments:?}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}
