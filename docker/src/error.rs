//! Errors of container engines.

use std::fmt;

use super::DockerHost;

/// Why an engine cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// An invalid address.
    #[error(
        "the address `{host}` from {named_by} is invalid: {cause}. Use `unix:///path`, `tcp://host:port` or `ssh://user@host`"
    )]
    Host {
        /// The address as written.
        host: String,
        /// What names it.
        named_by: String,
        /// What is wrong.
        cause: &'static str,
    },
    /// A Docker context that cannot be used.
    #[error(
        "the Docker context `{name}` from {named_by} cannot be used: {cause}. List the contexts with `docker context ls`, or set `DOCKER_CONTEXT=default` to use none"
    )]
    Context {
        /// Its name.
        name: String,
        /// What names it.
        named_by: String,
        /// What is wrong.
        cause: String,
    },
    /// No engine answers.
    #[error(
        "no container engine answers:{}\nStart one (`sudo systemctl start docker`, or `systemctl --user start podman.socket`), set DOCKER_HOST to another one, \
         or do without: `image.files` assembles an image without an engine, and `cutover deploy --image repository@sha256:…` deploys one that is already pushed", list(.tried)
    )]
    None {
        /// The addresses that were tried.
        tried: Vec<Attempt>,
    },
    /// The engine answered with an error.
    #[error("cannot {attempted}: {}", .source)]
    Answer {
        /// What was attempted.
        attempted: String,
        /// The error.
        source: bollard::errors::Error,
    },
    /// The response violates the API.
    #[error(
        "cannot {attempted}: {what}. Check with `docker version` that this is a container engine"
    )]
    Protocol {
        /// What was attempted.
        attempted: String,
        /// What is wrong with the response.
        what: String,
    },
}

/// An address at which no engine answered.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The address.
    pub way: DockerHost,
    /// What names it.
    pub named_by: String,
    /// Why there was no answer.
    pub cause: String,
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.way, self.named_by, self.cause)
    }
}

fn list(tried: &[Attempt]) -> String {
    tried.iter().map(|tried| format!("\n  {tried}")).collect()
}
