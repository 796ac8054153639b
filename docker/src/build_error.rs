//! Errors of builds.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::{EngineError, InvalidPattern};

/// Why a build has no image.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The build context does not exist.
    #[error(
        "cannot build: the folder `{}` does not exist. Correct `image.build.context`, which is relative to cutover.yaml", .folder.display()
    )]
    NoContext {
        /// As given.
        folder: PathBuf,
    },
    /// The Dockerfile cannot be read.
    #[error(
        "cannot build: `{}` cannot be read: {source}. Correct `image.build.dockerfile`; the default is `Dockerfile` in `{}`", .path.display(), .folder.display()
    )]
    NoDockerfile {
        /// As given.
        path: PathBuf,
        /// The build context.
        folder: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// An ignore file is invalid.
    #[error("cannot build: {}: {source}", .file.display())]
    Ignore {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        source: InvalidPattern,
    },
    /// Something in the context cannot be read.
    #[error(
        "cannot build: sending `{}` failed: {source}. Exclude what the build does not need in .dockerignore", .path.display()
    )]
    Read {
        /// The path.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A secret has no value.
    #[error("cannot build: the secret `{id}` of `image.build.secrets` has no value: {cause}")]
    Secret {
        /// Its ID.
        id: String,
        /// The cause.
        cause: String,
    },
    /// An SSH agent is not available.
    #[error(
        "cannot build: the SSH agent `{id}` of `image.build.ssh` is not available: {cause}. Start one (`eval $(ssh-agent)`, `ssh-add`), or name its socket"
    )]
    Agent {
        /// Its ID.
        id: String,
        /// The cause.
        cause: String,
    },
    /// The engine does not support something.
    #[error("cannot build: {what}. {remedy}")]
    Unsupported {
        /// What it does not support.
        what: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// The session failed: the second connection, through which the engine requests secrets and logins.
    #[error(
        "cannot build: the engine's connection for secrets and logins (`/session`) failed: {cause}. Run it again"
    )]
    Session {
        /// The cause.
        cause: String,
    },
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The build itself failed.
    #[error(transparent)]
    Failed(Box<BuildFailure>),
}

/// A failure of the build itself: a command, a missing file, a mistake in the Dockerfile.
#[derive(Debug, Clone, Default, PartialEq, Eq, thiserror::Error)]
pub struct BuildFailure {
    /// The step by the engine's name, such as `[2/4] RUN make`; `None` if none had begun.
    pub step: Option<String>,
    /// The engine's message.
    pub cause: String,
    /// The last lines of the step's output.
    pub log: Vec<String>,
    /// The lines of the Dockerfile, ready for display; empty if unknown.
    pub excerpt: String,
    /// Hints.
    pub hints: Vec<String>,
}

impl fmt::Display for BuildFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.step {
            Some(step) => write!(f, "the build failed at `{step}`: {}", self.cause)?,
            None => write!(f, "the build failed: {}", self.cause)?,
        }
        if !self.log.is_empty() {
            f.write_str("\nLast lines of its output:")?;
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
