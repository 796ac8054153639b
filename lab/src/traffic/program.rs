//! What an instance runs: a program that behaves as the labels of its image say, or nginx from the
//! distribution's packages.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::nginx;
use crate::services::registry::contents::image as image_facts;
use crate::services::registry::state::State as Registries;

/// The label with the version that the program reports.
pub const VERSION: &str = "lab.version";
/// The label with the share, from 0 to 1, of requests that the program answers with 500.
pub const ERROR_RATE: &str = "lab.error-rate";
/// The label with the response time in milliseconds.
pub const LATENCY_MS: &str = "lab.latency-ms";
/// The label with the seconds from the instance running until the program answers.
pub const BOOT_SECONDS: &str = "lab.boot-seconds";
/// The label that is `fail` if health checks fail forever; they pass if it is `ok` or absent.
pub const HEALTH: &str = "lab.health";
/// The label with the seconds from the program's first answer until it exits for good.
pub const CRASH: &str = "lab.crash";

/// The label with the requests per second that one instance can handle; unlimited without it.
pub const CAPACITY: &str = "lab.capacity";

/// The version that nginx from the distribution's packages reports.
pub const NGINX: &str = "nginx";

/// A container as the lab sees it, or nginx without a container.
#[derive(Debug, Clone, PartialEq)]
pub struct Program {
    /// The version that it reports; the start of the digest if the image has no such label.
    pub version: String,
    /// The digest of its manifest; `None` for an image that the registry does not have.
    pub digest: Option<String>,
    /// The image reference in the user data; empty if there is none.
    pub image: String,
    /// The share of requests that it answers with 500.
    pub error_rate: f64,
    /// The response time in milliseconds.
    pub latency_ms: u64,
    /// Requests per second that it can handle; `None` if its image does not say.
    pub capacity: Option<f64>,
    /// Whether it passes health checks once it answers.
    pub healthy: bool,
    /// From the instance running until the program answers.
    pub boot: Duration,
    /// From its first answer until it exits; `None` for a program that keeps running.
    pub crash: Option<Duration>,
    /// The paths at which nginx serves a page; `None` for a container.
    pub pages: Option<BTreeSet<String>>,
}

impl Default for Program {
    fn default() -> Program {
        Program {
            version: "none".to_owned(),
            digest: None,
            image: String::new(),
            error_rate: 0.0,
            latency_ms: 20,
            capacity: None,
            healthy: true,
            boot: Duration::from_secs(30),
            crash: None,
            pages: None,
        }
    }
}

impl Program {
    /// Returns the program that an instance with this (decoded) user data runs: the container of the
    /// image that it names, if the registry has the image; else nginx, if the script installs and starts
    /// it; else a program that never answers.
    pub fn from_user_data(user_data: &str, registry: &Registries) -> Program {
        let image = reference(user_data);
        if let Some(image) = image
            && let Some(facts) = image_facts(registry, image)
        {
            return Program::from_labels(image, &facts.digest, &facts.labels);
        }
        match nginx::pages(user_data) {
            Some(pages) => {
                Program { version: NGINX.to_owned(), pages: Some(pages), ..Program::default() }
            }
            None => Program { image: image.unwrap_or_default().to_owned(), ..Program::default() },
        }
    }

    /// Returns whether there is anything to run.
    pub fn is_runnable(&self) -> bool {
        self.digest.is_some() || self.pages.is_some()
    }

    fn from_labels(image: &str, digest: &str, labels: &BTreeMap<String, String>) -> Program {
        let text = |key: &str| labels.get(key).map(|value| value.trim());
        let seconds = |key: &str| {
            text(key).and_then(|s| s.parse().ok()).and_then(|s| Duration::try_from_secs_f64(s).ok())
        };
        let default = Program::default();
        Program {
            version: text(VERSION).map_or_else(|| short_digest(digest), str::to_owned),
            digest: Some(digest.to_owned()),
            image: image.to_owned(),
            error_rate: text(ERROR_RATE)
                .and_then(|s| s.parse::<f64>().ok())
                .map_or(0.0, |rate| rate.clamp(0.0, 1.0)),
            latency_ms: text(LATENCY_MS).and_then(|s| s.parse().ok()).unwrap_or(default.latency_ms),
            capacity: text(CAPACITY).and_then(|s| s.parse().ok()).filter(|most| *most > 0.0),
            healthy: text(HEALTH) != Some("fail"),
            boot: seconds(BOOT_SECONDS).unwrap_or(default.boot),
            crash: seconds(CRASH),
            pages: None,
        }
    }
}

/// Returns the first twelve digits of a digest.
fn short_digest(digest: &str) -> String {
    digest.trim_start_matches("sha256:").chars().take(12).collect()
}

/// Returns the last image reference in a text: `<registry>/<repository>@sha256:<digest>` or
/// `<registry>/<repository>:<tag>`. The last one, because scripts log in and pull before they run.
fn reference(text: &str) -> Option<&str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || "._/:@-".contains(c)))
        .rfind(|word| is_reference(word))
}

fn is_reference(word: &str) -> bool {
    let Some((host, path)) = word.split_once('/') else { return false };
    let is_host = host.contains('.') || host.starts_with("localhost");
    if !is_host || host.starts_with('.') || path.starts_with('/') {
        return false;
    }
    match path.split_once("@sha256:") {
        Some((_, hex)) => hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit()),
        None => path
            .rsplit('/')
            .next()
            .and_then(|last| last.split_once(':'))
            .is_some_and(|(name, tag)| !name.is_empty() && !tag.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_reference_that_is_run() {
        let digest = "a".repeat(64);
        let script = format!(
            "#!/bin/bash\naws ecr get-login-password | docker login 1.dkr.ecr.x.amazonaws.com\n\
             curl https://example.com/install.sh\n\
             docker run -p 80:8080 \"1.dkr.ecr.x.amazonaws.com/news@sha256:{digest}\"\n"
        );
        assert_eq!(
            reference(&script),
            Some(format!("1.dkr.ecr.x.amazonaws.com/news@sha256:{digest}").as_str())
        );
        assert_eq!(reference("IMAGE=ghcr.io/acme/web:1.2"), Some("ghcr.io/acme/web:1.2"));
        assert_eq!(reference("cp /etc/a.b/c:d /usr/bin && true"), None);
    }

    #[test]
    fn nginx_runs_where_no_image_does() {
        let registry = Registries::default();
        let run = |rest: &str| {
            let script = format!("#!/bin/bash\ndnf install -y nginx\n{rest}\n");
            Program::from_user_data(&script, &registry)
        };
        let nginx = run("systemctl enable --now nginx");
        assert!(nginx.is_runnable() && nginx.version == NGINX && nginx.digest.is_none());
        assert!(!run("").is_runnable());
        let beside = run("docker run ghcr.io/acme/unknown:1\nsystemctl start nginx");
        assert!(beside.is_runnable() && beside.image.is_empty());
    }

    #[test]
    fn labels_say_how_it_behaves() {
        let labels = [(VERSION, "v2"), (ERROR_RATE, "0.3"), (HEALTH, "fail"), (BOOT_SECONDS, "5")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()));
        let program = Program::from_labels("r/i:t", "sha256:abc", &BTreeMap::from(labels));
        assert_eq!(program.version, "v2");
        assert_eq!(program.error_rate, 0.3);
        assert!(!program.healthy);
        assert_eq!(program.boot, Duration::from_secs(5));
        assert_eq!(program.crash, None);
    }
}
