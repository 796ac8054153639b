//! Why a build gave no image.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::{EngineError, InvalidPattern};

/// A build that gave no image.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The folder is not there.
    #[error(
        "cannot build: there is no folder `{}`. It is what `image.build.context` names, relative to cutover.yaml", .folder.display()
    )]
    NoContext {
        /// As given.
        folder: PathBuf,
    },
    /// The Dockerfile is not there.
    #[error(
        "cannot build: `{}` cannot be read: {source}. It is what `image.build.dockerfile` names; without it, `Dockerfile` in `{}`", .path.display(), .folder.display()
    )]
    NoDockerfile {
        /// As given.
        path: PathBuf,
        /// The context.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file says what is left out, and is not understood.
    #[error("cannot build: {}: {source}", .file.display())]
    Ignore {
        /// Which.
        file: PathBuf,
        /// What is wrong.
        source: InvalidPattern,
    },
    /// Something in the context cannot be read.
    #[error(
        "cannot build: sending `{}` failed: {source}. What the build does not need can be left out by .dockerignore", .path.display()
    )]
    Read {
        /// What.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A secret has no value.
    #[error("cannot build: the secret `{id}` of `image.build.secrets` has no value: {cause}")]
    Secret {
        /// Its id.
        id: String,
        /// Why.
        cause: String,
    },
    /// An SSH agent is not there.
    #[error(
        "cannot build: the agent `{id}` of `image.build.ssh` is not there: {cause}. Start one (`eval $(ssh-agent)`, `ssh-add`), or name its socket"
    )]
    Agent {
        /// Its id.
        id: String,
        /// Why.
        cause: String,
    },
    /// This engine cannot do that.
    #[error("cannot build: {what}. {remedy}")]
    Unsupported {
        /// What it cannot do.
        what: String,
        /// What can be done about it.
        remedy: &'static str,
    },
    /// The second connection, by which the engine asks for secrets and logins, failed.
    #[error(
        "cannot build: the engine's connection for secrets and logins (its `/session`) failed: {cause}. Nothing is lost by trying again"
    )]
    Session {
        /// Why.
        cause: String,
    },
    /// The engine failed at it.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The build itself failed.
    #[error(transparent)]
    Failed(Box<Failure>),
}

/// A build that failed by itself: a command, a missing file, a mistake in the Dockerfile.
#[derive(Debug, Clone, Default, PartialEq, Eq, thiserror::Error)]
pub struct Failure {
    /// The step as the engine calls it, such as `[2/4] RUN make`; `None` where it began none.
    pub step: Option<String>,
    /// What the engine says.
    pub cause: String,
    /// The last lines that the step wrote.
    pub log: Vec<String>,
    /// The lines of the Dockerfile, ready to be shown; empty where they are not known.
    pub excerpt: String,
    /// What may help.
    pub hints: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.step {
            Some(step) => write!(f, "the build failed at `{step}`: {}", self.cause)?,
            None => write!(f, "the build failed: {}", self.cause)?,
        }
        if !self.log.is_empty() {
            f.write_str("\nIts last lines:")?;
            for line in &self.log {
                write!(f, "\n  {line}")?;
            }
        }
        if !self.excerpt.is_empty() {
            write!(f, "\n{}", self.excerpt.trim_end())?;
        }
        for hint in &self.hints {
            write!(f, "\n{hint}")?;
        }
        Ok(())
    }
}
