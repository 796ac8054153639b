//! Why an engine does not help.

use std::fmt;

use super::Way;

/// An engine that is not there, or says no.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A place that is none.
    #[error(
        "{named_by} names `{host}`, and {cause}. Write `unix:///path`, `tcp://host:port` or `ssh://user@host`"
    )]
    Host {
        /// As written.
        host: String,
        /// What says so.
        named_by: String,
        /// What is wrong.
        cause: &'static str,
    },
    /// A context of Docker's that cannot be used.
    #[error(
        "the context `{name}` of {named_by} cannot be used: {cause}. `docker context ls` shows those there are; `DOCKER_CONTEXT=default` goes without"
    )]
    Context {
        /// Its name.
        name: String,
        /// What chose it.
        named_by: String,
        /// What is wrong.
        cause: String,
    },
    /// No engine answers.
    #[error(
        "no container engine answers:{}\nStart one (`sudo systemctl start docker`, or `systemctl --user start podman.socket`), name another by DOCKER_HOST, \
         or go without: `image.files` puts an image together with no engine, and `cutover deploy --image repository@sha256:…` takes one that is already pushed", list(.tried)
    )]
    None {
        /// Where one was looked for.
        tried: Vec<Tried>,
    },
    /// It answered, and not with what was asked for.
    #[error("cannot {attempted}: {}", .source)]
    Answer {
        /// What was attempted.
        attempted: String,
        /// What came back.
        source: bollard::errors::Error,
    },
    /// It answered something else than its interface says.
    #[error(
        "cannot {attempted}: {what}. Is this a container engine? `docker version` asks it, too"
    )]
    Protocol {
        /// What was attempted.
        attempted: String,
        /// What is wrong with the answer.
        what: String,
    },
}

/// A place where no engine answered.
#[derive(Debug, Clone)]
pub struct Tried {
    /// Where.
    pub way: Way,
    /// What named the place.
    pub named_by: String,
    /// What came instead of an answer.
    pub cause: String,
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.way, self.named_by, self.cause)
    }
}

fn list(tried: &[Tried]) -> String {
    tried.iter().map(|tried| format!("\n  {tried}")).collect()
}
